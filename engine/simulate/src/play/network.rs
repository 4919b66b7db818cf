//! The network from the engine's sources to the world's Flinks, within the process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Request;
use http_body_util::{BodyExt, Limited};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_sources::transport::{Answer, Limits, Transport};
use steadfast_world::World;
use steadfast_world::flink::Flink;
use steadfast_world::memory::exchange;
use steadfast_world::story::TargetSpec;

/// The HistoryServer's address, of as many parts as a Flink's.
pub(super) const HISTORY: &str = "http://history/-/-/-";

/// Leads `http://flink:{rest_port}/{cluster}/{namespace}/{name}/...` to the Flink of that name, and [`HISTORY`] to the
/// HistoryServer.
pub(super) struct Network {
    flinks: BTreeMap<String, Arc<Flink>>,
}

/// Where the Flinks of a cluster are.
pub(super) fn template(cluster: &str) -> String {
    format!("http://flink:{{rest_port}}/{cluster}/{{namespace}}/{{name}}")
}

/// Where one Flink is: a port that only its pods know.
pub(super) fn address(target: &TargetSpec) -> String {
    let TargetSpec {
        cluster,
        namespace,
        name,
        ..
    } = target;
    format!("http://flink:{{rest_port}}/{cluster}/{namespace}/{name}")
}

impl Network {
    pub(super) fn of(world: &World) -> Self {
        let model = world.model();
        let address = |name: &String| {
            let target = model.targets.get(name)?;
            Some(address(target).replace("{rest_port}", &target.rest_port.to_string()))
        };
        let flinks = world
            .flinks()
            .iter()
            .filter_map(|(name, flink)| Some((address(name)?, Arc::clone(flink))));
        let history = world.history().map(|history| (HISTORY.to_owned(), Arc::clone(history)));
        Self {
            flinks: flinks.chain(history).collect(),
        }
    }

    async fn fetch(&self, url: &str, most: usize) -> Result<Answer, Fault> {
        let wrong = |kind, text: &dyn std::fmt::Display| Fault::new(kind, format!("{url}: {text}"));
        let end = url.match_indices('/').nth(5).map_or(url.len(), |(end, _)| end);
        let (base, path) = url.split_at(end);
        let flink = self
            .flinks
            .get(base)
            .ok_or_else(|| wrong(FaultKind::Address, &"no such host"))?;
        let request = Request::get(path)
            .body(())
            .map_err(|error| wrong(FaultKind::Address, &error))?;
        let response = exchange(Arc::clone(flink) as Arc<_>, request).await.map_err(|error| {
            let refused = error.kind() == std::io::ErrorKind::ConnectionRefused;
            wrong(
                if refused {
                    FaultKind::Refused
                } else {
                    FaultKind::Connection
                },
                &error,
            )
        })?;
        let retry_after = response.headers().get(http::header::RETRY_AFTER);
        let seconds = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), most).collect().await;
        let body = body.map_err(|error| wrong(FaultKind::Connection, &error))?.to_bytes();
        Ok(Answer {
            status,
            retry_after: seconds.map(Duration::from_secs),
            body,
        })
    }
}

#[async_trait]
impl Transport for Network {
    async fn get(&self, url: &str, limits: Limits) -> Result<Answer, Fault> {
        let answer = tokio::time::timeout(limits.deadline, self.fetch(url, limits.max_bytes)).await;
        answer.unwrap_or_else(|_| {
            Err(Fault::new(
                FaultKind::Timeout,
                format!("{url}: no complete answer in time"),
            ))
        })
    }
}
