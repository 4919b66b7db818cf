//! What a policy is shown of a job: its record, brought up to the newest evidence, and all that is known of it.
//!
//! There is one way from record and board to a snapshot. The reactor takes it in production, and `policy verify` takes it
//! for every sequence it explores; a second copy of any of these steps would let the one prove what the other does not do.

use crate::board::{Board, ObjectRef};
use crate::evidence::{Evidence, Observed};
use crate::facts::FlinkJob;
use crate::id::FlinkJobId;
use crate::intents;
use crate::record::JobRecord;
use crate::snapshot::{Fleet, Snapshot};
use crate::state::JobState;
use crate::time::Timestamp;
use crate::timing::Timing;
use crate::tracking::{TrackingRules, track};

/// What the engine knows of a job beside its record and the evidence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The Deployment of its Flink cluster; `None` for standalone ones.
    pub object: Option<&'a ObjectRef>,
    /// The job the record is about, where the operator says so.
    pub pinned: Option<FlinkJobId>,
    /// Jobs that other `[[job]]` entries of the same Flink name.
    pub claimed: &'a [FlinkJobId],
    /// The health of its Kubernetes cluster.
    pub fleet: Fleet,
    /// `[timing]` of the configuration.
    pub timing: Timing,
    /// When the engine started.
    pub engine_since: Timestamp,
}

/// Freezes what is known of a job. `before` is its record as committed; the snapshot holds it with the incarnation, the
/// labels and the other jobs that the newest evidence shows. Where that is another run, what was looked up about the
/// one before is left out: an old exception or end explains nothing of this run.
pub fn observe(before: &JobRecord, board: &Board, context: Context<'_>, now: Timestamp) -> Snapshot {
    let rules = TrackingRules {
        pinned: context.pinned,
        claimed: context.claimed,
        late_answers: context.timing.validate,
    };
    let tracked = track(before, board, context.object, rules, now);
    let same_run = tracked.incarnation.is_same_run(&before.incarnation);
    let lookups = same_run.then(|| board.attempt(&before.key)).flatten();
    let followed = context.pinned.or(tracked.incarnation.flink_job_id);
    let flink = board.flink_job(before, followed);
    let mut snapshot = freeze(tracked, flink, board, context, now);
    if let Some(lookups) = lookups {
        lookups.show(&mut snapshot);
    }
    let attempt = &snapshot.record.incarnation;
    let intent = intents::standing(
        before,
        attempt,
        snapshot.flink.as_ref(),
        snapshot.checkpoints.as_ref(),
        context.timing.intent_timeout,
        now,
    );
    snapshot.record.intent = intent.unwrap_or(None);
    show_savepoint(&mut snapshot);
    snapshot
}

/// Flink has no state for a job that takes a savepoint: its list says RUNNING, and its checkpoints show the savepoint. Both
/// are its own word, so a policy is shown SAVEPOINTING, as long as either is fresh.
fn show_savepoint(snapshot: &mut Snapshot) {
    let fresh_for = snapshot.timing.poll * 2 + snapshot.timing.timeout;
    let is_in_progress = snapshot.checkpoints.as_ref().is_some_and(|checkpoints| {
        let savepoint = checkpoints.latest.present().and_then(|seen| seen.savepoint_in_progress);
        savepoint.is_some() && snapshot.now.since(checkpoints.asked_at) <= fresh_for
    });
    if is_in_progress
        && let Some(flink) = &mut snapshot.flink
        && let Observed::Present(job) = &mut flink.latest
        && job.state == JobState::Running
    {
        job.state = JobState::Savepointing;
    }
}

/// All that is known of a job beside what was looked up about its attempt.
fn freeze(
    record: JobRecord,
    flink: Option<Evidence<FlinkJob>>,
    board: &Board,
    context: Context<'_>,
    now: Timestamp,
) -> Snapshot {
    let key = &record.key;
    let kubernetes = board.kubernetes(&key.target.cluster);
    let object = context.object;
    let target = board.target(&key.target);
    let mut snapshot = Snapshot {
        now,
        engine_since: context.engine_since,
        flink,
        deployment: object.and_then(|object| kubernetes?.deployment(object)),
        deletion: object.and_then(|object| kubernetes?.deletion(object)).cloned(),
        pods: object.and_then(|object| kubernetes?.pods(object)),
        flink_resource: object.and_then(|object| kubernetes?.resource_of(key, object)),
        // Looked up on request: filled in by the owners of their slots, below and in `observe`.
        exceptions: None,
        checkpoints: None,
        last_words: None,
        archive: None,
        events: None,
        ha_data: None,
        task_managers: None,
        fleet: context.fleet,
        timing: context.timing,
        record,
    };
    if let Some(lookups) = target {
        lookups.show(&mut snapshot);
    }
    snapshot
}

#[cfg(test)]
mod tests;
