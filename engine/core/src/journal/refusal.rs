//! Why the store did not do it.

use std::collections::BTreeSet;

use super::Commit;
use crate::id::JobKey;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The store cannot be used at all (corrupt, newer schema, wrong file); says what and how to mend it.
    #[error("{0}")]
    Unusable(String),
    /// This operation failed; the same one may work later. Nothing of it was done.
    #[error("{context}")]
    Failed {
        /// What was tried.
        context: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store does not take what a commit has of some jobs. Nothing of it was done; the rest can be committed without them.
    #[error("cannot commit {}", in_words(.refusals))]
    Refused {
        /// The whole commit, as it was handed over.
        commit: Box<Commit>,
        /// What is not taken; never empty.
        refusals: Vec<Refusal>,
    },
}

/// What the store does not take of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The job.
    pub key: JobKey,
    /// Which part of the commit.
    pub part: Part,
    /// Why, for people.
    pub why: String,
}

/// A part of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The record with its events.
    Change,
    /// The snapshot behind a decision: an ornament, without which the decision is as good.
    Snapshot,
}

/// The first refusals, in words.
fn in_words(refusals: &[Refusal]) -> String {
    const SHOWN: usize = 3;
    let shown = refusals.iter().take(SHOWN);
    let mut words: Vec<String> = shown
        .map(|refusal| format!("{}: {}", refusal.key, refusal.why))
        .collect();
    if let Some(more) = refusals.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        words.push(format!("and {more} more"));
    }
    words.join("; ")
}

impl Commit {
    /// The commit without what was refused, and without all that there is of the jobs in `out`.
    pub fn without(mut self, refusals: &[Refusal], out: &BTreeSet<JobKey>) -> Self {
        let dropped = |key: &JobKey| {
            let mut of_job = refusals.iter().filter(|refusal| refusal.key == *key);
            of_job.any(|refusal| refusal.part == Part::Snapshot)
        };
        self.changes.retain(|change| !out.contains(&change.record.key));
        // A job whose change is not taken is decided anew, with a snapshot of its own.
        self.recorded
            .retain(|recorded| !out.contains(recorded.key()) && !dropped(recorded.key()));
        self
    }
}
