//! What a decision costs in this engine, and what the same decision costs in a plain component host that takes a fresh
//! instance for each call, as hosts of admission policies do. Both in one run, in turns, on the same snapshot.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use steadfast_core::decision::Decide as _;
use steadfast_core::evidence::Observed;
use steadfast_core::facts::{FlinkJob, Tasks};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;
use steadfast_core::testing::{self, at, flink_job, flink_job_id, job_key, observed};
use steadfast_host::{PolicyEngine, PolicyLimits, builtin};
use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker};
use wit_component::ComponentEncoder;

// wasmtime's derives implement unsafe traits.
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all)]
mod contract {
    wasmtime::component::bindgen!({
        path: "../../engine/wit/wit",
        world: "policy",
    });
}

use contract::steadfast::policy::types;
use contract::{Policy, PolicyPre};

const ROUNDS: usize = 30;
/// How often each is called in a round, so that both take about as long.
const OURS: u32 = 2000;
const PLAIN: u32 = 100;
const JOB: &str = "00000000000000000000000000000001";

/// Measures and prints.
pub(crate) fn run() -> anyhow::Result<()> {
    let engine = PolicyEngine::new(None)?;
    let mut ours = engine.load("ours", builtin::CONSERVATIVE, "{}", PolicyLimits::default())?;
    let plain = Plain::new(builtin::CONSERVATIVE)?;
    let (snapshot, same) = (running(), running_as_contract());
    let (mut reused, mut fresh, mut per_call) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        reused.push(each(OURS, || decided(ours.decide(&snapshot)))?);
        fresh.push(each(PLAIN, || {
            ours.end_batch();
            decided(ours.decide(&snapshot))
        })?);
        per_call.push(each(PLAIN, || plain.decide(&same))?);
    }
    let [reused, fresh, per_call] = [reused, fresh, per_call].map(median);
    let figures = format!(
        "conservative, a job that runs; medians of {ROUNDS} rounds\n\
         here, an instance in use        {:8.2} us a decision\n\
         here, an instance of its own    {:8.2} us\n\
         a plain host, instance per call {:8.2} us\n\
         plain / here: {:.1} on an instance in use, {:.1} on one of its own",
        micros(reused),
        micros(fresh),
        micros(per_call),
        per_call.as_secs_f64() / reused.as_secs_f64(),
        per_call.as_secs_f64() / fresh.as_secs_f64()
    );
    #[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
    {
        println!("{figures}");
    }
    Ok(())
}

/// What a policy prints, it prints to nobody.
struct Silent;

impl types::Host for Silent {}

impl contract::steadfast::policy::output::Host for Silent {
    fn print(&mut self, _text: Vec<u8>) {}
}

/// A host that is as simple as it can be: one engine with wasmtime's defaults, one prepared module, and for each call a
/// store, an instance, `configure` and `decide`.
struct Plain {
    module: PolicyPre<Silent>,
}

impl Plain {
    fn new(module: &[u8]) -> anyhow::Result<Self> {
        let engine = wasmtime::Engine::default();
        let component = ComponentEncoder::default().module(module)?.encode()?;
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::new(&engine);
        Policy::add_to_linker::<_, HasSelf<Silent>>(&mut linker, |silent| silent)?;
        let instance = linker.instantiate_pre(&component)?;
        Ok(Self {
            module: PolicyPre::new(instance)?,
        })
    }

    fn decide(&self, snapshot: &types::Snapshot) -> anyhow::Result<()> {
        let mut store = Store::new(self.module.engine(), Silent);
        let policy: Policy = self.module.instantiate(&mut store)?;
        let refused = |message| anyhow!("the policy says: {message}");
        policy.call_configure(&mut store, "{}")?.map_err(refused)?;
        let decision = policy.call_decide(&mut store, snapshot, &[])?.map_err(refused)?;
        anyhow::ensure!(decision.state == types::JobState::Running, "{:?}", decision.state);
        Ok(())
    }
}

fn decided(
    outcome: Result<steadfast_core::decision::Decision, steadfast_core::decision::PolicyFailure>,
) -> anyhow::Result<()> {
    let decision = outcome.map_err(|failure| anyhow!("the policy fails: {}", failure.message))?;
    anyhow::ensure!(decision.state == JobState::Running, "{}", decision.state);
    Ok(())
}

/// How long one of many calls takes.
fn each(calls: u32, mut call: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    for _ in 0..calls {
        call()?;
    }
    Ok(began.elapsed() / calls)
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

/// A job that runs, as Flink said a second ago.
fn running() -> Snapshot {
    let id = flink_job_id(1);
    let mut record = testing::record(job_key("orders"), at(0));
    record.state = JobState::Running;
    let job = FlinkJob {
        tasks: Tasks { total: 2, running: 2 },
        ..flink_job(id, JobState::Running, at(0))
    };
    record.incarnation.see_job(&job, at(1), at(1));
    Snapshot {
        flink: observed(Observed::Present(job), at(99)),
        ..testing::snapshot(record, at(100))
    }
}

/// The same in the contract's types.
fn running_as_contract() -> types::Snapshot {
    types::Snapshot {
        now: 100_000,
        engine_since: 0,
        job: types::JobRecord {
            cluster: "local".into(),
            namespace: "default".into(),
            name: "orders".into(),
            mode: types::Mode::Application,
            labels: vec![],
            state: types::JobState::Running,
            confidence: types::Confidence::Stale,
            reason: types::Reason {
                code: "NeverObserved".into(),
                message: "no source has answered yet".into(),
            },
            since: 0,
            confirmed_at: None,
            incarnation: types::Incarnation {
                attempt: 1,
                deployment_uid: None,
                flink_job_id: Some(JOB.into()),
                started_at: Some(0),
                since: Some(1000),
            },
            conditions: vec![],
            alerts: vec![],
            intent: None,
            revision: 0,
        },
        flink: Some(types::FlinkEvidence {
            looks: types::Looks {
                asked_at: 99_000,
                observed_at: 99_000,
                known_at: Some(99_000),
                unknown_since: None,
                failures: 0,
            },
            answer: types::FlinkAnswer::Present(types::FlinkJob {
                id: JOB.into(),
                state: types::JobState::Running,
                started_at: 0,
                ended_at: None,
                tasks: types::Tasks { total: 2, running: 2 },
            }),
        }),
        exceptions: None,
        checkpoints: None,
        deployment: None,
        deletion: None,
        pods: None,
        events: None,
        ha_data: None,
        last_words: None,
        archive: None,
        flink_resource: None,
        task_managers: None,
        fleet: types::Fleet { targets: 0, dark: 0 },
        timing: types::Timing {
            poll: 5000,
            timeout: 3000,
            validate: 60_000,
            retry_initial: 800,
            retry_max: 30_000,
            startup_grace: 0,
            terminal_poll: 60_000,
        },
    }
}
