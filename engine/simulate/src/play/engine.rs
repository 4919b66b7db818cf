//! The engine of a play: the real one, with the real policy, in the story's world.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use prometheus_client::registry::Registry;
use steadfast_core::board::Place;
use steadfast_core::id::{ClusterName, Namespace, PolicyName, TargetId};
use steadfast_core::journal::Journal;
use steadfast_core::projection::JobView;
use steadfast_core::snapshot::Timing;
use steadfast_core::state::Mode;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits};
use steadfast_reconcile::{ClusterSetup, Control, Discover, Engine, PolicySetup, Role, Select, Setup, TargetSetup};
use steadfast_sources::kubernetes::{KubeSettings, Selector};
use steadfast_sources::route::FlinkRoute;
use steadfast_world::World;
use steadfast_world::memory::InMemory;
use steadfast_world::story::{Found, Story, TargetSpec};

use super::journal::Severable;
use super::network::{self, Network};
use crate::judge::Shown;

/// Real time: a policy's deadline is no part of the story, and the machine may be busy.
const LIMITS: PolicyLimits = PolicyLimits {
    deadline: Duration::from_secs(20),
    memory_bytes: 64 << 20,
};

/// Which policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watcher {
    /// The default one, as the product embeds it, or the build that `STEADFAST_CONSERVATIVE_WASM` names.
    Conservative,
    /// The one that takes an error for absence, to prove that the judge can tell.
    Naive,
}

/// An engine at work.
pub(super) struct Running {
    engine: Engine,
    journal: Arc<Severable>,
    registry: Registry,
}

impl Running {
    pub(super) async fn start(
        story: &Story,
        world: &World,
        store: Arc<dyn Journal>,
        removed: &BTreeSet<String>,
        watcher: Watcher,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let journal = Arc::new(Severable::new(store));
        let mut registry = Registry::default();
        let targets: Vec<&TargetSpec> = story
            .targets
            .iter()
            .filter(|target| !removed.contains(&target.name))
            .collect();
        let configured = targets.iter().filter(|target| target.found == Found::Config);
        let setup = Setup {
            timing: Timing::default(),
            clusters: clusters(world, &targets),
            targets: configured.map(|target| target_setup(target)).collect(),
            policies: vec![PolicySetup {
                name: PolicyName::new("default"),
                select: Select::all(),
                role: Role::Decides,
                decide: Box::new(policy(watcher)?),
            }],
            journal: journal.clone(),
            clock: Arc::new(world.clock()),
            seed,
            http: Arc::new(Network::of(world)),
        };
        let engine = Engine::start(setup, &mut registry).await?;
        Ok(Self {
            engine,
            journal,
            registry,
        })
    }

    pub(super) fn views(&self) -> Vec<JobView> {
        self.engine.projection.page(None, usize::MAX, |_| true)
    }

    pub(super) fn jobs(&self) -> Vec<Shown> {
        self.views().iter().map(Shown::from).collect()
    }

    pub(super) fn control(&self) -> &Control {
        &self.engine.control
    }

    pub(super) fn has_ended(&self) -> bool {
        self.engine.has_ended()
    }

    pub(super) fn metrics(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }

    pub(super) async fn stop(self) {
        self.engine.stop().await;
    }

    /// From this moment nothing it does lasts. Its tasks end beside the play, as a dead process's sockets do.
    pub(super) fn kill(self) {
        self.journal.cut();
        tokio::spawn(self.engine.stop());
    }
}

fn clusters(world: &World, targets: &[&TargetSpec]) -> Vec<ClusterSetup> {
    let timing = Timing::default();
    world
        .clusters()
        .iter()
        .map(|(name, server)| ClusterSetup {
            settings: KubeSettings {
                name: ClusterName::new(name),
                namespaces: world.namespaces().iter().map(Namespace::new).collect(),
                timeout: timing.timeout,
                validate: timing.validate,
                poll: timing.poll,
                retry_initial: timing.retry_initial,
                retry_max: timing.retry_max,
                deployments: if within(targets, name).any(|target| target.found == Found::Config) {
                    Selector::All
                } else {
                    Selector::Flink
                },
            },
            client: kube::Client::new(InMemory::new(Arc::clone(server) as Arc<_>), "default"),
            discover: discover(within(targets, name)),
            flink_rest: FlinkRoute::Template(network::template(name)),
        })
        .collect()
}

/// The targets in a cluster.
fn within<'a>(targets: &'a [&'a TargetSpec], cluster: &'a str) -> impl Iterator<Item = &'a TargetSpec> {
    targets
        .iter()
        .copied()
        .filter(move |target| target.cluster == cluster && target.mode != Mode::Standalone)
}

fn discover<'a>(targets: impl Iterator<Item = &'a TargetSpec>) -> Vec<Discover> {
    let found = targets.filter_map(|target| match target.found {
        Found::Config => None,
        Found::Native => Some(Discover::Native),
        Found::FlinkDeployment => Some(Discover::FlinkDeployment),
    });
    let mut kinds: Vec<Discover> = Vec::new();
    for kind in found {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

fn target_setup(target: &TargetSpec) -> TargetSetup {
    let namespace = Namespace::new(&target.namespace);
    let standalone = target.mode == Mode::Standalone;
    TargetSetup {
        id: if standalone {
            TargetId::standalone(&target.name)
        } else {
            TargetId::new(&ClusterName::new(&target.cluster), &namespace, &target.name)
        },
        mode: target.mode,
        place: (!standalone).then(|| Place::new(&namespace, &target.name)),
        flink_rest: Some(FlinkRoute::Template(network::address(
            &target.cluster,
            &target.namespace,
            &target.name,
        ))),
        pinned: None,
    }
}

fn policy(watcher: Watcher) -> anyhow::Result<Policy> {
    static ENGINE: OnceLock<Result<PolicyEngine, String>> = OnceLock::new();
    static OTHER: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let cache = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp/policies");
        PolicyEngine::new(Some(&cache)).map_err(|error| error.to_string())
    });
    let engine = engine
        .as_ref()
        .map_err(|error| anyhow::anyhow!("no policy engine: {error}"))?;
    let other = OTHER.get_or_init(|| std::fs::read(std::env::var_os("STEADFAST_CONSERVATIVE_WASM")?).ok());
    if other.is_none() && std::env::var_os("STEADFAST_CONSERVATIVE_WASM").is_some() {
        anyhow::bail!("STEADFAST_CONSERVATIVE_WASM names a file that cannot be read");
    }
    let module = match watcher {
        Watcher::Conservative => other.as_deref().unwrap_or(steadfast_host::builtin::CONSERVATIVE),
        Watcher::Naive => steadfast_host::builtin::NAIVE,
    };
    engine
        .load("default", module, "{}", LIMITS)
        .context("the policy was refused")
}
