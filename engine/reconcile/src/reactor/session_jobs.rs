//! Records of the jobs of session clusters.
//!
//! A job that somebody submitted goes by its id, and begins when Flink lists it first. One that a FlinkSessionJob asks for goes by
//! the resource's name, and begins with the resource, which may wait for its cluster, or be refused. Flink may list the latter
//! before its resource was read, as when an engine takes over: then the record that began under the id goes on under the name.

use std::collections::BTreeSet;

use steadfast_core::board::ObjectRef;
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, SessionJob, TargetId};
use steadfast_core::requested_jobs::RequestedJobs;
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;

use super::Reactor;
use super::targets::Target;
use crate::setup::Discover;

impl Reactor {
    /// Takes up every FlinkSessionJob of a cluster that has no record: its session cluster may have become known, or its record
    /// was forgotten.
    pub(super) fn begin_all_requested(&mut self, cluster: &ClusterName, now: Timestamp) {
        let Some(board) = self.board.kubernetes(cluster) else {
            return;
        };
        let sessions: BTreeSet<ObjectRef> = board
            .all_last_flink_session_jobs()
            .map(|resource| ObjectRef::new(&resource.namespace, &resource.deployment))
            .collect();
        for session in sessions {
            self.discover(cluster, &session, now);
            self.begin_requested(cluster, &session, now);
        }
    }

    /// Records for the FlinkSessionJobs of a session cluster. What was on record by the id of one of its jobs is theirs.
    ///
    /// A `[[job]]` that is about one job of the session is no session cluster.
    pub(super) fn begin_requested(&mut self, cluster: &ClusterName, session: &ObjectRef, now: Timestamp) {
        for id in self.targets.of_object(cluster, session) {
            let is_session = |target: &Target| target.mode == Mode::Session && target.pinned.is_none();
            let Some(origin) = self
                .targets
                .get(&id)
                .filter(|target| is_session(target))
                .map(|target| target.origin)
            else {
                continue;
            };
            let requested = self.requested_jobs(&id);
            let key_of = |job: &SessionJob| JobKey::of_session(id.clone(), job.clone());
            for job in requested.all() {
                let key = key_of(job);
                if !self.is_on_record(&key) {
                    let change = self.first_commit(key.clone(), Mode::Session, origin, now);
                    self.begun.insert(key, change);
                }
            }
            for (submitted, job) in self.submitted(&id) {
                if let Some(asking) = requested.asking_for(job) {
                    self.supersede(submitted, &key_of(asking));
                }
            }
        }
    }

    /// Records for jobs of a session cluster that its Flink lists and that nobody asks for.
    pub(super) fn begin_submitted(&mut self, id: &TargetId, now: Timestamp) {
        let Some(target) = self.targets.get(id).filter(|target| target.mode == Mode::Session) else {
            return;
        };
        let origin = target.origin;
        let overview = self.board.overview(id).and_then(|evidence| evidence.latest.present());
        let Some(overview) = overview else { return };
        if !self.may_tell_who_asks(id, now) {
            return;
        }
        let requested = self.requested_jobs(id);
        let runs = self.runs_of_requested(id);
        let listed = overview.jobs.iter().map(|job| job.id);
        let unasked: Vec<FlinkJobId> = listed
            .chain(overview.untold.keys().copied())
            .filter(|job| !runs.contains(job) && requested.asking_for(*job).is_none())
            .collect();
        for job in unasked {
            let key = JobKey::of_session(id.clone(), SessionJob::Submitted(job));
            if !self.is_on_record(&key) {
                let change = self.first_commit(key.clone(), Mode::Session, origin, now);
                self.begun.insert(key, change);
            }
        }
    }

    /// Whether it is known by now, as far as it can be, which FlinkSessionJobs there are: their list may still be on its way.
    fn may_tell_who_asks(&self, id: &TargetId, now: Timestamp) -> bool {
        let rules = self.clusters.get(&id.cluster);
        let is_watched = rules.is_some_and(|rules| rules.discover.contains(&Discover::FlinkDeployment));
        let has_looked = || {
            let board = self.board.kubernetes(&id.cluster);
            board.is_some_and(|board| board.has_looked_at_session_jobs(&id.namespace))
        };
        !is_watched || has_looked() || now.since(self.engine_since) >= self.timing.poll + self.timing.timeout
    }

    fn requested_jobs(&self, id: &TargetId) -> RequestedJobs {
        let session = self.targets.get(id).and_then(|target| target.object.as_ref());
        let board = self.board.kubernetes(&id.cluster);
        match board.zip(session) {
            Some((board, session)) => RequestedJobs::of(board.last_flink_session_jobs(session)),
            None => RequestedJobs::default(),
        }
    }

    /// The records of a session cluster that go by a job's id, and those that are about to begin.
    fn submitted(&self, id: &TargetId) -> Vec<(JobKey, FlinkJobId)> {
        let begun = self.begun.keys().filter(|key| key.target == *id).cloned();
        let keys = self.jobs_of(id).into_iter().chain(begun);
        keys.filter_map(|key| key.flink_job_id().map(|job| (key, job)))
            .collect()
    }

    /// The jobs that records of FlinkSessionJobs are, or were, about.
    fn runs_of_requested(&self, id: &TargetId) -> BTreeSet<FlinkJobId> {
        let keys = self
            .jobs_of(id)
            .into_iter()
            .filter(|key| key.flink_session_job().is_some());
        keys.filter_map(|key| self.records.get(&key))
            .flat_map(|record| {
                let incarnation = &record.incarnation;
                let earlier = incarnation.earlier.iter().map(|(job, _)| *job);
                incarnation.flink_job_id.into_iter().chain(earlier).collect::<Vec<_>>()
            })
            .collect()
    }

    pub(super) fn is_on_record(&self, key: &JobKey) -> bool {
        self.records.contains_key(key) || self.begun.contains_key(key)
    }
}
