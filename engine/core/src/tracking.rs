//! Which of the jobs that Flink lists a record is about.
//!
//! A record is about one job at a time, but Flink's `/jobs/overview` names every job the cluster knows, Kubernetes
//! names only the Deployment, and the two are read at different moments. This module brings them together;
//! [`Incarnation`] then says whether what it finds is the same attempt or the next.
//!
//! # Which job
//!
//! - A *pinned* job (`flink_job_id`) and a job of a *session cluster* are known by their id. If the overview lacks that
//!   id, no other job takes its place.
//! - An *application's* record is about the job first seen. As long as that one is listed it stays the record's; the
//!   others are its other jobs.
//! - If it is not listed, a job that has not been seen as another one is the next attempt: a new submission has a new
//!   id. If there are several, it is the one that started first. Jobs that were seen beside the tracked one never take
//!   its place.
//!
//! A Deployment with a new UID begins an attempt of an application before its job is known, and what was an other job
//! of the attempt before may be the job of this one.
//!
//! # Late answers
//!
//! After a Deployment was replaced, the old JobManager may answer once more. Two things keep its job from being taken
//! for the new attempt's: an overview that was asked for before the attempt began is left out, and a later one that
//! names exactly the job *and* start-time of the attempt before is not believed until [`TrackingRules::late_answers`]
//! has passed. Whoever still answers so by then is no latecomer: that job is what runs. A job that is recovered keeps
//! its id and gets a new start-time, so it is taken at once.
//!
//! # Rejected
//!
//! - *Counting the job of a late answer among the other jobs.* Those are never taken up, so that a job recovered under
//!   its old id ran while its record stayed without it. Until the new job is known, the one before is nobody's other
//!   job.
//! - *Every unknown UID is another attempt.* A list after a silent watch shows late under which Deployment a job has
//!   been running, and that began an attempt too many ([`Incarnation::see_deployment`]).
//! - *The Deployment's UID for session jobs too.* A session's Deployment may be replaced while its jobs are recovered;
//!   only the job itself shows its attempts.
//!
//! [`Incarnation`]: crate::incarnation::Incarnation
//! [`Incarnation::see_deployment`]: crate::incarnation::Incarnation::see_deployment

use std::time::Duration;

use crate::board::{Board, ObjectRef};
use crate::evidence::Evidence;
use crate::facts::{FlinkJob, FlinkOverview};
use crate::id::FlinkJobId;
use crate::record::{JobRecord, OtherJob};
use crate::state::Mode;
use crate::time::Timestamp;

/// What the operator pinned, and for how long an answer may be late.
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
    // A session's Deployment may be replaced while its jobs are recovered: only the job itself shows its attempts.
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
    // It was asked for before this attempt began, and so shows the one before. Nothing is taken from it.
    let is_late = incarnation.flink_job_id.is_none()
        && incarnation.previous.is_some()
        && incarnation.since.is_some_and(|since| evidence.asked_at <= since);
    if is_late {
        return;
    }
    let wanted = rules.pinned.or(tracked.key.session_job).or(incarnation.flink_job_id);
    let named = wanted.and_then(|id| overview.jobs.iter().find(|job| job.id == id));
    // A pinned job and a session's job are never exchanged for another that the same Flink lists.
    let only_named = rules.pinned.is_some() || tracked.key.session_job.is_some();
    let found = match named {
        Some(job) => Some(job),
        None if only_named => None,
        None => first_unknown(
            overview,
            tracked,
            // What was another job in the attempt before may be the job of this one.
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
    // The id alone does not show a late answer: a recovered job keeps it, and gets a new start-time.
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
