//! What a job's policy is shown, and what follows once its decision is committed.

use std::sync::Arc;

use steadfast_core::board::lookups::{InQuestion, Standing};
use steadfast_core::decision::{LookupRequest, LookupSource};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, TargetId};
use steadfast_core::intents;
use steadfast_core::lookup::ObjectQuestion;
use steadfast_core::observe::{Context, observe};
use steadfast_core::planner::Next;
use steadfast_core::record::JobRecord;
use steadfast_core::silences;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::Attention;
use steadfast_core::time::Timestamp;

use super::Reactor;
use super::lookups::Asking;
use crate::fetch::Fetch;
use crate::shadows::Compared;
use crate::turn::{Evidence, Judged, Show};

impl Reactor {
    /// What a job's policy is shown; `None` if its target is not watched.
    pub(super) fn snapshot(&self, before: &JobRecord, now: Timestamp) -> Option<Snapshot> {
        let id = &before.key.target;
        let target = self.targets.get(id)?;
        let claimed = self.claimed_beside(id);
        let context = Context {
            object: target.object.as_ref(),
            pinned: target.pinned.filter(|_| before.key.session_job.is_none()),
            claimed: &claimed,
            fleet: self.fleets.of(&id.cluster),
            timing: self.timing,
            engine_since: self.engine_since,
        };
        Some(observe(before, &self.board, context, now))
    }

    /// The jobs that other `[[job]]` entries of the same Flink name. Two that name none follow the same job.
    fn claimed_beside(&self, id: &TargetId) -> Vec<FlinkJobId> {
        let others = self.targets.beside(id).into_iter();
        others.filter_map(|other| self.targets.get(other)?.pinned).collect()
    }

    /// Carries on after a decision was committed: the next poll, the next review, and the look-ups the policy asks for.
    pub(super) fn follow_up(&mut self, judged: Judged, now: Timestamp, shown: &mut Vec<Show>) {
        let Judged {
            key,
            plan,
            shown_at,
            compared,
            entries,
            ..
        } = judged;
        self.rate_limits.note(&key, entries, now);
        match &plan.next {
            Next::Watch { watch, wanted } => {
                self.retries.forget(&key);
                let interval = watch.poll_after;
                self.watch_at(&key, interval, watch.attention, now);
                self.queue.requeue_at(key.clone(), now.after(watch.validate_after));
                for request in wanted {
                    self.request_lookup(&key, request, now);
                }
            }
            Next::Retry(_) => {
                let pause = self.retries.failed(&key);
                self.watch_at(&key, self.timing.poll, Attention::Active, now);
                self.queue.requeue_at(key.clone(), now.after(pause));
            }
        }
        if let Some(at) = plan.confirmed_at {
            let confirmed = self.confirmed.entry(key.clone()).or_insert(at);
            *confirmed = at.max(*confirmed);
        }
        if let Some(record) = self.records.get(&key) {
            // One that has expired already is taken away with the next decision that succeeds.
            let expires = intents::expires_at(record, self.timing.intent_timeout);
            if let Some(at) = expires.filter(|at| *at > now) {
                self.queue.requeue_by(key.clone(), at);
            }
            if let Some(at) = silences::expires_at(record) {
                // Whatever its policy asks for: it is taken away with the next judgement.
                let at = if at > now { at } else { now.after(self.timing.poll) };
                self.queue.requeue_by(key.clone(), at);
            }
            if let Some(Evidence { before, snapshot }) = compared.map(|evidence| *evidence) {
                let committed = Arc::clone(record);
                self.compare(Compared {
                    before,
                    snapshot,
                    committed,
                    shown: plan.shown,
                });
            }
        }
        self.looks.judged(&key, shown_at);
        shown.push(Show::Watch(key.clone(), self.watch_status(&key)));
    }

    fn watch_at(&mut self, key: &JobKey, interval: std::time::Duration, attention: Attention, now: Timestamp) {
        // A session cluster is always polled at the configured interval: jobs appear in it.
        let (interval, attention) = match &key.session_job {
            Some(_) => (self.timing.poll, Attention::Active),
            None => (interval, attention),
        };
        self.polls.set_interval(&key.target, interval, attention, now);
    }

    /// Begins a look-up that a policy asks for, or plans to judge the job again when it may begin.
    fn request_lookup(&mut self, key: &JobKey, request: &LookupRequest, now: Timestamp) {
        match self.standing(key, request, now) {
            Some(Standing::Open(query)) => match self.lookups.paused_until(key, request.source, now) {
                Some(until) => self.queue.requeue_by(key.clone(), until),
                None => self.look_up(key, query),
            },
            Some(Standing::OpenLists { after }) => self.relist(key, after),
            Some(Standing::OpenObjects { questions, after }) => {
                match self.lookups.paused_until(key, request.source, now) {
                    Some(until) => self.queue.requeue_by(key.clone(), until),
                    None => self.ask_for(key, questions, after),
                }
            }
            Some(Standing::Ahead(moment)) => {
                // Only an answer to a later request will do.
                let next = moment.after(std::time::Duration::from_millis(1));
                self.queue.requeue_by(key.clone(), next);
            }
            Some(Standing::Answered | Standing::NobodyToAsk) | None => {}
        }
    }

    /// Asks for objects by name on behalf of a job. If too many are asked for at once, it waits for a place, and for a list.
    pub(super) fn ask_for(&mut self, key: &JobKey, questions: Vec<ObjectQuestion>, after: Timestamp) {
        match self.lookups.await_objects(key) {
            Asking::Begins => self.fetches.push(Fetch::Objects {
                target: key.target.clone(),
                questions,
                after,
            }),
            Asking::UnderWay => {}
            Asking::TooMany => {
                self.lookups.stand_in_line(key, after);
                self.relist(key, after);
            }
        }
    }

    /// A place among those that are asked for by name became free: who waits for one has it, unless what is known will do by now.
    pub(super) fn ask_for_next_in_line(&mut self, cluster: &ClusterName) {
        while let Some((key, after)) = self.lookups.next_in_line(cluster) {
            let request = LookupRequest {
                source: LookupSource::Kubernetes,
                observed_after: after,
            };
            let object = self.targets.get(&key.target).and_then(|target| target.object.as_ref());
            let is_answered = self.board.answers(&key, object, &request);
            if let Some(InQuestion { objects, .. }) = self.in_question(&key).filter(|_| !is_answered) {
                self.ask_for(&key, objects, after);
            }
        }
    }

    /// What is asked of Kubernetes about one job, if a list is not needed for it.
    pub(super) fn in_question(&self, key: &JobKey) -> Option<InQuestion> {
        let object = self.targets.get(&key.target)?.object.as_ref()?;
        self.board.in_question(self.records.get(key)?, object)
    }

    pub(super) fn relist(&mut self, key: &JobKey, after: Timestamp) {
        self.lookups.await_list(key);
        let cluster = key.target.cluster.clone();
        self.fetches.push(Fetch::Relist { cluster, after });
    }

    /// How a look-up that a policy asks for stands; `None` for a job that is not there.
    pub(super) fn standing(&self, key: &JobKey, request: &LookupRequest, now: Timestamp) -> Option<Standing> {
        let record = self.records.get(key)?;
        let object = self.targets.get(&key.target)?.object.as_ref();
        Some(self.board.standing(record, object, request, now))
    }
}
