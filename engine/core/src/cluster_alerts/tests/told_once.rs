//! Whatever happens to alerts, silences, policies and the engine, in whatever order: each firing is told once, or never while it is
//! silenced, and its end is told to whoever heard of its beginning.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::decision::{DecidedAlert, Decision};
use crate::planner::plan;
use crate::record::Silence;
use crate::silences::{silence, take_back};
use crate::testing::{self, at};

const JOBS: [&str; 3] = ["a", "b", "c"];
const POLICIES: [&str; 2] = ["p", "q"];
const ALERTS: [(&str, AlertScope); 3] = [
    ("JobFailed", Job),
    ("KubernetesUnreachable", Cluster),
    ("PolicyFailing", AlertScope::Policy),
];

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A policy raises an alert or names it no longer.
    Turn(usize, usize),
    /// Nothing new is decided of a job; a silence whose time has come ends.
    Judge(usize),
    /// A silence begins, or is made longer or shorter.
    Silence(usize, usize, i64),
    Unsilence(usize, usize),
    /// Another policy decides a job from now on, or all of them.
    Hand(usize, usize),
    HandAll(usize),
    Forget(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let (job, alert, policy) = (0..JOBS.len(), 0..ALERTS.len(), 0..POLICIES.len());
    prop_oneof![
        4 => (job.clone(), alert.clone()).prop_map(|(job, alert)| Step::Turn(job, alert)),
        3 => job.clone().prop_map(Step::Judge),
        4 => (job.clone(), alert.clone(), 1..30_i64).prop_map(|(job, alert, lasts)| Step::Silence(job, alert, lasts)),
        2 => (job.clone(), alert).prop_map(|(job, alert)| Step::Unsilence(job, alert)),
        2 => (job.clone(), policy.clone()).prop_map(|(job, policy)| Step::Hand(job, policy)),
        1 => policy.prop_map(Step::HandAll),
        1 => job.prop_map(Step::Forget),
        2 => Just(Step::Restart),
    ]
}

/// An alert, by its name and what it is about.
type Named = (String, String);

fn named(record: &JobRecord, scope: AlertScope, name: &str) -> Named {
    let about = match scope {
        Job => record.key.to_string(),
        Cluster => record.key.target.cluster.to_string(),
        AlertScope::Policy => record.policy.to_string(),
    };
    (name.to_owned(), about)
}

/// The records as they are, and what people have heard.
#[derive(Default)]
struct World {
    journal: Journal,
    wanted: BTreeMap<usize, BTreeSet<usize>>,
    told: BTreeSet<Named>,
    now: i64,
}

impl World {
    fn key(job: usize) -> JobKey {
        JobKey::parse(&format!("local/default/{}", JOBS[job])).unwrap()
    }

    fn record(&mut self, job: usize) -> JobRecord {
        let begun = || testing::record(Self::key(job), at(0));
        let known = self.journal.records.get(&Self::key(job)).cloned();
        known.unwrap_or_else(|| {
            let record = JobRecord {
                policy: PolicyName::new(POLICIES[0]),
                ..begun()
            };
            self.commit(vec![Change::begin(record)]);
            self.journal.records[&Self::key(job)].clone()
        })
    }

    fn judge(&mut self, job: usize) {
        let before = self.record(job);
        let wanted = self.wanted.entry(job).or_default().iter();
        let alerts = wanted.map(|alert| DecidedAlert {
            name: ALERTS[*alert].0.to_owned(),
            scope: ALERTS[*alert].1,
            message: "why".to_owned(),
        });
        let decision = Decision {
            alerts: alerts.collect(),
            ..testing::decision(JobState::Running)
        };
        let snapshot = testing::snapshot(before.clone(), at(self.now));
        let change = plan(&before, &snapshot, Ok(decision)).change;
        self.commit(change.into_iter().collect());
    }

    fn hand(&mut self, jobs: &[usize], policy: usize) {
        let policy = PolicyName::new(POLICIES[policy]);
        let records: Vec<JobRecord> = jobs.iter().map(|job| self.record(*job)).collect();
        let handed = records.iter().filter(|record| record.policy != policy);
        let handed =
            handed.map(|record| Change::update(record, record.handed_to(&policy), vec![Event::updated(record)]));
        self.commit(handed.collect());
    }

    fn take(&mut self, step: Step) {
        self.now += 1;
        match step {
            Step::Turn(job, alert) => {
                let wanted = self.wanted.entry(job).or_default();
                if !wanted.remove(&alert) {
                    wanted.insert(alert);
                }
                self.judge(job);
            }
            Step::Judge(job) => self.judge(job),
            Step::Silence(job, alert, lasts) => {
                let before = self.record(job);
                let asked = Silence {
                    alert: ALERTS[alert].0.to_owned(),
                    since: at(self.now),
                    until: at(self.now + lasts),
                    by: None,
                    comment: None,
                };
                let untold = self.journal.alerts.untold_since(&before, &asked.alert);
                self.commit(vec![silence(&before, asked, untold, None).unwrap()]);
            }
            Step::Unsilence(job, alert) => {
                let before = self.record(job);
                self.commit(vec![take_back(&before, ALERTS[alert].0, None)]);
            }
            Step::Hand(job, policy) => self.hand(&[job], policy),
            Step::HandAll(policy) => self.hand(&[0, 1, 2], policy),
            Step::Forget(job) => {
                let record = self.record(job);
                self.wanted.remove(&job);
                self.commit(vec![Change::forget(Arc::new(record))]);
            }
            Step::Restart => {
                let records: Vec<JobRecord> = self.journal.records.values().cloned().collect();
                self.journal = Journal::of(&records);
            }
        }
    }

    /// What stands, and whether somebody silences it.
    fn standing(&self) -> BTreeMap<Named, bool> {
        let mut silenced = crate::silences::Silenced::default();
        let records = self.journal.records.values();
        records.for_each(|record| silenced.add(&Arc::new(record.clone())));
        let alerts = self.journal.records.values().flat_map(|record| {
            let named = |alert: &StandingAlert| named(record, alert.scope, &alert.name);
            record.alerts.iter().map(move |alert| (named(alert), (record, alert)))
        });
        alerts
            .map(|(name, (record, alert))| (name, silenced.has(record, alert.scope, &alert.name)))
            .collect()
    }

    /// Commits, and holds what is told to what was told before.
    fn commit(&mut self, changes: Vec<Change>) {
        let before = self.journal.records.clone();
        let stood = self.standing();
        let changes = self.journal.commit(changes);
        let stands = self.standing();
        for record in self.journal.records.values() {
            // What a record brings along is told where it was told: of the policy of before.
            let Some(old) = before.get(&record.key).filter(|old| old.policy != record.policy) else {
                continue;
            };
            for alert in record.alerts.iter().filter(|alert| alert.scope == AlertScope::Policy) {
                let name = named(record, alert.scope, &alert.name);
                let was_told = self.told.contains(&named(old, alert.scope, &alert.name));
                if was_told && !stood.contains_key(&name) {
                    self.told.insert(name);
                }
            }
        }
        for change in &changes {
            for event in &change.events {
                let Event::Alert(alert) = event else { continue };
                if alert.silenced {
                    continue;
                }
                let name = named(&change.record, alert.scope, &alert.alert);
                match alert.status {
                    Firing => {
                        assert_eq!(
                            stands.get(&name),
                            Some(&false),
                            "{name:?} is told, and is silenced or gone"
                        );
                        assert!(self.told.insert(name.clone()), "{name:?} is told twice");
                    }
                    Resolved => {
                        assert_eq!(stands.get(&name), None, "the end of {name:?} is told, and it stands");
                        assert!(
                            self.told.remove(&name),
                            "the end of {name:?} is told, its beginning was not"
                        );
                    }
                }
            }
        }
        // A policy that no longer has a job that had it is spoken of no more.
        self.told.retain(|name| {
            let is_handed = || {
                before
                    .values()
                    .any(|old| old.policy.as_str() == name.1 && is_another(old, &self.journal))
            };
            stands.contains_key(name) || !is_handed()
        });
        for (name, is_silenced) in &stands {
            assert!(
                *is_silenced || self.told.contains(name),
                "{name:?} stands, and nobody was told"
            );
        }
        for name in &self.told {
            assert!(stands.contains_key(name), "{name:?} has ended, and nobody was told");
        }
    }
}

fn is_another(old: &JobRecord, journal: &Journal) -> bool {
    let now = journal.records.get(&old.key);
    now.is_some_and(|now| now.policy != old.policy)
}

fn play(steps: Vec<Step>) {
    let mut world = World::default();
    for step in steps {
        world.take(step);
    }
}

fn is_hand(step: &Step) -> bool {
    matches!(step, Step::Hand(..) | Step::HandAll(_))
}

proptest! {
    // More of them by PROPTEST_CASES.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(400)))]

    #[test]
    fn each_firing_is_told_once_or_never_over_restarts(steps in prop::collection::vec(step(), 1..60)) {
        play(steps.into_iter().filter(|step| !is_hand(step)).collect());
    }

    // What was told of a policy to which records came with what nobody was told of, a restart may take for told.
    #[test]
    fn each_firing_is_told_once_or_never_whoever_decides(steps in prop::collection::vec(step(), 1..40)) {
        play(steps.into_iter().filter(|step| !matches!(step, Step::Restart)).collect());
    }
}
