//! Judges jobs: record and evidence become a snapshot, the policy's decision becomes a plan.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::alert::AlertStatus;
use steadfast_core::board::Surroundings;
use steadfast_core::decision::PolicyFailure;
use steadfast_core::id::{ClusterName, JobKey, PolicyName};
use steadfast_core::journal::{Change, Event};
use steadfast_core::planner::{Next, Plan, plan};
use steadfast_core::record::{AlertScope, JobRecord};
use steadfast_core::recording::{Changes, Recorded};
use steadfast_core::replay::transition_of;
use steadfast_core::shadow::Verdict;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::Attention;
use steadfast_core::time::Timestamp;
use steadfast_core::tracked::{TrackingRules, follow};

use super::Reactor;

/// How many jobs are judged before their changes are committed. One transaction for each batch.
const BATCH: usize = 512;

/// One job, judged.
pub(crate) struct Decided {
    pub(crate) key: JobKey,
    pub(crate) plan: Plan,
    /// What shadow policies make of it.
    pub(crate) shadows: Vec<(PolicyName, Verdict)>,
    /// The failure of the policy, if it failed.
    pub(crate) failure: Option<PolicyFailure>,
    /// The snapshot, if it is to be kept.
    pub(crate) recorded: Option<Recorded>,
}

impl Reactor {
    /// Judges a batch of the jobs that something happened to.
    pub(crate) fn decide(&mut self, now: Timestamp) -> Vec<Decided> {
        let mut decided = Vec::new();
        while decided.len() < BATCH {
            let Some(key) = self.dirty.pop_first() else { break };
            if let Some(one) = self.decide_one(key, now) {
                decided.push(one);
            }
        }
        self.policies.end_batch();
        decided
    }

    fn decide_one(&mut self, key: JobKey, now: Timestamp) -> Option<Decided> {
        let before = self.records.get(&key)?.clone();
        let snapshot = self.snapshot(&before, now)?;
        let outcome = self.policies.decide(&before.policy, &snapshot);
        let failure = outcome.as_ref().err().cloned();
        let rule = outcome.as_ref().ok().map(|decision| decision.rule.clone());
        let shadows = self.policies.shadow(&before, &snapshot);
        let plan = plan(&before, &snapshot, outcome);
        let changes = if plan.change.is_some() {
            Changes::Yes
        } else {
            Changes::No
        };
        let is_kept = self
            .selection
            .as_mut()
            .is_some_and(|selection| selection.takes(&snapshot, changes));
        let recorded = is_kept.then(|| Recorded {
            before: (*before).clone(),
            rule,
            failure: failure.clone(),
            transition: transition_of(&plan).cloned(),
            snapshot,
        });
        Some(Decided {
            plan,
            key,
            shadows,
            failure,
            recorded,
        })
    }

    /// The snapshot of a job with its record brought up to the newest incarnation.
    pub(super) fn snapshot(&self, before: &JobRecord, now: Timestamp) -> Option<Snapshot> {
        let target = self.targets.get(&before.key.target)?;
        let place = target.place.as_ref();
        let rules = TrackingRules {
            pinned: target.pinned,
            late_answers: self.timing.validate,
        };
        let followed = follow(before, &self.board, place, rules, now);
        let is_next_attempt = followed.incarnation.attempt != before.incarnation.attempt;
        let surroundings = Surroundings {
            fleet: self.fleets.of(&before.key.target.cluster),
            timing: self.timing,
            engine_since: self.began,
        };
        let mut snapshot = self.board.snapshot(followed, place, surroundings, now);
        if is_next_attempt {
            // What was looked up about the attempt before says nothing of this one.
            snapshot.exceptions = None;
            snapshot.checkpoints = None;
            snapshot.last_words = None;
            snapshot.archive = None;
        }
        Some(snapshot)
    }

    /// Carries on after a plan's change, if it had one, was committed.
    pub(crate) fn follow_up(&mut self, key: &JobKey, plan: &Plan, now: Timestamp) {
        match &plan.next {
            Next::Watch { watch, wanted } => {
                self.policy_failures.remove(key);
                self.take_pace(key, watch.poll_after, watch.attention, now);
                self.reviews.set(key.clone(), now.after(watch.validate_after));
                self.want(key, wanted, now);
            }
            Next::Retry(_) => {
                let failures = self.policy_failures.entry(key.clone()).or_default();
                *failures = failures.saturating_add(1);
                let pause = self.backoff.delay(*failures, None, &mut self.rng);
                self.take_pace(key, self.timing.poll, Attention::Active, now);
                self.reviews
                    .set(key.clone(), now.after(pause.max(Duration::from_millis(1))));
            }
        }
    }

    /// Alerts about a whole cluster are told once: by the first job that has them, and ended by the last.
    pub(crate) fn tell_once(&self, changes: Vec<Change>) -> Vec<Change> {
        let mut standing: BTreeMap<(ClusterName, String), i64> = BTreeMap::new();
        let mut count = |cluster: &ClusterName, name: &str, step: i64| {
            let key = (cluster.clone(), name.to_owned());
            let known = || self.cluster_alerts.get(&key).copied().unwrap_or_default();
            let slot = standing.entry(key.clone()).or_insert_with(known);
            *slot += step;
            *slot
        };
        changes
            .into_iter()
            .map(|change| {
                let cluster = &change.record.key.target.cluster;
                let mut is_told = |event: &Event| match event {
                    Event::Alert(alert) if alert.scope == AlertScope::Cluster => match alert.status {
                        AlertStatus::Firing => count(cluster, &alert.alert, 1) == 1,
                        AlertStatus::Resolved => count(cluster, &alert.alert, -1) == 0,
                    },
                    Event::Alert(_) | Event::Transition(_) | Event::Update | Event::Forgotten => true,
                };
                let events = change.events.iter().filter(|event| is_told(event)).cloned().collect();
                Change {
                    record: change.record.clone(),
                    events,
                }
            })
            .collect()
    }
}
