//! What was looked at, and what came of it.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whose it is: the part of the configuration, such as `cluster prod` or `store`.
    pub subject: String,
    /// Whether it is well.
    pub verdict: Verdict,
    /// What is so, on one line.
    pub what: String,
    /// What mends it: a command, or a line of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Whether a thing is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is.
    Ok,
    /// The engine keeps a true record with it, and could say more, or is in danger.
    Warning,
    /// The engine does not start with it, or something stays unknown.
    Wrong,
}

impl Verdict {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

impl Finding {
    /// All is well.
    pub fn ok(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Ok, what, None)
    }

    /// It goes on, but.
    pub fn warning(subject: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Warning, what, Some(fix.into()))
    }

    /// It does not.
    pub fn wrong(subject: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Wrong, what, Some(fix.into()))
    }

    /// No worse than a warning.
    pub fn softened(self) -> Self {
        Self {
            verdict: self.verdict.min(Verdict::Warning),
            ..self
        }
    }

    fn new(subject: impl Into<String>, verdict: Verdict, what: impl Into<String>, fix: Option<String>) -> Self {
        Self {
            subject: subject.into(),
            verdict,
            what: what.into(),
            fix,
        }
    }
}
