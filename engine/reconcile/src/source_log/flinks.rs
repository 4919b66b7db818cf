//! When Flinks are told as silent, one by one or as a fleet, and when as back.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::evidence::Fault;
use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::time::Timestamp;

use super::{Notice, OnRecord};
use crate::flinks::{Answering, Flinks};

/// How long a Flink is silent before it is told: longer than a JobManager takes to restart, and than it takes to learn that a
/// job has ended with its Flink. The conservative policy's `unreachable_after`.
const HOLD: Duration = Duration::from_secs(15);
/// How often a fleet in which something changes is looked at.
const PACE: Duration = Duration::from_secs(1);
/// From which share of silent Flinks on, of more than [`FEW`], they are told as a fleet: the conservative policy's
/// `fleet_unknown_share`.
const FLEET_SHARE: f64 = 0.55;
/// As many Flinks are no fleet.
const FEW: usize = 2;

/// What was told of the Flinks of a cluster.
#[derive(Debug, Default)]
pub(super) struct FleetLog {
    due: Option<Timestamp>,
    /// Told as silent, since then.
    told: BTreeMap<TargetId, Timestamp>,
    /// They were told together.
    fleet: Option<Disruption>,
}

/// A fleet that was told as silent.
#[derive(Clone, Copy, Debug)]
struct Disruption {
    since: Timestamp,
    /// How many were silent in it.
    concerned: usize,
    /// When the last of them answered.
    answered: Option<Timestamp>,
    /// Since when fewer are silent than make a fleet.
    calm_since: Option<Timestamp>,
}

/// The Flinks of a cluster that should answer.
struct Standing<'a> {
    expected: usize,
    silent: BTreeMap<&'a TargetId, (Timestamp, &'a Fault)>,
}

impl FleetLog {
    pub(super) fn changed(&mut self, now: Timestamp) {
        self.look_at(now.after(PACE));
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    fn look_at(&mut self, at: Timestamp) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// What there is to tell of the cluster's Flinks as they stand.
    pub(super) fn look(
        &mut self,
        cluster: &ClusterName,
        flinks: &Flinks,
        record: &impl OnRecord,
        now: Timestamp,
    ) -> Vec<Notice> {
        self.due = None;
        let standing = Standing::of(cluster, flinks, record);
        let mut notices = self.back(flinks, &standing);
        let (overdue, waiting): (Vec<_>, Vec<_>) = standing
            .silent
            .iter()
            .map(|(id, (since, fault))| (*id, *since, *fault))
            .filter(|(id, ..)| !self.told.contains_key(*id))
            .partition(|(_, since, _)| since.after(HOLD) <= now);
        if let Some(next) = waiting.iter().map(|(_, since, _)| since.after(HOLD)).min() {
            self.look_at(next.max(now.after(PACE)));
        }
        self.told
            .extend(overdue.iter().map(|(id, since, _)| ((*id).clone(), *since)));
        if let Some(fleet) = &mut self.fleet {
            fleet.concerned += overdue.len();
            notices.extend(self.calm(cluster, &standing, now));
        } else if !overdue.is_empty() {
            notices.extend(self.lost(cluster, &standing, &overdue));
        }
        notices
    }

    /// Those that were told and answer. One whose jobs have ended meanwhile is no more spoken of.
    fn back(&mut self, flinks: &Flinks, standing: &Standing<'_>) -> Vec<Notice> {
        let mut notices = Vec::new();
        let fleet = &mut self.fleet;
        self.told.retain(|id, lost| {
            if standing.silent.contains_key(id) {
                return true;
            }
            let Some(Answering::Answers { since }) = flinks.get(id) else {
                return false;
            };
            match fleet {
                Some(fleet) => fleet.answered = fleet.answered.max(Some(*since)),
                None => notices.push(Notice::FlinkBack {
                    flink: id.clone(),
                    away: since.since(*lost),
                }),
            }
            false
        });
        notices
    }

    /// Tells those that were not told yet: as a fleet, if most are silent by now, for however short a time some of them.
    fn lost(
        &mut self,
        cluster: &ClusterName,
        standing: &Standing<'_>,
        overdue: &[(&TargetId, Timestamp, &Fault)],
    ) -> Vec<Notice> {
        let first = overdue.iter().min_by_key(|(_, since, _)| *since);
        if let Some((_, since, fault)) = first
            && standing.is_fleet()
        {
            let all = standing.silent.iter();
            self.told.extend(all.map(|(id, (since, _))| ((*id).clone(), *since)));
            self.fleet = Some(Disruption {
                since: *since,
                concerned: self.told.len(),
                answered: None,
                calm_since: None,
            });
            return vec![Notice::FleetLost {
                cluster: cluster.clone(),
                silent: self.told.len(),
                of: standing.expected,
                fault: (*fault).clone(),
                since: *since,
            }];
        }
        let alone = overdue.iter().map(|(id, since, fault)| Notice::FlinkLost {
            flink: (*id).clone(),
            fault: (*fault).clone(),
            since: *since,
        });
        alone.collect()
    }

    /// Whether a fleet that was told is over: all answer, or so many have done for a while that the rest is no fleet. They come
    /// back one after the other, within a poll, and the last of them are not to be told one by one.
    fn calm(&mut self, cluster: &ClusterName, standing: &Standing<'_>, now: Timestamp) -> Option<Notice> {
        let mut fleet = self.fleet?;
        fleet.calm_since = (!standing.is_fleet()).then(|| fleet.calm_since.unwrap_or(now));
        self.fleet = Some(fleet);
        let calm_since = fleet.calm_since?;
        let lasts = now < calm_since.after(HOLD);
        if lasts && !self.told.is_empty() {
            self.look_at(calm_since.after(HOLD));
            return None;
        }
        self.fleet = None;
        Some(Notice::FleetBack {
            cluster: cluster.clone(),
            away: fleet.answered.unwrap_or(now).since(fleet.since),
            concerned: fleet.concerned,
            silent: self.told.keys().cloned().collect(),
        })
    }
}

impl<'a> Standing<'a> {
    fn of(cluster: &ClusterName, flinks: &'a Flinks, record: &impl OnRecord) -> Self {
        let mut standing = Self {
            expected: 0,
            silent: BTreeMap::new(),
        };
        for (id, answering) in flinks.of_cluster(cluster).filter(|(id, _)| record.expects(id)) {
            standing.expected += 1;
            if let Answering::Silent { since, fault } = answering {
                standing.silent.insert(id, (*since, fault));
            }
        }
        standing
    }

    /// Whether the silent ones are most of them.
    fn is_fleet(&self) -> bool {
        self.expected > FEW && self.silent.len() as f64 >= FLEET_SHARE * self.expected as f64
    }
}
