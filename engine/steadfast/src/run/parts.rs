//! The parts of an engine, made from the configuration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use rand::SeedableRng;
use rand::rngs::StdRng;
use steadfast_core::board::Place;
use steadfast_core::id::{ClusterName, Namespace, PolicyName, TargetId};
use steadfast_core::journal::Store;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_host::{Policy as LoadedModule, PolicyEngine, PolicyLimits};
use steadfast_modules::{Module, Provenance, RegistryHost};
use steadfast_reconcile::{ClusterSetup, Identity, PolicySetup, Role, TargetSetup};
use steadfast_sources::job_results::{self, Files, ResultSources};
use steadfast_sources::kubernetes::{KubeSettings, Location, Selector, connect};
use steadfast_sources::route::FlinkRoute;

use super::modules::resolve_modules_now;
use crate::config::{Config, EndedJobs, FlinkRest, Policy};

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| age.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// A policy, loaded and configured.
pub struct LoadedPolicy {
    /// As it was configured.
    pub config: Policy,
    /// Where its module came from, and why it may be run.
    pub provenance: Provenance,
    /// The module.
    pub module: LoadedModule,
}

impl LoadedPolicy {
    /// As the engine takes it.
    pub fn into_setup(self) -> PolicySetup {
        PolicySetup {
            name: PolicyName::new(&self.config.name),
            identity: self.identity(),
            select: self.config.select,
            rollout: self.config.rollout,
            role: if self.config.shadow {
                Role::Shadow
            } else {
                Role::Decides
            },
            decide: Box::new(self.module),
        }
    }

    /// Whether it is the other one: the same entry, and the same bytes.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.config == other.config && self.module.digest() == other.module.digest()
    }

    /// Which module it is.
    fn identity(&self) -> Identity {
        let description = self.module.description();
        Identity {
            module: self.config.module.to_string(),
            sha256: self.module.digest().to_owned(),
            contract: self.module.contract(),
            description: format!("{} {}: {}", description.name, description.version, description.summary),
            params: self.config.params.clone(),
        }
    }

    /// The same for an engine beside others.
    pub fn another_setup(&self) -> PolicySetup {
        let another = Self {
            config: self.config.clone(),
            provenance: self.provenance.clone(),
            module: self.module.another(),
        };
        another.into_setup()
    }
}

/// Where compiled modules are kept: `steadfast` in the user's cache folder, if there is one.
pub fn policy_cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(base.join("steadfast"))
}

/// Compiles and configures every policy from the modules that were found for them, in the same order; the first that
/// is refused is the error.
pub fn compile_policies(policies: &[Policy], modules: &[Module]) -> anyhow::Result<Vec<LoadedPolicy>> {
    compile_into(&policy_engine()?, policies, modules)
}

/// What runs the policies of a process.
pub(super) fn policy_engine() -> anyhow::Result<PolicyEngine> {
    Ok(PolicyEngine::new(policy_cache().as_deref())?)
}

/// The same for one engine, which may run others already.
pub(super) fn compile_into(
    engine: &PolicyEngine,
    policies: &[Policy],
    modules: &[Module],
) -> anyhow::Result<Vec<LoadedPolicy>> {
    policies
        .iter()
        .zip(modules)
        .map(|(policy, module)| {
            let limits = PolicyLimits {
                deadline: policy.deadline,
                memory_bytes: policy.memory,
            };
            Ok(LoadedPolicy {
                config: policy.clone(),
                provenance: module.provenance.clone(),
                module: engine.load(&policy.name, &module.bytes, &policy.params, limits)?,
            })
        })
        .collect()
}

/// Finds, compiles and configures every policy, for a command that does nothing else meanwhile.
pub fn load_policies(policies: &[Policy], registries: &[RegistryHost]) -> anyhow::Result<Vec<LoadedPolicy>> {
    compile_policies(policies, &resolve_modules_now(policies, registries)?)
}

/// The clusters, with clients but not yet connected.
pub(super) async fn clusters(config: &Config) -> anyhow::Result<Vec<ClusterSetup>> {
    let mut clusters = Vec::new();
    for cluster in &config.clusters {
        let connected = connect(cluster.kubeconfig.as_deref())
            .await
            .with_context(|| format!("[[kubernetes]] `{}` cannot be used", cluster.name))?;
        let has_explicit_jobs = config
            .jobs
            .iter()
            .any(|job| job.kubernetes.as_deref() == Some(&cluster.name));
        clusters.push(ClusterSetup {
            settings: KubeSettings {
                name: ClusterName::new(&cluster.name),
                namespaces: cluster.namespaces.iter().map(Namespace::new).collect(),
                timeout: config.timing.timeout,
                validate: config.timing.validate,
                poll: config.timing.poll,
                retry_initial: config.timing.retry_initial,
                retry_max: config.timing.retry_max,
                // An explicit job's Deployment may carry no label: what a selector leaves out would look absent.
                deployments: if has_explicit_jobs {
                    Selector::All
                } else {
                    Selector::Flink
                },
            },
            client: connected.client,
            discover: cluster.discover.clone(),
            flink_rest: route(&cluster.flink_rest, connected.location),
            ends: result_sources(&cluster.ended_jobs)
                .with_context(|| format!("[[kubernetes]] `{}` cannot be used", cluster.name))?,
            last_words: cluster.ended_jobs.last_words.clone(),
        });
    }
    Ok(clusters)
}

/// Where the ends of jobs are kept; nothing is asked yet.
fn result_sources(ended: &EndedJobs) -> anyhow::Result<ResultSources> {
    let open = |location: &job_results::Location| -> anyhow::Result<Arc<dyn Files>> {
        job_results::open(location).with_context(|| format!("{location} cannot be read"))
    };
    Ok(ResultSources {
        archives: ended.archive.iter().map(open).collect::<Result<_, _>>()?,
        history_server: ended.history_server.clone(),
        result_store: ended.job_result_store.as_ref().map(open).transpose()?,
    })
}

fn route(rest: &FlinkRest, location: Location) -> FlinkRoute {
    match (rest, location) {
        (FlinkRest::Auto, Location::Inside) | (FlinkRest::Service, _) => FlinkRoute::Service,
        (FlinkRest::Auto, Location::Outside) | (FlinkRest::Proxy, _) => FlinkRoute::Proxy,
        (FlinkRest::Pod, _) => FlinkRoute::Pod,
        (FlinkRest::Url(url), _) => FlinkRoute::Template(url.clone()),
    }
}

/// The explicit targets.
pub(super) fn targets(config: &Config) -> Vec<TargetSetup> {
    config
        .jobs
        .iter()
        .map(|job| {
            let namespace = Namespace::new(&job.namespace);
            let id = match &job.kubernetes {
                Some(cluster) => TargetId::new(&ClusterName::new(cluster), &namespace, &job.name),
                None => TargetId::standalone(&job.name),
            };
            let flink_rest = match &job.flink_rest {
                None | Some(FlinkRest::Auto) => None,
                Some(rest) => Some(route(rest, Location::Outside)),
            };
            let place = job
                .kubernetes
                .is_some()
                .then(|| Place::new(&namespace, &job.deployment));
            TargetSetup {
                id,
                mode: job.mode,
                place,
                flink_rest,
                pinned: job.flink_job_id,
            }
        })
        .collect()
}

/// Opens the store off the async threads: it may wait for a disk.
pub(super) async fn open_store(url: &str) -> anyhow::Result<Arc<dyn Store>> {
    let url = url.to_owned();
    Ok(tokio::task::spawn_blocking(move || steadfast_store::open(&url)).await??)
}

/// A seed that differs from run to run.
pub(super) fn seed() -> u64 {
    rand::random()
}

pub(super) fn rng(place: u64) -> StdRng {
    StdRng::seed_from_u64(seed().wrapping_add(place))
}
