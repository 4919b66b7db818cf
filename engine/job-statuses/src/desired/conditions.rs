//! The conditions of a JobStatus.

use steadfast_core::record::JobRecord;
use steadfast_core::state::{Confidence, JobState};

use super::seconds;
use crate::resource::Condition;

/// Conditions that stand always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// The job runs. Unknown where nobody knows it now.
    Ready,
    /// The source that owns the truth said so.
    Confirmed,
    /// An alert fires.
    Alerting,
    /// The job has ended.
    Ended,
}

impl Own {
    pub(super) const ALL: [Self; 4] = [Self::Ready, Self::Confirmed, Self::Alerting, Self::Ended];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Confirmed => "Confirmed",
            Self::Alerting => "Alerting",
            Self::Ended => "Ended",
        }
    }

    pub(super) const fn place(self) -> usize {
        self as usize
    }

    pub(super) fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == kind)
    }
}

/// `status` of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }

    pub(super) fn of(text: &str) -> Option<Self> {
        [Self::True, Self::False, Self::Unknown]
            .into_iter()
            .find(|truth| truth.as_str() == text)
    }
}

impl From<bool> for Truth {
    fn from(is_true: bool) -> Self {
        if is_true { Self::True } else { Self::False }
    }
}

/// All conditions of a record, by type. The times of those of ours, and generations, are still to come.
pub(super) fn conditions(record: &JobRecord, confidence: Confidence) -> Vec<Condition> {
    let own = Own::ALL.into_iter().map(|own| {
        let (truth, reason, message) = own_condition(own, record, confidence);
        Condition {
            kind: own.as_str().to_owned(),
            status: truth.as_str().to_owned(),
            reason: word(&reason),
            message,
            ..Condition::default()
        }
    });
    let standing = record.conditions.iter().map(|condition| Condition {
        kind: condition.kind.as_str().to_owned(),
        status: Truth::True.as_str().to_owned(),
        last_transition_time: seconds(condition.since),
        reason: condition.kind.as_str().to_owned(),
        message: condition.message.clone(),
        ..Condition::default()
    });
    let mut all: Vec<Condition> = own.chain(standing).collect();
    all.sort_by(|one, other| one.kind.cmp(&other.kind));
    all
}

fn own_condition(own: Own, record: &JobRecord, confidence: Confidence) -> (Truth, String, String) {
    let why = || (record.reason.code.clone(), record.reason.message.clone());
    match own {
        Own::Ready => {
            let truth = match (confidence, record.state) {
                (Confidence::Stale, _) | (_, JobState::Unknown) => Truth::Unknown,
                (Confidence::Confirmed | Confidence::Inferred, state) => Truth::from(state == JobState::Running),
            };
            let (reason, message) = why();
            (truth, reason, message)
        }
        Own::Ended => {
            let (reason, message) = why();
            (Truth::from(record.state.is_terminal()), reason, message)
        }
        Own::Confirmed => {
            let (reason, message) = match confidence {
                Confidence::Confirmed => ("Confirmed", "the source that owns the truth said so"),
                Confidence::Inferred => ("Inferred", "it follows from what another source says"),
                Confidence::Stale => ("Stale", "it was so when last seen; no source has a fresh answer"),
            };
            let truth = Truth::from(confidence == Confidence::Confirmed);
            (truth, reason.to_owned(), message.to_owned())
        }
        Own::Alerting => match record.alerts.first() {
            Some(alert) => (Truth::True, alert.name.clone(), alert.message.clone()),
            None => (Truth::False, "NoAlert".to_owned(), "no alert fires".to_owned()),
        },
    }
}

/// As `metav1.Condition` wants a reason: a word that begins with a letter. A policy's code may be any text.
fn word(code: &str) -> String {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_,:".contains(&byte);
    let is_word = code.bytes().all(is_inner)
        && code.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && code
            .bytes()
            .last()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word { code.to_owned() } else { "Other".to_owned() }
}
