//! The engine's process, as an operator starts it and as the operating system sees it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::world::PORT;
use crate::measure;
use crate::reload::kubeconfig;

/// The most jobs of one answer.
const PAGE: usize = 5000;

/// A running engine, ended when it is dropped.
pub struct Engine {
    child: Child,
    address: String,
    http: reqwest::Client,
    folder: PathBuf,
    /// The API server's address.
    world: String,
    reloads: u32,
}

/// What the engine says of its jobs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Item>,
    total: usize,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    confirmed_at: Option<String>,
    since: jiff::Timestamp,
}

/// What it has used since it began, and holds now.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time.
    pub cpu: Duration,
    /// Resident memory in KiB.
    pub resident: u64,
    /// Files and connections.
    pub files: usize,
    /// Of the store, with its log, in KiB.
    pub store: u64,
}

impl Engine {
    /// Starts a program on a world, with a store in that folder and everything else at its default.
    pub async fn start(program: &Path, folder: &Path, world: &str) -> anyhow::Result<Self> {
        configure(folder, world, 0)?;
        let mut child = Command::new(program)
            .args(["--log-format", "json", "run", "--config", "config.toml"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let err = child.stderr.take().context("it has no standard error")?;
        let listening = address(BufReader::new(err).lines(), folder.join("engine.log"));
        let address = tokio::time::timeout(Duration::from_secs(60), listening).await??;
        let http = super::baseline::client(Duration::from_secs(30))?;
        Ok(Self {
            child,
            address,
            http,
            folder: folder.to_owned(),
            world: world.to_owned(),
            reloads: 0,
        })
    }

    /// Where its API is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many jobs are confirmed.
    pub async fn confirmed(&self) -> anyhow::Result<usize> {
        Ok(self.jobs("confidence=confirmed&limit=1").await?.total)
    }

    /// How many run, and are known to.
    pub async fn running(&self) -> anyhow::Result<usize> {
        Ok(self.jobs("confidence=confirmed&state=RUNNING&limit=1").await?.total)
    }

    /// Since when the job is in its state that has been for longest.
    pub async fn oldest_state(&self) -> anyhow::Result<jiff::Timestamp> {
        let page = self.jobs("sort=since&limit=1").await?;
        Ok(page.items.first().context("no job is on record")?.since)
    }

    /// Has it reload its configuration, in which a parameter of the policy has changed, and returns how long that took.
    pub async fn reload(&mut self) -> anyhow::Result<Duration> {
        self.reloads += 1;
        configure(&self.folder, &self.world, self.reloads)?;
        let began = std::time::Instant::now();
        let url = format!("http://{}/api/v1/reload", self.address);
        let response = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .send()
            .await?;
        let (status, told) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "the engine does not reload: {status} {told}");
        Ok(began.elapsed())
    }

    /// The age of the confirmation that so many jobs exceed, in seconds.
    pub async fn age(&self, exceeded_by: usize) -> anyhow::Result<f64> {
        let (mut left, mut next) = (exceeded_by.max(1), String::new());
        loop {
            let limit = left.min(PAGE);
            let page = self.jobs(&format!("sort=confirmed&limit={limit}{next}")).await?;
            let now = jiff::Timestamp::now();
            left = left.saturating_sub(page.items.len());
            match page.cursor {
                Some(cursor) if left > 0 => next = format!("&cursor={cursor}"),
                Some(_) | None => {
                    let confirmed = page.items.last().and_then(|item| item.confirmed_at.as_deref());
                    return Ok(match confirmed {
                        Some(at) => now.duration_since(at.parse()?).as_secs_f64(),
                        None => f64::INFINITY,
                    });
                }
            }
        }
    }

    async fn jobs(&self, query: &str) -> anyhow::Result<Page> {
        let url = format!("http://{}/api/v1/jobs?{query}", self.address);
        let body = self.http.get(url).send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// What the process uses.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let id = self.child.id().context("the engine has ended")?;
        usage_of(id, &self.folder.join("steadfast.db"))
    }

    /// Ends it as a service manager does, and returns what it took.
    pub async fn stop(mut self) -> anyhow::Result<Duration> {
        let id = self.child.id().context("the engine has ended")?;
        let pid = rustix::process::Pid::from_raw(i32::try_from(id)?).context("no process")?;
        let began = std::time::Instant::now();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await??;
        ensure!(status.success(), "the engine ended with {status}");
        Ok(began.elapsed())
    }
}

/// Writes the configuration. Each `version` of it has another parameter of the policy.
fn configure(folder: &Path, world: &str, version: u32) -> anyhow::Result<()> {
    kubeconfig(folder, world)?;
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\
         [[kubernetes]]\nname = \"local\"\nkubeconfig = \"kubeconfig\"\ndiscover = [\"native\"]\n\
         flink_rest = \"http://{{pod_ip}}:{PORT}\"\n\
         [[policy]]\nname = \"conservative\"\nmodule = \"builtin:conservative\"\n\
         [policy.params]\nalert_after = \"{}s\"\n",
        30 + version
    );
    Ok(std::fs::write(folder.join("config.toml"), text)?)
}

/// What a process uses that has a store there.
pub fn usage_of(id: u32, store: &Path) -> anyhow::Result<Usage> {
    let sizes = ["", "-wal"].iter().map(|end| {
        let file = PathBuf::from(format!("{}{end}", store.display()));
        std::fs::metadata(file).map_or(0, |metadata| metadata.len())
    });
    Ok(Usage {
        cpu: measure::cpu_of(&id.to_string())?,
        resident: measure::resident_kib_of(&id.to_string())?,
        files: measure::open_files_of(&id.to_string())?,
        store: sizes.sum::<u64>() / 1024,
    })
}

type Lines = tokio::io::Lines<BufReader<tokio::process::ChildStderr>>;

/// Where it listens, by its log; what else it logs goes into a file.
async fn address(mut lines: Lines, log: PathBuf) -> anyhow::Result<String> {
    let mut kept = std::fs::File::create(log)?;
    while let Some(line) = lines.next_line().await? {
        std::io::Write::write_all(&mut kept, format!("{line}\n").as_bytes())?;
        let entry: serde_json::Value = serde_json::from_str(&line)?;
        let said = entry
            .pointer("/fields/message")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        if let Some((_, address)) = said.split_once("dashboard are at http://") {
            let address = address.trim_end_matches('/').to_owned();
            tokio::spawn(async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    drop(std::io::Write::write_all(&mut kept, format!("{line}\n").as_bytes()));
                }
            });
            return Ok(address);
        }
    }
    anyhow::bail!("the engine ended before it listened")
}
