//! What requests to a source yielded, with their history.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use steadfast_core::evidence;

use super::scalar::{Foreign, Moment};
use crate::format::shape::{Shape, object, words};

/// By hand, since [`object!`] makes no generic types.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Evidence<T> {
    #[serde(rename = "latest")]
    latest: Observed<T>,
    #[serde(rename = "askedAt")]
    asked_at: Moment,
    #[serde(rename = "observedAt")]
    observed_at: Moment,
    #[serde(rename = "knownAt")]
    known_at: Option<Moment>,
    #[serde(rename = "unknownSince")]
    unknown_since: Option<Moment>,
    #[serde(rename = "failures")]
    failures: u32,
}

impl<T: Shape> Shape for Evidence<T> {
    type Core = evidence::Evidence<T::Core>;

    fn of(core: &Self::Core) -> Self {
        let evidence::Evidence {
            latest,
            asked_at,
            observed_at,
            known_at,
            unknown_since,
            failures,
        } = core;
        Self {
            latest: Observed::of(latest),
            asked_at: Moment::of(asked_at),
            observed_at: Moment::of(observed_at),
            known_at: Option::of(known_at),
            unknown_since: Option::of(unknown_since),
            failures: *failures,
        }
    }

    fn into_core(self) -> Self::Core {
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

/// `{"present": ..}`, `"absent"` or `{"unknown": ..}`.
#[derive(Debug, Serialize, Deserialize)]
enum Observed<T> {
    #[serde(rename = "present")]
    Present(T),
    #[serde(rename = "absent")]
    Absent,
    #[serde(rename = "unknown")]
    Unknown(Fault),
}

impl<T: Shape> Shape for Observed<T> {
    type Core = evidence::Observed<T::Core>;

    fn of(core: &Self::Core) -> Self {
        match core {
            evidence::Observed::Present(value) => Self::Present(T::of(value)),
            evidence::Observed::Absent => Self::Absent,
            evidence::Observed::Unknown(fault) => Self::Unknown(Fault::of(fault)),
        }
    }

    fn into_core(self) -> Self::Core {
        match self {
            Self::Present(value) => evidence::Observed::Present(value.into_core()),
            Self::Absent => evidence::Observed::Absent,
            Self::Unknown(fault) => evidence::Observed::Unknown(fault.into_core()),
        }
    }
}

object!(Fault of evidence::Fault {
    "kind": FaultKind = kind,
    "message": Foreign = message,
    "retryAfter": Option<Duration> = retry_after,
});

words!(FaultKind of evidence::FaultKind {
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
    // And any word that is new in a snapshot of a later build: whatever it is, nothing was seen.
    #[serde(other)]
    "other" = Other,
});
