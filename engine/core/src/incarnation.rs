//! Which run of a job the record is about, so that two are never mixed.

use std::time::Duration;

use crate::facts::FlinkJob;
use crate::id::{FlinkJobId, Uid};
use crate::time::Timestamp;

/// A run as Flink lists it: the job's id and its start-time. An id alone names no run, since a job that is recovered keeps
/// it, and with HA many applications run under the same one.
pub type Run = (FlinkJobId, Timestamp);

/// How many runs before the present one a record knows again.
const EARLIER_RUNS: usize = 8;

/// What a `creationTimestamp` leaves out.
const WHOLE_SECONDS: Duration = Duration::from_secs(1);

/// The identity of one attempt. What is `None` has not been seen yet; it is filled in, and only a
/// value that contradicts a known one begins a new attempt.
///
/// Attempts count what is different, a Deployment or a run, and not how often an answer changes: a run that comes back
/// (two JobManagers that answer by turns) is known again, and so is an ended one that the next JobManager lists with a
/// start-time of its own, since its clean-up failed.
///
/// No time of one host is ever compared with that of another; order comes from our own looks, and from what one host
/// says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Incarnation {
    /// 1 for the first one seen; 0 while nothing has been seen. It never falls.
    pub attempt: u32,
    /// The Deployment's UID.
    pub deployment_uid: Option<Uid>,
    /// That Deployment's name, where it is not the job's: of one side of a FlinkBlueGreenDeployment, or as configured.
    pub deployment_name: Option<String>,
    /// Whether that UID was seen in this attempt.
    pub uid_seen: UidSeen,
    /// That Deployment's `creationTimestamp`, whole seconds of the API server's clock.
    pub deployment_created_at: Option<Timestamp>,
    /// When that Deployment was first seen, by our clock.
    pub deployment_seen_at: Option<Timestamp>,
    /// The UID of the FlinkSessionJob that the record goes by.
    pub session_job_uid: Option<Uid>,
    /// The job's id.
    pub flink_job_id: Option<FlinkJobId>,
    /// The job's start-time, by the JobManager's clock.
    pub started_at: Option<Timestamp>,
    /// When the answer that first listed the run was asked for, by our clock.
    pub run_seen_at: Option<Timestamp>,
    /// When the attempt was first seen.
    pub since: Option<Timestamp>,
    /// The run of the attempt before: an answer that names it comes from the old JobManager.
    pub previous: Option<Run>,
    /// Runs the record has been about, or which are other names of those, the newest first.
    pub earlier: Vec<Run>,
}

/// Whether Kubernetes has spoken since the attempt began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UidSeen {
    /// Kubernetes named the UID in this attempt: another one is another attempt.
    InThisAttempt,
    /// The UID is left over from the attempt before, since Flink showed the new one first: another UID
    /// belongs to this attempt.
    Before,
}

impl Incarnation {
    /// Nothing has been seen. A session job is known by its id from the start.
    pub fn unseen(flink_job_id: Option<FlinkJobId>) -> Self {
        Self {
            attempt: 0,
            deployment_uid: None,
            deployment_name: None,
            uid_seen: UidSeen::Before,
            deployment_created_at: None,
            deployment_seen_at: None,
            session_job_uid: None,
            flink_job_id,
            started_at: None,
            run_seen_at: None,
            since: None,
            previous: None,
            earlier: Vec::new(),
        }
    }

    /// The run it is about, once Flink has listed it.
    pub fn run(&self) -> Option<Run> {
        self.flink_job_id.zip(self.started_at)
    }

    /// Whether a run is this one, or one that the record was about before.
    pub fn knows(&self, run: Run) -> bool {
        self.run() == Some(run) || self.earlier.contains(&run)
    }

    /// Whether what is known of the one is about the other too: the same attempt, and the same run unless it has only
    /// become known.
    pub fn is_same_run(&self, other: &Self) -> bool {
        let agree = self.run().zip(other.run()).is_none_or(|(one, another)| one == another);
        self.attempt == other.attempt && agree
    }

    /// Takes in a Deployment that is there, by its UID and `creationTimestamp`, as seen at `at`.
    pub fn see_deployment(&mut self, uid: &Uid, created_at: Option<Timestamp>, at: Timestamp, now: Timestamp) {
        let known = self.deployment_uid.as_ref();
        if known == Some(uid) {
            // An older sight of the old UID proves nothing about this attempt.
            if self.uid_seen == UidSeen::Before && self.since.is_none_or(|since| at > since) {
                self.uid_seen = UidSeen::InThisAttempt;
            }
        } else if known.is_none()
            || self.uid_seen == UidSeen::Before
            || self.was_created_before_the_run_was_seen(created_at)
        {
            // No contradiction: no UID was known, or only that of the attempt before, or this Deployment had taken its
            // place before the run was first seen, and is shown only now.
            self.name_deployment(uid, created_at, at);
            self.begin_first(now);
        } else {
            // Another Deployment. Its job is not known yet; the old one's is kept, since the old JobManager may answer
            // once more.
            self.leave_run();
            self.name_deployment(uid, created_at, at);
            self.begin(now);
        }
    }

    /// Takes in the FlinkSessionJob that the record goes by. Another one under its name, made after the job of the one before
    /// had ended, is another start.
    pub fn see_session_job(&mut self, uid: &Uid, has_ended: bool, now: Timestamp) {
        let is_another = self.session_job_uid.as_ref().is_some_and(|known| known != uid);
        if is_another && !has_ended {
            // The job it asks for shows the attempt.
            return;
        }
        self.session_job_uid = Some(uid.clone());
        if is_another && self.attempt > 0 {
            self.leave_run();
            self.begin(now);
        }
    }

    /// Takes in the job that the record is about, as Flink lists it in an answer that was asked for at `asked_at`.
    pub fn see_job(&mut self, job: &FlinkJob, asked_at: Timestamp, now: Timestamp) {
        let run = (job.id, job.started_at);
        let same_job = self.flink_job_id.is_none_or(|known| known == job.id);
        let same_start = self.started_at.is_none_or(|known| known == job.started_at);
        if same_job && same_start {
            if self.run().is_none() {
                self.run_seen_at = Some(asked_at);
            }
            self.flink_job_id = Some(job.id);
            self.started_at = Some(job.started_at);
            self.begin_first(now);
        } else if self.knows(run) || (same_job && job.state.is_terminal()) {
            // It comes back; or it has ended, and another JobManager gives the ended run the time of its own start.
            // When the run was first seen stays: a Deployment that came since is another attempt's.
            let seen_at = self.run_seen_at.filter(|_| same_job).unwrap_or(asked_at);
            self.remember_run();
            self.earlier.retain(|earlier| *earlier != run);
            self.name_run(run, seen_at);
        } else {
            self.leave_run();
            self.name_run(run, asked_at);
            // Flink showed this attempt first. The UID that Kubernetes shows next belongs to it, and must not begin
            // another.
            self.uid_seen = UidSeen::Before;
            self.begin(now);
        }
    }

    /// The operator says which job the record is about. Another one that it was about is a run before.
    pub(crate) fn be_about(&mut self, pinned: FlinkJobId) {
        if self.flink_job_id.is_some_and(|known| known != pinned) {
            self.leave_run();
        }
    }

    /// Whether a Deployment was there before the run was first seen: then the run may well be its own, and a UID that is
    /// learnt late, as after a silent watch, belongs to this attempt.
    ///
    /// By the API server's clock so much passed between the creation of the known Deployment and of this one, and by ours
    /// that much between the first sights of the known one and of the run. Only these two durations are compared. The known
    /// one was created before we saw it, so this one was there at the latest when we add the first duration to that sight.
    fn was_created_before_the_run_was_seen(&self, created_at: Option<Timestamp>) -> bool {
        let there_by = || {
            let between = created_at?.since(self.deployment_created_at?);
            Some(self.deployment_seen_at?.after(between).after(WHOLE_SECONDS))
        };
        there_by()
            .zip(self.run_seen_at)
            .is_some_and(|(there, seen)| there <= seen)
    }

    fn name_deployment(&mut self, uid: &Uid, created_at: Option<Timestamp>, at: Timestamp) {
        self.deployment_uid = Some(uid.clone());
        self.uid_seen = UidSeen::InThisAttempt;
        self.deployment_created_at = created_at;
        self.deployment_seen_at = Some(at);
    }

    fn name_run(&mut self, (job, started_at): Run, asked_at: Timestamp) {
        self.flink_job_id = Some(job);
        self.started_at = Some(started_at);
        self.run_seen_at = Some(asked_at);
    }

    /// The run is the one before from now on.
    fn leave_run(&mut self) {
        self.previous = self.run().or(self.previous);
        self.remember_run();
        self.flink_job_id = None;
        self.started_at = None;
        self.run_seen_at = None;
    }

    fn remember_run(&mut self) {
        if let Some(run) = self.run() {
            self.earlier.retain(|earlier| *earlier != run);
            self.earlier.insert(0, run);
            self.earlier.truncate(EARLIER_RUNS);
        }
    }

    fn begin(&mut self, now: Timestamp) {
        self.attempt = self.attempt.saturating_add(1);
        self.since = Some(now);
    }

    fn begin_first(&mut self, now: Timestamp) {
        if self.attempt == 0 {
            self.begin(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::JobState;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn job(n: u8) -> FlinkJobId {
        FlinkJobId::parse(&format!("{n:032x}")).unwrap()
    }

    /// The job as Flink lists it while it runs.
    fn runs(n: u8, started: i64) -> FlinkJob {
        crate::testing::flink_job(job(n), JobState::Running, at(started))
    }

    fn running() -> Incarnation {
        let mut incarnation = Incarnation::unseen(None);
        incarnation.see_deployment(&Uid::new("u1"), None, at(1), at(1));
        incarnation.see_job(&runs(1, 0), at(2), at(2));
        incarnation
    }

    #[test]
    fn what_is_filled_in_is_no_new_attempt() {
        assert_eq!(running().attempt, 1);
    }

    #[test]
    fn a_replacement_is_one_attempt_whichever_source_shows_it_first() {
        let mut watch_first = running();
        watch_first.see_deployment(&Uid::new("u2"), None, at(60), at(60));
        watch_first.see_job(&runs(2, 59), at(61), at(61));
        let mut flink_first = running();
        flink_first.see_job(&runs(2, 59), at(60), at(60));
        flink_first.see_deployment(&Uid::new("u1"), None, at(30), at(60));
        flink_first.see_deployment(&Uid::new("u2"), None, at(61), at(61));
        assert_eq!((watch_first.attempt, flink_first.attempt), (2, 2));
        assert_eq!(watch_first.previous, Some((job(1), at(0))));
    }

    #[test]
    fn a_new_start_time_under_the_same_id_is_a_new_attempt() {
        let mut incarnation = running();
        incarnation.see_job(&runs(1, 79), at(80), at(80));
        assert_eq!(
            (incarnation.attempt, incarnation.deployment_uid),
            (2, Some(Uid::new("u1")))
        );
    }

    #[test]
    fn a_sight_of_the_old_uid_confirms_it_only_from_after_the_attempt_began() {
        let mut incarnation = running();
        incarnation.see_job(&runs(2, 59), at(60), at(60));
        incarnation.see_deployment(&Uid::new("u1"), None, at(60), at(61));
        incarnation.see_deployment(&Uid::new("u2"), None, at(62), at(62));
        assert_eq!(incarnation.attempt, 2);
    }

    #[test]
    fn what_is_known_of_one_run_is_not_about_another_or_another_attempt() {
        let one = running();
        let mut another_attempt = one.clone();
        another_attempt.attempt += 1;
        let mut another_run = one.clone();
        another_run.started_at = Some(at(7));
        let mut not_known_yet = one.clone();
        not_known_yet.started_at = None;
        let same = [&one, &not_known_yet, &another_attempt, &another_run].map(|other| one.is_same_run(other));
        assert_eq!(same, [true, true, false, false]);
    }

    #[test]
    fn a_new_uid_after_kubernetes_confirmed_the_old_one_is_a_new_attempt() {
        let mut incarnation = running();
        incarnation.see_job(&runs(2, 59), at(60), at(60));
        incarnation.see_deployment(&Uid::new("u1"), None, at(65), at(65));
        incarnation.see_deployment(&Uid::new("u2"), None, at(90), at(90));
        assert_eq!(incarnation.attempt, 3);
    }

    #[test]
    fn a_uid_shown_late_belongs_to_the_run_that_was_seen_after_its_creation() {
        let mut incarnation = running();
        incarnation.see_deployment(&Uid::new("u2"), Some(at(30)), at(30), at(30));
        incarnation.see_job(&runs(2, 40), at(45), at(45));
        incarnation.see_deployment(&Uid::new("u3"), Some(at(32)), at(61), at(61));
        let seen = (
            incarnation.attempt,
            incarnation.flink_job_id,
            incarnation.deployment_uid.clone(),
        );
        assert_eq!(seen, (2, Some(job(2)), Some(Uid::new("u3"))));
    }

    #[test]
    fn a_new_uid_is_a_new_start_whatever_the_clocks_of_others_say() {
        // The API server's clock is an hour behind ours, the JobManager's ten minutes ahead or behind.
        for start in [-600, 600] {
            let mut incarnation = Incarnation::unseen(None);
            incarnation.see_deployment(&Uid::new("u1"), Some(at(-3600)), at(0), at(0));
            incarnation.see_job(&runs(1, start), at(5), at(5));
            incarnation.see_deployment(&Uid::new("u2"), Some(at(-3420)), at(180), at(180));
            assert_eq!((incarnation.attempt, incarnation.flink_job_id), (2, None));
        }
        // 44.9 s may be written 44: the run seen at 45 is not proven to be later than that.
        let mut close = Incarnation::unseen(None);
        close.see_deployment(&Uid::new("u1"), Some(at(0)), at(0), at(0));
        close.see_job(&runs(1, 1), at(45), at(45));
        let mut before = close.clone();
        before.see_deployment(&Uid::new("u2"), Some(at(44)), at(60), at(60));
        close.see_deployment(&Uid::new("u2"), Some(at(45)), at(60), at(60));
        assert_eq!((before.attempt, close.attempt), (1, 2));
    }

    #[test]
    fn a_flink_session_job_made_anew_after_the_end_is_a_new_start() {
        let mut incarnation = running();
        incarnation.see_session_job(&Uid::new("r1"), false, at(5));
        incarnation.see_session_job(&Uid::new("r2"), false, at(10));
        assert_eq!(
            (incarnation.attempt, incarnation.flink_job_id),
            (1, Some(job(1))),
            "the old one's job runs"
        );
        incarnation.see_session_job(&Uid::new("r2"), true, at(15));
        assert_eq!((incarnation.attempt, incarnation.flink_job_id), (2, None));
        incarnation.see_session_job(&Uid::new("r2"), true, at(20));
        incarnation.see_job(&runs(2, 21), at(22), at(22));
        assert_eq!(incarnation.attempt, 2, "its job is of that attempt");
    }

    #[test]
    fn two_runs_that_answer_by_turns_are_two_attempts() {
        let mut incarnation = running();
        for turn in 0..6 {
            let asked = at(10 + turn * 5);
            let job = if turn % 2 == 0 { runs(2, 8) } else { runs(1, 0) };
            incarnation.see_job(&job, asked, asked);
        }
        assert_eq!((incarnation.attempt, incarnation.flink_job_id), (2, Some(job(1))));
    }

    #[test]
    fn an_ended_run_that_each_next_job_manager_lists_anew_is_the_same_run() {
        let mut incarnation = running();
        for start in [100, 200, 300] {
            let failed = crate::testing::flink_job(job(1), JobState::Failed, at(start));
            incarnation.see_job(&failed, at(start + 2), at(start + 2));
            incarnation.see_job(&failed, at(start + 7), at(start + 7));
        }
        assert_eq!(incarnation.attempt, 1);
        incarnation.see_job(&runs(1, 400), at(402), at(402));
        assert_eq!(incarnation.attempt, 2, "it runs: that is another run");
    }

    #[test]
    fn only_so_many_runs_are_known_again() {
        let mut incarnation = running();
        for n in 2..40 {
            incarnation.see_job(&runs(n, n.into()), at(n.into()), at(n.into()));
        }
        assert_eq!(incarnation.earlier.len(), EARLIER_RUNS);
        assert!(incarnation.knows((job(38), at(38))) && !incarnation.knows((job(1), at(0))));
    }

    #[test]
    fn of_a_flink_session_job_made_anew_before_anything_was_seen_no_attempt_is_counted() {
        let mut incarnation = Incarnation::unseen(None);
        incarnation.see_session_job(&Uid::new("r1"), true, at(5));
        incarnation.see_session_job(&Uid::new("r2"), true, at(10));
        assert_eq!((incarnation.attempt, incarnation.since), (0, None));
        assert_eq!(incarnation.session_job_uid, Some(Uid::new("r2")));
    }
}
