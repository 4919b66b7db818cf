//! The built binary: configured, started, killed and started again, asked over HTTP.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval};

use crate::clusters::Cluster;
use crate::log::Log;
use crate::record::{Record, Transition};
use crate::setup::Setup;
use crate::timeline::Timeline;

/// A client of one engine's API; clones outlive the process, so that a recorder looks on over a restart.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    http: reqwest::Client,
    stream: reqwest::Client,
}

impl Api {
    /// Where it answers, as `--server` takes it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.base
    }

    /// Every record that the engine shows.
    pub async fn jobs(&self) -> Result<Vec<Record>> {
        let page = self.get("/api/v1/jobs").await?;
        page.get("items")
            .and_then(Value::as_array)
            .context("no items")?
            .iter()
            .map(Record::read)
            .collect()
    }

    /// The journal of one record, oldest first.
    pub async fn transitions(&self, path: &str) -> Result<Vec<Transition>> {
        let page = self.get(&format!("{path}/transitions")).await?;
        let items = page.get("items").and_then(Value::as_array).context("no items")?;
        let mut rows: Vec<Transition> = items.iter().map(Transition::read).collect::<Result<_>>()?;
        rows.sort_by_key(|row| row.sequence);
        Ok(rows)
    }

    /// The event stream, from behind this id on; it stays open until the engine ends.
    pub async fn events(&self, last: u64) -> Result<reqwest::Response> {
        let request = self
            .stream
            .get(format!("{}/api/v1/events", self.base))
            .header("Last-Event-ID", last);
        Ok(request.send().await?.error_for_status()?)
    }

    /// What the engine can read of its cluster.
    pub async fn cluster(&self) -> Result<Cluster> {
        Cluster::read(&self.get("/api/v1/clusters").await?)
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let answer = self
            .http
            .get(format!("{}{path}", self.base))
            .send()
            .await?
            .error_for_status()?;
        Ok(answer.json().await?)
    }

    async fn ready(&self) -> bool {
        self.get("/readyz").await.is_ok()
    }
}

/// One engine with its own store; the process ends with this value.
#[derive(Debug)]
pub struct Engine {
    setup: Setup,
    folder: PathBuf,
    api: Api,
    process: Child,
    timeline: Timeline,
}

impl Engine {
    /// Starts an engine with an empty store and waits until it is ready.
    pub async fn start(setup: Setup, timeline: &Timeline) -> Result<Self> {
        let folder = target().join("cluster-tests").join(timeline.story()).join(setup.name());
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        std::fs::write(folder.join("config.toml"), setup.toml(port))?;
        let http = steadfast_http::client()
            .timeout(Duration::from_secs(2))
            .no_proxy()
            .build()?;
        let stream = steadfast_http::client()
            .connect_timeout(Duration::from_secs(2))
            .no_proxy()
            .build()?;
        let api = Api {
            base: format!("http://127.0.0.1:{port}"),
            http,
            stream,
        };
        let process = spawn(&folder)?;
        let mut engine = Self {
            setup,
            folder,
            api,
            process,
            timeline: timeline.clone(),
        };
        engine.wait_ready().await?;
        Ok(engine)
    }

    /// Its name in the timeline.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.setup.name()
    }

    /// Its API.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// What it has logged, over all its starts.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::of(self.folder.join("engine.log"))
    }

    /// Ends the process with SIGKILL and starts another on the same store, at once.
    pub async fn kill_and_restart(&mut self) -> Result<()> {
        let began = self.timeline.now();
        self.kill().await?;
        self.start_again().await?;
        let took = self.timeline.now().saturating_sub(began);
        self.timeline
            .measured(&format!("{} answers again after SIGKILL", self.name()), took);
        Ok(())
    }

    /// Ends the process with SIGKILL.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.start_kill()?;
        self.process.wait().await?;
        self.timeline.tell(self.name(), "SIGKILL");
        Ok(())
    }

    /// Starts a process on the store of the one that was killed.
    pub async fn start_again(&mut self) -> Result<()> {
        self.process = spawn(&self.folder)?;
        self.wait_ready().await
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(30);
        let mut look = interval(Duration::from_millis(50));
        loop {
            look.tick().await;
            if self.api.ready().await {
                self.timeline.tell(self.name(), "ready");
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!(
                    "{} ended at its start with {status}; see {}/engine.log",
                    self.name(),
                    self.folder.display()
                );
            }
            if Instant::now() > end {
                bail!("{} is not ready; see {}/engine.log", self.name(), self.folder.display());
            }
        }
    }
}

fn spawn(folder: &Path) -> Result<Child> {
    let program = program();
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("engine.log"))?;
    Command::new(&program)
        .args(["run", "--config", "config.toml"])
        .current_dir(folder)
        .env("STEADFAST_LOG_FORMAT", "text")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}: run `cargo build --release` first", program.display()))
}

/// The built binary.
pub fn program() -> PathBuf {
    std::env::var_os("STEADFAST_BIN").map_or_else(|| target().join("release/steadfast"), PathBuf::from)
}

/// The workspace's target folder; stores and logs of the last run stay in `cluster-tests` below it.
pub(crate) fn target() -> PathBuf {
    let fallback = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(fallback, PathBuf::from)
}
