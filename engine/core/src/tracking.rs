//! Which of the jobs that Flink lists a record is about.
//!
//! A record is about one job at a time, but Flink's `/jobs/overview` names every job the cluster knows, Kubernetes
//! names only the Deployment, and the two are read at different moments. This module brings them together;
//! [`Incarnation`] then says whether what it finds is the same attempt or the next.
//!
//! # Which job
//!
//! - A *pinned* job (`flink_job_id`), and one that was submitted to a *session cluster*, are known by their id. If the overview lacks that
//!   id, no other job takes its place.
//! - An *application's* record, and a standalone cluster's, is about the job first seen, for as long as it lives: while
//!   Flink lists it alive, and while Flink does not say that it has ended or is not known any more, no other job takes its
//!   place. A list that leaves it out says neither.
//! - When it has ended, or Flink itself does not know it, the record goes on with a job that lives: a record is not ended
//!   while its Flink lists a live job that no other record claims. First comes a run that the record was about before, then
//!   jobs that started after the ended one, then those that ran beside it, of each the one that started first.
//! - If none lives, it stays with its own as long as that is listed, or goes back to an ended run it was about; else an
//!   ended job that nobody has seen yet is the next attempt, which came and went between two looks.
//!
//! - The record of a *FlinkSessionJob* is about the jobs that the resource asks for, one after the other, by the same rules:
//!   those that its status names or whose id the operator made of it ([`FlinkResource::asks_for`]), and runs that it was about.
//!
//! A Deployment with a new UID begins an attempt of an application before its job is known, and what was an other job
//! of the attempt before may be the job of this one.
//!
//! # Late answers
//!
//! After a Deployment was replaced, the old JobManager may answer once more. Two things keep its job from being taken
//! for the new attempt's: an overview that was asked for before the attempt began is left out, and a later one that
//! names exactly the job *and* start-time of the attempt before is not believed until [`TrackingRules::late_answers`]
//! has passed while no job of the new attempt is known. Whoever still answers so by then is no latecomer: that job is
//! what runs. A job that is recovered keeps its id and gets a new start-time, so it is taken at once.
//!
//! # Rejected
//!
//! - *Jobs that were seen beside the tracked one never take its place.* One answer of another Flink made the record's own
//!   job "another job" for good, and a job that was submitted again while the old one was still listed was never taken up.
//! - *Counting a run that the record was about among the other jobs.* It may come back.
//! - *Every unknown UID is another attempt.* A list after a silent watch shows late under which Deployment a job has
//!   been running, and that began an attempt too many ([`Incarnation::see_deployment`]).
//! - *The Deployment's UID for session jobs too.* A session's Deployment may be replaced while its jobs are recovered;
//!   only the job itself shows its attempts.
//!
//! [`FlinkResource::asks_for`]: crate::facts::FlinkResource::asks_for
//! [`Incarnation`]: crate::incarnation::Incarnation
//! [`Incarnation::see_deployment`]: crate::incarnation::Incarnation::see_deployment

use std::time::Duration;

use crate::board::{Board, ObjectRef};
use crate::facts::{FlinkJob, FlinkOverview, FlinkResource};
use crate::id::{FlinkJobId, JobKey};
use crate::incarnation::Incarnation;
use crate::record::{JobRecord, OtherJob};
use crate::state::{JobState, Mode};
use crate::time::Timestamp;

/// What the operator pinned, what is others', and for how long an answer may be late.
#[derive(Clone, Copy, Debug)]
pub struct TrackingRules<'a> {
    /// `flink_job_id` of the `[[job]]`.
    pub pinned: Option<FlinkJobId>,
    /// Jobs that other `[[job]]` entries of the same Flink name.
    pub claimed: &'a [FlinkJobId],
    /// After this long, an answer that names the attempt before is not late: that job is what runs.
    pub late_answers: Duration,
}

/// The record with its incarnation, labels and other jobs brought up to the newest evidence. An application's
/// record is about the job first seen; a session job's is about the job of its key.
pub fn track(
    record: &JobRecord,
    board: &Board,
    object: Option<&ObjectRef>,
    rules: TrackingRules<'_>,
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
        let is_of_another_name = *deployment.name != *record.key.target.name;
        let name = is_of_another_name.then(|| deployment.name.clone());
        // The other side of a FlinkBlueGreenDeployment did not appear just now, and what is known of a Flink is of its own.
        let is_other_side = tracked.incarnation.attempt > 0 && tracked.incarnation.deployment_name != name;
        let since = match board.overview(&record.key.target) {
            Some(overview) if is_other_side => Some(overview.asked_at.before(Duration::from_millis(1))),
            // It may have run for long: nothing is said of it before its Flink was asked.
            None if is_other_side => None,
            Some(_) | None => Some(now),
        };
        if let Some(since) = since {
            tracked
                .incarnation
                .see_deployment(&deployment.uid, deployment.created_at, evidence.observed_at, since);
            tracked.incarnation.deployment_name = name;
            if is_other_side {
                // Answers of the side before are told apart by whom was asked: none of them is late here.
                tracked.incarnation.previous = None;
            }
        }
    }
    let target = &record.key.target;
    let session = ObjectRef::new(&target.namespace, &target.name);
    let requested_by = board
        .kubernetes(&target.cluster)
        .and_then(|kubernetes| kubernetes.last_request(&record.key, object.unwrap_or(&session)));
    if let Some(resource) = requested_by {
        let has_ended = record.state.is_terminal();
        tracked.incarnation.see_session_job(&resource.uid, has_ended, now);
    }
    if let Some(evidence) = board.overview(target)
        && let Some(overview) = evidence.latest.present()
    {
        let seen = Seen {
            overview,
            asked_at: evidence.asked_at,
            requested_by,
        };
        track_jobs(&mut tracked, record, seen, rules, now);
    }
    tracked
}

fn track_jobs(tracked: &mut JobRecord, before: &JobRecord, seen: Seen<'_>, rules: TrackingRules<'_>, now: Timestamp) {
    if let Some(pinned) = rules.pinned {
        tracked.incarnation.be_about(pinned);
    }
    let incarnation = &tracked.incarnation;
    // It was asked for before this attempt began, and so shows the one before. Nothing is taken from it.
    let is_late = incarnation.flink_job_id.is_none()
        && incarnation.previous.is_some()
        && incarnation.since.is_some_and(|since| seen.asked_at <= since);
    if is_late {
        return;
    }
    let candidates = Candidates {
        seen,
        before,
        incarnation,
        rules,
        now,
    };
    if let Some(job) = candidates.choose().cloned() {
        tracked.incarnation.see_job(&job, seen.asked_at, now);
    }
    if tracked.mode != Mode::Session || before.key.flink_session_job().is_some() {
        let mut others = others(seen.overview, &tracked.incarnation);
        others.retain(|other| seen.may_concern(&before.key, &tracked.incarnation, other.flink_job_id));
        tracked.other_jobs = others;
    }
}

/// What is looked at.
#[derive(Clone, Copy)]
struct Seen<'a> {
    overview: &'a FlinkOverview,
    /// When the list was asked for.
    asked_at: Timestamp,
    /// The FlinkSessionJob that the record goes by, as it was last seen.
    requested_by: Option<&'a FlinkResource>,
}

impl Seen<'_> {
    /// Whether a record may be about a job: that of a FlinkSessionJob only about those which the resource asks for, and those
    /// that it was about.
    fn may_concern(&self, key: &JobKey, incarnation: &Incarnation, job: FlinkJobId) -> bool {
        key.flink_session_job().is_none()
            || incarnation.flink_job_id == Some(job)
            || incarnation.earlier.iter().any(|(earlier, _)| *earlier == job)
            || self.requested_by.is_some_and(|resource| resource.asks_for(job))
    }
}

/// The jobs that a list names, and what decides which of them the record is about.
struct Candidates<'a> {
    seen: Seen<'a>,
    /// The record as it was committed.
    before: &'a JobRecord,
    /// Brought up to Kubernetes' newest word.
    incarnation: &'a Incarnation,
    rules: TrackingRules<'a>,
    now: Timestamp,
}

impl<'a> Candidates<'a> {
    fn choose(&self) -> Option<&'a FlinkJob> {
        let fixed = self.rules.pinned.or(self.before.key.flink_job_id());
        if let Some(id) = fixed {
            return self.seen.overview.job(id).filter(|job| !self.may_be_late(job));
        }
        let Some(own) = self.incarnation.flink_job_id else {
            return self.living().or_else(|| self.unseen());
        };
        let listed = self.seen.overview.job(own);
        if self.is_own_over(own) {
            let left = || listed.or_else(|| self.known()).or_else(|| self.unseen());
            self.living().or_else(|| self.next_requested(own)).or_else(left)
        } else {
            listed
        }
    }

    /// Whether the record may go on without its own run. An end that Flink lists is recorded first, so that nobody misses
    /// it; an ended run that is not listed any more is not asked for.
    fn is_own_over(&self, own: FlinkJobId) -> bool {
        // Not on the evidence on which the end was recorded: that end is to be told of first.
        let is_newer = self.seen.asked_at > self.before.since;
        let is_ended = self.before.state.is_terminal();
        // An end may be on record as the way to something else.
        let is_on_the_way = matches!(self.before.state, JobState::Suspended | JobState::Reconciling);
        let tells_end = self.seen.overview.tells_end_of(own);
        match self.seen.overview.job(own) {
            Some(_) => (is_ended || is_on_the_way) && is_newer && tells_end,
            None => is_ended && is_newer || tells_end,
        }
    }

    /// A job that lives.
    fn living(&self) -> Option<&'a FlinkJob> {
        let own = self.incarnation.run();
        let end = own.and_then(|(id, started)| self.seen.overview.job(id)?.ended_at.or(Some(started)));
        self.open().filter(|job| !job.state.is_terminal()).min_by_key(|job| {
            let is_known = self.incarnation.knows((job.id, job.started_at));
            let is_older = end.is_some_and(|end| job.started_at < end);
            (!is_known, is_older, job.started_at, job.id)
        })
    }

    /// The job that the FlinkSessionJob's status names, if that is a run the record was never about: it came and went between
    /// two looks.
    fn next_requested(&self, own: FlinkJobId) -> Option<&'a FlinkJob> {
        let named = self.seen.requested_by?.flink_job_id.filter(|id| *id != own)?;
        let job = self.open().find(|job| job.id == named)?;
        (!self.incarnation.knows((job.id, job.started_at))).then_some(job)
    }

    /// An ended run that the record was about.
    fn known(&self) -> Option<&'a FlinkJob> {
        self.open().find(|job| self.incarnation.knows((job.id, job.started_at)))
    }

    /// An ended job that was not there before.
    fn unseen(&self) -> Option<&'a FlinkJob> {
        // What was another job in the attempt before may be the job of this one.
        let others: &[OtherJob] = if self.incarnation.attempt == self.before.incarnation.attempt {
            &self.before.other_jobs
        } else {
            &[]
        };
        // A FlinkSessionJob that is made anew asks for another run than those that have ended.
        let is_requested = self.before.key.flink_session_job().is_some();
        self.open()
            .filter(|job| !others.iter().any(|other| other.flink_job_id == job.id))
            .filter(|job| !is_requested || !self.incarnation.knows((job.id, job.started_at)))
            .min_by_key(|job| (job.started_at, job.id))
    }

    /// Jobs that are nobody else's, without what only a late answer names.
    fn open(&self) -> impl Iterator<Item = &'a FlinkJob> + '_ {
        self.seen
            .overview
            .jobs
            .iter()
            .filter(|job| {
                !self.rules.claimed.contains(&job.id)
                    && self.seen.may_concern(&self.before.key, self.incarnation, job.id)
            })
            .filter(|job| !self.may_be_late(job))
    }

    /// Whether a row may be of a late answer: while the attempt's own run is not known, the old JobManager may answer once
    /// more. The id alone does not show it: a recovered job keeps it, and gets a new start-time.
    fn may_be_late(&self, job: &FlinkJob) -> bool {
        let incarnation = self.incarnation;
        incarnation.started_at.is_none()
            && incarnation.previous == Some((job.id, job.started_at))
            && incarnation
                .since
                .is_none_or(|since| self.now.since(since) < self.rules.late_answers)
    }
}

/// The jobs beside the record's own. Runs it was about, and the one that may be recovered under its id, are not others.
fn others(overview: &FlinkOverview, incarnation: &Incarnation) -> Vec<OtherJob> {
    let own = incarnation
        .flink_job_id
        .or(incarnation.previous.map(|(before, _)| before));
    overview
        .jobs
        .iter()
        .filter(|job| Some(job.id) != own && !incarnation.knows((job.id, job.started_at)))
        .map(OtherJob::from)
        .collect()
}

#[cfg(test)]
mod tests;
