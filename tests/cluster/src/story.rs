//! The stage of a story: an empty cluster, the world's watches, engines with their recorders.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::engine::{Engine, target};
use crate::events::Events;
use crate::history::History;
use crate::kit::Kit;
use crate::record::Transition;
use crate::recorder::Recorder;
use crate::setup::Setup;
use crate::timeline::Timeline;
use crate::world::{Flink, World};

/// How long a Flink application may take until its job runs; 7 s on an idle machine.
pub const START: Duration = Duration::from_secs(90);

/// A cleared cluster and what it takes to tell a story on it.
#[derive(Debug)]
pub struct Story {
    /// The story's clock and printer.
    pub timeline: Timeline,
    /// The kit's commands.
    pub kit: Kit,
    /// What really happens.
    pub world: World,
}

impl Story {
    /// Mends the link, removes what earlier stories left, and begins to watch.
    pub async fn begin(name: &str) -> Result<Self> {
        // The first call installs it, later ones find it there: only plain HTTP is spoken, but the client asks for one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let timeline = Timeline::begin(name);
        let kit = Kit::new(&timeline);
        kit.clear()
            .await
            .context("no cluster; `tests/cluster/cluster up` starts it")?;
        let world = World::watch(&kit, &timeline);
        Ok(Self { timeline, kit, world })
    }

    /// Starts a session cluster, begins to poll it, and runs jobs in it; returns their ids.
    pub async fn session(&self, app: &str, options: &[&str], jobs: &[&[&str]]) -> Result<(Flink, Vec<String>)> {
        let address = self.kit.run(&[&["flink-session", app], options].concat()).await?;
        let flink = self.world.poll_flink(app, &address)?;
        let mut ids = Vec::new();
        for job in jobs {
            let argv: Vec<&str> = [&["session-job", app, "--"], *job].concat();
            ids.push(self.kit.run(&argv).await?);
        }
        Ok((flink, ids))
    }

    /// Submits an application and begins to poll it.
    pub async fn submit(&self, app: &str, options: &[&str], job: &[&str]) -> Result<Flink> {
        let address = self.kit.submit(app, options, job).await?;
        self.world.poll_flink(app, &address)
    }

    /// Starts an engine that may only read the default namespace and asks Flink by pod address.
    pub async fn reader(&self, name: &'static str, params: &'static str) -> Result<Watcher> {
        self.watcher(Setup::new(name, self.kit.reader().await?, "pod").params(params))
            .await
    }

    /// Starts an engine that asks Flink through the API server's proxy.
    pub async fn through_proxy(&self, name: &'static str) -> Result<Watcher> {
        self.watcher(Setup::new(name, self.kit.administrator().await?, "proxy"))
            .await
    }

    /// Starts an engine as it is told, and looks on.
    pub async fn watcher(&self, setup: Setup) -> Result<Watcher> {
        let engine = Engine::start(setup, &self.timeline).await?;
        let recorder = Recorder::start(engine.name(), engine.api().clone(), &self.timeline);
        let events = Events::follow(engine.api().clone());
        Ok(Watcher {
            engine,
            recorder,
            events,
            read: Vec::new(),
        })
    }

    /// A folder of this story's, for what the test itself writes.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = target().join("cluster-tests").join(self.timeline.story()).join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(std::path::absolute(folder)?)
    }

    /// Tells that the story is over and removes what it started.
    pub async fn end(self) -> Result<()> {
        self.kit.clear().await?;
        self.timeline.tell("story", "passed");
        Ok(())
    }
}

/// An engine and the looks at it.
#[derive(Debug)]
pub struct Watcher {
    /// The process.
    pub engine: Engine,
    /// The looks.
    pub recorder: Recorder,
    /// The event stream.
    pub events: Events,
    /// What the journals said before each kill, with the job's name.
    read: Vec<(String, Vec<Transition>)>,
}

impl Watcher {
    /// Waits until the record says RUNNING, confirmed, with a fresh look at it.
    pub async fn wait_running(&self, job: &str, limit: Duration) -> Result<Duration> {
        self.recorder
            .wait(job, "RUNNING and confirmed", limit, |record| {
                record.is_confirmed("RUNNING")
            })
            .await
    }

    /// Waits until the record says this state, with any confidence.
    pub async fn wait_state(&self, job: &str, state: &str, limit: Duration) -> Result<Duration> {
        self.recorder
            .wait(job, state, limit, |record| record.state == state)
            .await
    }

    /// Reads the journals, kills the engine with SIGKILL and starts it on the same store, at once.
    pub async fn kill_and_restart(&mut self) -> Result<()> {
        self.read_journals().await?;
        self.engine.kill_and_restart().await
    }

    /// Reads the journals and kills the engine with SIGKILL.
    pub async fn kill(&mut self) -> Result<()> {
        self.read_journals().await?;
        self.engine.kill().await
    }

    async fn read_journals(&mut self) -> Result<()> {
        for record in self.engine.api().jobs().await? {
            self.read
                .push((record.name.clone(), self.engine.api().transitions(&record.path).await?));
        }
        Ok(())
    }

    /// The journal of a job: told, chained, complete against every look, the event stream, and
    /// what was read before each kill.
    pub async fn history(&self, job: &str) -> Result<History> {
        let looks = self.recorder.looks(job, Duration::ZERO);
        let (_, last) = looks
            .last()
            .with_context(|| format!("{}: {job} was never listed", self.engine.name()))?;
        let history = History::new(job, self.engine.api().transitions(&last.path).await?);
        for row in history.rows() {
            self.recorder
                .timeline()
                .tell(self.engine.name(), format!("journal of {job}: {}", row.line()));
        }
        ensure!(
            !history.rows().is_empty(),
            "{}: no transitions of {job}",
            self.engine.name()
        );
        history.assert_chained()?;
        history.assert_accounts_for(looks.iter().map(|(_, record)| record))?;
        self.events.assert_complete(history.rows()).await?;
        for (_, rows) in self.read.iter().filter(|(name, _)| name == job) {
            history.assert_continues(rows)?;
        }
        Ok(history)
    }
}
