//! The engine against a healthy fleet: how fresh its record is, and what a poll and a job cost.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use steadfast_core::id::ClusterName;
use steadfast_core::projection::Projection;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_core::timing::Timing;
use steadfast_host::{PolicyEngine, PolicyLimits};
use steadfast_reconcile::{ClusterSetup, Discover, Engine, JobSeries, Judging, Keeping, PolicySetup, Recording, Setup};
use steadfast_sources::job_results::ResultSources;
use steadfast_sources::kubernetes::{KubeSettings, Selector};
use steadfast_sources::route::FlinkRoute;
use steadfast_sources::transport::HttpTransport;
use steadfast_tasks::STOP_DEADLINE;

use crate::measure::{Calls, Timed, cpu, percentile, print_rows, resident_kib};

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| age.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// The world's process, ended with the benchmark.
pub(crate) struct World(Child);

impl Drop for World {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

pub(crate) fn start_world(jobs: usize) -> anyhow::Result<(World, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["world", &jobs.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the world could not be started")?;
    let out = child.stdout.take().context("the world has no standard output")?;
    let mut address = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut address)?;
    Ok((World(child), address.trim().to_owned()))
}

/// Runs the benchmark and prints its figures.
pub async fn run(jobs: usize, measured: Duration) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let (_world, address) = start_world(jobs)?;
    let folder = tempfile::tempdir()?;
    let calls = Calls::default();
    let before = resident_kib()?;
    let setup = setup(folder.path(), &address, &calls)?;
    let (timing, clock) = (setup.timing, Arc::clone(&setup.clock));
    let began = Instant::now();
    let engine = Engine::start(setup, &mut prometheus_client::registry::Registry::default()).await?;
    until_confirmed(&engine.projection, jobs).await?;
    let all_confirmed = began.elapsed();
    tokio::time::sleep(timing.poll * 2).await;

    calls.take();
    let (cpu_before, began) = (cpu()?, Instant::now());
    let mut ages = Vec::new();
    while began.elapsed() < measured {
        tokio::time::sleep(Duration::from_millis(250)).await;
        ages.extend(ages_of(&engine.projection, clock.now()));
    }
    let (spent, took) = (cpu()?.saturating_sub(cpu_before), began.elapsed());
    let resident = resident_kib()?.saturating_sub(before);
    let mut micros = calls.take();
    engine.stop(tokio::time::Instant::now() + STOP_DEADLINE).await?;

    #[expect(clippy::cast_precision_loss, reason = "counts and KiB far below 2^52")]
    let (polls, jobs, resident) = (micros.len() as f64, jobs as f64, resident as f64);
    print_rows(&[
        (
            "jobs, all confirmed after",
            format!("{jobs}, {:.1} s", all_confirmed.as_secs_f64()),
        ),
        (
            "freshness p50 / p99",
            format!(
                "{:.2} s / {:.2} s",
                percentile(&mut ages, 0.50),
                percentile(&mut ages, 0.99)
            ),
        ),
        (
            "decisions in the time measured",
            format!("{polls} in {:.0} s", took.as_secs_f64()),
        ),
        (
            "CPU per 1,000 decisions",
            format!("{:.1} ms", spent.as_secs_f64() * 1e6 / polls.max(1.0)),
        ),
        (
            "share of one core",
            format!("{:.1} %", 100.0 * spent.as_secs_f64() / took.as_secs_f64()),
        ),
        (
            "memory of the engine, and per job",
            format!("{:.1} MiB, {:.1} KiB", resident / 1024.0, resident / jobs),
        ),
        (
            "policy call p50 / p99",
            format!(
                "{:.2} us / {:.2} us",
                percentile(&mut micros, 0.50),
                percentile(&mut micros, 0.99)
            ),
        ),
    ]);
    Ok(())
}

/// The engine as it runs in production, on this world and with a store of its own; every call of its policy is timed.
fn setup(folder: &Path, address: &str, calls: &Calls) -> anyhow::Result<Setup> {
    let timing = Timing::default();
    let policies = PolicyEngine::new(Some(folder))?;
    let limits = PolicyLimits {
        deadline: Duration::from_millis(50),
        memory_bytes: 64 << 20,
    };
    let policy = policies.load("conservative", steadfast_host::builtin::CONSERVATIVE, "{}", limits)?;
    let client = kube::Client::try_from(kube::Config::new(format!("http://{address}").parse()?))?;
    let settings = KubeSettings {
        name: ClusterName::new("local"),
        namespaces: Vec::new(),
        timing,
        deployments: Selector::Flink,
    };
    Ok(Setup {
        timing,
        clusters: vec![ClusterSetup {
            settings,
            client,
            server: format!("http://{address}"),
            credentials: None,
            http: None,
            discover: vec![Discover::Native],
            flink_rest: FlinkRoute::Template(format!("http://{address}/{{namespace}}/{{name}}").into()),
            job_results: ResultSources::default(),
            last_words: None,
        }],
        targets: Vec::new(),
        policies: vec![PolicySetup::deciding(
            "conservative",
            Box::new(Timed {
                inner: policy,
                calls: calls.clone(),
            }),
        )],
        tracing: None,
        judging: Judging::Threads,
        recording: Some(Recording::default()),
        keeping: Keeping::default(),
        series: JobSeries::None,
        journal: steadfast_store::open(&format!("sqlite://{}", folder.join("bench.db").display()))?,
        clock: Arc::new(SystemClock),
        seed: 1,
        http: Arc::new(HttpTransport::new().map_err(|fault| anyhow::anyhow!("{fault}"))?),
        http_of_targets: std::collections::BTreeMap::new(),
    })
}

/// Waits until every job was confirmed, for two minutes at most.
pub(crate) async fn until_confirmed(projection: &Projection, jobs: usize) -> anyhow::Result<()> {
    until("were confirmed", jobs, || count_confirmed(projection)).await
}

/// Waits until so many jobs are what is waited for, for two minutes at most.
pub(crate) async fn until(what: &str, jobs: usize, count: impl Fn() -> usize) -> anyhow::Result<()> {
    let began = Instant::now();
    while count() < jobs {
        anyhow::ensure!(
            began.elapsed() < Duration::from_secs(120),
            "only {} of {jobs} jobs {what}",
            count()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

pub(crate) fn count_confirmed(projection: &Projection) -> usize {
    projection
        .page(None, usize::MAX, |view| view.watch.confirmed_at.is_some())
        .len()
}

/// Seconds since each job was last confirmed.
pub(crate) fn ages_of(projection: &Projection, now: Timestamp) -> Vec<f64> {
    projection
        .page(None, usize::MAX, |_| true)
        .iter()
        .filter_map(|view| view.watch.confirmed_at)
        .map(|at| now.since(at).as_secs_f64())
        .collect()
}
