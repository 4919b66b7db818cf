//! Takes evidence in and notes whom it concerns.

use std::collections::BTreeSet;

use steadfast_core::board::lookups::parting_words;
use steadfast_core::board::{Accepted, ObjectRef};
use steadfast_core::evidence::{Fault, Observation, Observed};
use steadfast_core::facts::{FlinkOverview, Pod, ResourceKind};
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, ObjectKind};
use steadfast_core::lookup::{Finding, Query};
use steadfast_core::time::Timestamp;
use steadfast_core::wake::woken_by;
use steadfast_sources::flink::{ClusterIdentity, Expected, Patience};

use super::fleets::Reachability;
use super::{Reactor, Unvouched};
use crate::fetch::{Endpoint, Fetch, Fetched, Provenance};

impl Reactor {
    /// Whether somebody still waits for what came of a request: its Flink may have been dropped meanwhile.
    pub fn awaits(&self, fetched: &Fetched) -> bool {
        match fetched {
            Fetched::Overview { target, .. } => self.targets.contains(target),
            Fetched::Objects { target, .. } => self.targets.contains(target),
            Fetched::Lookup { key, .. } => self.records.contains_key(key),
        }
    }

    /// Takes in what came of a request.
    pub fn fetched(&mut self, fetched: Fetched, now: Timestamp) {
        match fetched {
            Fetched::Overview {
                target,
                observation,
                provenance,
                deployment,
            } => {
                let asked_at = observation.asked_at;
                if deployment.is_some_and(|asked| !self.is_on(&target, &asked)) {
                    // The target went over to another Flink cluster meanwhile.
                    self.poll_ended(&target, asked_at, &observation.answer, now);
                    self.polls.poll_soon(&target, now);
                    return;
                }
                let is_believed = observation.answer.is_known();
                self.overview_fetched(&target, observation, now);
                self.note_provenance(&target, provenance, asked_at);
                if provenance == Provenance::Open && !is_believed {
                    self.polls.poll_by(&target, asked_at.after(self.timing.poll).max(now));
                }
            }
            Fetched::Objects { target, after, answers } => self.objects_fetched(&target, after, answers, now),
            Fetched::Lookup { key, finding } => self.lookup_fetched(&key, finding, now),
        }
    }

    fn overview_fetched(&mut self, id: &TargetId, observation: Observation<FlinkOverview>, now: Timestamp) {
        if !self.targets.contains(id) {
            return;
        }
        let asked_at = observation.asked_at;
        self.poll_ended(id, asked_at, &observation.answer, now);
        self.look_again(id, asked_at, now);
        self.board.accept_overview(id, observation);
        self.begin_submitted(id, now);
        self.refresh_reachability(id);
        if self.enqueue_jobs_of(id) > 0 {
            self.polls.await_judgement(id);
        }
    }

    fn poll_ended(&mut self, id: &TargetId, asked_at: Timestamp, answer: &Observed<FlinkOverview>, now: Timestamp) {
        match answer {
            Observed::Unknown(fault) => self.polls.failed(id, asked_at, fault, now),
            Observed::Present(_) | Observed::Absent => self.polls.answered(id, asked_at, now),
        }
    }

    fn lookup_fetched(&mut self, key: &JobKey, finding: Finding, now: Timestamp) {
        self.lookups.ended(key, finding.source(), finding.fault(), now);
        if let Some(record) = self.records.get(key) {
            self.board.accept_finding(record, finding);
            self.queue.enqueue(key.clone());
        }
    }

    /// Takes in what was said of a target's objects. What was not answered is left to a list: a refusal to read one object
    /// says nothing of a list, and a server that is away makes the list say so.
    fn objects_fetched(
        &mut self,
        target: &TargetId,
        after: Timestamp,
        answers: Vec<Result<KubeUpdate, Fault>>,
        now: Timestamp,
    ) {
        let mut fault = None;
        for answer in answers {
            match answer {
                Ok(update) => self.kube_update(update, now),
                Err(error) => fault = Some(error),
            }
        }
        if let Some(fault) = &fault {
            tracing::debug!("not answered, so a list is asked for: {fault}");
        }
        for key in self.lookups.objects_ended(target, now) {
            if fault.is_some() {
                self.relist(&key, after);
            } else {
                self.queue.enqueue(key);
            }
        }
        for key in self.looks_behind(target) {
            if fault.is_some() {
                self.relist(&key, now);
            } else {
                self.ask_kubernetes(&key, now);
            }
        }
        self.ask_for_next_in_line(&target.cluster);
    }

    /// Takes in what a Kubernetes list or watch said.
    pub fn kube_update(&mut self, update: KubeUpdate, now: Timestamp) {
        let cluster = update.scope.cluster.clone();
        let kind = update.scope.kind;
        let ends_list = match update.change {
            KubeChange::Relisted(..) | KubeChange::Failed(_) => true,
            KubeChange::Applied(_) | KubeChange::Deleted(_) | KubeChange::NotFound(_) | KubeChange::PodsOf(..) => false,
        };
        let complete = matches!(update.change, KubeChange::Relisted(_, Completeness::Complete));
        let listed = (complete && kind == ObjectKind::Deployment).then(|| (update.scope.clone(), update.asked_at));
        let accepted = self.board.accept_update(update);
        self.list_repairs += u64::from(accepted.repaired);
        let touched: BTreeSet<&ObjectRef> = accepted.touched.iter().collect();
        for object in touched {
            self.discover(&cluster, object, now);
            self.begin_requested(&cluster, object, now);
        }
        for object in woken_by(&accepted) {
            for id in self.targets.of_object(&cluster, object) {
                self.refresh_reachability(&id);
                self.enqueue_jobs_of(&id);
                self.polls.poll_soon(&id, now);
            }
        }
        self.read_parting_words(&cluster, &accepted);
        self.look_for_savepoints(&cluster, &accepted);
        if accepted.reachability_changed {
            for id in self.targets.of_cluster(&cluster) {
                self.refresh_reachability(&id);
                self.enqueue_jobs_of(&id);
            }
        }
        if let Some((scope, asked_at)) = listed {
            let is_needed = |object: &ObjectRef| !self.targets.of_object(&cluster, object).is_empty();
            self.board.forget_deletions(&scope, asked_at, is_needed);
        }
        if ends_list {
            for object in self.targets.dropped(&cluster) {
                self.rediscover(&cluster, &object, now);
            }
            self.begin_all_requested(&cluster, now);
            if kind == ObjectKind::FlinkSessionJob {
                for id in self.targets.of_cluster(&cluster) {
                    self.begin_submitted(&id, now);
                }
            }
            if kind == ObjectKind::Deployment {
                for key in self.lookups.list_ended(&cluster) {
                    // It may have been under way before somebody asked for a look.
                    if self.looks_behind(&key.target).contains(&key) {
                        self.ask_kubernetes(&key, now);
                    }
                    self.queue.enqueue(key);
                }
            }
        }
    }

    /// Reads the logs of JobManager pods whose deletion has begun.
    fn read_parting_words(&mut self, cluster: &ClusterName, accepted: &Accepted) {
        for pod in &accepted.terminating_pods {
            let object = ObjectRef::new(&pod.namespace, &pod.app);
            for key in self.jobs_of_object(cluster, &object) {
                let query = self.parting_query(&key, &object, pod);
                if let Some(query) = query {
                    self.look_up(&key, query);
                }
            }
        }
    }

    /// Looks at what Flink shows of savepoints that somebody asked the operator for: most are over before the next look is due.
    fn look_for_savepoints(&mut self, cluster: &ClusterName, accepted: &Accepted) {
        for snapshot in &accepted.savepoints {
            let (kind, name) = &snapshot.of;
            let keys: Vec<JobKey> = match kind {
                ResourceKind::FlinkDeployment => {
                    self.jobs_of_object(cluster, &ObjectRef::new(&snapshot.namespace, name))
                }
                ResourceKind::FlinkSessionJob => {
                    let keys = self.records.keys().filter(|key| {
                        let target = &key.target;
                        key.flink_session_job() == Some(name)
                            && (&target.cluster, &target.namespace) == (cluster, &snapshot.namespace)
                    });
                    keys.cloned().collect()
                }
            };
            for key in keys {
                let job = self
                    .records
                    .get(&key)
                    .and_then(|record| record.incarnation.flink_job_id);
                if let Some(job) = job {
                    self.look_up(&key, Query::Checkpoints { job });
                }
            }
        }
    }

    fn parting_query(&self, key: &JobKey, object: &ObjectRef, pod: &Pod) -> Option<Query> {
        parting_words(self.records.get(key)?, object, pod)
    }

    /// Begins a look-up, unless one of the same source is in flight for the job.
    pub(super) fn look_up(&mut self, key: &JobKey, query: Query) {
        if let Some(endpoint) = self.endpoint(&key.target)
            && self.lookups.begin(key, query.source())
        {
            let key = key.clone();
            self.fetches.push(Fetch::Lookup { key, query, endpoint });
        }
    }

    /// Determines anew whether a target is reachable.
    pub(super) fn refresh_reachability(&mut self, id: &TargetId) {
        let Some(target) = self.targets.get(id) else { return };
        let reachability = if self.board.is_dark(id, target.object.as_ref()) {
            Reachability::Dark
        } else {
            Reachability::Reachable
        };
        self.fleets.observe(id, reachability);
    }

    /// Lets a target's jobs be judged; returns how many there are.
    fn enqueue_jobs_of(&mut self, id: &TargetId) -> usize {
        let jobs = self.jobs_of(id);
        let count = jobs.len();
        for key in jobs {
            self.queue.enqueue(key);
        }
        count
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

    fn jobs_of_object(&self, cluster: &ClusterName, object: &ObjectRef) -> Vec<JobKey> {
        let targets = self.targets.of_object(cluster, object);
        targets.iter().flat_map(|id| self.jobs_of(id)).collect()
    }

    /// Where a target's Flink is.
    pub(super) fn endpoint(&self, id: &TargetId) -> Option<Endpoint> {
        let target = self.targets.get(id)?;
        let object = target.object.as_ref();
        // Where a pod was last seen, Flink may still answer while Kubernetes does not. A pod that has ended keeps an
        // address in its status that another pod may have by now.
        let last_pods = object.and_then(|object| Some(self.board.kubernetes(&id.cluster)?.last_pods(object)));
        let pods: Vec<&Pod> = last_pods.into_iter().flatten().filter(|pod| !pod.has_ended()).collect();
        let pod = pods.iter().find(|pod| pod.ip.is_some()).or(pods.first());
        Some(Endpoint {
            route: target.route.clone(),
            target: id.clone(),
            deployment: target.deployment(id).to_owned(),
            pod_ip: pod.and_then(|pod| pod.ip.clone()),
            rest_port: pod.and_then(|pod| pod.rest_port),
        })
    }

    /// Whose answers are expected of a target's Flink, and what they must tell of.
    pub(super) fn expected_of(&self, id: &TargetId, now: Timestamp) -> Option<Expected> {
        let target = self.targets.get(id)?;
        let records = || self.jobs_of(id).into_iter().filter_map(|key| self.records.get(&key));
        let runs = records().flat_map(|record| {
            let incarnation = &record.incarnation;
            incarnation.run().into_iter().chain(incarnation.earlier.iter().copied())
        });
        // An ended job may drop out of the list, and nothing hangs on it any more.
        let followed = records()
            .filter(|record| !record.state.is_terminal())
            .filter_map(|record| target.pinned.or(record.incarnation.flink_job_id));
        Some(Expected {
            cluster: target.object.as_ref().map(|object| ClusterIdentity {
                namespace: object.namespace.clone(),
                cluster_id: object.name.clone(),
            }),
            runs: runs.collect(),
            followed: followed.collect(),
            is_by_address: target.route.is_by_address(),
            unvouched_for: self
                .unvouched
                .get(id)
                .and_then(|unvouched| unvouched.lasting(now, self.timing)),
            patience: Patience {
                told: self.timing.poll,
                untold: self.timing.validate,
            },
        })
    }

    /// Notes since when a target's answers do not show whose they are. What did not last without a break begins anew.
    fn note_provenance(&mut self, id: &TargetId, provenance: Provenance, asked_at: Timestamp) {
        let unbroken = self.timing.poll * 2 + self.timing.timeout;
        match provenance {
            Provenance::Open => {
                let lasting = self.unvouched.entry(id.clone()).or_insert(Unvouched {
                    since: asked_at,
                    newest: asked_at,
                });
                if asked_at.since(lasting.newest) > unbroken {
                    lasting.since = asked_at;
                }
                lasting.newest = lasting.newest.max(asked_at);
            }
            Provenance::Vouched => {
                self.unvouched.remove(id);
            }
            Provenance::Silent => {}
        }
    }
}
