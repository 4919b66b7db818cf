//! The validation cycle's part in memory: memory is compared with the store, which is right.
//!
//! Every record is a projection of the store. Where the two differ, something other than the loop wrote to one of them: a
//! person edited or restored the file, or there is a bug. Memory follows the store, since what readers are shown must be what a
//! restart would show. A record that the store no longer has is dropped, and if its target is still watched it begins anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use steadfast_core::id::JobKey;
use steadfast_core::journal::{Change, Event};
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::turn::{Show, Turn};

impl Reactor {
    /// Repairs memory by what the store holds. Returns what there is to show: one for each record that differed.
    pub fn repair(&mut self, stored: Vec<JobRecord>, now: Timestamp) -> Vec<Show> {
        let stored: BTreeMap<JobKey, JobRecord> =
            stored.into_iter().map(|record| (record.key.clone(), record)).collect();
        let lacking: Vec<Arc<JobRecord>> = self
            .records
            .values()
            .filter(|record| !stored.contains_key(&record.key))
            .cloned()
            .collect();
        let mut shown: Vec<Show> = lacking.iter().map(|record| self.drop_lacking(record, now)).collect();
        for (key, record) in stored {
            let known = self.records.get(&key).cloned();
            if known.as_ref().is_some_and(|known| **known == record) {
                continue;
            }
            // Its first commit, if one waits, would not follow the revision that the store holds.
            self.begun.remove(&key);
            // What was confirmed was the record that memory had.
            self.confirmed.remove(&key);
            self.watch_repaired(&record, now);
            let record = Arc::new(record);
            self.alerts.committed(known.as_deref(), Some(&record));
            self.records.insert(key.clone(), Arc::clone(&record));
            self.queue.enqueue(key);
            shown.push(Show::Repaired(self.view(&record)));
        }
        shown
    }

    /// A discovered record that comes back is watched again: its target went with it.
    fn watch_repaired(&mut self, record: &JobRecord, now: Timestamp) {
        let id = &record.key.target;
        let is_known = self.clusters.contains_key(&id.cluster);
        if record.origin == Origin::Discovered && is_known && !self.targets.contains(id) {
            self.watch_discovered(record, now);
        }
    }

    /// A record that memory has and the store has not.
    fn drop_lacking(&mut self, record: &JobRecord, now: Timestamp) -> Show {
        let key = &record.key;
        self.alerts.committed(Some(record), None);
        let is_application = key.session_job.is_none();
        self.drop_record(key);
        // A session's job begins with the next overview that lists it, or the next list of the FlinkSessionJobs; a discovered
        // target with the next list of its own.
        if is_application && self.targets.contains(&key.target) {
            let change = self.first_commit(key.clone(), record.mode, record.origin, now);
            self.begun.insert(key.clone(), change);
        }
        Show::Dropped(key.clone())
    }

    /// What a validation writes down: when jobs were last confirmed, which is not worth a commit each time, and under which
    /// policy a repaired record is from now on.
    pub fn upkeep(&self) -> Turn {
        let changes = self.records.values().filter_map(|record| {
            let policy = self.policies.select_policy(&record.key.target);
            let confirmed = self.confirmed.get(&record.key).copied().max(record.confirmed_at);
            let is_due = policy != record.policy || confirmed > record.confirmed_at;
            let events = if policy == record.policy {
                Vec::new()
            } else {
                vec![Event::Update]
            };
            let after = || JobRecord {
                confirmed_at: confirmed,
                ..record.handed_to(&policy)
            };
            is_due.then(|| Change::update(record, after(), events))
        });
        Turn {
            changes: changes.collect(),
            ..Turn::default()
        }
    }
}
