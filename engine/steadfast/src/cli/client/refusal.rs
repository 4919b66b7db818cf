//! Why a request was refused, as an engine says it (RFC 9457) or whoever speaks in its place.

use anyhow::anyhow;
use reqwest::StatusCode;
use serde_json::Value;
use steadfast_core::foreign_text::ForeignText;

use super::no_engine;
use crate::cli::Failure;

/// What was said with a status that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An engine's own word.
    Problem {
        /// A word for programs, which docs/reference/errors.md explains; an engine of an earlier version has none.
        code: Option<String>,
        detail: String,
        /// The parameter that was wrong.
        parameter: Option<String>,
    },
    /// One line of somebody else, such as a proxy; `None`: nothing that fits on one.
    Foreign(Option<String>),
}

impl Refusal {
    pub(super) fn of(body: &[u8]) -> Self {
        let Ok(text) = str::from_utf8(body).map(str::trim) else {
            return Self::Foreign(None);
        };
        if let Ok(said) = serde_json::from_str::<Value>(text) {
            let word = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
            return match word("detail") {
                Some(detail) => Self::Problem {
                    code: word("code").filter(|code| is_code(code)),
                    detail,
                    parameter: word("parameter"),
                },
                None => Self::Foreign(None),
            };
        }
        let is_line = !text.is_empty() && text.len() <= 200 && !text.contains(['<', '\n']);
        Self::Foreign(is_line.then(|| ForeignText::new(text).to_string()))
    }

    /// The engine's word for what is wrong.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Problem { code, .. } => code.as_deref(),
            Self::Foreign(_) => None,
        }
    }

    /// A word behind a status: `, no-such-job`, or nothing.
    pub(super) fn behind_status(&self) -> String {
        self.code().map_or_else(String::new, |code| format!(", {code}"))
    }

    /// What it comes to for who asked. A 404 that is no engine's word tells nothing of what an engine has.
    pub(super) fn failure(&self, status: StatusCode) -> Failure {
        if let Some(parameter) = self.unknown_parameter(status) {
            return Failure::UnknownParameter(parameter);
        }
        let detail = match self {
            Self::Problem { detail, .. } => detail.as_str(),
            Self::Foreign(line) => line.as_deref().unwrap_or("no reason given"),
        };
        // A command in place of the request that says the same.
        let detail = detail.replace("GET /api/v1/jobs lists all", "`steadfast status` lists all");
        let refused = anyhow!("the engine refused ({status}{}): {detail}", self.behind_status());
        match (status, self) {
            (StatusCode::NOT_FOUND, Self::Problem { code, .. }) => match code.as_deref() {
                Some("no-such-job") => Failure::NoSuchJob(refused),
                Some("job-not-known") => Failure::NotKnown(refused),
                Some(_) | None => Failure::Missing(refused),
            },
            (StatusCode::NOT_FOUND, Self::Foreign(None)) => no_engine(&format!("answered {status}")),
            (StatusCode::NOT_FOUND, Self::Foreign(Some(line))) => no_engine(&format!("answered {status} ({line})")),
            (status, _) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Failure::Refused(refused)
            }
            (_, _) => Failure::Unreachable(refused),
        }
    }

    /// The parameter that an engine does not know, if it is that.
    fn unknown_parameter(&self, status: StatusCode) -> Option<String> {
        match self {
            Self::Problem {
                detail,
                parameter: Some(parameter),
                ..
            } if status == StatusCode::BAD_REQUEST => detail
                .starts_with(&format!("`{parameter}` is not a parameter here"))
                .then(|| parameter.clone()),
            Self::Problem { .. } | Self::Foreign(_) => None,
        }
    }
}

/// Whether it can be one of the words of docs/reference/errors.md: it is printed beside the engine's own.
fn is_code(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&word.len()) && word.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, body: &str) -> Failure {
        Refusal::of(body.as_bytes()).failure(StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn an_engines_word_is_shown_with_its_code() {
        let body = r#"{"code":"no-such-job","detail":"there is no job a/b/c; GET /api/v1/jobs lists all"}"#;
        let Failure::NoSuchJob(error) = failure(404, body) else {
            panic!("{body}")
        };
        assert_eq!(
            error.to_string(),
            "the engine refused (404 Not Found, no-such-job): there is no job a/b/c; `steadfast status` lists all"
        );
        let body = r#"{"code":"job-not-known","detail":"its cluster could not be read yet"}"#;
        assert!(matches!(failure(404, body), Failure::NotKnown(_)));
        assert!(matches!(failure(404, r#"{"detail":"no job"}"#), Failure::Missing(_)));
        // One of an earlier version has no codes, and no other text passes for one.
        for code in ["", r#""code":"no such\njob","#] {
            let Failure::Refused(error) = failure(409, &format!(r#"{{{code}"detail":"it is alive"}}"#)) else {
                panic!("{code}")
            };
            assert_eq!(error.to_string(), "the engine refused (409 Conflict): it is alive");
        }
    }

    #[test]
    fn what_is_no_problem_of_an_engines_says_nothing_of_what_is_there() {
        for body in [
            "<html>404</html>",
            "default backend - 404",
            "",
            "{}",
            r#"{"message":"x"}"#,
            "null",
        ] {
            assert!(matches!(failure(404, body), Failure::Unreachable(_)), "{body}");
        }
        let Failure::Unreachable(error) = failure(404, "default backend - 404") else {
            panic!()
        };
        assert!(
            error.to_string().contains("404 Not Found (default backend - 404)"),
            "{error}"
        );
    }

    #[test]
    fn a_parameter_that_an_engine_does_not_know_is_told_from_one_that_is_wrong() {
        let unknown = r#"{"parameter":"label","detail":"`label` is not a parameter here; there are state"}"#;
        assert!(matches!(failure(400, unknown), Failure::UnknownParameter(name) if name == "label"));
        let wrong = r#"{"parameter":"label","detail":"`=` names no label"}"#;
        assert!(matches!(failure(400, wrong), Failure::Refused(_)));
    }
}
