//! What can happen to a job, as the journal keeps it and sinks deliver it.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::alert::AlertEvent;
use crate::call::Call;
use crate::id::PolicyName;
use crate::record::{JobRecord, Reason};
use crate::state::{Confidence, JobState, word};
use crate::time::Timestamp;

/// What happened to one job, for the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The state or the attempt changed.
    Transition(Transition),
    /// Something beside the state changed: confidence, conditions, reason, an intent that ended. Holds how sure the state is
    /// after it; `None` in entries from before that was kept.
    Update(Option<Confidence>),
    /// Somebody's call changed something beside the state, or is about to remove the record.
    Called(Call),
    /// An alert began or ended.
    Alert(AlertEvent),
    /// The job was removed; its record is deleted with this entry. What stood of it was resolved in the entries before.
    Forgotten,
}

/// What kind of event it is, as people ask for it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum EventKind {
    /// The state or the attempt changed.
    Transition,
    /// An alert began or ended.
    Alert,
    /// Something beside the state changed.
    Update,
    /// Somebody's call wrote.
    Call,
    /// The record was removed.
    Forgotten,
}

word!(EventKind);

impl Event {
    /// That something beside the state changed, and the record is now this one.
    pub fn updated(after: &JobRecord) -> Self {
        Self::Update(Some(after.confidence))
    }

    /// What kind of event it is.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Transition(_) => EventKind::Transition,
            Self::Update(_) => EventKind::Update,
            Self::Called(_) => EventKind::Call,
            Self::Alert(_) => EventKind::Alert,
            Self::Forgotten => EventKind::Forgotten,
        }
    }
}

/// A change of state or attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: JobState,
    /// The state after.
    pub to: JobState,
    /// How sure the state after is.
    pub confidence: Confidence,
    /// Why the state changed: a code in CamelCase and a sentence.
    pub reason: Reason,
    /// In which attempt (after the change).
    pub attempt: u32,
    /// The policy that decided it.
    pub policy: PolicyName,
    /// When the state after began by Flink's own word; see [`JobRecord::told_since`](crate::record::JobRecord::told_since).
    pub told_since: Option<Timestamp>,
}
