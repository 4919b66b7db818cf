//! What is told of a decision to whoever traces it: what was looked at, what was decided, what was committed, and who was told
//! of that.
//!
//! These are plain values; which spans they make is the business of a [`Tracer`]. Nothing is decided by any of it.

mod looks;

use std::time::Duration;

use crate::decision::{LookupSource, PolicyFailure};
use crate::id::{FlinkJobId, JobKey, PolicyName};
use crate::journal::{Entry, Sequence};
use crate::record::Reason;
use crate::state::{Confidence, JobState, Mode};
use crate::time::Timestamp;

pub use looks::{Look, Seen, Way, looks};

/// One who is told. It must not hold up those who tell: what it cannot take it loses.
pub trait Tracer: Send + Sync {
    /// A policy has decided on a job, and what it changes is committed, or was not taken.
    fn decided(&self, decision: DecisionTrace);

    /// A sink has offered a message to its receiver.
    fn delivered(&self, delivery: DeliveryTrace);
}

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionTrace {
    /// Another for each decision of a process.
    pub number: u64,
    /// The job.
    pub key: JobKey,
    /// How it is deployed.
    pub mode: Mode,
    /// Flink's job that the record is about.
    pub flink_job: Option<FlinkJobId>,
    /// The attempt it was decided about.
    pub attempt: u32,
    /// Whose job it is.
    pub policy: PolicyName,
    /// What has come since the decision before, in the order in which it was asked for.
    pub looks: Vec<Look>,
    /// The decision itself.
    pub judged: Judged,
    /// What became of the change; `None`: it changes nothing.
    pub commit: Option<CommitTrace>,
}

/// How it was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// When the snapshot was made that was decided on.
    pub shown_at: Timestamp,
    /// When the decision was taken up by the loop.
    pub at: Timestamp,
    /// How long the policy worked; `None`: it was not asked, and the engine spoke in its place.
    pub took: Option<Duration>,
    /// What was decided, or how the policy failed.
    pub outcome: Result<Judgement, PolicyFailure>,
    /// What the policy asks to be looked up.
    pub wanted: Vec<LookupSource>,
}

/// A decision, as far as people ask about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The rule that spoke, by its name.
    pub rule: String,
    /// The state.
    pub state: JobState,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why it stands.
    pub reason: Reason,
}

/// The transaction in which a decision's change was to become durable.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitTrace {
    /// When it began: what the journal has as the time of its entries.
    pub at: Timestamp,
    /// How long the store took for the whole transaction.
    pub took: Duration,
    /// How many records it was to change.
    pub changes: usize,
    /// The record's revision afterwards.
    pub revision: u64,
    /// From which state to which, if the state or the attempt changes.
    pub transition: Option<(JobState, JobState)>,
    /// The entries of the journal about the job, or why there are none.
    pub outcome: Result<Vec<Sequence>, NotCommitted>,
}

/// Why a change is not durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCommitted {
    /// The store took nothing at all.
    Failed(String),
    /// It does not take what was decided of this job.
    Refused(String),
}

/// One try to deliver a message.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryTrace {
    /// The sink, by its name.
    pub sink: String,
    /// How many entries the message tells of.
    pub events: usize,
    /// The oldest of them, the oldest first; at least one, and [`MOST_TOLD`](Self::MOST_TOLD) at most: a message may tell of
    /// hundreds, and each try of it is told.
    pub told: Vec<Durable>,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// How many tries failed before.
    pub failures: u32,
    /// What came of it.
    pub outcome: Result<(), Undelivered>,
}

impl DeliveryTrace {
    /// How many entries are named: the one in whose trace it stands, and as many others as a span of OpenTelemetry links to.
    pub const MOST_TOLD: usize = 129;
}

/// An entry of the journal, by what tells which decision it came of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durable {
    /// Its position.
    pub sequence: Sequence,
    /// When it was committed.
    pub at: Timestamp,
    /// The job it is about.
    pub key: JobKey,
    /// The record's revision after the commit.
    pub revision: u64,
}

impl From<&Entry> for Durable {
    fn from(entry: &Entry) -> Self {
        Self {
            sequence: entry.sequence,
            at: entry.at,
            key: entry.key.clone(),
            revision: entry.revision,
        }
    }
}

/// Why a receiver has not taken a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// The kind, as a word.
    pub kind: &'static str,
    /// What came back, without secrets.
    pub message: String,
}
