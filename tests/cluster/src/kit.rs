//! The kit's commands (`tests/cluster/cluster`), each under a deadline.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::timeline::Timeline;

/// The longest any command may take; the slowest, a submission on a busy machine, takes some 10 s.
const DEADLINE: Duration = Duration::from_secs(150);

/// The cluster that `cluster up` started.
#[derive(Clone, Debug)]
pub struct Kit {
    program: PathBuf,
    timeline: Timeline,
}

impl Kit {
    /// The kit of this folder; it finds the running instance itself.
    #[must_use]
    pub fn new(timeline: &Timeline) -> Self {
        Self {
            program: Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster"),
            timeline: timeline.clone(),
        }
    }

    /// Runs a command, tells it, and returns its standard output.
    pub async fn run(&self, argv: &[&str]) -> Result<String> {
        let began = self.timeline.now();
        let out = self.ask(argv).await?;
        let took = self.timeline.now().saturating_sub(began);
        self.timeline.tell(
            "world",
            format!("cluster {} ({:.1} s)", argv.join(" "), took.as_secs_f64()),
        );
        Ok(out)
    }

    /// Runs a command without telling it: for questions, not for deeds.
    pub async fn ask(&self, argv: &[&str]) -> Result<String> {
        self.ask_with(argv, "").await
    }

    /// The same with this text on its standard input.
    pub async fn ask_with(&self, argv: &[&str], input: &str) -> Result<String> {
        let child = async {
            let mut child = Command::new(&self.program)
                .args(argv)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // A command that reads nothing may have ended: its status says whether that was right.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let out = tokio::time::timeout(DEADLINE, child)
            .await
            .with_context(|| format!("cluster {} did not end within {DEADLINE:?}", argv.join(" ")))?
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        if !out.status.success() {
            bail!(
                "cluster {}: {}",
                argv.join(" "),
                String::from_utf8_lossy(&out.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    }

    /// Submits an application cluster; returns its REST address as seen from the host.
    ///
    /// `options` are the kit's own, `job` goes to the job's `main`.
    pub async fn submit(&self, app: &str, options: &[&str], job: &[&str]) -> Result<String> {
        let argv: Vec<&str> = [&["flink-app", app], options, &["--"], job].concat();
        self.run(&argv).await
    }

    /// A kubeconfig that may read the default namespace and nothing else.
    pub async fn reader(&self) -> Result<PathBuf> {
        Ok(self.ask(&["kubeconfig", "--watcher"]).await?.into())
    }

    /// The administrator's kubeconfig: the API server's proxy asks for more than reading.
    pub async fn administrator(&self) -> Result<PathBuf> {
        Ok(self.ask(&["kubeconfig"]).await?.into())
    }

    /// Starts `kubectl` with its output in a pipe; it ends when the child is dropped.
    pub fn kubectl(&self, argv: &[&str]) -> Result<Child> {
        Command::new(&self.program)
            .args(["kubectl", "--"])
            .args(argv)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start kubectl")
    }

    /// Waits until the last pod of a Flink cluster that is gone has gone too.
    pub async fn pods_gone(&self, app: &str) -> Result<()> {
        let label = format!("app={app}");
        self.ask(&[
            "kubectl",
            "--",
            "wait",
            "--for=delete",
            "pod",
            "-l",
            &label,
            "--timeout=60s",
        ])
        .await?;
        Ok(())
    }

    /// Removes every Flink application, whoever left it there, and undoes what harm was done.
    pub async fn clear(&self) -> Result<()> {
        for undo in ["heal", "start-apiserver", "allow-watcher"] {
            self.ask(&[undo]).await?;
        }
        let listed = self.ask(&[
            "kubectl",
            "--",
            "get",
            "deployments",
            "-l",
            "type=flink-native-kubernetes",
            "-o",
            "name",
        ]);
        let mut removals = JoinSet::new();
        for name in listed.await?.lines() {
            let (kit, name) = (self.clone(), name.rsplit('/').next().unwrap_or(name).to_owned());
            removals.spawn(async move { kit.run(&["flink-rm", &name]).await });
        }
        while let Some(removed) = removals.join_next().await {
            removed??;
        }
        Ok(())
    }

    /// Cuts the link between host and node.
    pub async fn drop_all_packets(&self) -> Result<Harm> {
        self.harm(&["drop", "all"], &["heal"]).await
    }

    /// Takes the reading service account's rights away.
    pub async fn deny_watcher(&self) -> Result<Harm> {
        self.harm(&["deny-watcher"], &["allow-watcher"]).await
    }

    /// Kills the API server's process.
    pub async fn kill_api_server(&self) -> Result<Harm> {
        self.harm(&["kill-apiserver"], &["start-apiserver"]).await
    }

    /// The folder that every Flink container sees as `/flink-data`.
    pub async fn data(&self) -> Result<PathBuf> {
        Ok(self.ask(&["data"]).await?.into())
    }

    /// Does something that another command undoes.
    pub async fn harm(&self, argv: &[&str], undo: &[&str]) -> Result<Harm> {
        self.run(argv).await?;
        Ok(Harm {
            kit: self.clone(),
            undo: undo.iter().map(|&word| word.to_owned()).collect(),
            healed: false,
        })
    }
}

/// Harm done to the cluster. A story that fails half-way undoes it all the same.
#[derive(Debug)]
pub struct Harm {
    kit: Kit,
    undo: Vec<String>,
    healed: bool,
}

impl Harm {
    /// Undoes it.
    pub async fn heal(mut self) -> Result<()> {
        self.healed = true;
        let undo: Vec<&str> = self.undo.iter().map(String::as_str).collect();
        self.kit.run(&undo).await.map(drop)
    }
}

impl Drop for Harm {
    fn drop(&mut self) {
        if !self.healed {
            let _ = std::process::Command::new(&self.kit.program)
                .args(&self.undo)
                .stdin(Stdio::null())
                .status();
        }
    }
}
