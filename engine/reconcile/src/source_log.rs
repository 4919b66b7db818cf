//! What the log says of sources that are lost and come back: one line when, and one when it is over, nothing in between.
//!
//! It decides by how the sources stand when it is asked, not by each event, and asks to be called a little after something
//! changed. So a list that fails once and is answered by the retry is no news, the four lists that an outage takes down within
//! a second are one line, and a Flink that restarts is none. Nothing here reads a clock or writes a line.
//!
//! What counts as one source:
//!
//! - *An API server*, whatever is asked of it, if the fault is of the server or of the way to it.
//! - *A collection*, if the server answers for it alone: a 403 names verb and resource. All that are lost together share a line.
//! - *A Flink*; or, where most of a cluster's Flinks are silent, the fleet. The share is the one from which the conservative
//!   policy's fleet guard speaks of a disruption.

mod flinks;
mod kubernetes;
mod notice;

use std::collections::BTreeMap;

use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::projection::Projection;
use steadfast_core::time::Timestamp;

pub(crate) use notice::{Loss, Notice};

use crate::flinks::Flinks;
use crate::status::ClusterStatus;
use flinks::FleetLog;
use kubernetes::ClusterLog;

/// What was told of each source, and when to look again.
#[derive(Debug, Default)]
pub(crate) struct SourceLog {
    clusters: BTreeMap<ClusterName, ClusterLog>,
    fleets: BTreeMap<ClusterName, FleetLog>,
}

/// What is on record, as far as it bears on what to tell.
pub(crate) trait OnRecord {
    /// How many jobs of a cluster are.
    fn jobs(&self, cluster: &ClusterName) -> u64;
    /// Whether a Flink should answer: not once all its jobs have ended.
    fn expects(&self, flink: &TargetId) -> bool;
}

impl OnRecord for Projection {
    fn jobs(&self, cluster: &ClusterName) -> u64 {
        self.counts().get(cluster).map_or(0, |counts| counts.jobs)
    }

    fn expects(&self, flink: &TargetId) -> bool {
        Projection::expects(self, flink)
    }
}

impl SourceLog {
    /// A collection of the cluster can be read now that could not, or the other way round, or cannot for another reason.
    pub(crate) fn list_changed(&mut self, cluster: &ClusterName, now: Timestamp) {
        self.clusters.entry(cluster.clone()).or_default().changed(now);
    }

    /// A Flink fell silent, or answers again.
    pub(crate) fn flink_changed(&mut self, flink: &TargetId, now: Timestamp) {
        self.fleets.entry(flink.cluster.clone()).or_default().changed(now);
    }

    /// When there may be something to tell.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let clusters = self.clusters.values().filter_map(ClusterLog::due);
        let fleets = self.fleets.values().filter_map(FleetLog::due);
        clusters.chain(fleets).min()
    }

    /// What there is to tell of Kubernetes clusters by now.
    pub(crate) fn of_clusters(
        &mut self,
        clusters: &BTreeMap<ClusterName, ClusterStatus>,
        record: &impl OnRecord,
        now: Timestamp,
    ) -> Vec<Notice> {
        let due = self.clusters.iter_mut().filter(|(_, log)| log.is_due(now));
        due.filter_map(|(name, log)| Some(log.look(name, clusters.get(name)?, record, now)))
            .flatten()
            .collect()
    }

    /// What there is to tell of Flinks by now.
    pub(crate) fn of_flinks(&mut self, flinks: &Flinks, record: &impl OnRecord, now: Timestamp) -> Vec<Notice> {
        let due = self.fleets.iter_mut().filter(|(_, log)| log.is_due(now));
        due.flat_map(|(name, log)| log.look(name, flinks, record, now))
            .collect()
    }
}

#[cfg(test)]
mod tests;
