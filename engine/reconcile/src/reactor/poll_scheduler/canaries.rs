//! Of each cluster's failing targets, the one that is polled at the poll's interval all the same: the first that answers speaks for all.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::time::Timestamp;

/// Those of the clusters that have failing targets.
#[derive(Debug, Default)]
pub(super) struct Canaries(BTreeMap<ClusterName, Canary>);

#[derive(Debug)]
struct Canary {
    failing: BTreeSet<TargetId>,
    /// Which of them was polled last.
    last: Option<TargetId>,
    /// When the next may be.
    due: Timestamp,
    /// When the pauses of all were last ended.
    released_at: Option<Timestamp>,
}

impl Canaries {
    /// When the next of any cluster may be polled.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.0.values().map(|canary| canary.due).min()
    }

    /// A target fails no more, or is gone.
    pub(super) fn remove(&mut self, id: &TargetId) {
        if let Some(canary) = self.0.get_mut(&id.cluster) {
            canary.failing.remove(id);
            if canary.failing.is_empty() {
                self.0.remove(&id.cluster);
            }
        }
    }

    /// A failing target is polled, for whatever reason: it is this interval's canary.
    pub(super) fn begin(&mut self, id: &TargetId, now: Timestamp, poll: Duration) {
        if let Some(canary) = self.0.get_mut(&id.cluster) {
            canary.last = Some(id.clone());
            canary.due = now.after(poll);
        }
    }

    /// A poll that began at `asked` gave no answer. Says whether the pauses of all were ended since then.
    pub(super) fn failed(&mut self, id: &TargetId, asked: Timestamp, poll: Duration) -> bool {
        let canary = self.0.entry(id.cluster.clone()).or_insert_with(|| Canary {
            failing: BTreeSet::new(),
            last: Some(id.clone()),
            due: asked.after(poll),
            released_at: None,
        });
        canary.failing.insert(id.clone());
        canary.released_at.is_some_and(|at| asked < at)
    }

    /// A target answers again. Returns those of its cluster that need not wait any longer; none where they were told so within an
    /// interval, by another that answers again.
    pub(super) fn recovered(&mut self, id: &TargetId, now: Timestamp, poll: Duration) -> Vec<TargetId> {
        self.remove(id);
        match self.0.get_mut(&id.cluster) {
            Some(canary) if canary.released_at.is_none_or(|at| at.after(poll) <= now) => {
                canary.released_at = Some(now);
                canary.failing.iter().cloned().collect()
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// Chooses the next of each cluster whose time has come, in turn, of those that may be polled.
    pub(super) fn choose(
        &mut self,
        now: Timestamp,
        poll: Duration,
        may_be_polled: impl Fn(&TargetId) -> bool,
    ) -> Vec<TargetId> {
        let mut chosen = Vec::new();
        for canary in self.0.values_mut().filter(|canary| canary.due <= now) {
            canary.due = now.after(poll);
            let behind = canary.last.iter().flat_map(|last| {
                let behind = (Bound::Excluded(last), Bound::Unbounded);
                canary.failing.range::<TargetId, _>(behind)
            });
            let next = behind.chain(canary.failing.iter()).find(|id| may_be_polled(id));
            if let Some(next) = next.cloned() {
                canary.last = Some(next.clone());
                chosen.push(next);
            }
        }
        chosen
    }
}
