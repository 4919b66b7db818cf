//! The world's process, as the measuring one has it.

use std::process::Stdio;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::world::{Counts, Orders, WorldOptions};

/// It ends when it is dropped.
pub struct World {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl World {
    pub async fn start(options: WorldOptions) -> anyhow::Result<Self> {
        let WorldOptions { jobs, listed, running } = options;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["load-world", &jobs.to_string()])
            .args(["--listed", &listed.to_string(), "--running", &running.to_string()])
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

    /// Where its API server is.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub async fn told(&mut self, orders: Orders) -> anyhow::Result<Counts> {
        let line = format!("{}\n", serde_json::to_string(&orders)?);
        self.orders.write_all(line.as_bytes()).await?;
        let answer = self.answers.next_line().await?.context("the world has ended")?;
        Ok(serde_json::from_str(&answer)?)
    }

    pub async fn end(self) -> anyhow::Result<()> {
        drop(self.orders);
        self.child.wait_with_output().await?;
        Ok(())
    }
}
