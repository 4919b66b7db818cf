//! What is asked of the journal as a whole: by job, by what happened, by when.

use std::collections::BTreeSet;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{Entry, Row, Sequence};
use crate::event::EventKind;
use crate::id::{ClusterName, JobKey, Namespace};
use crate::state::word;
use crate::time::Timestamp;

/// Which entries are asked for, and in which order. An empty set asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Only of this job.
    pub job: Option<JobKey>,
    /// Only of jobs of these clusters.
    pub clusters: BTreeSet<ClusterName>,
    /// Only of jobs of these namespaces.
    pub namespaces: BTreeSet<Namespace>,
    /// Only events of these kinds.
    pub kinds: BTreeSet<EventKind>,
    /// Only what was decided then or later.
    pub since: Option<Timestamp>,
    /// Only what was decided before then: a span and the next one that begins where it ends have no entry in common.
    pub until: Option<Timestamp>,
    /// Which come first.
    pub order: Order,
}

/// Which entries come first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum Order {
    /// Those with the highest sequence.
    #[default]
    Newest,
    /// Those with the lowest.
    Oldest,
}

word!(Order);

/// Rows that were asked for, in the order that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// Those that were found. What does not read is among them if its row may be one that was asked for.
    pub rows: Vec<Row>,
    /// Behind which position to go on; `None`: there is no more.
    pub next: Option<Sequence>,
    /// Entries up to this one may have been dropped, since they were older than what is kept.
    pub dropped_until: Sequence,
}

impl History {
    /// Whether an entry is asked for.
    pub fn takes(&self, entry: &Entry) -> bool {
        self.takes_job(&entry.key)
            && (self.kinds.is_empty() || self.kinds.contains(&entry.event.kind()))
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
    }

    /// Whether entries of a job are asked for.
    pub fn takes_job(&self, key: &JobKey) -> bool {
        let target = &key.target;
        self.job.as_ref().is_none_or(|job| job == key)
            && (self.clusters.is_empty() || self.clusters.contains(&target.cluster))
            && (self.namespaces.is_empty() || self.namespaces.contains(&target.namespace))
    }

    /// Whether it matters when an entry was decided.
    pub fn is_bounded_in_time(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }
}
