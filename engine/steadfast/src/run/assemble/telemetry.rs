//! Traces of decisions, if the configuration asks for them.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use steadfast_core::trace::Tracer;
use steadfast_reconcile::Tracing;
use steadfast_tasks::Tasks;
use steadfast_telemetry::{Exporter, Identity, Metrics, Spans, Way};
use tokio::time::Instant;

use super::rng;
use crate::config::Config;

/// The exporter, which is not yet at work, and the one whom the engine tells.
#[derive(Default)]
pub(in crate::run) struct Telemetry {
    parts: Option<(Tracing, Exporter)>,
}

impl Telemetry {
    /// Who is told of decisions; `None`: nobody is.
    pub(in crate::run) fn tracing(&self) -> Option<Tracing> {
        self.parts.as_ref().map(|(tracing, _)| tracing.clone())
    }

    /// Who is told of deliveries.
    pub(in crate::run) fn tracer(&self) -> Option<Arc<dyn Tracer>> {
        self.tracing().map(|tracing| tracing.tracer)
    }

    /// Begins to post.
    pub(in crate::run) fn start(self) -> Posting {
        let tasks = Tasks::default();
        if let Some((_, exporter)) = self.parts {
            tasks.spawn("telemetry", exporter.run(tasks.token().clone(), rng(0)));
        }
        Posting(tasks)
    }
}

/// The exporter at work. It ends last, as everybody else may have something to tell until then.
pub(in crate::run) struct Posting(Tasks);

impl Posting {
    /// Posts what is left. A collector that does not answer makes no stop a failure.
    pub(in crate::run) async fn stop(self, by: Instant) {
        drop(self.0.stop(by).await);
    }
}

/// Fails if there is no way to the collector, as without the certificates that vouch for it.
pub(in crate::run) fn telemetry(config: &Config, store: &str, registry: &mut Registry) -> anyhow::Result<Telemetry> {
    let Some(telemetry) = &config.telemetry else {
        return Ok(Telemetry::default());
    };
    let way = Way::to(telemetry.collector.clone())
        .map_err(|error| anyhow::Error::new(error).context("there is no way to the collector of traces"))?;
    let metrics = Metrics::default();
    metrics.register(registry);
    let spans = Spans::new(Identity {
        service: telemetry.service_name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        store: store.to_owned(),
        // The only one that this version has.
        database: "sqlite",
        resource: telemetry.resource.clone(),
    });
    let (told, exporter) = Exporter::new(spans, way, config.timing.backoff(), &metrics);
    let tracing = Tracing {
        tracer: Arc::new(told),
        share: telemetry.sample,
    };
    Ok(Telemetry {
        parts: Some((tracing, exporter)),
    })
}
