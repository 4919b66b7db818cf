//! One rule after the other is taken out of the engine's Role and put back: the engine says which, in the API server's words, and
//! no job moves.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use cluster_tests::account::Account;
use cluster_tests::clusters::Cluster;
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story, Watcher};
use tokio::time::interval;

use crate::rest_port::JOB;
use crate::silent::runs_on;
use crate::{PARAMS, TIMING};

/// An open watch goes on: only the next list, at most a validation away, meets the refusal.
const KNOWN: Duration = Duration::from_secs(45);
/// `retry_max`, and the lists of a validation.
const BACK: Duration = Duration::from_secs(30);
/// How long the API server's own authorizer may take to learn of a changed Role.
const LEARNT: Duration = Duration::from_secs(15);

pub async fn story(story: &Story) -> Result<()> {
    let mut account = Account::create("restricted", &story.kit, &story.timeline).await?;
    let kubeconfig = story.folder("rights-account")?.join("kubeconfig");
    let token = account.token().await?;
    account.write_kubeconfig(&kubeconfig, &token).await?;
    let setup = Setup::new("rights", kubeconfig.clone(), "pod");
    let watcher = story.watcher(setup.params(PARAMS).timing(TIMING)).await?;
    watcher.wait_running(JOB, START).await?;
    watcher
        .engine
        .api()
        .wait_cluster("read", KNOWN, Cluster::is_read)
        .await?;

    let kubeconfig = kubeconfig.to_str().context("a path that is not text")?;
    let began = story.timeline.now();
    for (round, (resource, kind)) in [("deployments", "Deployment"), ("pods", "Pod")].into_iter().enumerate() {
        account.deny(resource).await?;
        let denied = story.timeline.now();
        let words = refusal(story, kubeconfig, resource).await?;
        is_told(story, &watcher, kind, &words, denied).await?;
        account.allow().await?;
        let allowed = story.timeline.now();
        watcher
            .engine
            .api()
            .wait_cluster("read again", BACK, Cluster::is_read)
            .await?;
        let took = story.timeline.now().saturating_sub(allowed);
        story
            .timeline
            .measured(&format!("rights to {resource} to a cluster that is read"), took);
        let log = watcher.engine.log();
        let back = log.wait("INFO", "can be read again after", round + 1, BACK).await?;
        ensure!(back.len() == round + 1, "it was told more than once: {back:#?}");
    }
    for (at, record) in watcher.recorder.looks(JOB, began) {
        ensure!(record.is_confirmed("RUNNING"), "at {at:?}: {}", record.line());
    }
    runs_on(&watcher, JOB, began).await
}

/// What the API server itself says to somebody with the same rights.
async fn refusal(story: &Story, kubeconfig: &str, resource: &str) -> Result<String> {
    let config = format!("--kubeconfig={kubeconfig}");
    let mut looks = interval(Duration::from_millis(500));
    let end = story.timeline.now() + LEARNT;
    while story.timeline.now() < end {
        looks.tick().await;
        if let Err(error) = story.kit.ask(&["kubectl", "--", &config, "get", resource]).await {
            let error = format!("{error:#}");
            let (_, words) = error.split_once("(Forbidden): ").with_context(|| error.clone())?;
            return Ok(words.lines().next().unwrap_or_default().to_owned());
        }
    }
    bail!("{resource} can still be listed after {LEARNT:?}")
}

/// In the API, for that kind alone, and in one line of the log.
async fn is_told(story: &Story, watcher: &Watcher, kind: &str, words: &str, denied: Duration) -> Result<()> {
    let refused = |cluster: &Cluster| cluster.fault(kind).is_some_and(|fault| fault.contains(words));
    let what = format!("refused with {words:?}");
    let cluster = watcher.engine.api().wait_cluster(&what, KNOWN, refused).await?;
    let took = story.timeline.now().saturating_sub(denied);
    story
        .timeline
        .measured(&format!("refusal of {kind} to its fault"), took);
    let others = cluster.kinds.iter().filter(|(other, _)| *other != kind);
    for (other, fault) in others {
        ensure!(fault.is_none(), "{other} was not taken away: {fault:?}");
    }
    let log = watcher.engine.log();
    let told = log.wait("WARN", words, 1, BACK).await?;
    ensure!(
        told.len() == 1 && told.iter().all(|line| line.contains("cannot be read since")),
        "{told:#?}"
    );
    Ok(())
}
