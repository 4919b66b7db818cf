//! When a state began by Flink's own word: its start-time for a run that comes up or runs, its end-time for one that ended.
//!
//! We see a state later than it begins: a job that has run for a day is first seen when the engine starts. Both moments
//! are kept, each by its own clock. Nothing is decided by Flink's: it is shown, and the record's `since`, by ours, stays
//! what rules and policies count from.
//!
//! Flink tells no more than these two times. When it began to restart, to fail or to cancel, and when a run that did so
//! ran again, is known only from seeing it.

use crate::evidence::{Evidence, Observed};
use crate::facts::{FlinkJob, JobEnd};
use crate::record::JobRecord;
use crate::snapshot::Snapshot;
use crate::state::JobState;
use crate::time::Timestamp;

/// 2010-01-01, before there was a Flink: what is earlier comes of a clock that was never set, or is Flink's 0 for "never".
const FIRST_FLINK: Timestamp = Timestamp::from_millis(1_262_304_000_000);

/// What the record says of it after a decision. `after` has the state, its `since` and the incarnation already, `snapshot`
/// what they rest on.
///
/// What was told stays while the state does: a later poll changes nothing, and a source that answers only later is heard
/// once.
pub(crate) fn told_since(before: &JobRecord, after: &JobRecord, snapshot: &Snapshot) -> Option<Timestamp> {
    let attempts = (before.incarnation.attempt, after.incarnation.attempt);
    let state_stands = before.state == after.state && attempts.0 == attempts.1;
    let same_run = before.incarnation.run() == after.incarnation.run();
    // An ended run may be listed again with other times, by a JobManager that did not see it end.
    let known = before
        .told_since
        .filter(|_| state_stands && (same_run || after.state.is_terminal()));
    known.or_else(|| tells(before, after, snapshot).filter(|told| is_plausible(*told, after.since)))
}

/// No state begins after it was seen: then the JobManager's clock is ahead of ours, and what we saw is the better time.
fn is_plausible(told: Timestamp, first_seen: Timestamp) -> bool {
    (FIRST_FLINK..=first_seen).contains(&told)
}

fn tells(before: &JobRecord, after: &JobRecord, snapshot: &Snapshot) -> Option<Timestamp> {
    match after.state {
        JobState::Created | JobState::Initializing | JobState::Running => start(before, after, snapshot),
        JobState::Finished | JobState::Failed | JobState::Canceled => end(after, snapshot),
        JobState::Failing
        | JobState::Cancelling
        | JobState::Restarting
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing
        | JobState::Lost
        | JobState::Terminated => None,
    }
}

/// The run's start-time, unless the run was seen to do something else before it came to this state.
fn start(before: &JobRecord, after: &JobRecord, snapshot: &Snapshot) -> Option<Timestamp> {
    let job = row(after, snapshot)?;
    let is_new_run = before.incarnation.run() != after.incarnation.run();
    let comes_up = matches!(
        before.state,
        JobState::Created | JobState::Initializing | JobState::Reconciling
    );
    // In a record from before these times were kept.
    let from_the_first = before.state == after.state && Some(before.since) == before.incarnation.since;
    (after.incarnation.run() == Some((job.id, job.started_at)) && (is_new_run || comes_up || from_the_first))
        .then_some(job.started_at)
}

/// When it ended: from Flink's list, else from what outlives the Flink.
fn end(after: &JobRecord, snapshot: &Snapshot) -> Option<Timestamp> {
    let told = |slot: &Option<Evidence<JobEnd>>| {
        let end = present(slot)?;
        let is_it = Some(end.job) == after.incarnation.flink_job_id && end.state == after.state;
        end.ended_at.filter(|_| is_it)
    };
    row(after, snapshot)
        .and_then(|job| job.ended_at)
        .or_else(|| told(&snapshot.archive))
        .or_else(|| told(&snapshot.last_words))
}

/// Flink's own row of the job, if it says the state that was decided.
fn row<'a>(after: &JobRecord, snapshot: &'a Snapshot) -> Option<&'a FlinkJob> {
    let job = present(&snapshot.flink)?;
    (Some(job.id) == after.incarnation.flink_job_id && job.state == after.state).then_some(job)
}

fn present<T>(slot: &Option<Evidence<T>>) -> Option<&T> {
    slot.as_ref()
        .map(|evidence| &evidence.latest)
        .and_then(Observed::present)
}

#[cfg(test)]
mod tests;
