//! The reconcile loop without its I/O: evidence goes in, looks to take and changes to commit come out.
//!
//! Everything here is a plain function of its inputs, the seed and the given "now". The driver
//! ([`crate::driver`]) carries out what is asked for and feeds the answers back.

mod decide;
mod discovery;
mod explain;
mod fleet;
mod forget;
mod intake;
mod polls;
mod takeover;
mod wants;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::board::{Board, Place};
use steadfast_core::decision::WantedSource;
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::journal::{Change, Event};
use steadfast_core::projection::WatchStatus;
use steadfast_core::record::{AlertScope, JobRecord, Origin, PostedIntent};
use steadfast_core::recording::Selection;
use steadfast_core::schedule::Schedule;
use steadfast_core::snapshot::Timing;
use steadfast_core::state::{Attention, Confidence, Intent, Mode};
use steadfast_core::time::Timestamp;
use steadfast_sources::route::FlinkRoute;

pub(crate) use decide::Decided;
use fleet::Fleets;
use wants::LookState;

use crate::looks::Look;
use crate::policies::Policies;
use crate::setup::{Discover, TargetSetup};
use crate::target::{Light, Poll, Target};

/// The state of the loop.
pub(crate) struct Reactor {
    timing: Timing,
    backoff: Backoff,
    rng: StdRng,
    began: Timestamp,
    board: Board,
    records: BTreeMap<JobKey, Arc<JobRecord>>,
    targets: BTreeMap<TargetId, Target>,
    by_place: BTreeMap<(ClusterName, Place), Vec<TargetId>>,
    clusters: BTreeMap<ClusterName, ClusterRules>,
    fleets: Fleets,
    canaries: BTreeMap<ClusterName, polls::Canary>,
    /// When each target's Flink is asked next.
    polls: Schedule<TargetId>,
    /// When each job is judged again, whatever comes in.
    reviews: Schedule<JobKey>,
    /// Jobs to judge now.
    dirty: BTreeSet<JobKey>,
    /// Jobs that wait for a complete list of their cluster.
    awaiting_lists: BTreeMap<ClusterName, BTreeSet<JobKey>>,
    wanted: BTreeMap<(JobKey, WantedSource), LookState>,
    policy_failures: BTreeMap<JobKey, u32>,
    /// How many committed records have an alert about their cluster.
    cluster_alerts: BTreeMap<(ClusterName, String), i64>,
    /// Looks that came up while evidence was taken in.
    looks: Vec<Look>,
    pub(crate) policies: Policies,
    /// Which snapshots are kept; `None`: none are.
    selection: Option<Selection>,
    /// Differences between watch and list that were found and repaired.
    pub(crate) repaired: u64,
}

/// What was configured for a cluster.
pub(crate) struct ClusterRules {
    pub(crate) discover: Vec<Discover>,
    pub(crate) flink_rest: FlinkRoute,
}

impl Reactor {
    pub(crate) fn new(
        timing: Timing,
        seed: u64,
        now: Timestamp,
        clusters: BTreeMap<ClusterName, ClusterRules>,
        policies: Policies,
        selection: Option<Selection>,
    ) -> Self {
        Self {
            timing,
            backoff: Backoff {
                initial: timing.retry_initial,
                max: timing.retry_max,
            },
            rng: StdRng::seed_from_u64(seed),
            began: now,
            board: Board::default(),
            records: BTreeMap::new(),
            targets: BTreeMap::new(),
            by_place: BTreeMap::new(),
            clusters,
            fleets: Fleets::default(),
            canaries: BTreeMap::new(),
            polls: Schedule::default(),
            reviews: Schedule::default(),
            dirty: BTreeSet::new(),
            awaiting_lists: BTreeMap::new(),
            wanted: BTreeMap::new(),
            policy_failures: BTreeMap::new(),
            cluster_alerts: BTreeMap::new(),
            looks: Vec::new(),
            policies,
            selection,
            repaired: 0,
        }
    }

    /// Takes up the stored records and the configured targets. Returns what is to be committed first: records
    /// whose `[[job]]` is gone are forgotten, new ones begin, and none is believed before it is confirmed.
    pub(crate) fn begin(&mut self, stored: Vec<JobRecord>, targets: Vec<TargetSetup>, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        let configured: BTreeSet<&TargetId> = targets.iter().map(|target| &target.id).collect();
        for record in stored {
            let is_configured = configured.contains(&record.key.target);
            let known_cluster = self.clusters.contains_key(&record.key.target.cluster);
            if !is_configured && (record.origin == Origin::Configured || !known_cluster) {
                changes.push(Change {
                    record,
                    events: vec![Event::Forgotten],
                });
                continue;
            }
            let origin = if is_configured {
                Origin::Configured
            } else {
                Origin::Discovered
            };
            let kept = JobRecord {
                confidence: Confidence::Stale,
                origin,
                ..Self::handed_over(&record, &self.policies)
            };
            if kept == record {
                self.count_alerts(Some(&record), 1);
                self.records.insert(record.key.clone(), Arc::new(record));
            } else {
                changes.push(Change {
                    record: JobRecord {
                        revision: record.revision + 1,
                        ..kept
                    },
                    events: vec![Event::Update],
                });
            }
        }
        for setup in targets {
            let is_stored = changes
                .iter()
                .any(|c| c.record.key.target == setup.id && !c.events.contains(&Event::Forgotten))
                || self.records.keys().any(|key| key.target == setup.id);
            if setup.mode != Mode::Session && !is_stored {
                let key = JobKey::application(setup.id.clone());
                changes.push(self.new_record(key, setup.mode, Origin::Configured, now));
            }
            self.add_target(setup, Origin::Configured, now);
        }
        changes
    }

    /// The first commit of a job nobody has looked at.
    fn new_record(&self, key: JobKey, mode: Mode, origin: Origin, now: Timestamp) -> Change {
        let policy = self.policies.chosen(&key.target);
        let record = JobRecord {
            revision: 1,
            ..JobRecord::unseen(key, mode, origin, policy, now)
        };
        Change {
            record,
            events: vec![Event::Update],
        }
    }

    fn add_target(&mut self, setup: TargetSetup, origin: Origin, now: Timestamp) {
        let id = setup.id.clone();
        let route = setup
            .flink_rest
            .or_else(|| self.clusters.get(&id.cluster).map(|cluster| cluster.flink_rest.clone()))
            .unwrap_or(FlinkRoute::Service);
        if let Some(place) = &setup.place {
            self.by_place
                .entry((id.cluster.clone(), place.clone()))
                .or_default()
                .push(id.clone());
        }
        self.fleets.add(&id.cluster, Light::Dark);
        let target = Target {
            mode: setup.mode,
            origin,
            place: setup.place,
            route,
            pinned: setup.pinned,
            poll: Poll::Never,
            failures: 0,
            not_before: None,
            pace: self.timing.poll,
            attention: Attention::Active,
            light: Light::Dark,
        };
        let first = self.first_poll(now);
        self.polls.set(id.clone(), first);
        self.targets.insert(id, target);
    }

    /// Takes in what was committed: from here on it is what the record says.
    pub(crate) fn committed(&mut self, change: &Change) -> Arc<JobRecord> {
        let record = Arc::new(change.record.clone());
        let key = &record.key;
        let known = self.records.get(key).map(Arc::clone);
        self.count_alerts(known.as_deref(), -1);
        if change.events.contains(&Event::Forgotten) {
            self.records.remove(key);
            self.policies.forget(key);
            if let Some(selection) = &mut self.selection {
                selection.forget(key);
            }
            self.reviews.remove(key);
            self.dirty.remove(key);
            self.wanted.retain(|(job, _), _| job != key);
            let target = &key.target;
            let is_last = self.jobs_of(target).is_empty();
            if is_last
                && self
                    .targets
                    .get(target)
                    .is_some_and(|target| target.origin == Origin::Discovered)
            {
                self.drop_target(target);
            }
            return record;
        }
        self.count_alerts(Some(&record), 1);
        if known.is_some_and(|known| known.incarnation.attempt != record.incarnation.attempt) {
            self.board.clear_job(key);
            self.wanted.retain(|(job, _), _| job != key);
        }
        self.records.insert(key.clone(), Arc::clone(&record));
        record
    }

    fn count_alerts(&mut self, record: Option<&JobRecord>, step: i64) {
        if let Some(record) = record {
            for alert in record.alerts.iter().filter(|alert| alert.scope == AlertScope::Cluster) {
                let key = (record.key.target.cluster.clone(), alert.name.clone());
                *self.cluster_alerts.entry(key).or_default() += step;
            }
        }
    }

    /// An intent as a change to commit; `None` if there is no such job.
    pub(crate) fn intend(&mut self, key: &JobKey, intent: Intent, now: Timestamp) -> Option<Change> {
        let record = self.records.get(key)?;
        self.dirty.insert(key.clone());
        Some(steadfast_core::planner::intend(
            record,
            PostedIntent { intent, since: now },
        ))
    }

    fn drop_target(&mut self, id: &TargetId) {
        if let Some(target) = self.targets.remove(id) {
            self.fleets.remove(&id.cluster, target.light);
            if let Some(place) = target.place {
                self.by_place.remove(&(id.cluster.clone(), place));
            }
        }
        self.polls.remove(id);
        self.leave_canary(id);
        self.board.forget(id);
    }

    /// What is due now: polls, canaries, and looks that came up.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Look> {
        while let Some(key) = self.reviews.pop_due(now) {
            self.dirty.insert(key);
        }
        self.release_canaries(now);
        let mut looks = std::mem::take(&mut self.looks);
        while let Some(id) = self.polls.pop_due(now) {
            looks.extend(self.begin_poll(&id, now));
        }
        looks
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        [self.polls.next(), self.reviews.next(), self.next_canary()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether there are jobs to judge.
    pub(crate) fn has_work(&self) -> bool {
        !self.dirty.is_empty() || !self.looks.is_empty()
    }

    /// Jobs whose decision could not be committed are judged again later.
    pub(crate) fn put_back(&mut self, keys: impl IntoIterator<Item = JobKey>, at: Timestamp) {
        for key in keys {
            self.reviews.bring_forward(key, at);
        }
    }

    /// The committed records.
    pub(crate) fn records(&self) -> &BTreeMap<JobKey, Arc<JobRecord>> {
        &self.records
    }

    /// The store holds another record than memory: the store is right.
    pub(crate) fn repair(&mut self, record: JobRecord) -> Arc<JobRecord> {
        let record = Arc::new(record);
        self.dirty.insert(record.key.clone());
        self.records.insert(record.key.clone(), Arc::clone(&record));
        record
    }

    /// How the watch of a job stands. When it was last confirmed is the driver's knowledge.
    pub(crate) fn watch_status(&self, key: &JobKey) -> WatchStatus {
        let target = self.targets.get(&key.target);
        let under_way = target.and_then(|target| match target.poll {
            Poll::UnderWay(since) => Some(since),
            Poll::Never | Poll::Began(_) => None,
        });
        WatchStatus {
            next_poll_at: under_way.or(self.polls.get(&key.target)),
            next_review_at: self.reviews.get(key),
            failures: target.map_or(0, |target| target.failures),
            confirmed_at: None,
        }
    }
}

#[cfg(test)]
mod tests;
