//! What one request can yield: present, absent, or unknown. An error is always unknown.

use std::fmt;
use std::time::Duration;

use strum::IntoStaticStr;

use crate::foreign_text::ForeignText;
use crate::time::Timestamp;

/// The result of one request. There is no way from [`Observed::Unknown`] to [`Observed::Absent`].
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Observed<T> {
    /// A complete, successful answer contains it.
    Present(T),
    /// A complete, successful answer does not contain it.
    Absent,
    /// There was no complete, successful answer.
    Unknown(Fault),
}

impl<T> Observed<T> {
    /// The value, if it is known to be there.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unknown(_) => None,
        }
    }

    /// Whether the answer says anything about the world.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// Changes the value's type; absent and unknown stay what they are.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Present(value) => Observed::Present(f(value)),
            Self::Absent => Observed::Absent,
            Self::Unknown(fault) => Observed::Unknown(fault),
        }
    }
}

/// One answer with its times. Order comes from `asked_at`: when answers overtake each other, the later question wins.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation<T> {
    /// What was answered.
    pub answer: Observed<T>,
    /// When the request began.
    pub asked_at: Timestamp,
    /// When the answer arrived.
    pub observed_at: Timestamp,
}

impl<T> Observation<T> {
    /// Joins an answer with its times.
    pub fn new(answer: Observed<T>, asked_at: Timestamp, observed_at: Timestamp) -> Self {
        Self {
            answer,
            asked_at,
            observed_at,
        }
    }

    /// The fault, if there was no usable answer.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.answer {
            Observed::Unknown(fault) => Some(fault),
            Observed::Present(_) | Observed::Absent => None,
        }
    }
}

/// How the message of a fault begins that is the engine's own: it lacked what it takes to ask, such as open files or memory, or it failed
/// over the answer, and nothing is said of whoever was to be asked. Its kind is [`FaultKind::Other`]: policies have no word for it.
pub const OWN_LACK: &str = "the engine itself ";

/// Why a request gave no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The kind, for rules.
    pub kind: FaultKind,
    /// For people: what was asked and what came back, without secrets.
    pub message: ForeignText,
    /// How long the other side asked us to wait (HTTP `Retry-After`), uncapped.
    pub retry_after: Option<Duration>,
}

impl Fault {
    /// Whether the engine lacked what it takes to ask: see [`OWN_LACK`].
    pub fn is_own_lack(&self) -> bool {
        self.kind == FaultKind::Other && self.message.starts_with(OWN_LACK)
    }

    /// A fault without a `Retry-After`.
    pub fn new(kind: FaultKind, message: impl Into<ForeignText>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}

/// The kinds of fault. All of them mean "unknown".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum FaultKind {
    /// No answer within the deadline.
    Timeout,
    /// The connection was refused.
    Refused,
    /// The name did not resolve, or no address is known yet.
    Address,
    /// The TLS handshake failed.
    Tls,
    /// The connection broke, or any other failure below HTTP.
    Connection,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// A 404 that is not the owner's own word.
    NotFound,
    /// 410: the resource version is too old.
    Expired,
    /// 429.
    TooManyRequests,
    /// 503 with Flink's leader-election body, or the fencing error at its end.
    LeaderElection,
    /// Any other status that is not a success.
    Status,
    /// A success that is not the expected format: HTML, or a body that does not parse.
    Malformed,
    /// The body exceeds its limit.
    TooLarge,
    /// No other word fits: Flink answers, and leaves open what became of this job; or a kind that this version has no word
    /// for, in a snapshot that a newer one recorded.
    Other,
}

impl FaultKind {
    /// The kind as a word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The newest evidence of one source about one thing, with the history a policy needs to judge it.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Evidence<T> {
    /// The newest answer.
    pub latest: Observed<T>,
    /// When the request that gave it began: the answer to a later request is never replaced by that to an earlier one.
    pub asked_at: Timestamp,
    /// When the newest answer arrived.
    pub observed_at: Timestamp,
    /// When the source last said present or absent.
    pub known_at: Option<Timestamp>,
    /// Since when every answer has been unknown; `None` while the newest answer is known.
    pub unknown_since: Option<Timestamp>,
    /// How many answers in a row have been unknown.
    pub failures: u32,
}

impl<T> Evidence<T> {
    /// The evidence of a first answer.
    pub fn first(observation: Observation<T>) -> Self {
        let Observation {
            answer,
            asked_at,
            observed_at,
        } = observation;
        let known = answer.is_known();
        Self {
            latest: answer,
            asked_at,
            observed_at,
            known_at: known.then_some(observed_at),
            unknown_since: (!known).then_some(asked_at),
            failures: u32::from(!known),
        }
    }

    /// Takes in a newer answer; an older one (by when it was asked for) is left out. Returns whether it was taken.
    pub fn accept(&mut self, observation: Observation<T>) -> bool {
        let Observation {
            answer,
            asked_at,
            observed_at,
        } = observation;
        if asked_at < self.asked_at {
            return false;
        }
        if answer.is_known() {
            self.known_at = Some(observed_at);
            self.unknown_since = None;
            self.failures = 0;
        } else {
            self.unknown_since = self.unknown_since.or(Some(asked_at));
            self.failures = self.failures.saturating_add(1);
        }
        self.latest = answer;
        self.asked_at = asked_at;
        self.observed_at = observed_at;
        true
    }

    /// The same history about another value.
    pub fn map<U>(self, f: impl FnOnce(Observed<T>) -> Observed<U>) -> Evidence<U> {
        Evidence {
            latest: f(self.latest),
            asked_at: self.asked_at,
            observed_at: self.observed_at,
            known_at: self.known_at,
            unknown_since: self.unknown_since,
            failures: self.failures,
        }
    }

    /// The same history with another newest answer.
    pub fn with<U>(&self, latest: Observed<U>) -> Evidence<U> {
        Evidence {
            latest,
            asked_at: self.asked_at,
            observed_at: self.observed_at,
            known_at: self.known_at,
            unknown_since: self.unknown_since,
            failures: self.failures,
        }
    }
}

/// Adds an answer to a slot that may be empty yet. Says whether it was taken.
pub fn accept<T>(slot: &mut Option<Evidence<T>>, observation: Observation<T>) -> bool {
    match slot {
        Some(evidence) => evidence.accept(observation),
        None => {
            *slot = Some(Evidence::first(observation));
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn asked<T>(answer: Observed<T>, asked: i64, observed: i64) -> Observation<T> {
        Observation::new(answer, at(asked), at(observed))
    }

    #[test]
    fn an_older_answer_never_replaces_a_newer_one() {
        let mut evidence = Evidence::first(asked(Observed::Present(2), 20, 21));
        assert!(!evidence.accept(asked(Observed::Present(1), 10, 30)));
        assert_eq!(evidence.latest, Observed::Present(2));
    }

    #[test]
    fn unknown_is_counted_from_the_first_request_that_failed() {
        let fault = || Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer"));
        let mut evidence = Evidence::first(asked(Observed::Present(1), 0, 1));
        evidence.accept(asked(fault(), 5, 8));
        evidence.accept(asked(fault(), 9, 12));
        assert_eq!(
            (evidence.unknown_since, evidence.failures, evidence.known_at),
            (Some(at(5)), 2, Some(at(1)))
        );
        evidence.accept(asked(Observed::Absent, 13, 14));
        assert_eq!(
            (evidence.unknown_since, evidence.failures, evidence.known_at),
            (None, 0, Some(at(14)))
        );
    }

    #[test]
    fn what_the_engine_itself_lacked_is_told_apart_from_what_others_did() {
        let is_own_lack = |kind, message: &str| Fault::new(kind, message).is_own_lack();
        let lacks = format!("{OWN_LACK} file descriptors");
        assert!(is_own_lack(FaultKind::Other, &lacks));
        assert!(!is_own_lack(FaultKind::Connection, &lacks));
        assert!(!is_own_lack(FaultKind::Other, "Flink's list leaves a job out"));
    }
}
