//! What the policy remembers about a job between two decisions. It changes only when something
//! happens, so that a healthy job costs the store nothing.

use serde::{Deserialize, Serialize};
use steadfast_policy::{Looks, Timestamp};

/// The memory of one job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The attempt all of this is about.
    pub attempt: u32,
    /// Complete answers that lacked the Deployment, in a row.
    pub deployment_missing: Option<Streak>,
    /// Complete answers of Flink that lacked the job, in a row.
    pub job_missing: Option<Streak>,
    /// The JobManager's pod while Flink answered: its UID and how often it had restarted.
    pub pod: Option<(String, u32)>,
    /// Since when the job has not come to rest; outlives attempts, which restarts may be.
    pub unrest: Option<Unrest>,
    /// The checkpoint counters to count failures from.
    pub checkpoints: Option<CheckpointBase>,
    /// When the Deployment, or the job in a Flink that answers, was first known to be gone.
    pub gone_at: Option<Timestamp>,
    /// The end Flink itself reported in this attempt.
    pub cause_known: CauseKnown,
    /// Since when a JobManager's pod goes whose log has told no end.
    pub going_since: Option<Timestamp>,
    /// The stop that the operator's resource asks for, or asked for when it was last seen.
    pub stop: Stop,
    /// Since when the operator is waited for to make the cluster, or to bring it back.
    pub awaited_since: Option<Timestamp>,
}

/// A stop that somebody asked for through the operator's resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// None.
    #[default]
    NotAskedFor,
    /// `spec.job.state: suspended`.
    Suspension,
    /// The resource is, or was, being deleted.
    Deletion,
}

/// Whether the cause of a failure is in the record's reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CauseKnown {
    /// Not yet, or there is nothing to know.
    #[default]
    No,
    /// The reason names it.
    Yes,
}

/// Answers in a row that lack something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// When the first of them arrived.
    pub first: Timestamp,
    /// When the last one was asked for: what it says is no older.
    pub last: Timestamp,
    /// How many.
    pub answers: u32,
}

impl Streak {
    /// Counts the answer of a look; one already counted is not counted again.
    pub fn count(streak: Option<Self>, looks: &Looks) -> Self {
        match streak {
            None => Self {
                first: looks.observed_at,
                last: looks.asked_at,
                answers: 1,
            },
            Some(streak) if looks.asked_at > streak.last => Self {
                last: looks.asked_at,
                answers: streak.answers.saturating_add(1),
                ..streak
            },
            Some(streak) => streak,
        }
    }
}

/// A job that does not come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unrest {
    /// When it began.
    pub since: Timestamp,
    /// Since when it has been at rest again, if it is.
    pub calm_since: Option<Timestamp>,
}

/// Counters at the last completed checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointBase {
    /// Completed ones.
    pub completed: u64,
    /// Failed ones when `completed` was first seen.
    pub failed: u64,
}

impl Memory {
    /// Reads memory back. What another version wrote is started afresh: it holds no state, only patience.
    pub fn decode(bytes: &[u8], attempt: u32) -> Self {
        let memory: Self = postcard::from_bytes(bytes).unwrap_or_default();
        if memory.attempt == attempt {
            return memory;
        }
        Self {
            attempt,
            unrest: memory.unrest,
            ..Self::default()
        }
    }

    /// Writes it down; the memory of a job about which nothing is worth remembering is short.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        postcard::to_allocvec(self).map_err(|error| error.to_string())
    }
}
