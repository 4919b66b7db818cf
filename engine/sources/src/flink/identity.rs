//! Who answers: behind an address, a Service or a gateway there may be another Flink than the one that is meant.
//!
//! An answer that lists a run the records know speaks for itself. Any other that would change something must vouch for
//! itself: `GET /jobmanager/config` names the cluster. Flinks that nobody named (standalone ones) cannot; what they say is
//! believed when it lasts ([`Patience`]).

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::{FlinkJob, FlinkOverview};
use steadfast_core::id::{FlinkJobId, Namespace};
use steadfast_core::incarnation::Run;

use super::{classify, parse};
use crate::transport::{Limits, Transport, shown};

/// The Flink that is meant, and what the records know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// What Kubernetes calls the cluster; `None` for a standalone one.
    pub cluster: Option<ClusterIdentity>,
    /// Runs of its records: one of them in a list shows whose list it is.
    pub runs: Vec<Run>,
    /// Jobs that must be told of: a list without one of them proves nothing, and it is asked for by its id.
    pub followed: Vec<FlinkJobId>,
    /// Whether the way there leads to an address that may pass to another pod: then an answer that names another cluster is
    /// never believed.
    pub is_by_address: bool,
    /// How long answers that do not show whose they are have lasted without a break; `None`: the last one did.
    pub unvouched_for: Option<Duration>,
    /// How long they must last.
    pub patience: Patience,
}

/// The name of a Flink cluster in Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterIdentity {
    /// Its `kubernetes.namespace`.
    pub namespace: Namespace,
    /// Its `kubernetes.cluster-id`, which is its Deployment's name.
    pub cluster_id: String,
}

/// How long answers must last that cannot show whose they are, until they are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Where they tell the end of what was followed.
    pub told: Duration,
    /// Where they leave it open.
    pub untold: Duration,
}

/// How an answer shows whose it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Vouching {
    /// It lists a run that is known, or changes nothing.
    Vouched,
    /// The configuration that was asked for after it names the cluster that is meant.
    ByName,
    /// Nothing shows whose it is.
    Open,
    /// Its configuration names another cluster. A Deployment need not be called as its `kubernetes.cluster-id` is.
    Another(Fault),
}

/// Looks whether an answer shows whose it is. Fails with a fault of kind [`FaultKind::Address`] if it comes from an address
/// and its configuration names another cluster.
pub(super) async fn vouch(
    transport: &dyn Transport,
    base: &str,
    overview: &FlinkOverview,
    expected: &Expected,
    limits: Limits,
) -> Result<Vouching, Fault> {
    let known: BTreeSet<&Run> = expected.runs.iter().collect();
    let is_known = |job: &FlinkJob| known.contains(&(job.id, job.started_at));
    let lists_a_known_run = overview.jobs.iter().any(is_known);
    let changes_nothing = overview.jobs.is_empty() && overview.untold.is_empty() && expected.followed.is_empty();
    if lists_a_known_run || changes_nothing {
        return Ok(Vouching::Vouched);
    }
    let nothing_to_lose = expected.runs.is_empty();
    let Some(cluster) = &expected.cluster else {
        return Ok(if nothing_to_lose {
            Vouching::Vouched
        } else {
            Vouching::Open
        });
    };
    match named(transport, base, cluster, limits).await {
        Ok(Named::Meant) => Ok(Vouching::ByName),
        Ok(Named::Nobody) | Err(_) if nothing_to_lose => Ok(Vouching::Vouched),
        Ok(Named::Nobody) | Err(_) => Ok(Vouching::Open),
        Ok(Named::Another(other)) => {
            let message = format!(
                "{}: answers as {other}, not as Flink cluster {}/{}",
                shown(base),
                cluster.namespace,
                cluster.cluster_id
            );
            let fault = Fault::new(FaultKind::Address, message);
            if expected.is_by_address {
                Err(fault)
            } else {
                Ok(Vouching::Another(fault))
            }
        }
    }
}

/// Whom a configuration names.
enum Named {
    /// The cluster that is meant.
    Meant,
    /// Nobody: only Flink's Kubernetes integrations set these options.
    Nobody,
    Another(String),
}

async fn named(
    transport: &dyn Transport,
    base: &str,
    cluster: &ClusterIdentity,
    limits: Limits,
) -> Result<Named, Fault> {
    let url = format!("{base}/jobmanager/config");
    let body = classify::body(&url, transport.get(&url, limits).await?)?;
    Ok(whom(parse::json(&url, &body)?, cluster))
}

/// One entry of `/jobmanager/config`.
#[derive(Deserialize)]
struct Entry {
    key: String,
    value: Option<String>,
}

fn whom(config: Vec<Entry>, meant: &ClusterIdentity) -> Named {
    let value = |key: &str| {
        config
            .iter()
            .find(|entry| entry.key == key)
            .and_then(|entry| entry.value.as_deref())
    };
    let (cluster, namespace) = (value("kubernetes.cluster-id"), value("kubernetes.namespace"));
    match (cluster, namespace) {
        (Some(cluster), _) if cluster != meant.cluster_id => Named::Another(format!("Flink cluster {cluster}")),
        (_, Some(namespace)) if namespace != meant.namespace.as_str() => {
            Named::Another(format!("a Flink cluster of namespace {namespace}"))
        }
        (Some(_), _) => Named::Meant,
        (None, _) => Named::Nobody,
    }
}
