//! What people write who need no more than states: a task for each job with a client of its own, which asks every five seconds, and a
//! list of all pods each minute. It keeps no record, explains nothing and confirms nothing; it is the least that the engine's cost is
//! compared with, in the same run and on the same world.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tokio::process::{Child, Command};

use super::engine::{Usage, usage_of};
use super::world::{PORT, locked};

/// What it calls itself to those whom it asks.
pub const BASELINE: &str = "baseline";
const POLL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(3);
const LIST: Duration = Duration::from_secs(60);

/// Its process.
pub struct Baseline(Child);

impl Baseline {
    /// Starts it on a world.
    pub fn start(world: &str) -> anyhow::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args(["load-baseline", world])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self(child))
    }

    /// What it has used, and holds.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        usage_of(self.0.id().context("the baseline has ended")?, Path::new("/nowhere"))
    }
}

/// The program of the process. It ends with whoever started it.
pub async fn serve(world: &str) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let states: Arc<Mutex<HashMap<String, String>>> = Arc::default();
    let api = client(LIST)?;
    let mut known = HashMap::new();
    loop {
        let body = api
            .get(format!("http://{world}/api/v1/pods"))
            .send()
            .await?
            .bytes()
            .await?;
        let pods: Value = serde_json::from_slice(&body)?;
        for pod in pods.pointer("/items").and_then(Value::as_array).into_iter().flatten() {
            let text = |at: &str| pod.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (name, address) = (text("/metadata/name"), text("/status/podIP"));
            known
                .entry(name.clone())
                .or_insert_with(|| tokio::spawn(watch(name, address, Arc::clone(&states))));
        }
        tokio::time::sleep(LIST).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what everybody's client is, and not the engine's"
)]
pub fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .user_agent(BASELINE)
        .timeout(timeout)
        .build()
}

async fn watch(name: String, address: String, states: Arc<Mutex<HashMap<String, String>>>) {
    let Ok(client) = client(TIMEOUT) else { return };
    let url = format!("http://{address}:{PORT}/jobs/overview");
    loop {
        let answer = async { client.get(&url).send().await?.bytes().await }.await;
        let told = answer.ok().and_then(|body| serde_json::from_slice::<Value>(&body).ok());
        let state = told.and_then(|told| told.pointer("/jobs/0/state")?.as_str().map(str::to_owned));
        locked(&states).insert(name.clone(), state.unwrap_or_else(|| "FAILED".to_owned()));
        tokio::time::sleep(POLL).await;
    }
}
