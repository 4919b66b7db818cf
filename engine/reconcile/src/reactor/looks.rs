//! Looks that somebody asked for: Flink and Kubernetes are asked at once, and whoever asked is answered when what came of it has been
//! judged.
//!
//! It is the loop's own look, made sooner: nothing of it is written that another would not write, and a watch that sleeps is polled
//! once and sleeps on. Kubernetes is asked for the job's objects by name, which no fleet that asks for lists can hold up; for a list
//! only where only a list can say. The look waits for answers that were asked for after the call: what was under way by then shows
//! what was so before. Whether the asker is still there is for them to know; who is gone needs no answer.

use std::collections::BTreeMap;

use steadfast_core::board::lookups::InQuestion;
use steadfast_core::id::{JobKey, TargetId};
use steadfast_core::projection::JobView;
use steadfast_core::time::Timestamp;
use tokio::sync::oneshot;

use super::Reactor;
use crate::control::RequestError;

/// The way back to whoever asked.
type Reply = oneshot::Sender<Result<JobView, RequestError>>;

/// Those that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Looks {
    waiting: BTreeMap<JobKey, Vec<Look>>,
    /// Those whose outcome has been judged and is committed, but not yet shown to everybody.
    judged: Vec<(JobKey, Reply)>,
}

#[derive(Debug)]
struct Look {
    asked_at: Timestamp,
    /// When the job's policy was first shown what came of it.
    shown_at: Option<Timestamp>,
    reply: Reply,
}

/// When the newest answers were asked for that a policy is shown; the beginning of time where there is none.
#[derive(Clone, Copy, Debug)]
struct Shown {
    flink: Timestamp,
    /// `None` outside of Kubernetes.
    kubernetes: Option<Timestamp>,
}

impl Looks {
    fn add(&mut self, key: JobKey, asked_at: Timestamp, reply: Reply) {
        // Of jobs whose sources do not answer they would wait here long after everybody has gone.
        for looks in self.waiting.values_mut() {
            looks.retain(|look| !look.reply.is_closed());
        }
        self.waiting.retain(|_, looks| !looks.is_empty());
        let look = Look {
            asked_at,
            shown_at: None,
            reply,
        };
        self.waiting.entry(key).or_default().push(look);
    }

    /// Whether one waits at that target for an answer that is asked for later than that one.
    fn want_later(&self, id: &TargetId, asked_at: Timestamp) -> bool {
        let first = JobKey::application(id.clone());
        let of_target = self.waiting.range(first..).take_while(|(key, _)| key.target == *id);
        let mut looks = of_target.flat_map(|(_, looks)| looks);
        looks.any(|look| look.asked_at > asked_at)
    }

    /// The jobs of a target at which somebody waits for an answer of Kubernetes that is asked for later than that one.
    fn of_later(&self, id: &TargetId, asked_at: Timestamp) -> Vec<JobKey> {
        let first = JobKey::application(id.clone());
        let of_target = self.waiting.range(first..).take_while(|(key, _)| key.target == *id);
        let wants = |look: &Look| look.asked_at > asked_at && !look.reply.is_closed();
        let wanting = of_target.filter(|(_, looks)| looks.iter().any(wants));
        wanting.map(|(key, _)| key.clone()).collect()
    }

    /// The job's policy is about to be shown answers that were asked for then.
    fn shown(&mut self, key: &JobKey, shown: Shown, now: Timestamp) {
        for look in self.waiting.get_mut(key).into_iter().flatten() {
            let is_after = |asked: Timestamp| asked >= look.asked_at;
            if look.shown_at.is_none() && is_after(shown.flink) && shown.kubernetes.is_none_or(is_after) {
                look.shown_at = Some(now);
            }
        }
    }

    /// What was shown of a job then has been judged, and is committed. It may be an older decision than the one that a look waits for.
    pub(super) fn judged(&mut self, key: &JobKey, shown_at: Timestamp) {
        let Some(looks) = self.waiting.get_mut(key) else {
            return;
        };
        let judged = looks.extract_if(.., |look| look.shown_at.is_some_and(|at| at <= shown_at));
        self.judged.extend(judged.map(|look| (key.clone(), look.reply)));
        if looks.is_empty() {
            self.waiting.remove(key);
        }
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }

    /// The job is no longer there.
    pub(super) fn forget(&mut self, key: &JobKey) {
        for look in self.waiting.remove(key).into_iter().flatten() {
            drop(look.reply.send(Err(RequestError::NoSuchJob)));
        }
    }
}

impl Reactor {
    /// Looks at a job now, for somebody who asked. The answer comes when what was seen has been judged: the job as it is then. It
    /// counts towards what may be asked for of a job as a call that makes one entry does.
    pub(crate) fn look(&mut self, key: &JobKey, reply: Reply, now: Timestamp) {
        if let Err(error) = self.begin_look(key, now) {
            drop(reply.send(Err(error)));
            return;
        }
        let id = &key.target;
        let Some(target) = self.targets.get(id) else {
            // Nothing stands for it any more, and nobody can be asked.
            self.answer_look(key, reply);
            return;
        };
        let is_in_kubernetes = target.object.is_some();
        self.polls.poll_soon(id, now);
        if is_in_kubernetes {
            self.ask_kubernetes(key, now);
        }
        self.looks.add(key.clone(), now, reply);
    }

    /// Asks for a job's objects as they are from now on.
    pub(super) fn ask_kubernetes(&mut self, key: &JobKey, now: Timestamp) {
        match self.in_question(key) {
            Some(InQuestion { objects, unnamed }) => {
                self.ask_for(key, objects, now);
                if unnamed.is_some() {
                    self.relist(key, now);
                }
            }
            None => self.relist(key, now),
        }
    }

    /// The jobs of a target at which somebody waits for more than what is known of its objects: who asked for a look while they
    /// were being asked for hears what was so before.
    pub(super) fn looks_behind(&self, id: &TargetId) -> Vec<JobKey> {
        let asked_at = self.kubernetes_asked_at(id);
        asked_at.map_or_else(Vec::new, |asked_at| self.looks.of_later(id, asked_at))
    }

    /// When the newest answer about a target's Deployment was asked for; the beginning of time where there is none, `None` outside of
    /// Kubernetes.
    fn kubernetes_asked_at(&self, id: &TargetId) -> Option<Timestamp> {
        let object = self.targets.get(id)?.object.as_ref()?;
        let kubernetes = self.board.kubernetes(&id.cluster);
        let seen = kubernetes.and_then(|kubernetes| kubernetes.deployment(object));
        Some(seen.map_or_else(Timestamp::default, |seen| seen.asked_at))
    }

    fn begin_look(&mut self, key: &JobKey, now: Timestamp) -> Result<(), RequestError> {
        if !self.records.contains_key(key) {
            return Err(RequestError::NoSuchJob);
        }
        let charged = self.call_limits.charge(key, 1, now);
        charged.map_err(|wait| RequestError::TooOften { wait })
    }

    /// A poll of a target ended that was asked for then. One that was under way before somebody asked for a look shows what was so
    /// before: it is polled again.
    pub(super) fn look_again(&mut self, id: &TargetId, asked_at: Timestamp, now: Timestamp) {
        if self.looks.want_later(id, asked_at) {
            self.polls.poll_soon(id, now);
        }
    }

    /// The job's policy is about to be shown what is on the board.
    pub(super) fn show_looks(&mut self, key: &JobKey, now: Timestamp) {
        let id = &key.target;
        let kubernetes = self.kubernetes_asked_at(id);
        let flink = self
            .board
            .overview(id)
            .map_or_else(Timestamp::default, |seen| seen.asked_at);
        self.looks.shown(key, Shown { flink, kubernetes }, now);
    }

    /// Answers those who asked for looks that have been judged. Last of all: who is answered may ask for the record, and must find it
    /// as they were told.
    pub(crate) fn answer_looks(&mut self) {
        for (key, reply) in std::mem::take(&mut self.looks.judged) {
            self.answer_look(&key, reply);
        }
    }

    fn answer_look(&self, key: &JobKey, reply: Reply) {
        let view = self.records.get(key).map(|record| self.view(record));
        // Who asked may be gone.
        drop(reply.send(view.ok_or(RequestError::NoSuchJob)));
    }
}
