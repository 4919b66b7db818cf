//! Jobs of which the store does not take what was decided.
//!
//! While it takes everything else, what is wrong is in one job's record, and the others must not wait for it: it is taken out of
//! the turn, and decided again after pauses that grow. While it takes nothing at all, a disk that is full for one, each job of
//! which something was to be written waits. Until the store takes it, a record is as it was committed last, and is shown as stale.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Part, Refusal};
use steadfast_core::time::Timestamp;

use super::Reactor;
use super::retries::PolicyRetries;
use crate::turn::{Judged, Turn};

#[derive(Debug)]
pub(super) struct Unwritten {
    jobs: BTreeMap<JobKey, Refused>,
    pauses: PolicyRetries,
}

#[derive(Debug)]
struct Refused {
    since: Timestamp,
    retry_at: Timestamp,
    why: String,
}

impl Unwritten {
    pub(super) fn new(backoff: Backoff, rng: StdRng) -> Self {
        Self {
            jobs: BTreeMap::new(),
            pauses: PolicyRetries::new(backoff, rng),
        }
    }

    /// Since when nothing of the job is taken; `None` while everything is.
    pub(super) fn since(&self, key: &JobKey) -> Option<Timestamp> {
        self.jobs.get(key).map(|refused| refused.since)
    }

    /// When it is tried again; the beginning of time while nothing was refused.
    pub(super) fn retry_at(&self, key: &JobKey) -> Timestamp {
        self.jobs
            .get(key)
            .map_or(Timestamp::default(), |refused| refused.retry_at)
    }

    /// The store took it, or it is no longer there.
    pub(super) fn forget(&mut self, key: &JobKey) {
        if self.jobs.remove(key).is_some() {
            self.pauses.forget(key);
        }
    }

    /// All of them, with the reasons.
    fn reasons(&self) -> BTreeMap<JobKey, String> {
        let reasons = self
            .jobs
            .iter()
            .map(|(key, refused)| (key.clone(), refused.why.clone()));
        reasons.collect()
    }

    /// The store takes nothing now, so that the job waits.
    fn wait(&mut self, key: JobKey, why: &str, now: Timestamp, retry_at: Timestamp) {
        let since = self.since(&key).unwrap_or(now);
        let why = why.to_owned();
        self.jobs.insert(key, Refused { since, retry_at, why });
    }

    /// The store did not take these, which wait for each other.
    fn refused(&mut self, keys: &BTreeSet<JobKey>, refusals: &[Refusal], now: Timestamp) -> Timestamp {
        let pauses = keys.iter().map(|key| self.pauses.failed(key));
        let retry_at = now.after(pauses.max().unwrap_or_default());
        for key in keys {
            let own = refusals.iter().find(|refusal| refusal.key == *key);
            let why = own.map_or_else(
                || "it goes on under a name that is not taken".to_owned(),
                |own| own.why.clone(),
            );
            let since = self.since(key).unwrap_or(now);
            self.jobs.insert(key.clone(), Refused { since, retry_at, why });
        }
        retry_at
    }
}

impl Reactor {
    /// The store does not take what the turn has of some jobs. They are taken out of it and decided again after a pause;
    /// returns which. Of snapshots that are not taken nothing need be put back.
    pub fn put_back(&mut self, turn: &mut Turn, refusals: &[Refusal], now: Timestamp) -> BTreeSet<JobKey> {
        let changes = refusals.iter().filter(|refusal| refusal.part == Part::Change);
        let mut out: BTreeSet<JobKey> = changes.map(|refusal| refusal.key.clone()).collect();
        // A record ends in the commit in which it goes on under another key: neither without the other.
        loop {
            let linked = self
                .superseded
                .iter()
                .filter(|(old, new)| out.contains(*old) != out.contains(*new));
            let linked: Vec<JobKey> = linked.flat_map(|(old, new)| [old.clone(), new.clone()]).collect();
            if linked.is_empty() {
                break;
            }
            out.extend(linked);
        }
        if out.is_empty() {
            return out;
        }
        let retry_at = self.unwritten.refused(&out, refusals, now);
        for key in out.iter().filter(|key| self.records.contains_key(*key)) {
            self.queue.requeue_by(key.clone(), retry_at);
        }
        turn.changes.retain(|change| !out.contains(&change.record.key));
        turn.judged.retain(|judged| !out.contains(&judged.key));
        turn.then_judge.retain(|key| !out.contains(key));
        out
    }

    /// The store took nothing of the turn's commit, for a reason that is none of its jobs'. What it changes is taken out of it and
    /// decided again at `retry_at`, and is unwritten until then: returns which jobs. What is left changes nothing, and can be
    /// advanced. Requests are the requester's to repeat.
    pub fn refuse(&mut self, turn: &mut Turn, why: &str, now: Timestamp, retry_at: Timestamp) -> BTreeSet<JobKey> {
        if self.begins(turn) {
            self.begin_after = Some(retry_at);
        }
        // Policies decide with the records that they are given, or not at all.
        let is_whole = turn.policies.take().is_some();
        let changes = std::mem::take(&mut turn.changes);
        let changed: BTreeSet<JobKey> = changes.into_iter().map(|change| change.record.key.clone()).collect();
        let judged = std::mem::take(&mut turn.judged);
        let (out, left) = judged
            .into_iter()
            .partition(|judged: &Judged| is_whole || changed.contains(&judged.key));
        turn.judged = left;
        turn.then_judge.retain(|key| !is_whole && !changed.contains(key));
        let mut unwritten = BTreeSet::new();
        for Judged { key, .. } in out {
            self.queue.requeue_by(key.clone(), retry_at);
            if changed.contains(&key) {
                self.unwritten.wait(key.clone(), why, now, retry_at);
                unwritten.insert(key);
            }
        }
        unwritten
    }

    /// The jobs of which the store does not take what was decided, and why not.
    pub fn unwritten(&self) -> BTreeMap<JobKey, String> {
        let mut unwritten = self.unwritten.reasons();
        // Of what was only found and is gone again, nothing waits any more.
        unwritten.retain(|key, _| self.records.contains_key(key) || self.begun.contains_key(key));
        unwritten
    }
}
