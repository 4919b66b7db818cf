//! What an engine says it can read of its cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::engine::Api;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// The one cluster of `GET /api/v1/clusters`.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// `reached` or `retrying`.
    pub state: String,
    /// Each kind that is listed, with why it cannot be read, if it cannot.
    pub kinds: BTreeMap<String, Option<String>>,
}

impl Cluster {
    /// Reads the answer.
    pub fn read(answer: &Value) -> Result<Self> {
        let cluster = answer.pointer("/items/0").context("no cluster")?;
        let kinds = cluster.get("kinds").and_then(Value::as_array).context("no kinds")?;
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            state: text(cluster, "state").context("no state")?,
            kinds: kinds
                .iter()
                .map(|kind| Ok((text(kind, "kind").context("no kind")?, text(kind, "fault"))))
                .collect::<Result<_>>()?,
        })
    }

    /// Why a kind cannot be read.
    #[must_use]
    pub fn fault(&self, kind: &str) -> Option<&str> {
        self.kinds.get(kind)?.as_deref()
    }

    /// Whether all of it can be read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.state == "reached" && self.kinds.values().all(Option::is_none)
    }
}

impl Api {
    /// Waits until the cluster is as `wanted`.
    pub async fn wait_cluster(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Cluster) -> bool,
    ) -> Result<Cluster> {
        let end = Instant::now() + limit;
        let mut looks = interval(PAUSE);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let cluster = self.cluster().await?;
            if wanted(&cluster) {
                return Ok(cluster);
            }
            if Instant::now() > end {
                bail!("the cluster did not become {what} within {limit:?}; it is {cluster:?}");
            }
        }
    }
}
