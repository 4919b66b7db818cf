//! Records that go on under another key.
//!
//! A job may be found by a name that is not its own: by its id before its FlinkSessionJob was read, by one side of a
//! FlinkBlueGreenDeployment. What stands on record then goes on under its own name, in one commit with the end of the old record.

use std::sync::Arc;

use steadfast_core::id::JobKey;
use steadfast_core::journal::Change;
use steadfast_core::time::Timestamp;

use super::Reactor;

impl Reactor {
    /// A record ends; what it says goes on under the other key, if that one's record is only about to begin.
    pub(super) fn supersede(&mut self, old: JobKey, new: &JobKey) {
        self.superseded.insert(old, new.clone());
    }

    /// The records that end so. One that is only about to begin ends after that.
    pub(super) fn ending(&self) -> impl Iterator<Item = &JobKey> {
        self.superseded.keys().filter(|key| self.records.contains_key(*key))
    }

    /// First commits of what was found, and the ends of the records that go on in them. They are made when they are committed:
    /// what was decided meanwhile goes on too.
    pub(super) fn begin_found(&self, now: Timestamp) -> Vec<Change> {
        let is_due = |key: &JobKey| self.unwritten.retry_at(key) <= now;
        let begun = self.begun.iter().filter(|(key, _)| is_due(key)).map(|(key, change)| {
            let before = self.superseded.iter().filter(|(_, new)| *new == key);
            let newest = before
                .filter_map(|(old, _)| self.records.get(old))
                // Of several runs the one where it is looked for, else the one that lives, or began last.
                .max_by_key(|record| {
                    let is_there = self.is_on(&key.target, &record.key.target.name);
                    (is_there, !record.state.is_terminal(), record.incarnation.since)
                });
            newest.map_or_else(|| change.clone(), |record| Change::go_on_as(key.clone(), record))
        });
        let ended = self.superseded.keys().filter(|key| is_due(key));
        let ended = ended.filter_map(|old| self.records.get(old));
        let ended = ended.map(|record| Change::forget(Arc::clone(record)));
        self.deduped(begun.chain(ended).collect())
    }
}
