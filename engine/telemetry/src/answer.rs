//! What an answer of a collector means, by OTLP's rules. Pure.

use std::time::Duration;

use http::StatusCode;
use prost::Message as _;
use steadfast_core::foreign_text::harmless;
use steadfast_http::Kept;

use crate::otlp::Response;

/// How much of what a collector says is told, in bytes.
const SAID: usize = 300;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It took all but so many spans, and may have said why.
    Taken { rejected: u64, said: String },
    /// It will not have them, however often they are sent.
    Rejected(Trouble),
    /// It may take them another time.
    NotNow(Trouble, Option<Duration>),
}

/// What is wrong, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) why: String,
    pub(crate) fix: &'static str,
}

impl Answer {
    /// By the status and, where it is a success, the body, which may quote what we keep.
    pub(crate) fn of(status: StatusCode, retry_after: Option<Duration>, body: &[u8], kept: &Kept) -> Self {
        if status.is_success() {
            return taken(body, kept);
        }
        let trouble = Trouble {
            why: format!("the collector answered {status}"),
            fix: fix(status),
        };
        // These four OTLP calls retryable, and no others.
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Self::NotNow(trouble, retry_after),
            _ => Self::Rejected(trouble),
        }
    }

    /// There was none.
    pub(crate) fn none(why: String) -> Self {
        let fix = "correct telemetry.endpoint, or let this machine reach it (telemetry.proxy, telemetry.ca_file, the network between)";
        Self::NotNow(Trouble { why, fix }, None)
    }
}

/// A body that does not read, as of a proxy that answers in the collector's place, says nothing more than its status.
fn taken(body: &[u8], kept: &Kept) -> Answer {
    let partial = Response::decode(body).ok();
    let partial = partial
        .and_then(|response| response.partial_success)
        .unwrap_or_default();
    Answer::Taken {
        rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
        said: harmless(&kept.hush(&partial.error_message), SAID).into_owned(),
    }
}

fn fix(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..400 => "write into telemetry.endpoint the address that it redirects to; no redirect is followed",
        401 | 403 | 407 => "compare what is shown with what it asks for: telemetry.token_file, telemetry.headers",
        404 | 405 | 410 => {
            "correct telemetry.endpoint: at it, with /v1/traces behind it, there is nothing that takes OTLP over HTTP (mostly port 4318; \
             4317 is gRPC's)"
        }
        400 | 413 | 415 | 422 => "look into the collector's log: it must take OTLP as binary protobuf",
        429 => "nothing; what waits is sent as soon as it lets it in",
        _ => "look into the collector's own log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::PartialSuccess;

    fn answer(status: u16) -> Answer {
        Answer::of(
            StatusCode::from_u16(status).unwrap(),
            Some(Duration::from_secs(7)),
            b"",
            &Kept::default(),
        )
    }

    #[test]
    fn only_what_otlp_calls_retryable_is_tried_again() {
        for status in [429, 502, 503, 504] {
            assert!(
                matches!(answer(status), Answer::NotNow(_, Some(pause)) if pause == Duration::from_secs(7)),
                "{status}"
            );
        }
        for status in [301, 307, 400, 401, 403, 404, 413, 500, 501] {
            assert!(matches!(answer(status), Answer::Rejected(_)), "{status}");
        }
    }

    #[test]
    fn a_redirect_says_what_to_write() {
        let Answer::Rejected(trouble) = answer(308) else {
            panic!()
        };
        assert_eq!(trouble.why, "the collector answered 308 Permanent Redirect");
        assert!(trouble.fix.contains("no redirect is followed"));
    }

    #[test]
    fn a_success_may_be_a_partial_one() {
        let response = Response {
            partial_success: Some(PartialSuccess {
                rejected_spans: 3,
                error_message: "too\nold".to_owned(),
            }),
        };
        let all = |rejected, said: &str| Answer::Taken {
            rejected,
            said: said.to_owned(),
        };
        let none = Kept::default();
        let body = response.encode_to_vec();
        assert_eq!(Answer::of(StatusCode::OK, None, &body, &none), all(3, "too old"));
        assert_eq!(Answer::of(StatusCode::OK, None, b"", &none), all(0, ""));
        assert_eq!(Answer::of(StatusCode::ACCEPTED, None, b"<html>", &none), all(0, ""));
    }
}
