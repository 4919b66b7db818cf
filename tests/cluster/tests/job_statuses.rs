//! What a real API server makes of JobStatuses and Events: admitted as they are written, shown by `kubectl get`, waited for, mended,
//! and gone with their records.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use cluster_tests::engine::program;
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story, Watcher};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, interval, sleep};

const JOB: &str = "told";
const KIND: &str = "jobstatuses.steadfast.dev";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn a_job_is_shown_waited_for_and_gone_with_its_record() -> Result<()> {
    let story = Story::begin("job statuses").await?;
    // Without the kind first: the engine watches all the same, and finds it when it comes.
    kubectl(&story, &["delete", "crd", "--ignore-not-found", KIND]).await?;
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/deploy/crd/jobstatuses.yaml");
    let definition = definition.to_str().context("a path that is no text")?;
    let undo = story
        .kit
        .harm(
            &["kubectl", "--", "apply", "--server-side", "-f", definition],
            &["kubectl", "--", "delete", "--ignore-not-found", "-f", definition],
        )
        .await?;
    let established = format!("crd/{KIND}");
    kubectl(
        &story,
        &["wait", &established, "--for=condition=Established", "--timeout=30s"],
    )
    .await?;

    let setup = Setup::new("told", story.kit.administrator().await?, "pod").told_in_kubernetes();
    let mut engine = story.watcher(setup).await?;
    let flink = story.submit(JOB, &[], &["--mode", "run"]).await?;
    engine.wait_running(JOB, START).await?;
    let shown = Instant::now();
    let status = format!("jobstatus/{JOB}");
    wait(&story, &status, "--for=jsonpath={.status.state}=RUNNING").await?;
    wait(&story, &status, "--for=condition=Ready").await?;
    wait(&story, &status, "--for=condition=Confirmed").await?;
    story
        .timeline
        .measured("record RUNNING to kubectl wait", shown.elapsed());
    let table = kubectl(&story, &["get", "jobstatuses", "--no-headers", JOB]).await?;
    let row: Vec<&str> = table.split_whitespace().collect();
    ensure!(row.first() == Some(&JOB) && row.get(1) == Some(&"RUNNING"), "{table}");
    ensure!(row.get(2) == Some(&"confirmed") && row.len() == 6, "{table}");
    story.timeline.tell("world", table);
    is_told(&story, "RUNNING (confirmed)").await?;

    // What others do to it is mended, at the latest with the next start; which writes nothing else.
    let before = object(&story).await?;
    engine.kill().await?;
    kubectl(&story, &["label", &status, "steadfast.dev/cluster-", "--overwrite"]).await?;
    engine.engine.start_again().await?;
    within(Duration::from_secs(10), async || {
        let now = object(&story).await?;
        Ok(now.pointer("/metadata/labels/steadfast.dev~1cluster") == Some(&"local".into()))
    })
    .await?;
    engine.wait_running(JOB, START).await?;
    wait(&story, &status, "--for=condition=Confirmed").await?;
    let after = object(&story).await?;
    ensure!(uid(&before) == uid(&after), "it was made anew");
    is_left_alone(&story, &engine).await?;

    // The Deployment goes, and its HA data stays: the status says so, for as long as there is a record.
    drop(flink);
    story.kit.run(&["flink-rm", JOB]).await?;
    wait(&story, &status, "--for=jsonpath={.status.state}=SUSPENDED").await?;
    forget(&engine).await?;
    kubectl(&story, &["wait", &status, "--for=delete", "--timeout=20s"]).await?;
    drop(engine);
    undo.heal().await?;
    story.end().await
}

async fn kubectl(story: &Story, argv: &[&str]) -> Result<String> {
    story.kit.ask(&[&["kubectl", "--"], argv].concat()).await
}

async fn wait(story: &Story, what: &str, condition: &str) -> Result<()> {
    kubectl(story, &["wait", what, condition, "--timeout=60s"])
        .await
        .map(drop)
}

async fn object(story: &Story) -> Result<Value> {
    let text = kubectl(story, &["get", "jobstatus", JOB, "-o", "json"]).await?;
    Ok(serde_json::from_str(&text)?)
}

fn uid(object: &Value) -> Option<&str> {
    object.pointer("/metadata/uid")?.as_str()
}

/// Whether an Event of the Deployment says so, as `kubectl describe` would find it.
async fn is_told(story: &Story, said: &str) -> Result<()> {
    let uid = kubectl(story, &["get", "deployment", JOB, "-o", "jsonpath={.metadata.uid}"]).await?;
    let of = format!("involvedObject.uid={uid}");
    let list = [
        "get",
        "events",
        "--field-selector",
        &of,
        "-o",
        "jsonpath={.items[*].message}",
    ];
    within(Duration::from_secs(10), async || {
        Ok(kubectl(story, &list).await?.contains(said))
    })
    .await
}

/// Nothing is written while the record says the same. Where it said something else a moment ago (a Flink that did not answer in
/// time), a write may have been on its way: the next while counts.
async fn is_left_alone(story: &Story, engine: &Watcher) -> Result<()> {
    const WHILE: Duration = Duration::from_secs(20);
    const ON_ITS_WAY: Duration = Duration::from_secs(5);
    let version = |object: &Value| object.pointer("/metadata/resourceVersion").cloned();
    let is_the_same = |from: Duration| {
        let looks = engine.recorder.looks(JOB, from);
        let lines: BTreeSet<String> = looks.iter().map(|(_, record)| record.line()).collect();
        lines.len() == 1
    };
    for _ in 0..5 {
        let from = story.timeline.now();
        let before = object(story).await?;
        sleep(WHILE).await;
        let after = object(story).await?;
        if is_the_same(from) && version(&before) == version(&after) {
            return Ok(());
        }
        ensure!(
            !is_the_same(from.saturating_sub(ON_ITS_WAY)),
            "what has not changed is written: {before} {after}"
        );
        story
            .timeline
            .tell("story", "the record changes; the next while counts");
    }
    bail!("the record is never the same for {WHILE:?}")
}

async fn within(limit: Duration, is_so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + limit;
    let mut look = interval(Duration::from_millis(200));
    loop {
        look.tick().await;
        if is_so().await? {
            return Ok(());
        }
        ensure!(Instant::now() < end, "not within {limit:?}");
    }
}

async fn forget(engine: &Watcher) -> Result<()> {
    let id = format!("local/default/{JOB}");
    let server = engine.engine.api().address();
    let ended = Command::new(program())
        .args(["forget", &id, "--force", "--server", server])
        .output()
        .await?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}
