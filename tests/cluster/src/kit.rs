//! The kit's commands (`tests/cluster/cluster`), each under a deadline.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};

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
        let child = Command::new(&self.program)
            .args(argv)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
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

    /// Removes every Flink application, whoever left it there, and mends the link.
    pub async fn clear(&self) -> Result<()> {
        self.ask(&["heal"]).await?;
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
        for name in listed.await?.lines() {
            self.run(&["flink-rm", name.rsplit('/').next().unwrap_or(name)]).await?;
        }
        Ok(())
    }

    /// Cuts the link between host and node until the guard is dropped or healed.
    pub async fn drop_all_packets(&self) -> Result<Cut> {
        self.run(&["drop", "all"]).await?;
        Ok(Cut {
            kit: self.clone(),
            healed: false,
        })
    }
}

/// The cut link. A story that fails half-way mends it all the same.
#[derive(Debug)]
pub struct Cut {
    kit: Kit,
    healed: bool,
}

impl Cut {
    /// Mends the link.
    pub async fn heal(mut self) -> Result<()> {
        self.healed = true;
        self.kit.run(&["heal"]).await.map(drop)
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        if !self.healed {
            let _ = std::process::Command::new(&self.kit.program)
                .arg("heal")
                .stdin(Stdio::null())
                .status();
        }
    }
}
