//! Who is asked next, and how many at a time.
//!
//! A poll of a Flink that is silent takes all of its time, one of a Flink that answers some milliseconds. So there are lanes with places of
//! their own (the bulkhead pattern), and what waits in one holds up nobody in another. In a lane the clusters share the places: each may
//! hold as many as are free, so that one alone has half of them, of several that hang none has all, and one that is healthy finds a place
//! at once. (So switches share a buffer among their ports: the dynamic threshold of Choudhury and Hahne.)
//!
//! Of those that are due in a lane the ones that failed least are next, then those that have waited longest: a job that has just failed
//! does not stand behind thousands that have failed for hours. What finds no place stays due.

use std::collections::{BTreeMap, BTreeSet};

use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::time::Timestamp;

/// Which places a poll takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// The last poll was answered, or there was none.
    Answering,
    /// The last poll gave no answer, and there is a reason to expect one now.
    Returning,
    /// The last poll gave no answer.
    Failing,
}

impl Lane {
    const ALL: [Self; 3] = [Self::Answering, Self::Returning, Self::Failing];

    /// How many polls are in flight at once, of all clusters.
    pub(super) const fn places(self) -> usize {
        match self {
            Self::Answering => 4096,
            Self::Returning => 1024,
            Self::Failing => 256,
        }
    }
}

/// Where a target waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) lane: Lane,
    /// How many polls in a row gave no answer.
    pub(super) failures: u32,
    /// When it is due.
    pub(super) at: Timestamp,
}

/// All that wait, and how many are in flight.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lines: BTreeMap<(Lane, ClusterName), Line>,
    in_flight: BTreeMap<Lane, usize>,
}

/// Those of one cluster in one lane.
#[derive(Debug, Default)]
struct Line {
    /// With their failures.
    later: BTreeMap<(Timestamp, TargetId), u32>,
    /// By failures, then by when they were due.
    due: BTreeSet<(u32, Timestamp, TargetId)>,
    in_flight: usize,
}

impl Lanes {
    /// A target waits there from now on. It must wait nowhere else.
    pub(super) fn wait(&mut self, id: TargetId, waiting: Waiting) {
        let line = self.lines.entry((waiting.lane, id.cluster.clone())).or_default();
        line.later.insert((waiting.at, id), waiting.failures);
    }

    /// It waits there no more.
    pub(super) fn leave(&mut self, id: &TargetId, waiting: Waiting) {
        let key = (waiting.lane, id.cluster.clone());
        let Some(line) = self.lines.get_mut(&key) else { return };
        if line.later.remove(&(waiting.at, id.clone())).is_none() {
            line.due.remove(&(waiting.failures, waiting.at, id.clone()));
        }
        if line.is_over() {
            self.lines.remove(&key);
        }
    }

    /// Takes out the next that is due and finds a place, which is its own until [`end`](Self::end).
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<(TargetId, Lane)> {
        let mut next: Option<(Timestamp, (Lane, ClusterName))> = None;
        for ((lane, cluster), line) in &mut self.lines {
            if line.has_room(*lane, self.in_flight.get(lane).copied().unwrap_or(0)) {
                line.become_due(now);
                if let Some((_, at, _)) = line.due.first()
                    && next.as_ref().is_none_or(|(first, _)| at < first)
                {
                    next = Some((*at, (*lane, cluster.clone())));
                }
            }
        }
        let (_, key) = next?;
        let line = self.lines.get_mut(&key)?;
        let (_, _, id) = line.due.pop_first()?;
        line.in_flight += 1;
        *self.in_flight.entry(key.0).or_default() += 1;
        Some((id, key.0))
    }

    /// A poll that began there ended, or nobody waits for it any more.
    pub(super) fn end(&mut self, cluster: &ClusterName, lane: Lane) {
        if let Some(all) = self.in_flight.get_mut(&lane) {
            *all = all.saturating_sub(1);
        }
        let key = (lane, cluster.clone());
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.in_flight = line.in_flight.saturating_sub(1);
        if line.is_over() {
            self.lines.remove(&key);
        }
    }

    /// When something is due next that finds a place. Without a place an answer comes first.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        for lane in Lane::ALL {
            let all = self.in_flight.get(&lane).copied().unwrap_or(0);
            let lines = self
                .lines
                .iter()
                .filter(|((of, _), line)| *of == lane && line.has_room(lane, all));
            next = lines.filter_map(|(_, line)| line.next()).chain(next).min();
        }
        next
    }
}

impl Line {
    /// Whether there is a place for one more, where so many of all clusters are in flight: it may hold as many as are free.
    fn has_room(&self, lane: Lane, all: usize) -> bool {
        self.in_flight < lane.places().saturating_sub(all)
    }

    fn become_due(&mut self, now: Timestamp) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, id), failures) = entry.remove_entry();
            self.due.insert((failures, at, id));
        }
    }

    fn next(&self) -> Option<Timestamp> {
        let due = self.due.first().map(|(_, at, _)| *at);
        due.or_else(|| self.later.first_key_value().map(|((at, _), _)| *at))
    }

    fn is_over(&self) -> bool {
        self.later.is_empty() && self.due.is_empty() && self.in_flight == 0
    }
}
