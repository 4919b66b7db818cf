//! Kubernetes: one LIST+WATCH for each kind and namespace of a cluster ([`reflector`]), and a few lookups on request.
//!
//! It is written on `kube`'s client alone, since what its watcher abstracts away is what this product is about:
//! every call has a deadline and a size limit, an undecodable object is named and skipped, an error is passed on as
//! such, and what a broken watch may have missed counts as not seen.

mod by_name;
mod closeup;
mod connect;
mod credentials;
mod decode;
mod examine;
mod kubeconfig;
mod list;
mod lookups;
mod metadata;
mod operator;
mod plugin;
mod recovery;
mod reflector;
mod rights;
mod selection;
mod token_file;
mod token_review;
mod update_sender;
mod watch;
mod watch_session;
mod words;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::SeedableRng;
use rand::rngs::StdRng;
use steadfast_core::id::{ClusterName, Namespace, Uid};
use steadfast_core::kube_update::{KubeUpdate, ObjectKind, Scope};
use steadfast_core::time::{Clock, Timestamp};
use steadfast_core::timing::Timing;
use steadfast_tasks::Tasks;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub use connect::{ConnectError, Connected, Lacking, Location, check_kubeconfig, connect, connect_to, look_around};
pub use credentials::Credentials;
pub(crate) use credentials::NoCredentialsYet;
pub use examine::{Examiner, ServerVersion};
pub use lookups::Answered;
pub use plugin::PluginError;
pub use rights::{Need, Right, Uses, Writes, rights};
pub use token_file::TokenFileError;
pub use token_review::{TokenExaminer, TokenOwner, rights_of_reviews};
pub use writer::{FIELD_MANAGER, Refused, Writer};

use by_name::Getter;
use recovery::Recovery;
use reflector::Reflector;
use selection::{Asker, Selection};
use update_sender::UpdateSender;

/// How a cluster is watched.
#[derive(Clone, Debug)]
pub struct KubeSettings {
    /// The name by which the configuration calls it.
    pub name: ClusterName,
    /// The namespaces to list and watch one by one; none: all of them at once.
    pub namespaces: Vec<Namespace>,
    /// `timeout` bounds every call but the watch's stream, `validate` is how often everything is listed afresh, `poll`
    /// the interval of the canary while lists fail, and `retry_initial` to `retry_max` the bounds of the other retries.
    pub timing: Timing,
    /// Which Deployments are listed.
    pub deployments: Selector,
}

/// Which Deployments are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// All: an explicit target's Deployment may carry no label of Flink's.
    All,
    /// Those labelled by Flink's native integration or the operator's standalone mode.
    Flink,
}

/// A Deployment that was there when it was last looked at, before the cluster was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDeployment {
    /// `metadata.namespace`.
    pub namespace: Namespace,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`; `None` where a record counts on whichever there is, as the jobs of a session cluster do.
    pub uid: Option<Uid>,
}

/// Whether the Flink Kubernetes Operator's resources are listed and watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorResources {
    /// FlinkDeployments, FlinkSessionJobs and FlinkStateSnapshots are. Where the cluster lacks them, nothing is known of them.
    Watched,
    /// They are not.
    Ignored,
}

impl OperatorResources {
    /// The kinds of the scopes.
    fn kinds(self) -> &'static [ObjectKind] {
        match self {
            Self::Ignored => &[ObjectKind::Deployment, ObjectKind::Pod],
            Self::Watched => &[
                ObjectKind::Deployment,
                ObjectKind::Pod,
                ObjectKind::FlinkDeployment,
                ObjectKind::FlinkSessionJob,
                ObjectKind::FlinkStateSnapshot,
            ],
        }
    }
}

/// A cluster under watch.
pub struct KubeCluster {
    settings: KubeSettings,
    client: kube::Client,
    getter: Getter,
    /// To each reflector, the latest moment after which somebody asked for a list to begin. One channel each: the receivers of
    /// one channel are woken in a random order, and one seed would not be one run.
    relist_requests: Vec<tokio::sync::watch::Sender<Timestamp>>,
    undecodable: Arc<AtomicU64>,
}

/// What a watched cluster works with, beside its settings.
pub struct KubePorts {
    /// The way to the API server. Its calls get their deadlines from the settings.
    pub client: kube::Client,
    /// By which requests and answers are dated.
    pub clock: Arc<dyn Clock>,
    /// Where everything that is learned goes. When it is full, watches and lists wait, and nothing is lost.
    pub updates: mpsc::Sender<KubeUpdate>,
    /// By whom lists and watches are run, and with whom they end.
    pub tasks: Tasks,
    /// What must not count as gone because the first list does not select it: it is asked for by name.
    pub known: Vec<KnownDeployment>,
    /// Of the jitter; each scope draws from a sequence of its own.
    pub seed: u64,
}

impl KubeCluster {
    /// Starts to list and watch, one task for each scope. Nothing is asked before the tasks run, so a cluster that
    /// cannot be reached is started like any other.
    pub fn start(settings: KubeSettings, operator: OperatorResources, ports: KubePorts) -> Self {
        let mut relist_requests = Vec::new();
        let recovery = Arc::new(Recovery::default());
        let undecodable = Arc::new(AtomicU64::new(0));
        let timing = settings.timing;
        let getter = Getter::new(ports.client.clone(), timing.timeout, timing.validate);
        for (id, scope) in (0_u64..).zip(scopes(&settings, operator)) {
            let namespace = scope.namespace.as_ref().map_or("*", Namespace::as_str);
            let name = format!("watch of {:?} in {}/{namespace}", scope.kind, scope.cluster);
            let span = tracing::info_span!("reflector", cluster = %scope.cluster, kind = ?scope.kind, namespace);
            let selection = list::selects(scope.kind, settings.deployments).then(|| {
                // A sequence beside the reflector's own.
                let seed = ports.seed.wrapping_mul(31).wrapping_add(id).wrapping_add(1 << 32);
                let rng = StdRng::seed_from_u64(seed);
                let known = known_in(&scope, &ports.known);
                let asker = Asker {
                    getter: getter.clone(),
                    clock: Arc::clone(&ports.clock),
                };
                Selection::new(scope.kind, asker, timing.backoff(), rng, known)
            });
            let (request_relist, relist_requested) = tokio::sync::watch::channel(Timestamp::default());
            relist_requests.push(request_relist);
            let reflector = Reflector {
                path: list::path(&scope, settings.deployments),
                id,
                client: ports.client.clone(),
                settings: settings.clone(),
                backoff: settings.timing.backoff(),
                rng: StdRng::seed_from_u64(ports.seed.wrapping_mul(31).wrapping_add(id)),
                relist_requested,
                recovery: Arc::clone(&recovery),
                updates: UpdateSender {
                    scope,
                    clock: Arc::clone(&ports.clock),
                    channel: ports.updates.clone(),
                    undecodable: Arc::clone(&undecodable),
                },
                not_served: None,
                page: list::PAGE,
            };
            let work = until_cancelled(ports.tasks.token().clone(), reflector.run(selection));
            ports.tasks.spawn(name, work.instrument(span));
        }
        Self {
            settings,
            client: ports.client,
            getter,
            relist_requests,
            undecodable,
        }
    }

    /// The cluster's name.
    pub fn name(&self) -> &ClusterName {
        &self.settings.name
    }

    /// Asks for lists begun after that moment. Requests are merged, and a list is not begun sooner than half a poll,
    /// or five times as long as the last one took, after the last one began.
    pub fn request_relist(&self, after: Timestamp) {
        for request in &self.relist_requests {
            request.send_if_modified(|latest| {
                let is_later = after > *latest;
                *latest = after.max(*latest);
                is_later
            });
        }
    }

    /// How many objects could not be decoded so far; one that stays is counted in each list.
    pub fn undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }
}

/// What is listed and watched: one scope for each kind, in each namespace that is named or in all at once.
pub fn scopes(settings: &KubeSettings, operator: OperatorResources) -> Vec<Scope> {
    let namespaces: Vec<Option<Namespace>> = match settings.namespaces.as_slice() {
        [] => vec![None],
        named => named.iter().cloned().map(Some).collect(),
    };
    let of_namespace = |namespace: &Option<Namespace>| {
        let scope = |kind: &ObjectKind| Scope {
            cluster: settings.name.clone(),
            kind: *kind,
            namespace: namespace.clone(),
        };
        operator.kinds().iter().map(scope).collect::<Vec<_>>()
    };
    namespaces.iter().flat_map(of_namespace).collect()
}

/// Those of a scope.
fn known_in<'a>(
    scope: &'a Scope,
    known: &'a [KnownDeployment],
) -> impl Iterator<Item = (by_name::Key, Option<Uid>)> + 'a {
    let is_in_scope = move |deployment: &&KnownDeployment| {
        let is_in_namespace = scope.namespace.as_ref().is_none_or(|of| *of == deployment.namespace);
        scope.kind == ObjectKind::Deployment && is_in_namespace
    };
    let keyed = |deployment: &KnownDeployment| {
        let key = (deployment.namespace.clone(), deployment.name.clone());
        (key, deployment.uid.clone())
    };
    known.iter().filter(is_in_scope).map(keyed)
}

async fn until_cancelled(cancel: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        () = work => {}
    }
}

#[cfg(test)]
mod tests;
