//! What an engine says of its clusters, and whether what is asked for is among what it has.

use std::ops::Deref;

use anyhow::anyhow;
use serde_json::Value;
use steadfast_core::state::JobState;
use steadfast_server::{Cluster, ClusterList, Kind, KindState, Standalone};

use super::{NAMED, PATH};
use crate::cli::Failure;
use crate::cli::client::{Client, with_query};
use crate::cli::filter::Filter;
use crate::cli::names::{self, JOBS};

/// A cluster, and how many of its jobs are known to have ended: nothing that happens to it changes what is said of them.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Seen {
    pub(super) cluster: Cluster,
    pub(super) ended: u64,
}

impl Deref for Seen {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl Seen {
    /// Whether jobs that are there may not be on record: what tells of new ones cannot be read. It is what the engine's own
    /// `job-not-known` goes by.
    pub(in crate::cli) fn may_have_more(&self) -> bool {
        let tells = |kind: &Kind| matches!(kind.kind.as_str(), "Deployment" | "FlinkDeployment");
        let mut telling = self.kinds.iter().filter(|kind| tells(kind));
        self.never_read || telling.any(|kind| kind.state == KindState::Retrying)
    }
}

impl From<Cluster> for Seen {
    fn from(cluster: Cluster) -> Self {
        Self { cluster, ended: 0 }
    }
}

/// The clusters of an engine.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Clusters {
    pub(in crate::cli) items: Vec<Seen>,
    pub(super) standalone: Option<Standalone>,
    /// Whether the engine says which there are.
    pub(super) is_told: bool,
}

/// What the engine can read of its clusters. An engine of an earlier version does not say, and has none.
pub(in crate::cli) async fn read(client: &Client) -> Result<Clusters, Failure> {
    let Some(list) = client.find(PATH).await? else {
        return Ok(Clusters::default());
    };
    let list: ClusterList = serde_json::from_value(list).map_err(|error| {
        Failure::Unreachable(anyhow::Error::new(error).context("the engine's clusters could not be read"))
    })?;
    let mut items: Vec<Seen> = list.items.into_iter().map(Seen::from).collect();
    for seen in &mut items {
        let is_lost = seen.kinds.iter().any(|kind| kind.state == KindState::Retrying);
        if is_lost && seen.jobs > seen.unconfirmed {
            seen.ended = ended(client, &seen.name).await?;
        }
    }
    Ok(Clusters {
        items,
        standalone: list.standalone,
        is_told: true,
    })
}

/// How many jobs of a cluster are over, and confirmed. An engine of an earlier version does not count them.
async fn ended(client: &Client, cluster: &str) -> Result<u64, Failure> {
    let asked = [("cluster", cluster.to_owned()), ("confidence", "confirmed".to_owned())];
    let summary = match client.find(&with_query("/api/v1/summary", &asked)).await {
        Err(Failure::UnknownParameter(_)) => None,
        answer => answer?,
    };
    let states = summary
        .as_ref()
        .and_then(|summary| summary.pointer("/facets/state/items")?.as_array());
    let count = |item: &Value| {
        let state = JobState::parse(item.get("value")?.as_str()?)?;
        item.get("count")?.as_u64().filter(|_| state.is_terminal())
    };
    Ok(states.into_iter().flatten().filter_map(count).sum())
}

impl Clusters {
    /// Refuses a cluster that is asked for, where none of that name is configured and no job of it is on record: a mistyped one
    /// would look like one without jobs.
    pub(in crate::cli) async fn refuse_unknown(&self, client: &Client, asked: &[String]) -> Result<(), Failure> {
        let known: Vec<&str> = self.items.iter().map(|cluster| cluster.name.as_str()).collect();
        for name in asked.iter().filter(|_| self.is_told) {
            if name == "-" || known.contains(&name.as_str()) {
                continue;
            }
            if client.first(JOBS, &[("cluster", name.clone())], 1).await?.is_empty() {
                return Err(Failure::Usage(anyhow!(
                    "no cluster `{name}` is configured; {}{}",
                    there_are(&known),
                    names::alike(name, &known)
                )));
            }
        }
        Ok(())
    }
}

/// `there is `local``, `there are ...`.
fn there_are(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match shown.as_slice() {
        [] => "there is none".to_owned(),
        [one] => format!("there is {one}"),
        several => format!("there are {}{more}", several.join(", ")),
    }
}

/// A namespace that is asked for and has no job on record, or an alert that stands nowhere, if there is one: which ones there are.
/// An engine that does not say adds nothing.
pub(in crate::cli) async fn unknown_word(client: &Client, filter: &Filter) -> Option<String> {
    if let Some(line) = unknown_namespace(client, &filter.namespace).await {
        return Some(line);
    }
    of_facet(client, "alert", &filter.alert, "no job has the alert").await
}

/// The same of namespaces alone.
pub(in crate::cli) async fn unknown_namespace(client: &Client, asked: &[String]) -> Option<String> {
    of_facet(client, "namespace", asked, "no job on record is of namespace").await
}

async fn of_facet(client: &Client, facet: &str, asked: &[String], says: &str) -> Option<String> {
    if asked.is_empty() {
        return None;
    }
    let summary = client.find("/api/v1/summary").await.ok().flatten()?;
    let items = summary.pointer(&format!("/facets/{facet}/items"))?.as_array()?;
    let known: Vec<&str> = items.iter().filter_map(|item| item.get("value")?.as_str()).collect();
    let more = summary
        .pointer(&format!("/facets/{facet}/more"))
        .and_then(Value::as_u64)
        .unwrap_or(0);
    let unknown = asked
        .iter()
        .find(|name| *name != "*" && !known.contains(&name.as_str()))?;
    (more == 0).then(|| {
        let meant = names::alike(unknown, &known);
        format!("{says} `{unknown}`; {}{meant}", there_are(&known))
    })
}
