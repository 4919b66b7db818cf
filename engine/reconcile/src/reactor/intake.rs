//! Takes evidence in and notes whom it concerns.

use steadfast_core::board::Place;
use steadfast_core::evidence::{Observed, accept};
use steadfast_core::facts::{FlinkOverview, Pod};
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::journal::Change;
use steadfast_core::news::{KubeNews, ObjectKind, What};
use steadfast_core::state::{JobState, Mode};
use steadfast_core::time::Timestamp;

use super::Reactor;
use super::wants::{is_told, logs_of};
use crate::looks::{Answer, Look, Wanted, WantedAnswer};

impl Reactor {
    /// Takes in an answer. Returns records that begin with it (jobs a session cluster lists for the first time).
    pub(crate) fn answered(&mut self, answer: Answer, now: Timestamp) -> Vec<Change> {
        match answer {
            Answer::Overview {
                target,
                asked,
                at,
                answer,
            } => self.overview_answered(&target, answer, asked, at, now),
            Answer::Wanted { key, asked, at, answer } => {
                self.wanted_answered(&key, answer, asked, at, now);
                Vec::new()
            }
        }
    }

    fn overview_answered(
        &mut self,
        id: &TargetId,
        answer: Observed<FlinkOverview>,
        asked: Timestamp,
        at: Timestamp,
        now: Timestamp,
    ) -> Vec<Change> {
        match &answer {
            Observed::Unknown(fault) => self.poll_failed(id, asked, &fault.clone(), now),
            Observed::Present(_) | Observed::Absent => self.poll_answered(id, asked, now),
        }
        let begun = self.session_jobs(id, &answer, now);
        self.board.accept_overview(id, answer, asked, at);
        self.refresh_light(id);
        self.mark_target(id);
        begun
    }

    /// Records for jobs of a session cluster that are listed for the first time.
    fn session_jobs(&self, id: &TargetId, answer: &Observed<FlinkOverview>, now: Timestamp) -> Vec<Change> {
        let Some(target) = self.targets.get(id).filter(|target| target.mode == Mode::Session) else {
            return Vec::new();
        };
        let Some(overview) = answer.present() else {
            return Vec::new();
        };
        overview
            .jobs
            .iter()
            .map(|job| JobKey {
                target: id.clone(),
                session_job: Some(job.id),
            })
            .filter(|key| !self.records.contains_key(key))
            .map(|key| self.new_record(key, Mode::Session, target.origin, now))
            .collect()
    }

    fn wanted_answered(&mut self, key: &JobKey, answer: WantedAnswer, asked: Timestamp, at: Timestamp, now: Timestamp) {
        self.look_ended(key, &answer, now);
        let Some(record) = self.records.get(key) else { return };
        self.dirty.insert(key.clone());
        // What was asked about the attempt before says nothing of this one.
        let is_late = record.incarnation.since.is_some_and(|since| asked < since);
        if is_late && answer.is_of_one_attempt() {
            return;
        }
        let job = self.board.job_mut(key);
        match answer {
            WantedAnswer::Exceptions(answer) => accept(&mut job.exceptions, answer, asked, at),
            WantedAnswer::Checkpoints(answer) => accept(&mut job.checkpoints, answer, asked, at),
            // An end that was told stays told: the pod, or the archive, may go before it is asked again.
            WantedAnswer::Archive(answer) => !is_told(&job.archive) && accept(&mut job.archive, answer, asked, at),
            WantedAnswer::LastWords(answer) => {
                !is_told(&job.last_words) && accept(&mut job.last_words, answer, asked, at)
            }
            WantedAnswer::HaData(answer) => accept(&mut self.board.target_mut(&key.target).ha_data, answer, asked, at),
            WantedAnswer::Events(answer) => accept(&mut self.board.target_mut(&key.target).events, answer, asked, at),
            WantedAnswer::TaskManagers(answer) => {
                accept(&mut self.board.target_mut(&key.target).task_managers, answer, asked, at)
            }
        };
    }

    /// Takes in news from Kubernetes. Returns records that begin with it (clusters that are discovered).
    pub(crate) fn news(&mut self, news: KubeNews, now: Timestamp) -> Vec<Change> {
        let cluster = news.scope.cluster.clone();
        let answers_waiting =
            matches!(news.what, What::Listed(..) | What::Failed(_)) && news.scope.kind == ObjectKind::Deployment;
        let accepted = self.board.accept_news(news);
        self.repaired += u64::from(accepted.repaired);
        let mut begun = Vec::new();
        for place in &accepted.touched {
            begun.extend(self.discover(&cluster, place, now));
            for id in self
                .by_place
                .get(&(cluster.clone(), place.clone()))
                .cloned()
                .unwrap_or_default()
            {
                self.refresh_light(&id);
                self.mark_target(&id);
                self.poll_soon(&id, now);
            }
        }
        for pod in &accepted.going {
            self.read_last_words(&cluster, pod);
        }
        if accepted.reachability_changed {
            let ids: Vec<TargetId> = self
                .targets
                .keys()
                .filter(|id| id.cluster == cluster)
                .cloned()
                .collect();
            for id in ids {
                self.refresh_light(&id);
                self.mark_target(&id);
            }
        }
        if answers_waiting && let Some(waiting) = self.awaiting_lists.remove(&cluster) {
            self.dirty.extend(waiting);
        }
        begun
    }

    /// Marks all jobs of a target to be judged.
    pub(super) fn mark_target(&mut self, id: &TargetId) {
        let jobs = self.jobs_of(id);
        self.dirty.extend(jobs);
    }

    pub(super) fn jobs_of(&self, id: &TargetId) -> Vec<JobKey> {
        let first = JobKey {
            target: id.clone(),
            session_job: None,
        };
        self.records
            .range(first..)
            .map(|(key, _)| key)
            .take_while(|key| key.target == *id)
            .cloned()
            .collect()
    }

    /// A JobManager's pod begins to go: its log is readable for less than a second more.
    fn read_last_words(&mut self, cluster: &ClusterName, pod: &Pod) {
        let place = Place::new(&pod.namespace, &pod.app);
        for id in self
            .by_place
            .get(&(cluster.clone(), place.clone()))
            .cloned()
            .unwrap_or_default()
        {
            for key in self.jobs_of(&id) {
                let Some(record) = self.records.get(&key) else { continue };
                let Some(job) = record.incarnation.flink_job_id else {
                    continue;
                };
                if record.state.is_terminal() && record.state != JobState::Terminated {
                    continue;
                }
                let what = Wanted::LastWords {
                    cluster: cluster.clone(),
                    place: place.clone(),
                    logs: logs_of(std::slice::from_ref(pod), record.incarnation.started_at),
                    job,
                };
                if self.look_begins(&key, &what) {
                    self.looks.push(Look::Wanted { key, what });
                }
            }
        }
    }
}
