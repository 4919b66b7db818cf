//! What can happen to a job, as the journal keeps it and sinks deliver it.

use crate::alert::AlertEvent;
use crate::call::Call;
use crate::id::PolicyName;
use crate::record::Reason;
use crate::state::{Confidence, JobState};
use crate::time::Timestamp;

/// What happened to one job, for the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The state or the attempt changed.
    Transition(Transition),
    /// Something beside the state changed: confidence, conditions, reason, an intent that ended.
    Update,
    /// Somebody's call changed something beside the state, or is about to remove the record.
    Called(Call),
    /// An alert began or ended.
    Alert(AlertEvent),
    /// The job was removed; its record is deleted with this entry. What stood of it was resolved in the entries before.
    Forgotten,
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
