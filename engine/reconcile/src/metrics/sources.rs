//! What the engine can see of its sources, and how it is itself, in numbers.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use steadfast_core::cluster_lists::{Collection, ListStatus, Reading, is_not_served};
use steadfast_core::id::{ClusterName, Namespace};
use steadfast_core::journal::Sequence;
use steadfast_core::projection::Projection;
use steadfast_core::time::{Clock, Timestamp};
use tokio::sync::watch;

use super::write::{Named, gauge, gauges, seconds};
use crate::setup::{Role, Standing};
use crate::status::{ClusterStatus, PolicyStatus, Status, StatusBoard};

const REACHABLE: Named = Named::new(
    "steadfast_cluster_reachable",
    "Whether Deployments and pods of a cluster can be read; absent until the first lists have ended.",
);
const UNKNOWN_SINCE: Named = Named::seconds(
    "steadfast_cluster_unknown_since_timestamp",
    "Since when Deployments or pods of a cluster cannot be read; absent while they can.",
);
const NEVER_READ: Named = Named::new(
    "steadfast_cluster_never_read",
    "Whether Deployments of a cluster, or of one of its namespaces, were never read: jobs may be missing from the record.",
);
const LIST_UNKNOWN_SINCE: Named = Named::seconds(
    "steadfast_list_unknown_since_timestamp",
    "Since when a list of a cluster cannot be read, by kind and namespace (empty: all); absent while it can.",
);
const UNWATCHED: Named = Named::new(
    "steadfast_deployments_unwatched",
    "Deployments with Flink's labels that nothing watches; absent until Deployments were listed.",
);
const FLINKS: Named = Named::new(
    "steadfast_flinks",
    "Flinks that were polled and should answer, by whether their last poll was answered.",
);
const SILENT_SINCE: Named = Named::seconds(
    "steadfast_flinks_silent_since_timestamp",
    "Since when the Flink of a cluster that is silent the longest gives no answer; absent while all do.",
);
const FLEET: Named = Named::new(
    "steadfast_fleet_targets",
    "Targets of a cluster that the fleet guard counts.",
);
const DARK: Named = Named::new(
    "steadfast_fleet_dark_targets",
    "Those of a cluster's targets of which no source has a fresh answer.",
);
const TURN_AGE: Named = Named::seconds("steadfast_loop_turn_age", "How long ago the loop last turned.");
const WRITABLE: Named = Named::new(
    "steadfast_store_writable",
    "Whether the store took the last commit that it was given.",
);
const NEWEST: Named = Named::new(
    "steadfast_journal_sequence",
    "The newest sequence of the journal that is shown.",
);
const STANDING: Named = Named::new(
    "steadfast_policy_standing",
    "1 for how a policy stands: as-configured, outdated (the last good module decides) or unusable.",
);

/// Reads what the loop shows of itself.
pub(super) struct Sources {
    pub(super) status: StatusBoard,
    pub(super) projection: Arc<Projection>,
    pub(super) entries: watch::Receiver<Sequence>,
    pub(super) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (status, encoder) = (self.status.read(), &mut encoder);
        clusters(&status, encoder)?;
        self.flinks(encoder)?;
        let fleets = || status.fleets.iter();
        let targets = fleets().map(|(cluster, fleet)| (of(cluster), fleet.targets));
        gauges(encoder, FLEET, targets)?;
        gauges(
            encoder,
            DARK,
            fleets().map(|(cluster, fleet)| (of(cluster), fleet.dark)),
        )?;
        let policies = status.policies.iter().map(|policy| (standing(policy), 1_u64));
        gauges(encoder, STANDING, policies)?;
        let turned = self.clock.now().since(status.turned_at);
        gauge(encoder, TURN_AGE, turned.as_secs_f64())?;
        gauge(encoder, WRITABLE, u64::from(status.store_error.is_none()))?;
        gauge(encoder, NEWEST, self.entries.borrow().0)
    }
}

impl Sources {
    fn flinks(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let flinks = self.status.flinks(|flink| self.projection.expects(flink));
        let counts = flinks.iter().flat_map(|(cluster, counts)| {
            let answering = counts.watched.saturating_sub(counts.silent);
            [("answering", answering), ("silent", counts.silent)]
                .map(|(answer, count)| ([("cluster", cluster.as_str()), ("answer", answer)], count))
        });
        gauges(encoder, FLINKS, counts)?;
        let silent = flinks
            .iter()
            .filter_map(|(cluster, counts)| Some((of(cluster), seconds(counts.silent_since?))));
        gauges(encoder, SILENT_SINCE, silent)
    }
}

fn clusters(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let clusters = || status.clusters.iter();
    let reachable = clusters().filter_map(|(name, cluster)| {
        let reachable = match cluster.lists.reading() {
            Reading::Pending => return None,
            Reading::Readable { .. } => 1_u64,
            Reading::Unreadable { .. } => 0,
        };
        Some((of(name), reachable))
    });
    gauges(encoder, REACHABLE, reachable)?;
    let unknown = clusters().filter_map(|(name, cluster)| Some((of(name), seconds(since(&cluster.lists.reading())?))));
    gauges(encoder, UNKNOWN_SINCE, unknown)?;
    let never_read = clusters().map(|(name, cluster)| (of(name), u64::from(cluster.lists.is_never_read(None))));
    gauges(encoder, NEVER_READ, never_read)?;
    let lists = clusters().flat_map(|(name, cluster)| unreadable(name, cluster));
    gauges(encoder, LIST_UNKNOWN_SINCE, lists)?;
    let unwatched = clusters().filter(|(_, cluster)| !cluster.unwatched.is_empty());
    let unwatched = unwatched.map(|(name, cluster)| {
        let objects: usize = cluster.unwatched.values().map(Vec::len).sum();
        (of(name), objects)
    });
    gauges(encoder, UNWATCHED, unwatched)
}

type ListLabels<'a> = [(&'static str, &'a str); 3];

/// The lists of a cluster that cannot be read. A kind of the operator's that is not served is none of them.
fn unreadable<'a>(name: &'a ClusterName, cluster: &'a ClusterStatus) -> impl Iterator<Item = (ListLabels<'a>, f64)> {
    let is_missed =
        |(kind, _): &Collection, list: &ListStatus| !list.fault().is_some_and(|fault| is_not_served(*kind, fault));
    let missed = cluster.lists.iter().filter(move |(of, list)| is_missed(of, list));
    missed.filter_map(|((kind, namespace), list)| {
        let labels = [
            ("cluster", name.as_str()),
            ("kind", kind.as_str()),
            ("namespace", namespace.as_ref().map_or("", Namespace::as_str)),
        ];
        Some((labels, seconds(since(&list.reading)?)))
    })
}

fn since(reading: &Reading) -> Option<Timestamp> {
    match reading {
        Reading::Unreadable { since, .. } => Some(*since),
        Reading::Pending | Reading::Readable { .. } => None,
    }
}

fn of(cluster: &ClusterName) -> [(&'static str, &str); 1] {
    [("cluster", cluster.as_str())]
}

fn standing(policy: &PolicyStatus) -> [(&'static str, &str); 3] {
    let role = match policy.role {
        Role::Decides => "decides",
        Role::Shadow => "shadow",
    };
    let standing = match policy.standing {
        Standing::AsConfigured => "as-configured",
        Standing::Outdated(_) => "outdated",
        Standing::Unusable(_) => "unusable",
    };
    [("policy", policy.name.as_str()), ("role", role), ("standing", standing)]
}

#[cfg(test)]
mod tests;
