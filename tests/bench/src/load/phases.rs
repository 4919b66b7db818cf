//! What happens to the fleet, in order, and what is measured meanwhile.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::baseline::Baseline;
use super::engine::{Engine, Usage};
use super::report::{HEAD, Phase};
use super::world::{Counts, Orders};

/// How `load` is run.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How many jobs, each with a Flink of its own.
    jobs: usize,
    /// The engine's program.
    #[arg(long, default_value = "target/release/steadfast")]
    engine: PathBuf,
    /// How long each phase is measured, but for the outage.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How long nobody answers.
    #[arg(long, default_value_t = 60)]
    outage: u64,
    /// So many jobs in a million restart or are replaced each second of the churn.
    #[arg(long, default_value_t = 2500)]
    churn: u32,
    /// These phases alone, of `steady`, `hang`, `outage`, `churn`, `after`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The figures as JSON, into a file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Keeps the engine's folder, with its log and its store.
    #[arg(long)]
    keep: bool,
}

/// The world's process.
struct World {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl World {
    async fn start(jobs: usize) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["load-world", &jobs.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let orders = child.stdin.take().context("the world has no standard input")?;
        let out = child.stdout.take().context("the world has no standard output")?;
        let mut answers = BufReader::new(out).lines();
        let address = answers.next_line().await?.context("the world did not start")?;
        Ok(Self {
            child,
            orders,
            answers,
            address,
        })
    }

    async fn told(&mut self, orders: Orders) -> anyhow::Result<Counts> {
        let line = format!("{}\n", serde_json::to_string(&orders)?);
        self.orders.write_all(line.as_bytes()).await?;
        let answer = self.answers.next_line().await?.context("the world has ended")?;
        Ok(serde_json::from_str(&answer)?)
    }
}

/// Runs the phases and prints what each gave.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub async fn run(options: Options) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir()?;
    let program = std::fs::canonicalize(&options.engine).with_context(|| {
        format!(
            "{}: build it with --release, or name one with --engine",
            options.engine.display()
        )
    })?;
    let world = World::start(options.jobs).await?;
    let engine = Engine::start(&program, folder.path(), &world.address).await?;
    println!("{} jobs\n{HEAD}", options.jobs);
    let mut load = Load {
        options,
        world,
        engine,
        all: Vec::new(),
    };
    load.start().await?;
    for name in ["steady", "hang", "outage", "churn", "after"] {
        if !load.options.only.is_empty() && !load.options.only.iter().any(|only| only == name) {
            continue;
        }
        match name {
            "hang" => load.hang().await?,
            "outage" => load.outage().await?,
            "churn" => load.churn().await?,
            name => load.steady(name).await?,
        }
    }
    if load.options.only.is_empty() || load.options.only.iter().any(|only| only == "baseline") {
        load.baseline().await?;
    }
    let Load {
        options,
        world,
        engine,
        all,
    } = load;
    println!("stopped after {:.2} s", engine.stop().await?.as_secs_f64());
    drop(world.orders);
    drop(world.child.wait_with_output().await?);
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(&all)? + "\n")?;
    }
    if options.keep {
        println!("kept in {}", folder.keep().display());
    }
    Ok(())
}

struct Load {
    options: Options,
    world: World,
    engine: Engine,
    all: Vec<Phase>,
}

impl Load {
    /// From the start of the program to the last confirmation.
    async fn start(&mut self) -> anyhow::Result<()> {
        let before = Usage {
            cpu: Duration::ZERO,
            ..self.engine.usage()?
        };
        let began = Instant::now();
        let all = self.until(self.options.jobs, began, Duration::from_secs(300)).await?;
        self.note("start", began, before, vec![("all confirmed", all)], None)
            .await?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(())
    }

    /// Nothing happens.
    async fn steady(&mut self, name: &str) -> anyhow::Result<()> {
        let name = if name == "after" { "after" } else { "steady" };
        self.measured(name, Vec::new()).await
    }

    /// One in ten says nothing.
    async fn hang(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Hang(10)).await?;
        tokio::time::sleep(Duration::from_secs(15)).await;
        self.measured("hang", Vec::new()).await?;
        self.world.told(Orders::Hang(0)).await?;
        self.world.told(Orders::Heal).await?;
        self.until(self.options.jobs, Instant::now(), Duration::from_secs(120))
            .await?;
        Ok(())
    }

    /// Nobody answers; then everybody does.
    async fn outage(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Count).await?;
        self.world.told(Orders::GoDark).await?;
        let (before, began) = (self.engine.usage()?, Instant::now());
        tokio::time::sleep(Duration::from_secs(self.options.outage)).await;
        self.note("dark", began, before, Vec::new(), None).await?;
        let (before, began) = (self.engine.usage()?, Instant::now());
        self.world.told(Orders::Heal).await?;
        let jobs = self.options.jobs;
        let half = self.until(jobs / 2, began, Duration::from_secs(120)).await?;
        let most = self.until(jobs * 99 / 100, began, Duration::from_secs(120)).await?;
        let all = self.until(jobs, began, Duration::from_secs(120)).await?;
        self.note(
            "heal",
            began,
            before,
            vec![("half", half), ("99 %", most), ("all", all)],
            None,
        )
        .await?;
        tokio::time::sleep(Duration::from_secs(15)).await;
        self.measured("healed", Vec::new()).await
    }

    /// Jobs restart and are replaced.
    async fn churn(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Churn(self.options.churn)).await?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.measured("churn", Vec::new()).await?;
        self.world.told(Orders::Churn(0)).await?;
        let all = self
            .until(self.options.jobs, Instant::now(), Duration::from_secs(120))
            .await?;
        if let Some(phase) = self.all.last_mut() {
            phase.times.push(("calm again", all));
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(())
    }

    /// The same fleet, watched by what people write otherwise. The engine's polls go on meanwhile, and are counted with the others.
    async fn baseline(&mut self) -> anyhow::Result<()> {
        let baseline = Baseline::start(&self.world.address)?;
        tokio::time::sleep(Duration::from_secs(15)).await;
        self.world.told(Orders::Count).await?;
        let (before, began) = (baseline.usage()?, Instant::now());
        tokio::time::sleep(Duration::from_secs(self.options.seconds)).await;
        self.note_usage("baseline", began, before, baseline.usage()?, Vec::new(), None)
            .await
    }

    /// Measures for as long as a phase takes.
    async fn measured(&mut self, name: &'static str, times: Vec<(&'static str, f64)>) -> anyhow::Result<()> {
        self.world.told(Orders::Count).await?;
        let (before, began) = (self.engine.usage()?, Instant::now());
        let mut worst = [0.0_f64; 2];
        while began.elapsed() < Duration::from_secs(self.options.seconds) {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let ages = self.engine.ages(self.options.jobs).await?;
            for (worst, age) in worst.iter_mut().zip(ages) {
                *worst = worst.max(age);
            }
        }
        self.note(name, began, before, times, Some(worst)).await
    }

    /// Seconds until so many jobs are confirmed.
    async fn until(&self, jobs: usize, began: Instant, patience: Duration) -> anyhow::Result<f64> {
        loop {
            let confirmed = self.engine.confirmed().await?;
            if confirmed >= jobs {
                return Ok(began.elapsed().as_secs_f64());
            }
            ensure!(
                began.elapsed() < patience,
                "only {confirmed} of {jobs} jobs are confirmed"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn note(
        &mut self,
        name: &'static str,
        began: Instant,
        before: Usage,
        times: Vec<(&'static str, f64)>,
        ages: Option<[f64; 2]>,
    ) -> anyhow::Result<()> {
        let after = self.engine.usage()?;
        self.note_usage(name, began, before, after, times, ages).await
    }

    #[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
    async fn note_usage(
        &mut self,
        name: &'static str,
        began: Instant,
        before: Usage,
        after: Usage,
        times: Vec<(&'static str, f64)>,
        ages: Option<[f64; 2]>,
    ) -> anyhow::Result<()> {
        let seconds = began.elapsed().as_secs_f64();
        let counts = self.world.told(Orders::Count).await?;
        let [age_p99, age_p50] = ages.unwrap_or([f64::NAN; 2]);
        let phase = Phase::new(name, seconds, before, after, counts);
        let phase = Phase {
            times,
            age_p50,
            age_p99,
            ..phase
        };
        println!("{}", phase.line());
        self.all.push(phase);
        Ok(())
    }
}
