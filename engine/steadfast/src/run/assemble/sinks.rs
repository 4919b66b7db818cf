//! The sinks of the configuration.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use steadfast_core::journal::Store;
use steadfast_core::time::Clock;
use steadfast_core::trace::Tracer;
use steadfast_reconcile::ClusterSetup;
use steadfast_server::sinks::{
    self, Courier, Deliver, HttpPost, Mailer, MediaType, NoWay, Protocol, Receiver, SinkBoard, SinkMetrics, SinkPorts,
};
use steadfast_sources::kubernetes::Writer;

use super::event_post::EventPost;
use crate::config::{Config, Sink};

/// The way to a receiver.
pub(crate) enum Way {
    /// By HTTP.
    Http(HttpPost),
    /// By SMTP.
    Mail(Mailer),
    /// Over a cluster's client.
    Events(EventPost),
}

impl Way {
    /// Fails if there is none, as without the certificates that vouch for the receiver. A cluster is reached by its writer.
    pub(crate) fn to(sink: &Sink, writer: Option<Writer>, clock: Arc<dyn Clock>) -> Result<Self, NoWay> {
        let (http, protocol) = match &sink.receiver {
            Receiver::Webhook { http, template: None } => (http, Protocol::Webhook(MediaType::CloudEvent)),
            Receiver::Webhook {
                http,
                template: Some(_),
            } => (http, Protocol::Webhook(MediaType::Json)),
            Receiver::Alertmanager { http, .. } => (http, Protocol::Alertmanager),
            Receiver::Chat { chat, http, .. } => (http, Protocol::Chat(*chat)),
            Receiver::Email { mail, .. } => return Ok(Self::Mail(Mailer::new(mail.clone(), &sink.name))),
            Receiver::KubernetesEvent { .. } => {
                return writer.map(EventPost::new).map(Self::Events).ok_or(NoWay::Cluster);
            }
        };
        HttpPost::new(http.clone(), protocol, clock).map(Self::Http)
    }

    /// As the engine has it.
    pub(crate) fn into_deliver(self) -> Arc<dyn Deliver> {
        match self {
            Self::Http(post) => Arc::new(post),
            Self::Mail(mailer) => Arc::new(mailer),
            Self::Events(post) => Arc::new(post),
        }
    }
}

/// What all sinks share.
pub(in crate::run) struct Shared<'a> {
    /// Their journal, and where their places in it are kept.
    store: &'a Arc<dyn Store>,
    clock: &'a Arc<dyn Clock>,
    board: &'a SinkBoard,
    tracer: Option<Arc<dyn Tracer>>,
}

impl<'a> Shared<'a> {
    /// These.
    pub(in crate::run) fn new(
        (store, clock): (&'a Arc<dyn Store>, &'a Arc<dyn Clock>),
        board: &'a SinkBoard,
        tracer: Option<Arc<dyn Tracer>>,
    ) -> Self {
        Self {
            store,
            clock,
            board,
            tracer,
        }
    }
}

/// The sinks, each at its place in the journal, and none yet at work.
pub(in crate::run) async fn couriers(
    config: &Config,
    clusters: &[ClusterSetup],
    shared: Shared<'_>,
    registry: &mut Registry,
) -> anyhow::Result<Vec<Courier>> {
    let Shared {
        store,
        clock,
        board,
        tracer,
    } = shared;
    let sinks = &config.sinks;
    let metrics = SinkMetrics::default();
    if !sinks.is_empty() {
        metrics.register(registry);
    }
    let mut couriers = Vec::new();
    for sink in sinks {
        let named = |cluster: &&ClusterSetup| sink.receiver.cluster() == Some(&cluster.settings.name);
        let client = clusters.iter().find(named).map(|cluster| cluster.client.clone());
        let writer = client.map(|client| Writer::new(client, config.timing.timeout));
        let way = Way::to(sink, writer, Arc::clone(clock));
        let ports = SinkPorts {
            store: Arc::clone(store),
            to: way
                .map_err(|error| {
                    anyhow::Error::new(error).context(format!("there is no way to the sink {}", sink.name))
                })?
                .into_deliver(),
            clock: Arc::clone(clock),
            metrics: metrics.clone(),
            board: board.clone(),
            tracer: tracer.clone(),
        };
        let settings = sinks::Sink {
            name: sink.name.clone(),
            formerly: sink.receiver.nameless().await.filter(|name| *name != sink.name),
            retry: config.timing.backoff(),
            max_age: sink.max_age,
            selection: sink.selection.clone(),
            renderer: sink.receiver.renderer(),
            batch_wait: sink.batch_wait,
        };
        couriers.push(Courier::begin(settings, ports).await?);
    }
    Ok(couriers)
}
