//! The engine of a play: the real one, with the real policy, in the story's world.

use std::collections::BTreeSet;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use steadfast_core::board::Place;
use steadfast_core::id::{ClusterName, Namespace, TargetId};
use steadfast_core::journal::Journal;
use steadfast_core::projection::JobView;
use steadfast_core::state::Mode;
use steadfast_core::timing::Timing;
use steadfast_reconcile::{ClusterSetup, Control, Discover, Engine, Setup, TargetSetup};
use steadfast_sources::ends::{EndPlaces, Files};
use steadfast_sources::kubernetes::{KubeSettings, Selector};
use steadfast_sources::route::FlinkRoute;
use steadfast_tasks::{STOP_DEADLINE, StillRunning};
use steadfast_world::World;
use steadfast_world::story::{Found, Need, Story, TargetSpec};
use tokio::time::Instant;

use super::files::WorldFiles;
use super::journal::Severable;
use super::ways::Ways;
use crate::stage::Staging;

/// An engine at work.
pub(super) struct Running {
    engine: Engine,
    journal: Arc<Severable>,
    registry: Registry,
}

impl Running {
    pub(super) async fn start(
        story: &Story,
        world: &Arc<World>,
        store: Arc<dyn Journal>,
        removed: &BTreeSet<String>,
        ways: &Ways,
        staging: &Staging<'_>,
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
            timing: staging.engine_timing(),
            clusters: clusters(story, world, &targets, ways, staging.engine_timing())?,
            targets: configured.map(|target| target_setup(target, ways)).collect(),
            policies: (staging.policies)(),
            recording: staging.recording,
            journal: journal.clone(),
            clock: Arc::new(world.clock()),
            seed: staging.seed,
            http: ways.http()?,
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

    pub(super) async fn stop(self) -> Result<(), StillRunning> {
        self.engine.stop(Instant::now() + STOP_DEADLINE).await
    }

    /// From this moment nothing it does lasts. Its tasks end beside the play, as a dead process's sockets do.
    pub(super) fn kill(self) {
        self.journal.cut();
        tokio::spawn(self.stop());
    }
}

fn clusters(
    story: &Story,
    world: &Arc<World>,
    targets: &[&TargetSpec],
    ways: &Ways,
    timing: Timing,
) -> anyhow::Result<Vec<ClusterSetup>> {
    let ends = end_places(story, world, ways);
    world
        .clusters()
        .iter()
        .map(|(name, server)| {
            Ok(ClusterSetup {
                settings: KubeSettings {
                    name: ClusterName::new(name),
                    namespaces: world.namespaces().iter().map(Namespace::new).collect(),
                    timing,
                    deployments: if within(targets, name).any(|target| target.found == Found::Config) {
                        Selector::All
                    } else {
                        Selector::Flink
                    },
                },
                client: ways.client(name, server)?,
                discover: discover(within(targets, name)),
                flink_rest: FlinkRoute::Template(ways.template(name)),
                ends: ends.clone(),
                last_words: None,
            })
        })
        .collect()
}

/// What the story says is there to tell of ended jobs. Files are read in memory on every stage.
fn end_places(story: &Story, world: &Arc<World>, ways: &Ways) -> EndPlaces {
    let has = |need| story.needs.contains(&need);
    let folder = |folder| {
        let world = Arc::clone(world);
        Arc::new(WorldFiles { world, folder }) as Arc<dyn Files>
    };
    EndPlaces {
        archives: has(Need::Archive).then(|| folder("archive")).into_iter().collect(),
        history_server: has(Need::HistoryServer).then(|| ways.history()),
        job_results: has(Need::JobResultStore).then(|| folder("job-result-store")),
    }
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

fn target_setup(target: &TargetSpec, ways: &Ways) -> TargetSetup {
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
        flink_rest: Some(FlinkRoute::Template(ways.address(target))),
        pinned: None,
    }
}
