//! The validation cycle's part in memory: memory is compared with the store, which is right.
//!
//! Every record is a projection of the store. Where the two differ, something other than the loop wrote to one of them: a
//! person edited or restored the file, or there is a bug. Memory follows the store, since what readers are shown must be what a
//! restart would show; and as at a restart, none is believed before it is confirmed. A record that the store no longer has is
//! dropped, and the journal says so; if its target is still watched it begins anew. Alone where a row does not read, memory
//! knows better: what was committed last.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use steadfast_core::id::JobKey;
use steadfast_core::journal::{Change, Event, LoadedPart};
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::turn::{Show, Turn};

/// What a comparison with the store comes to.
#[must_use = "what the store lacks goes from memory with the turn"]
pub struct Repair {
    /// One for each record that differed.
    pub shown: Vec<Show>,
    /// What is to be committed.
    pub turn: Turn,
}

/// A comparison under way: the store is read part by part, so that a large record holds up no turn.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Whom the store has, as far as it was read, and who was written since it began.
    stored: HashSet<JobKey>,
    /// A row did not read. Parts go on from how the last row's job is shown, which of such a row is not always where it stood: whom
    /// this comparison did not meet may have been passed over.
    may_have_gaps: bool,
}

impl Comparison {
    /// A record was written.
    pub(super) fn written(&mut self, key: &JobKey) {
        self.stored.insert(key.clone());
    }
}

impl Reactor {
    /// Begins to compare memory with the store, anew if a comparison is under way.
    pub fn begin_comparison(&mut self) {
        self.comparison = Some(Comparison::default());
    }

    /// Repairs memory by a part of what the store holds; with the last part also by what it lacks.
    pub fn repair(&mut self, part: LoadedPart, now: Timestamp) -> Repair {
        let LoadedPart { loaded, next } = part;
        let mut comparison = self.comparison.take().unwrap_or_default();
        let mut repair = Repair {
            shown: Vec::new(),
            turn: Turn::default(),
        };
        let set_aside: BTreeSet<String> = loaded.set_aside.into_iter().map(|row| row.job).collect();
        if !set_aside.is_empty() {
            comparison.may_have_gaps = true;
            for record in self
                .records
                .values()
                .filter(|record| set_aside.contains(&record.key.to_string()))
            {
                comparison.written(&record.key);
                repair.turn.changes.push(Change::write_anew(record));
            }
        }
        for record in loaded.records {
            comparison.written(&record.key);
            let known = self.records.get(&record.key).cloned();
            if known.as_ref().is_none_or(|known| **known != record) {
                self.follow_store(known.as_deref(), record, &mut repair, now);
            }
        }
        if next.is_some() {
            self.comparison = Some(comparison);
        } else if !comparison.may_have_gaps {
            let lacks = |record: &&Arc<JobRecord>| !comparison.stored.contains(&record.key);
            for record in self.records.values().filter(lacks) {
                repair.shown.push(Show::Dropped(record.key.clone()));
                repair.turn.changes.push(Change::forget(Arc::clone(record)));
            }
        }
        repair.turn.changes = self.deduped(std::mem::take(&mut repair.turn.changes));
        repair
    }

    /// Memory takes a record as the store has it.
    fn follow_store(&mut self, known: Option<&JobRecord>, record: JobRecord, repair: &mut Repair, now: Timestamp) {
        let key = record.key.clone();
        // Its first commit, if one waits, would not follow the revision that the store holds.
        self.begun.remove(&key);
        // What was confirmed was the record that memory had.
        self.confirmed.remove(&key);
        self.watch_repaired(&record, now);
        let Some(origin) = self.targets.get(&key.target).map(|target| target.origin) else {
            // Nothing watches it, as a start would find: it would be shown as it is for ever.
            self.alerts.committed(known, Some(&record));
            repair.turn.changes.push(Change::forget(Arc::new(record)));
            return;
        };
        let policy = self.policies.select_policy(&key.target);
        let taken_up = record.taken_up(origin, &policy, now);
        if taken_up != record {
            let events = vec![Event::updated(&taken_up)];
            repair.turn.changes.push(Change::update(&record, taken_up, events));
        }
        let record = Arc::new(record);
        self.alerts.committed(known, Some(&record));
        self.records.insert(key.clone(), Arc::clone(&record));
        self.queue.enqueue(key);
        repair.shown.push(Show::Repaired(self.view(&record)));
    }

    /// A discovered record that comes back is watched again: its target went with it.
    fn watch_repaired(&mut self, record: &JobRecord, now: Timestamp) {
        let id = &record.key.target;
        let is_known = self.clusters.contains_key(&id.cluster);
        if record.origin == Origin::Discovered && is_known && !self.targets.contains(id) {
            self.watch_discovered(record, now);
        }
    }

    /// The record of a target that is configured was dropped, since the store lacks it: it begins anew. A session's job begins
    /// with the next overview that lists it, or the next list of the FlinkSessionJobs; a discovered target with the next list of
    /// its own.
    pub(super) fn begin_anew(&mut self, record: &JobRecord, now: Timestamp) {
        let key = &record.key;
        let is_configured = self
            .targets
            .get(&key.target)
            .is_some_and(|target| target.origin == Origin::Configured);
        if key.session_job.is_none() && is_configured {
            let change = self.first_commit(key.clone(), record.mode, Origin::Configured, now);
            self.begun.insert(key.clone(), change);
        }
    }

    /// What a validation writes down of these jobs: when they were last confirmed, which is not worth a commit each time, and under
    /// which policy a repaired record is from now on.
    pub fn upkeep(&self, jobs: &[JobKey]) -> Turn {
        let records = jobs.iter().filter_map(|key| self.records.get(key));
        let changes = records.filter_map(|record| {
            let policy = self.policies.select_policy(&record.key.target);
            let confirmed = self.confirmed.get(&record.key).copied().max(record.confirmed_at);
            let is_due = policy != record.policy || confirmed > record.confirmed_at;
            let events = if policy == record.policy {
                Vec::new()
            } else {
                vec![Event::updated(record)]
            };
            let after = || JobRecord {
                confirmed_at: confirmed,
                ..record.handed_to(&policy)
            };
            is_due.then(|| Change::update(record, after(), events))
        });
        Turn {
            changes: self.deduped(changes.collect()),
            ..Turn::default()
        }
    }
}
