//! When what is due: one moment for each key, no timers.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Timestamp;

/// A queue of keys by their due time. A key has at most one.
#[derive(Debug)]
pub struct Schedule<K> {
    by_time: BTreeSet<(Timestamp, K)>,
    by_key: BTreeMap<K, Timestamp>,
}

impl<K> Default for Schedule<K> {
    fn default() -> Self {
        Self {
            by_time: BTreeSet::new(),
            by_key: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Schedule<K> {
    /// Sets the key's due time, instead of any it had.
    pub fn set(&mut self, key: K, at: Timestamp) {
        if let Some(old) = self.by_key.insert(key.clone(), at) {
            self.by_time.remove(&(old, key.clone()));
        }
        self.by_time.insert((at, key));
    }

    /// Moves the key's due time to `at` if that is sooner, or if it has none.
    pub fn bring_forward(&mut self, key: K, at: Timestamp) {
        if self.by_key.get(&key).is_none_or(|old| at < *old) {
            self.set(key, at);
        }
    }

    /// Takes the key out.
    pub fn remove(&mut self, key: &K) {
        if let Some(at) = self.by_key.remove(key) {
            self.by_time.remove(&(at, key.clone()));
        }
    }

    /// The key's due time.
    pub fn get(&self, key: &K) -> Option<Timestamp> {
        self.by_key.get(key).copied()
    }

    /// The earliest due time.
    pub fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest key that is due at `now`.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_due_once_at_its_last_time() {
        let at = Timestamp::from_millis;
        let mut schedule = Schedule::default();
        schedule.set("a", at(10));
        schedule.set("b", at(5));
        schedule.set("a", at(3));
        schedule.bring_forward("b", at(9));
        assert_eq!((schedule.next(), schedule.get(&"b")), (Some(at(3)), Some(at(5))));
        assert_eq!((schedule.pop_due(at(4)), schedule.pop_due(at(4))), (Some("a"), None));
        schedule.remove(&"b");
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn what_is_brought_forward_comes_sooner_and_is_due_at_its_very_moment() {
        let at = Timestamp::from_millis;
        let mut schedule = Schedule::default();
        schedule.set("a", at(10));
        schedule.bring_forward("a", at(7));
        schedule.bring_forward("b", at(9));
        assert_eq!((schedule.get(&"a"), schedule.get(&"b")), (Some(at(7)), Some(at(9))));
        assert_eq!((schedule.pop_due(at(6)), schedule.pop_due(at(7))), (None, Some("a")));
        assert_eq!(schedule.pop_due(at(9)), Some("b"));
    }
}
