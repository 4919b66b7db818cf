//! What kinds of problem there are: words for programs, which docs/reference/errors.md explains one by one.

use http::StatusCode;
use serde::{Serialize, Serializer};
use strum::{IntoStaticStr, VariantArray};

/// A kind of problem. Each has its section in docs/reference/errors.md; a word that was told once keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Code {
    /// 400: the request itself is wrong.
    BadRequest,
    /// 400: a parameter, a header or a field of the body has a value it may not have.
    BadParameter,
    /// 401: nothing was shown, or nothing that is known.
    KeyRequired,
    /// 401: the bearer token is none that is known.
    UnknownToken,
    /// 403, where no other word fits.
    Forbidden,
    /// 403: whoever it is may not do that.
    ScopeMissing,
    /// 403: the name by which the engine was asked is not its own.
    HostNotServed,
    /// 403: the request comes from another web page.
    ForeignOrigin,
    /// 404, where no other word fits.
    NotFound,
    /// 404: nothing is served there.
    NoSuchPath,
    /// 404: there is no such job, as far as everything could be looked at.
    NoSuchJob,
    /// 404: no such job is on record, and what could have it cannot be read.
    JobNotKnown,
    /// 405.
    MethodNotAllowed,
    /// 408: the body did not come in time.
    BodyTooSlow,
    /// 409, where no other word fits.
    Conflict,
    /// 409: the configuration names the job.
    JobConfigured,
    /// 409: the job is seen alive.
    JobSeenAlive,
    /// 409: the engine was not started from a file.
    NoConfigurationFile,
    /// 413.
    BodyTooLarge,
    /// 415: the body is of another format.
    WrongFormat,
    /// 422: what the configuration says cannot be used.
    ReloadRefused,
    /// 429, where no other word fits.
    TooOften,
    /// 429: this caller has written too often.
    TooManyWrites,
    /// 429: calls about this job have made too many entries.
    TooManyCalls,
    /// 429: too many wrong tokens came from this address.
    TooManyWrongTokens,
    /// 503: it may work in a moment.
    Unavailable,
    /// 503: too many follow the events.
    TooManyFollowers,
    /// 503: too much is asked for at the same time.
    Busy,
    /// 503: nobody can say whose a token is.
    CallerNotKnown,
    /// 503: the clock shows a time that HTTP has no form for.
    ClockUnusable,
    /// Another status, which says what it is.
    Other,
}

impl Code {
    /// What a status says by itself.
    pub(super) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => Self::BadRequest,
            StatusCode::UNAUTHORIZED => Self::KeyRequired,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::BodyTooSlow,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::WrongFormat,
            StatusCode::UNPROCESSABLE_ENTITY => Self::ReloadRefused,
            StatusCode::TOO_MANY_REQUESTS => Self::TooOften,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            _ => Self::Other,
        }
    }

    /// The code as a word.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The code as RFC 9457 wants it, as a URI. It is a name and leads nowhere (RFC 4151), since there is no page that all who get it reach.
pub(super) fn as_uri<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("tag:steadfast.dev,2026:problem:{}", code.as_str()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::problem::Problem;

    #[test]
    fn each_has_its_section_in_the_page_of_errors() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/errors.md");
        let page = std::fs::read_to_string(page).unwrap();
        let part = page.split("\n## What the API refuses\n").nth(1).unwrap();
        let part = part.split("\n## ").next().unwrap();
        let mut sections: Vec<&str> = part.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let mut codes: Vec<&str> = Code::VARIANTS.iter().map(|code| code.as_str()).collect();
        sections.sort_unstable();
        codes.sort_unstable();
        assert_eq!(sections, codes);
    }

    #[test]
    fn a_problem_has_its_code_as_a_word_and_as_a_uri() {
        let problem = Problem::not_found("no").coded(Code::NoSuchJob);
        let told = serde_json::to_value(problem).unwrap();
        assert_eq!(told["code"], "no-such-job");
        assert_eq!(told["type"], "tag:steadfast.dev,2026:problem:no-such-job");
    }

    #[test]
    fn a_status_that_nothing_more_is_said_of_has_a_code() {
        for (status, code) in [
            (400, "bad-request"),
            (404, "not-found"),
            (503, "unavailable"),
            (418, "other"),
        ] {
            let told = serde_json::to_value(Problem::new(StatusCode::from_u16(status).unwrap(), "no")).unwrap();
            assert_eq!(told["code"], code);
        }
    }
}
