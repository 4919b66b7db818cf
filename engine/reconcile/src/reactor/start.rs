//! The start: stored records and configured targets are taken up.

use std::collections::BTreeSet;
use std::sync::Arc;

use steadfast_core::board::ObjectRef;
use steadfast_core::id::{JobKey, TargetId};
use steadfast_core::journal::{Change, Event};
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;
use steadfast_sources::route::FlinkRoute;

use super::Reactor;
use super::fleets::Reachability;
use super::targets::Target;
use crate::setup::TargetSetup;
use crate::turn::Turn;

impl Reactor {
    /// Takes up the stored records and the configured targets. The turn commits what the start changes: records whose
    /// `[[job]]` or cluster is gone are forgotten, new ones begin, and none is believed before it is confirmed.
    pub fn start(&mut self, stored: Vec<JobRecord>, targets: Vec<TargetSetup>, now: Timestamp) -> Turn {
        let configured: BTreeSet<TargetId> = targets.iter().map(|target| target.id.clone()).collect();
        let mut changes = Vec::new();
        let mut known = BTreeSet::new();
        for record in stored {
            let id = record.key.target.clone();
            let is_configured = configured.contains(&id);
            let is_cluster_known = self.clusters.contains_key(&id.cluster);
            if !is_configured && (record.origin == Origin::Configured || !is_cluster_known) {
                self.alerts.committed(None, Some(&record));
                changes.push(Change::forget(Arc::new(record)));
                continue;
            }
            let origin = if is_configured {
                Origin::Configured
            } else {
                Origin::Discovered
            };
            if origin == Origin::Discovered && !known.contains(&id) {
                // Its Deployment may be gone, its record is not.
                self.watch_discovered(&record, now);
            }
            known.insert(id);
            changes.extend(self.take_up(record, origin, now));
        }
        for setup in targets {
            if setup.mode != Mode::Session && !known.contains(&setup.id) {
                let key = JobKey::application(setup.id.clone());
                changes.push(self.first_commit(key, setup.mode, Origin::Configured, now));
            }
            self.watch(setup, Origin::Configured, now);
        }
        Turn {
            changes: self.deduped(changes),
            ..Turn::default()
        }
    }

    /// A record as it is from now on; a change, if it is not so in the store.
    fn take_up(&mut self, stored: JobRecord, origin: Origin, now: Timestamp) -> Option<Change> {
        let policy = self.policies.select_policy(&stored.key.target);
        let record = stored.taken_up(origin, &policy, now);
        let change = (record != stored).then(|| {
            let events = vec![Event::updated(&record)];
            Change::update(&stored, record, events)
        });
        self.alerts.committed(None, Some(&stored));
        self.records.insert(stored.key.clone(), Arc::new(stored));
        change
    }

    /// The first commit of a job nobody has looked at.
    pub(super) fn first_commit(&self, key: JobKey, mode: Mode, origin: Origin, now: Timestamp) -> Change {
        let policy = self.policies.select_policy(&key.target);
        Change::begin(JobRecord::unseen(key, mode, origin, policy, now))
    }

    /// Watches the Flink cluster of a record that was found, where it was last seen.
    pub(super) fn watch_discovered(&mut self, record: &JobRecord, now: Timestamp) {
        let id = &record.key.target;
        let deployment = record.incarnation.deployment_name.as_deref().unwrap_or(&id.name);
        let setup = TargetSetup {
            id: id.clone(),
            mode: record.mode,
            object: Some(ObjectRef::new(&id.namespace, deployment)),
            flink_rest: None,
            pinned: None,
        };
        self.watch(setup, Origin::Discovered, now);
    }

    /// Watches a target from now on.
    pub(super) fn watch(&mut self, setup: TargetSetup, origin: Origin, now: Timestamp) {
        let TargetSetup {
            id,
            mode,
            object,
            flink_rest,
            pinned,
        } = setup;
        let of_cluster = || Some(self.clusters.get(&id.cluster)?.flink_rest.clone());
        let target = Target {
            mode,
            origin,
            object,
            route: flink_rest.or_else(of_cluster).unwrap_or(FlinkRoute::Service),
            pinned,
        };
        // Nothing has been seen of it.
        self.fleets.observe(&id, Reachability::Dark);
        self.polls.add(id.clone(), now);
        self.targets.insert(id, target);
    }
}
