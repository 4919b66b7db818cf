//! A token is revoked under two engines, and a new one is put where the old one was: in the kubeconfig, and in a file that it names.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster_tests::account::Account;
use cluster_tests::clusters::Cluster;
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story, Watcher};

use crate::rest_port::JOB;
use crate::silent::runs_on;
use crate::{PARAMS, TIMING};

/// What the API server remembers of a good token, and the next validation.
const KNOWN: Duration = Duration::from_secs(45);
/// The kubeconfig is read again at most once in `retry_max`; what is refused is asked again within as long.
const KUBECONFIG: Duration = Duration::from_secs(30);
/// Token files are read again within a minute.
const FILE: Duration = Duration::from_secs(90);

pub async fn story(story: &Story) -> Result<()> {
    let mut account = Account::create("renewed", &story.kit, &story.timeline).await?;
    let old = account.token().await?;
    let folder = story.folder("tokens")?;
    let (inline, named, file) = (folder.join("inline"), folder.join("named"), folder.join("token"));
    account.write_kubeconfig(&inline, &old).await?;
    account.write_kubeconfig_of_file(&named, &file, &old).await?;
    let by_kubeconfig = Setup::new("token-in-kubeconfig", inline.clone(), "pod");
    let by_file = Setup::new("token-in-file", named, "pod");
    let by_kubeconfig = story.watcher(by_kubeconfig.params(PARAMS).timing(TIMING)).await?;
    let by_file = story.watcher(by_file.params(PARAMS).timing(TIMING)).await?;
    for watcher in [&by_kubeconfig, &by_file] {
        watcher.wait_running(JOB, START).await?;
        watcher
            .engine
            .api()
            .wait_cluster("read", KNOWN, Cluster::is_read)
            .await?;
    }

    let revoked = story.timeline.now();
    account.revoke(&old).await?;
    let refused = |cluster: &Cluster| {
        let fault = |kind| cluster.fault(kind).is_some_and(|fault| fault.contains("401"));
        fault("Deployment") && fault("Pod")
    };
    for watcher in [&by_kubeconfig, &by_file] {
        watcher
            .engine
            .api()
            .wait_cluster("refused with 401", KNOWN, refused)
            .await?;
        watcher
            .engine
            .log()
            .wait("WARN", "cannot be read since", 1, KNOWN)
            .await?;
    }

    let new = account.token().await?;
    let renewed = story.timeline.now();
    account.write_kubeconfig(&inline, &new).await?;
    new.write(&file)?;
    story.timeline.tell("world", "a new token lies where the old one was");
    tokio::try_join!(
        goes_on(story, &by_kubeconfig, revoked, renewed, KUBECONFIG),
        goes_on(story, &by_file, revoked, renewed, FILE)
    )?;
    Ok(())
}

async fn goes_on(
    story: &Story,
    watcher: &Watcher,
    revoked: Duration,
    renewed: Duration,
    limit: Duration,
) -> Result<()> {
    watcher
        .engine
        .api()
        .wait_cluster("read with the new token", limit, Cluster::is_read)
        .await?;
    let who = watcher.engine.name();
    let took = story.timeline.now().saturating_sub(renewed);
    story
        .timeline
        .measured(&format!("new token to a cluster that is read ({who})"), took);
    watcher
        .engine
        .log()
        .wait("INFO", "can be read again after", 1, KNOWN)
        .await?;
    // Flink was asked all the while, where its pod was last seen.
    for (at, record) in watcher.recorder.looks(JOB, revoked) {
        ensure!(record.is_confirmed("RUNNING"), "at {at:?}: {}", record.line());
    }
    runs_on(watcher, JOB, revoked).await
}
