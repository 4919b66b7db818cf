//! A piece of evidence, with its age.

use serde::{Deserialize, Serialize};
use steadfast_core::evidence;
use steadfast_core::time::Timestamp;
use utoipa::ToSchema;

use super::scalar::{Moment, Seconds};
use super::table::{Shows, object, words};

/// The newest answer of one source, and its history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = explain::Evidence<T>)]
pub struct Evidence<T> {
    /// The newest answer.
    pub latest: Observed<T>,
    /// When the look that gave it began.
    pub asked_at: Moment,
    /// When it arrived.
    pub observed_at: Moment,
    /// When the source last said present or absent.
    #[schema(required)]
    pub known_at: Option<Moment>,
    /// Since when every look has been unknown; null while the newest answer is known.
    #[schema(required)]
    pub unknown_since: Option<Moment>,
    /// How many looks in a row have been unknown.
    pub failures: u32,
    /// Seconds from `observedAt` to the snapshot's `now`.
    #[serde(default)]
    #[schema(required = true)]
    pub age_seconds: f64,
    /// Seconds from `knownAt` to the snapshot's `now`; missing if the source never said present or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_age_seconds: Option<f64>,
}

impl<T> Evidence<T> {
    /// Shows evidence as of that moment.
    pub(super) fn of<Core>(core: &evidence::Evidence<Core>, now: Timestamp) -> Self
    where
        T: Shows<Core>,
    {
        let evidence::Evidence {
            latest,
            asked_at,
            observed_at,
            known_at,
            unknown_since,
            failures,
        } = core;
        let age = |at: Timestamp| now.since(at).as_secs_f64();
        Self {
            latest: Observed::of(latest),
            asked_at: Shows::of(asked_at),
            observed_at: Shows::of(observed_at),
            known_at: Shows::of(known_at),
            unknown_since: Shows::of(unknown_since),
            failures: *failures,
            age_seconds: age(*observed_at),
            known_age_seconds: known_at.map(age),
        }
    }

    pub(super) fn into_core<Core>(self) -> evidence::Evidence<Core>
    where
        T: Shows<Core>,
    {
        evidence::Evidence {
            latest: self.latest.into_core(),
            asked_at: self.asked_at.into_core(),
            observed_at: self.observed_at.into_core(),
            known_at: self.known_at.into_core(),
            unknown_since: self.unknown_since.into_core(),
            failures: self.failures,
        }
    }
}

/// What a look yielded: `{"present": ..}`, `"absent"` (a complete answer lacks it) or `{"unknown": ..}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = explain::Observed<T>)]
pub enum Observed<T> {
    /// A complete, successful answer contains it.
    Present(T),
    /// A complete, successful answer does not contain it.
    Absent,
    /// There was no complete, successful answer.
    Unknown(Fault),
}

impl<T: Shows<Core>, Core> Shows<evidence::Observed<Core>> for Observed<T> {
    fn of(core: &evidence::Observed<Core>) -> Self {
        match core {
            evidence::Observed::Present(value) => Self::Present(T::of(value)),
            evidence::Observed::Absent => Self::Absent,
            evidence::Observed::Unknown(fault) => Self::Unknown(Fault::of(fault)),
        }
    }

    fn into_core(self) -> evidence::Observed<Core> {
        match self {
            Self::Present(value) => evidence::Observed::Present(value.into_core()),
            Self::Absent => evidence::Observed::Absent,
            Self::Unknown(fault) => evidence::Observed::Unknown(fault.into_core()),
        }
    }
}

object!(
    /// Why a look gave no usable answer.
    Fault of evidence::Fault {
        /// The kind, for rules.
        kind: FaultKind = kind,
        /// For people: what was asked and what came back.
        message: String = message,
        /// How long the other side asked to wait.
        retry_after: Option<Seconds> = retry_after,
    }
);

words!(
    /// The kinds of fault. All of them mean that nothing is known.
    FaultKind of evidence::FaultKind {
        "timeout" = Timeout,
        "refused" = Refused,
        "address" = Address,
        "tls" = Tls,
        "connection" = Connection,
        "unauthorized" = Unauthorized,
        "forbidden" = Forbidden,
        "not-found" = NotFound,
        "expired" = Expired,
        "too-many-requests" = TooManyRequests,
        "leader-election" = LeaderElection,
        "status" = Status,
        "malformed" = Malformed,
        "too-large" = TooLarge,
        // A kind that only a later engine has a word for is no less unknown.
        "other" = Other #[serde(other)],
    }
);
