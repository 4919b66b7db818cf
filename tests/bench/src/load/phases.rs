//! What happens to the fleet, in order, and what is measured meanwhile.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::baseline::{BASELINE, Baseline};
use super::engine::{Engine, Usage};
use super::process::World;
use super::report::{Figure, Phase};
use super::subscribers::Subscribers;
use super::world::{Orders, WorldOptions};

/// The phases behind the start, in order.
pub const PHASES: [&str; 10] = [
    "steady",
    "hang",
    "outage",
    "churn",
    "subscribers",
    "reload",
    "failover",
    "restart",
    "after",
    BASELINE,
];
/// How often the configuration is reloaded.
const RELOADS: u32 = 5;
/// For how long something may go on that is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long the phases are, and how much happens in them.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    /// Each is measured for so long, but for the outage.
    pub measured: Duration,
    /// How long nobody answers.
    pub outage: Duration,
    /// How long what a phase did has to settle.
    pub settles: Duration,
    /// So many jobs in a million restart or are replaced each second of the churn.
    pub churn: u32,
}

/// A program against a world.
pub struct Load {
    jobs: usize,
    lengths: Lengths,
    world: World,
    engine: Engine,
    all: Vec<Phase>,
}

impl Load {
    /// Starts both; `jobs` are those that are on record in the end.
    pub async fn start(program: &Path, folder: &Path, options: WorldOptions, lengths: Lengths) -> anyhow::Result<Self> {
        let world = World::start(options).await?;
        let engine = Engine::start(program, folder, world.address()).await?;
        let mut load = Self {
            jobs: if options.listed > 0 {
                options.listed
            } else {
                options.jobs
            },
            lengths,
            world,
            engine,
            all: Vec::new(),
        };
        load.begin().await?;
        Ok(load)
    }

    /// Runs one of [`PHASES`].
    pub async fn run(&mut self, phase: &str) -> anyhow::Result<()> {
        match phase {
            "steady" => self.measured("steady").await,
            "hang" => self.hang().await,
            "outage" => self.outage().await,
            "churn" => self.churn().await,
            "subscribers" => self.subscribers().await,
            "reload" => self.reload().await,
            "failover" => self.failover().await,
            "restart" => self.restart().await,
            "after" => self.measured("after").await,
            BASELINE => self.baseline().await,
            other => anyhow::bail!("there is no phase `{other}`: there are {}", PHASES.join(", ")),
        }
    }

    /// Stops the program and the world; what was measured, and how many seconds the program took to stop.
    pub async fn stop(self) -> anyhow::Result<(Vec<Phase>, f64)> {
        let stopped = self.engine.stop().await?.as_secs_f64();
        self.world.end().await?;
        Ok((self.all, stopped))
    }

    /// From the start of the program to the last confirmation.
    async fn begin(&mut self) -> anyhow::Result<()> {
        let before = Usage {
            cpu: Duration::ZERO,
            ..self.engine.usage()?
        };
        let began = Instant::now();
        let all = self.until_confirmed(self.jobs, began).await?;
        let figures = vec![Figure::seconds("all confirmed", all)];
        self.note("start", began, before, figures, None).await?;
        tokio::time::sleep(self.lengths.settles).await;
        Ok(())
    }

    /// One in ten says nothing.
    async fn hang(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Hang(10)).await?;
        tokio::time::sleep(self.lengths.settles).await;
        self.measured("hang").await?;
        self.world.told(Orders::Hang(0)).await?;
        self.world.told(Orders::Heal).await?;
        self.until_confirmed(self.jobs, Instant::now()).await?;
        Ok(())
    }

    /// Nobody answers; then everybody does.
    async fn outage(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Count).await?;
        self.world.told(Orders::GoDark).await?;
        let (before, began) = (self.engine.usage()?, Instant::now());
        tokio::time::sleep(self.lengths.outage).await;
        self.note("dark", began, before, Vec::new(), None).await?;
        let (before, began) = (self.engine.usage()?, Instant::now());
        self.world.told(Orders::Heal).await?;
        let mut figures = Vec::new();
        for (what, jobs) in [
            ("half", self.jobs / 2),
            ("99 %", self.jobs * 99 / 100),
            ("all", self.jobs),
        ] {
            figures.push(Figure::seconds(what, self.until_confirmed(jobs, began).await?));
        }
        self.note("heal", began, before, figures, None).await?;
        tokio::time::sleep(self.lengths.settles).await;
        self.measured("healed").await
    }

    /// Jobs restart and are replaced.
    async fn churn(&mut self) -> anyhow::Result<()> {
        self.begin_churn().await?;
        self.measured("churn").await?;
        self.end_churn().await
    }

    /// A thousand follow the events of a churn, and a hundred of them stop reading.
    async fn subscribers(&mut self) -> anyhow::Result<()> {
        self.begin_churn().await?;
        let subscribers = Subscribers::at(self.engine.address()).await?;
        tokio::time::sleep(self.lengths.settles).await;
        subscribers.begin();
        self.measured("subscribers").await?;
        self.add(subscribers.figures());
        drop(subscribers);
        self.end_churn().await
    }

    /// The configuration changes again and again while the fleet churns.
    async fn reload(&mut self) -> anyhow::Result<()> {
        self.begin_churn().await?;
        let mut longest = Duration::ZERO;
        self.world.told(Orders::Count).await?;
        let (before, began) = (self.engine.usage()?, Instant::now());
        let mut worst = 0.0;
        for _ in 0..RELOADS {
            longest = longest.max(self.engine.reload().await?);
            let until = Instant::now() + self.lengths.measured / RELOADS;
            self.watch_ages(until, &mut worst).await?;
        }
        let figures = vec![Figure::seconds("longest reload", longest.as_secs_f64())];
        self.note("reload", began, before, figures, Some(worst)).await?;
        self.end_churn().await
    }

    /// Every JobManager restarts at once.
    async fn failover(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Count).await?;
        let (before, began) = (self.engine.usage()?, Instant::now());
        let at = jiff::Timestamp::now();
        self.world.told(Orders::FailOver).await?;
        while self.engine.running().await? < self.jobs || self.engine.oldest_state().await? < at {
            ensure!(began.elapsed() < PATIENCE, "not all run again");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let figures = vec![Figure::seconds("all run again", began.elapsed().as_secs_f64())];
        self.note("failover", began, before, figures, None).await?;
        tokio::time::sleep(self.lengths.settles).await;
        Ok(())
    }

    /// The API server restarts, and has forgotten what its watches could have gone on from.
    async fn restart(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Count).await?;
        self.world.told(Orders::RestartApi).await?;
        self.measured("restart").await?;
        let all = self.until_confirmed(self.jobs, Instant::now()).await?;
        self.add(vec![Figure::seconds("confirmed behind it", all)]);
        Ok(())
    }

    /// The same fleet, watched by what people write otherwise. The engine's polls go on meanwhile.
    async fn baseline(&mut self) -> anyhow::Result<()> {
        let baseline = Baseline::start(self.world.address())?;
        tokio::time::sleep(self.lengths.settles).await;
        self.world.told(Orders::Count).await?;
        let (before, began) = (baseline.usage()?, Instant::now());
        tokio::time::sleep(self.lengths.measured).await;
        self.note_usage(BASELINE, began, before, baseline.usage()?, Vec::new(), None)
            .await
    }

    async fn begin_churn(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Churn(self.lengths.churn)).await?;
        tokio::time::sleep(self.lengths.settles).await;
        Ok(())
    }

    async fn end_churn(&mut self) -> anyhow::Result<()> {
        self.world.told(Orders::Churn(0)).await?;
        let all = self.until_confirmed(self.jobs, Instant::now()).await?;
        self.add(vec![Figure::seconds("calm again", all)]);
        tokio::time::sleep(self.lengths.settles).await;
        Ok(())
    }

    /// Measures for as long as a phase takes.
    async fn measured(&mut self, name: &'static str) -> anyhow::Result<()> {
        self.world.told(Orders::Count).await?;
        let (before, began) = (self.engine.usage()?, Instant::now());
        let mut worst = 0.0;
        self.watch_ages(began + self.lengths.measured, &mut worst).await?;
        self.note(name, began, before, Vec::new(), Some(worst)).await
    }

    /// The age that one job in a hundred exceeds, at its worst moment until then.
    async fn watch_ages(&self, until: Instant, worst: &mut f64) -> anyhow::Result<()> {
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_secs(2)).await;
            *worst = worst.max(self.engine.age(self.jobs / 100).await?);
        }
        Ok(())
    }

    /// Seconds until so many jobs are confirmed.
    async fn until_confirmed(&self, jobs: usize, began: Instant) -> anyhow::Result<f64> {
        loop {
            let confirmed = self.engine.confirmed().await?;
            if confirmed >= jobs {
                return Ok(began.elapsed().as_secs_f64());
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "only {confirmed} of {jobs} jobs are confirmed"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Adds to the phase that was measured last.
    #[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
    fn add(&mut self, figures: Vec<Figure>) {
        let told: Vec<String> = figures.iter().map(ToString::to_string).collect();
        println!("{:12} {}", "", told.join(", "));
        if let Some(phase) = self.all.last_mut() {
            phase.figures.extend(figures);
        }
    }

    async fn note(
        &mut self,
        name: &'static str,
        began: Instant,
        before: Usage,
        figures: Vec<Figure>,
        age_p99: Option<f64>,
    ) -> anyhow::Result<()> {
        let after = self.engine.usage()?;
        self.note_usage(name, began, before, after, figures, age_p99).await
    }

    #[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
    async fn note_usage(
        &mut self,
        name: &'static str,
        began: Instant,
        before: Usage,
        after: Usage,
        figures: Vec<Figure>,
        age_p99: Option<f64>,
    ) -> anyhow::Result<()> {
        let seconds = began.elapsed().as_secs_f64();
        let counts = self.world.told(Orders::Count).await?;
        // Asked for once the rest is measured: half of a fleet is a large answer.
        let age_p50 = match age_p99 {
            Some(_) => Some(self.engine.age(self.jobs / 2).await?),
            None => None,
        };
        let phase = Phase {
            figures,
            age_p50,
            age_p99,
            ..Phase::new(name, seconds, before, after, counts)
        };
        println!("{}", phase.line());
        self.all.push(phase);
        Ok(())
    }
}
