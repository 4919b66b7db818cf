//! An engine in a world: what it shows of a job that the world has.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use prometheus_client::registry::Registry;
use steadfast_core::closeup::{JobDetail, PodRole};
use steadfast_core::decision::{Decide, Decision, PolicyFailure};
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::id::TargetId;
use steadfast_core::journal::{EntriesOf, Journal, Sequence};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{JobState, Mode};
use steadfast_core::testing::{decision, job_key};
use steadfast_core::time::{Clock, Timestamp};
use steadfast_core::timing::Timing;
use steadfast_sources::job_results::ResultSources;
use steadfast_sources::kubernetes::{KubeSettings, Selector};
use steadfast_sources::route::FlinkRoute;
use steadfast_sources::transport::{Answer, Limits, Transport};
use steadfast_store::MemoryStore;
use steadfast_world::World;
use steadfast_world::clock::WorldClock;
use steadfast_world::flink::Flink;
use steadfast_world::memory::{InMemory, exchange};
use steadfast_world::story::Story;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{ClusterSetup, Discover, Engine, JobSeries, Judging, Keeping, PolicySetup, Setup, TargetSetup};

/// What the tests begin with: an application in Kubernetes, and a Flink outside.
const STORY: &str = r#"
id = "closeup"
title = "A test"
source = "a test"
needs = ["standalone"]
[[target]]
name = "orders"
[[target]]
name = "outside"
mode = "standalone"
[[step]]
at = "0s"
target = "orders"
deployment = { uid = "u1" }
pods = [{ name = "jm-1" }]
jobs = [{ id = "j1", root_exception = "a.B: no", checkpoints = { completed = 2, failed = 1 } }]
[[step]]
at = "0s"
target = "outside"
jobs = [{ id = "j2" }]
[[step]]
at = "60s"
target = "orders"
flink = "drop"
[[step]]
at = "60s"
kubernetes = "403"
"#;

/// Calls every job what Flink calls it.
struct Believer;

impl Decide for Believer {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let job = snapshot.flink.as_ref().and_then(|flink| flink.latest.present());
        Ok(decision(job.map_or(snapshot.record.state, |job| job.state)))
    }
}

/// Leads `http://flink/{handle}/...` to the Flink of that name.
struct Flinks(BTreeMap<String, Arc<Flink>>);

#[async_trait]
impl Transport for Flinks {
    async fn get(&self, url: &str, limits: Limits) -> Result<Answer, Fault> {
        let path = url.strip_prefix("http://flink/").unwrap();
        let (handle, path) = path.split_once('/').unwrap();
        let request = http::Request::get(format!("/{path}")).body(()).unwrap();
        let asking = async {
            let response = exchange(Arc::clone(&self.0[handle]) as Arc<_>, request).await.unwrap();
            Answer {
                status: response.status().as_u16(),
                retry_after: None,
                body: response.into_body().collect().await.unwrap().to_bytes(),
            }
        };
        let late = |_| Fault::new(FaultKind::Timeout, "no complete answer in time");
        timeout(limits.deadline, asking).await.map_err(late)
    }
}

/// The time of the world.
struct Now(WorldClock);

impl Clock for Now {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

struct Rig {
    world: World,
    story: Story,
    store: Arc<MemoryStore>,
    engine: Engine,
}

impl Rig {
    async fn start() -> Self {
        let story = Story::parse("closeup", STORY).unwrap();
        let clock = WorldClock::starting_at(Timestamp::from_millis(1_767_225_600_000));
        let world = World::before(&story, clock);
        let store = Arc::new(MemoryStore::default());
        let setup = Setup {
            timing: Timing::default(),
            clusters: vec![cluster(&world)],
            targets: vec![TargetSetup {
                id: TargetId::standalone("outside"),
                mode: Mode::Standalone,
                object: None,
                flink_rest: Some(FlinkRoute::Template("http://flink/outside".into())),
                pinned: None,
            }],
            policies: vec![PolicySetup::deciding("believe", Box::new(Believer))],
            judging: Judging::InLoop,
            recording: None,
            keeping: Keeping::FOREVER,
            series: JobSeries::None,
            journal: Arc::clone(&store) as Arc<_>,
            clock: Arc::new(Now(clock)),
            seed: 7,
            http: Arc::new(Flinks(world.flinks().clone())),
            tracing: None,
            http_of_targets: BTreeMap::new(),
        };
        let engine = Engine::start(setup, &mut Registry::default()).await.unwrap();
        let rig = Self {
            world,
            story,
            store,
            engine,
        };
        rig.happen(0);
        sleep(Duration::from_secs(20)).await;
        rig
    }

    fn happen(&self, second: i64) {
        let steps = self
            .story
            .steps
            .iter()
            .filter(|(at, _)| at.as_millis() == second * 1000);
        steps.for_each(|(_, step)| self.world.apply(step));
    }

    /// How many entries there are of everything.
    async fn entries(&self) -> usize {
        self.store
            .entries(EntriesOf::Everything, Sequence(0), 1000)
            .await
            .unwrap()
            .len()
    }

    async fn stop(self) {
        self.engine
            .stop(Instant::now() + Duration::from_secs(60))
            .await
            .unwrap();
    }
}

fn cluster(world: &World) -> ClusterSetup {
    ClusterSetup {
        settings: KubeSettings {
            name: ClusterName::new("local"),
            namespaces: Vec::new(),
            timing: Timing::default(),
            deployments: Selector::Flink,
        },
        client: kube::Client::new(
            InMemory::new(Arc::clone(&world.clusters()["local"]) as Arc<_>),
            "default",
        ),
        server: "the world's".to_owned(),
        credentials: None,
        http: None,
        discover: vec![Discover::Native],
        flink_rest: FlinkRoute::Template("http://flink/{name}".into()),
        job_results: ResultSources::default(),
        last_words: None,
    }
}

fn newest() -> LogQuestion {
    LogQuestion {
        pod: None,
        lines: 200,
        previous: false,
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_shown_as_it_is_and_nothing_of_it_is_kept() {
    let rig = Rig::start().await;
    let (key, closeups) = (job_key("orders"), &rig.engine.closeups);
    let entries = rig.entries().await;
    let flink = closeups.flink(&key).await.unwrap();
    let Observed::Present(JobDetail { state, vertices, .. }) = flink.job else {
        panic!("{flink:?}")
    };
    assert_eq!((state, vertices.len()), (JobState::Running, 1));
    assert_eq!(flink.checkpoints.present().unwrap().counts.completed, 2);
    let root = flink.exceptions.present().unwrap().root.clone().unwrap();
    assert_eq!(
        (root.headline.as_str(), root.stack_trace.as_str().contains("\n\tat ")),
        ("a.B: no", true)
    );
    let pods = closeups.pods(&key).await.unwrap();
    let pods = pods.pods.present().unwrap().clone();
    assert!(
        pods[0].role == PodRole::JobManager && pods[0].name.starts_with("orders-"),
        "{pods:?}"
    );
    let log = closeups.log(&key, &newest()).await.unwrap();
    let log = log.log.present().unwrap().clone();
    assert!(
        log.pod == pods[0].name && log.text.as_str().contains("ClusterEntrypoint"),
        "{log:?}"
    );
    assert_eq!(rig.entries().await, entries, "no entry of it is in the journal");
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_unknown_and_the_loop_goes_on() {
    let rig = Rig::start().await;
    let (key, closeups) = (job_key("orders"), &rig.engine.closeups);
    rig.happen(60);
    let (flink, pods) = tokio::join!(closeups.flink(&key), closeups.pods(&key));
    let (flink, pods) = (flink.unwrap(), pods.unwrap());
    let kind = |fault: Option<&Fault>| fault.map(|fault| fault.kind);
    let fault_of = |answer: &Observed<JobDetail>| match answer {
        Observed::Unknown(fault) => Some(fault.clone()),
        Observed::Present(_) | Observed::Absent => None,
    };
    assert_eq!(kind(fault_of(&flink.job).as_ref()), Some(FaultKind::Timeout));
    assert!(!flink.checkpoints.is_known() && !flink.exceptions.is_known());
    let Observed::Unknown(fault) = pods.pods else {
        panic!("{pods:?}")
    };
    assert_eq!(fault.kind, FaultKind::Forbidden);
    assert!(!pods.events.is_known());
    let record = rig.engine.projection.get(&key).unwrap().record;
    assert_eq!(record.state, JobState::Running, "a look for a person is no evidence");
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_standalone_job_has_no_pods_to_show_and_says_so() {
    let rig = Rig::start().await;
    let key = JobKey::application(TargetId::standalone("outside"));
    let closeups = &rig.engine.closeups;
    assert!(closeups.flink(&key).await.unwrap().job.is_known());
    let pods = closeups.pods(&key).await.unwrap();
    let log = closeups.log(&key, &newest()).await.unwrap();
    let Observed::Unknown(fault) = &log.log else {
        panic!("{log:?}")
    };
    assert_eq!(fault.message, "not in Kubernetes");
    assert!(!pods.pods.is_known() && !pods.events.is_known());
    let nobody = closeups.flink(&job_key("nobody")).await;
    assert!(matches!(nobody, Err(CloseupError::NoSuchJob)), "{nobody:?}");
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_hangs_takes_only_its_own_places() {
    let rig = Rig::start().await;
    rig.happen(60);
    let key = job_key("orders");
    let looks = (0..8).map(|_| {
        let (closeups, key) = (rig.engine.closeups.clone(), key.clone());
        tokio::spawn(async move { closeups.flink(&key).await })
    });
    let looks: Vec<_> = looks.collect();
    sleep(Duration::from_millis(100)).await;
    let outside = JobKey::application(TargetId::standalone("outside"));
    assert!(rig.engine.closeups.flink(&outside).await.unwrap().job.is_known());
    let mut refused = 0;
    for look in looks {
        refused += usize::from(matches!(look.await.unwrap(), Err(CloseupError::Busy)));
    }
    assert_eq!(refused, 4);
    assert!(
        rig.engine.closeups.flink(&key).await.is_ok(),
        "the places are free again"
    );
    rig.stop().await;
}
