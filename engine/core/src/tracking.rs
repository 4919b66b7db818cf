//! Which of the jobs that Flink lists a record is about.

use std::time::Duration;

use crate::board::{Board, ObjectRef};
use crate::evidence::Evidence;
use crate::facts::{FlinkJob, FlinkOverview};
use crate::id::FlinkJobId;
use crate::record::{JobRecord, OtherJob};
use crate::state::Mode;
use crate::time::Timestamp;

/// What the operator pinned, and the pace that tells a late answer from a lasting one.
#[derive(Clone, Copy, Debug)]
pub struct TrackingRules {
    /// `flink_job_id` of the `[[job]]`.
    pub pinned: Option<FlinkJobId>,
    /// After this long, an answer that names the attempt before is not late: that job is what runs.
    pub late_answers: Duration,
}

/// The record with its incarnation, labels and other jobs brought up to the newest evidence. An application's
/// record is about the job first seen; a session job's is about the job of its key.
pub fn track(
    record: &JobRecord,
    board: &Board,
    object: Option<&ObjectRef>,
    rules: TrackingRules,
    now: Timestamp,
) -> JobRecord {
    let mut tracked = record.clone();
    let deployment = object.and_then(|p| board.kubernetes(&record.key.target.cluster)?.deployment(p));
    if let Some(deployment) = deployment.as_ref().and_then(|evidence| evidence.latest.present()) {
        tracked.labels = deployment.labels.clone();
    }
    // A session's Deployment may be replaced while its jobs are recovered: only the job itself tells its attempts.
    if record.mode == Mode::Application
        && let Some(evidence) = &deployment
        && let Some(deployment) = evidence.latest.present()
    {
        tracked
            .incarnation
            .see_deployment(&deployment.uid, deployment.created_at, evidence.observed_at, now);
    }
    if let Some(evidence) = board.overview(&record.key.target)
        && let Some(overview) = evidence.latest.present()
    {
        track_jobs(&mut tracked, record, evidence, overview, rules, now);
    }
    tracked
}

fn track_jobs(
    tracked: &mut JobRecord,
    before: &JobRecord,
    evidence: &Evidence<FlinkOverview>,
    overview: &FlinkOverview,
    rules: TrackingRules,
    now: Timestamp,
) {
    let incarnation = &tracked.incarnation;
    let new_attempt = incarnation.attempt != before.incarnation.attempt;
    let is_late = incarnation.flink_job_id.is_none()
        && incarnation.previous.is_some()
        && incarnation.since.is_some_and(|since| evidence.asked_at <= since);
    if is_late {
        return;
    }
    let wanted = rules.pinned.or(tracked.key.session_job).or(incarnation.flink_job_id);
    let named = wanted.and_then(|id| overview.jobs.iter().find(|job| job.id == id));
    let only_named = rules.pinned.is_some() || tracked.key.session_job.is_some();
    let found = match named {
        Some(job) => Some(job),
        None if only_named => None,
        None => first_unknown(
            overview,
            tracked,
            if new_attempt { &[] } else { &before.other_jobs },
            rules,
            now,
        ),
    };
    if let Some(job) = found {
        tracked.incarnation.see_job(job.id, job.started_at, now);
    }
    if tracked.mode != Mode::Session {
        let incarnation = &tracked.incarnation;
        // While the new attempt's job is not known, the one before may be it: recovery keeps the id.
        let ours = incarnation
            .flink_job_id
            .or(incarnation.previous.map(|(before, _)| before));
        tracked.other_jobs = overview
            .jobs
            .iter()
            .filter(|job| Some(job.id) != ours)
            .map(OtherJob::from)
            .collect();
    }
}

/// The job that started first among those the record does not know as another one.
fn first_unknown<'a>(
    overview: &'a FlinkOverview,
    record: &JobRecord,
    others: &[OtherJob],
    rules: TrackingRules,
    now: Timestamp,
) -> Option<&'a FlinkJob> {
    let incarnation = &record.incarnation;
    let old_may_answer = incarnation
        .since
        .is_none_or(|since| now.since(since) < rules.late_answers);
    overview
        .jobs
        .iter()
        .filter(|job| !others.iter().any(|other| other.flink_job_id == job.id))
        .filter(|job| !(old_may_answer && incarnation.previous == Some((job.id, job.started_at))))
        .min_by_key(|job| (job.started_at, job.id))
}

#[cfg(test)]
mod tests;
