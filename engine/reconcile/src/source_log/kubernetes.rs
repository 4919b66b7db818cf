//! When a Kubernetes cluster is told as lost, and when as back.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::cluster_lists::{ClusterLists, Collection, Reading};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::ClusterName;
use steadfast_core::kube_update::{KindOrigin, ObjectKind};
use steadfast_core::time::Timestamp;

use super::{Notice, OnRecord};
use crate::status::ClusterStatus;

/// How long after a change the lists are looked at: what one outage does to them has come in by then, and what the first
/// retry mends is no news.
const SETTLE: Duration = Duration::from_secs(2);

/// What was told of a cluster.
#[derive(Debug, Default)]
pub(super) struct ClusterLog {
    due: Option<Timestamp>,
    /// The API server is lost since then.
    server: Option<Timestamp>,
    /// Collections that it refuses, since then.
    refused: BTreeMap<Collection, Timestamp>,
}

/// A collection that cannot be read.
type Unreadable<'a> = (&'a Collection, Timestamp, &'a Fault);

impl ClusterLog {
    pub(super) fn changed(&mut self, now: Timestamp) {
        self.due.get_or_insert(now.after(SETTLE));
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// What there is to tell of the cluster as it stands.
    pub(super) fn look(
        &mut self,
        name: &ClusterName,
        cluster: &ClusterStatus,
        record: &impl OnRecord,
        now: Timestamp,
    ) -> Vec<Notice> {
        self.due = None;
        let (unserved, refused): (Vec<Unreadable<'_>>, Vec<Unreadable<'_>>) = unreadable(&cluster.lists)
            .into_iter()
            .partition(|(_, _, fault)| is_of_the_server(fault.kind));
        let away = self.end(&cluster.lists, unserved.is_empty(), now);
        let lost = self.begin(&unserved, &refused);
        let mut notices = Vec::new();
        if let Some(away) = away {
            notices.push(Notice::ClusterBack {
                cluster: name.clone(),
                server: cluster.server.clone(),
                away,
                jobs: record.jobs(name),
                unreadable: unserved.len() + refused.len(),
            });
        }
        if let Some(since) = lost.iter().map(|(_, since, _)| *since).min() {
            let lists = lost
                .iter()
                .map(|(collection, _, fault)| ((*collection).clone(), (*fault).clone()));
            notices.push(Notice::ClusterLost {
                cluster: name.clone(),
                server: cluster.server.clone(),
                lists: lists.collect(),
                since,
                jobs: record.jobs(name),
            });
        }
        notices
    }

    /// Notes what is lost and was not told. What is refused is told once, and not again when an outage of the server ends.
    fn begin<'a>(&mut self, unserved: &[Unreadable<'a>], refused: &[Unreadable<'a>]) -> Vec<Unreadable<'a>> {
        let mut lost = Vec::new();
        if self.server.is_none() {
            // A collection that could not be read before says nothing of when the server was lost.
            let new = unserved
                .iter()
                .filter(|(list, ..)| !self.refused.contains_key(*list))
                .copied();
            let (own, operators): (Vec<_>, Vec<_>) =
                new.partition(|((kind, _), ..)| kind.origin() == KindOrigin::Kubernetes);
            lost = if own.is_empty() { operators } else { own };
            self.server = lost.iter().map(|(_, since, _)| *since).min();
        }
        for &(collection, since, fault) in refused {
            if !self.refused.contains_key(collection) {
                self.refused.insert(collection.clone(), since);
                lost.push((collection, since, fault));
            }
        }
        lost
    }

    /// Notes what was told as lost and is back; for how long the longest of it was away.
    fn end(&mut self, lists: &ClusterLists, is_served: bool, now: Timestamp) -> Option<Duration> {
        let readable_since = |list: &Collection| match lists.get(list)?.reading {
            Reading::Readable { since } => Some(since),
            Reading::Pending | Reading::Unreadable { .. } => None,
        };
        let mut away: Option<Duration> = None;
        if is_served && let Some(lost) = self.server.take() {
            // It may answer, and refuse everything.
            let served = lists.iter().filter_map(|(list, _)| readable_since(list)).max();
            away = Some(served.filter(|at| *at > lost).unwrap_or(now).since(lost));
        }
        self.refused.retain(|list, lost| {
            let Some(at) = readable_since(list) else { return true };
            away = away.max(Some(at.since(*lost)));
            false
        });
        away
    }
}

/// The collections that cannot be read. That the operator's kinds are not installed, or not granted, is normal for a cluster
/// without the operator; the lists themselves say it once.
fn unreadable(lists: &ClusterLists) -> Vec<Unreadable<'_>> {
    let unreadable = lists.iter().filter_map(|(collection, list)| match &list.reading {
        Reading::Unreadable { since, fault } => Some((collection, *since, fault)),
        Reading::Pending | Reading::Readable { .. } => None,
    });
    unreadable
        .filter(|((kind, _), _, fault)| !is_normal(*kind, fault.kind))
        .collect()
}

fn is_normal(kind: ObjectKind, fault: FaultKind) -> bool {
    kind.origin() == KindOrigin::FlinkOperator && !is_of_the_server(fault)
}

/// Whether a fault is of the API server, or of the way to it, rather than of what was asked for.
fn is_of_the_server(fault: FaultKind) -> bool {
    match fault {
        FaultKind::Timeout
        | FaultKind::Refused
        | FaultKind::Address
        | FaultKind::Tls
        | FaultKind::Connection
        | FaultKind::Unauthorized
        | FaultKind::TooManyRequests
        | FaultKind::LeaderElection
        | FaultKind::Status
        | FaultKind::Other => true,
        FaultKind::Forbidden
        | FaultKind::NotFound
        | FaultKind::Expired
        | FaultKind::Malformed
        | FaultKind::TooLarge => false,
    }
}
