//! `steadfast doctor` before a real API server: each right that the engine makes use of is taken away in turn, and just that one is
//! named.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::account::{Account, RIGHTS};
use cluster_tests::engine::program;
use cluster_tests::kit::Kit;
use cluster_tests::timeline::Timeline;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, interval};

/// How long an API server may take to go by another role.
const TAKEN_UP: Duration = Duration::from_secs(20);
const MISSING: &str = "no right to ";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn each_right_that_is_taken_away_is_named() -> Result<()> {
    let timeline = Timeline::begin("doctor");
    let kit = Kit::new(&timeline);
    let mut account = Account::create("doctor", &kit, &timeline).await?;
    let folder = tempfile::tempdir()?;
    let token = account.token().await?;
    account
        .write_kubeconfig(&folder.path().join("kubeconfig"), &token)
        .await?;
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n[[kubernetes]]\nname = \"local\"\nkubeconfig = \"kubeconfig\"\n\
                  namespaces = [\"default\"]\ndiscover = [\"native\"]\nflink_rest = \"service\"\njob_statuses = true\n\
                  [[sink]]\nkind = \"kubernetes-event\"\nname = \"events\"\nkubernetes = \"local\"\n";
    std::fs::write(folder.path().join("config.toml"), config)?;

    wait_for(folder.path(), &[]).await?;
    for (group, resource, verbs) in RIGHTS {
        for verb in verbs {
            account.deny_verb(resource, verb).await?;
            let group = if group.is_empty() {
                String::new()
            } else {
                format!(".{group}")
            };
            let missing = format!("{verb} {resource}{group} in namespace default");
            let report = wait_for(folder.path(), &[&missing]).await?;
            timeline.tell("doctor", format!("names {missing}"));
            // What cannot be listed is told by the API server as well.
            let lists = *verb == "list" && ["deployments", "pods"].contains(&resource);
            let says = report.iter().any(|finding| finding.contains("cannot be listed"));
            ensure!(lists == says, "{missing}: {report:?}");
        }
    }
    account.allow().await?;
    wait_for(folder.path(), &[]).await.map(drop)
}

/// Asks until these rights are missing and no others. Returns all that is not well then.
async fn wait_for(folder: &Path, missing: &[&str]) -> Result<Vec<String>> {
    let end = Instant::now() + TAKEN_UP;
    let mut pause = interval(Duration::from_millis(200));
    loop {
        pause.tick().await;
        let findings = troubles(folder).await?;
        let named = findings.iter().filter_map(|finding| finding.strip_prefix(MISSING));
        let named: BTreeSet<&str> = named.filter_map(|right| right.split(':').next()).collect();
        if named == missing.iter().copied().collect() {
            return Ok(findings);
        }
        ensure!(
            Instant::now() < end,
            "{missing:?} are missing, and it says {findings:?}"
        );
    }
}

async fn troubles(folder: &Path) -> Result<Vec<String>> {
    let doctor = Command::new(program())
        .args(["doctor", "--output", "json"])
        .current_dir(folder)
        .output()
        .await?;
    let report: Value =
        serde_json::from_slice(&doctor.stdout).with_context(|| String::from_utf8_lossy(&doctor.stderr).into_owned())?;
    let findings = report
        .get("findings")
        .and_then(Value::as_array)
        .context("no findings")?;
    let text = |finding: &Value, key: &str| finding.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let of_cluster = findings
        .iter()
        .filter(|finding| text(finding, "subject") == "cluster local" && text(finding, "verdict") != "ok");
    Ok(of_cluster.map(|finding| text(finding, "what")).collect())
}
