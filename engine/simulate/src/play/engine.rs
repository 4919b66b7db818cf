//! The engine of a play: the real one, with the real policy, in the story's world.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use steadfast_core::board::ObjectRef;
use steadfast_core::id::{ClusterName, Namespace, TargetId};
use steadfast_core::journal::{Sequence, Store};
use steadfast_core::projection::JobView;
use steadfast_core::state::Mode;
use steadfast_core::time::{Clock as _, Timestamp};
use steadfast_crash_points::CrashPoint;
use steadfast_reconcile::{
    ClusterSetup, Control, Discover, Engine, JobSeries, Judging, Keeping, Setup, SteadyClock, TargetSetup,
};
use steadfast_server::sinks::Following;
use steadfast_sources::job_results::{Files, ResultSources};
use steadfast_sources::kubernetes::{KubeSettings, Selector};
use steadfast_sources::route::FlinkRoute;
use steadfast_tasks::{STOP_DEADLINE, StillRunning};
use steadfast_world::World;
use steadfast_world::story::{Found, Moment, Need, Story, TargetSpec};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::endpoints::Endpoints;
use super::failures::Failures;
use super::files::WorldFiles;
use super::host_clock::HostClock;
use super::killable_store::{Commits, KillableStore};
use super::mishaps::{Dice, Life};
use super::receiver::{Ports, Receiver};
use crate::harness::Harness;

/// What every engine of a play is started with.
#[derive(Clone, Copy)]
pub(super) struct PlayContext<'a> {
    pub(super) story: &'a Story,
    pub(super) world: &'a Arc<World>,
    pub(super) endpoints: &'a Endpoints,
    /// What the clock of the engine's host shows.
    pub(super) host: &'a HostClock,
    pub(super) commits: &'a Commits,
    pub(super) dice: &'a Dice,
    /// Who is told by its sink. It has one only while things go wrong: what it is told changes nothing.
    pub(super) receiver: &'a Receiver,
    /// Where failures of policies are noted.
    pub(super) failures: &'a Failures,
    pub(super) harness: &'a Harness<'a>,
}

/// An engine at work.
pub(super) struct Running {
    engine: Engine,
    clock: Arc<SteadyClock<HostClock>>,
    life: Arc<Life>,
    started_at: Moment,
    registry: Registry,
    /// Ends its sink.
    sink: CancellationToken,
}

impl Running {
    pub(super) async fn start(
        context: PlayContext<'_>,
        store: Arc<dyn Store>,
        removed: &BTreeSet<String>,
    ) -> anyhow::Result<Self> {
        let PlayContext {
            story,
            endpoints,
            host,
            commits,
            dice,
            receiver,
            failures,
            harness,
            ..
        } = context;
        let life = Arc::new(Life::default());
        let store = KillableStore::new(store, commits.clone(), dice.clone(), Arc::clone(&life));
        let store: Arc<dyn Store> = Arc::new(store);
        let clock = Arc::new(SteadyClock::start(host.clone()));
        let mut registry = Registry::default();
        let targets: Vec<&TargetSpec> = story
            .targets
            .iter()
            .filter(|target| !removed.contains(&target.handle))
            .collect();
        let configured = targets.iter().filter(|target| target.found == Found::Config);
        let setup = Setup {
            timing: harness.engine_timing(),
            clusters: clusters(context, &targets)?,
            targets: configured.map(|target| target_setup(target, endpoints)).collect(),
            policies: dice.over(failures.over((harness.policies)()), &life),
            tracing: None,
            judging: Judging::InLoop,
            recording: harness.recording,
            keeping: Keeping::FOREVER,
            series: JobSeries::None,
            journal: Arc::clone(&store) as Arc<_>,
            clock: Arc::clone(&clock) as Arc<_>,
            seed: harness.seed,
            http: endpoints.http()?,
            http_of_targets: BTreeMap::new(),
        };
        let sink = if harness.chaos.is_some() {
            let ports = Ports {
                store,
                clock: Arc::clone(&clock) as Arc<_>,
                dice: dice.clone(),
                life: Arc::clone(&life),
                retry: harness.engine_timing().backoff(),
            };
            Some(receiver.sink(ports).await?)
        } else {
            None
        };
        let engine = Engine::start(setup, &mut registry).await?;
        let following = Following {
            entries: engine.entries.clone(),
            records: Arc::clone(&engine.projection),
        };
        let sink = sink.map_or_else(CancellationToken::new, |sink| sink.deliver(following, harness.seed));
        Ok(Self {
            engine,
            clock,
            life,
            started_at: dice.story_now(),
            registry,
            sink,
        })
    }

    pub(super) fn views(&self) -> Vec<JobView> {
        self.engine.projection.page(None, usize::MAX, |_| true)
    }

    /// What the engine's own clock shows.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn started_at(&self) -> Moment {
        self.started_at
    }

    pub(super) fn control(&self) -> &Control {
        &self.engine.control
    }

    /// The newest entry that it has told of.
    pub(super) fn announced(&self) -> Sequence {
        *self.engine.entries.borrow()
    }

    /// Whether its process was killed.
    pub(super) fn is_dead(&self) -> bool {
        self.life.is_over()
    }

    /// Its process is killed.
    pub(super) fn end_life(&self) {
        self.life.end();
    }

    /// Reads the policies again. Whether they decide, or the process was killed meanwhile, is not told here.
    pub(super) async fn reload(&self, context: PlayContext<'_>) {
        let PlayContext { dice, harness, .. } = context;
        let policies = dice.over((harness.policies)(), &self.life);
        dice.reach(CrashPoint::ReloadTried, "reload", &self.life);
        if self.is_dead() {
            return;
        }
        let mut asked = pin!(self.engine.control.replace_policies(policies));
        // The loop is asked, and has not answered, or even begun.
        if timeout(Duration::ZERO, &mut asked).await.is_err() {
            dice.reach(CrashPoint::ReloadSeated, "reload", &self.life);
            if self.is_dead() {
                return;
            }
            // A store that refuses leaves the policies as they were.
            let _ = asked.await;
        }
        dice.reach(CrashPoint::ReloadReplaced, "reload", &self.life);
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
        self.sink.cancel();
        self.engine.stop(Instant::now() + STOP_DEADLINE).await
    }

    /// From this moment nothing it does lasts. Its tasks end beside the play, as a dead process's sockets do.
    pub(super) fn kill(self) {
        self.end_life();
        tokio::spawn(self.stop());
    }
}

fn clusters(context: PlayContext<'_>, targets: &[&TargetSpec]) -> anyhow::Result<Vec<ClusterSetup>> {
    let PlayContext { world, endpoints, .. } = context;
    let timing = context.harness.engine_timing();
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
                client: endpoints.client(name, server)?,
                server: format!("the world's {name}"),
                credentials: None,
                http: None,
                discover: discover(within(targets, name)),
                flink_rest: FlinkRoute::Template(endpoints.template(name).into()),
                job_results: result_sources(context, name),
                last_words: None,
            })
        })
        .collect()
}

/// The sources of ended jobs that the story has in a cluster. Files are read in memory, whatever the transport.
fn result_sources(context: PlayContext<'_>, cluster: &str) -> ResultSources {
    let PlayContext {
        story,
        world,
        endpoints,
        ..
    } = context;
    let has = |need| story.needs.contains(&need);
    let folder = |folder| {
        let world = Arc::clone(world);
        let cluster = cluster.to_owned();
        Arc::new(WorldFiles { world, cluster, folder }) as Arc<dyn Files>
    };
    ResultSources {
        archives: has(Need::Archive).then(|| folder("archive")).into_iter().collect(),
        history_server: has(Need::HistoryServer).then(|| endpoints.history().into()),
        result_store: has(Need::JobResultStore).then(|| folder("job-result-store")),
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

fn target_setup(target: &TargetSpec, endpoints: &Endpoints) -> TargetSetup {
    let namespace = Namespace::new(&target.namespace);
    let standalone = target.mode == Mode::Standalone;
    TargetSetup {
        id: if standalone {
            TargetId::standalone(&target.name)
        } else {
            TargetId::new(&ClusterName::new(&target.cluster), &namespace, &target.name)
        },
        mode: target.mode,
        object: (!standalone).then(|| ObjectRef::new(&namespace, &target.name)),
        flink_rest: Some(FlinkRoute::Template(endpoints.address(target).into())),
        pinned: None,
    }
}
