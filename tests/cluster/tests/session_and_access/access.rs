//! The watcher's RoleBinding is deleted while its job runs: 403 says nothing of the job.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::{ENDS, Record};
use cluster_tests::setup::{Discover, Setup};
use cluster_tests::story::{START, Story};

const JOB: &str = "denied";
/// An open watch goes on: only the next list, at most a validation away, meets the refusal.
const KNOWN: Duration = Duration::from_secs(90);
const CONFIRMED: Duration = Duration::from_secs(35);
const CLEAR: Duration = Duration::from_secs(45);

pub async fn story(story: &Story) -> Result<()> {
    let address = story.kit.submit(JOB, &["--no-ha"], &["--mode", "run"]).await?;
    let flink = story.world.poll_flink(JOB, &address)?;
    let reader = story.kit.reader().await?;
    let by_pod = Setup::new("by-pod", reader.clone(), "pod");
    let by_service = Setup::new("by-service", reader, "pod")
        .discover(Discover::Nothing)
        .job(JOB, &address);
    let watchers = [story.watcher(by_pod).await?, story.watcher(by_service).await?];
    flink.wait("RUNNING", None, START).await?;
    for watcher in &watchers {
        watcher.wait_running(JOB, START).await?;
    }

    let denied_at = story.timeline.now();
    let denied = story.kit.deny_watcher().await?;
    let known = |record: &Record| record.has("AccessDenied") && record.has("KubernetesUnreachable");
    for watcher in &watchers {
        let limit = (denied_at + KNOWN).saturating_sub(story.timeline.now());
        let seen = watcher.recorder.wait(JOB, "known as refused", limit, known).await?;
        let who = watcher.engine.name();
        let looks = watcher.recorder.looks(JOB, seen);
        let confidence = looks.first().map_or("", |(_, record)| record.confidence.as_str());
        story.timeline.measured(
            &format!("refusal to AccessDenied and KubernetesUnreachable ({who}), then {confidence}"),
            seen.saturating_sub(denied_at),
        );
    }
    let healed = story.timeline.now();
    denied.heal().await?;

    for watcher in &watchers {
        let who = watcher.engine.name();
        let seen = watcher.wait_running(JOB, CONFIRMED).await?;
        story
            .timeline
            .measured(&format!("rights to confirmed ({who})"), seen.saturating_sub(healed));
        let clear = |record: &Record| record.is_confirmed("RUNNING") && record.conditions.is_empty();
        let limit = (healed + CLEAR).saturating_sub(story.timeline.now());
        let seen = watcher.recorder.wait(JOB, "free of conditions", limit, clear).await?;
        story
            .timeline
            .measured(&format!("rights to no conditions ({who})"), seen.saturating_sub(healed));
        // Flink is asked on at the address that was told, or where its pod was last seen.
        for (at, record) in watcher.recorder.looks(JOB, denied_at) {
            let holds = record.state == "RUNNING" && record.attempt == 1;
            let seen = record.confidence == "confirmed" && !record.has("FlinkUnreachable");
            ensure!(holds && seen, "at {at:?}: {}", record.line());
        }
        let history = watcher.history(JOB).await?;
        history.assert_never(&ENDS)?;
        history.assert_runs(&[BEFORE, Step::One(&["RUNNING"])])?;
    }
    Ok(())
}
