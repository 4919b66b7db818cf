//! A FlinkDeployment: its operator reports what is not so, suspends the job, lets it run again, and goes.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::operator::{FlinkDeployment, Report};
use cluster_tests::record::Record;
use cluster_tests::setup::{Discover, Setup};
use cluster_tests::story::{START, Story};

const JOB: &str = "operated";
const RUN: [&str; 2] = ["--mode", "run"];
const TRUE: Report = Report {
    job: "RUNNING",
    lifecycle: "STABLE",
    job_manager: "READY",
};
/// What the operator is known to say of a job it has lost sight of.
const FALSE: Report = Report {
    job: "FAILED",
    lifecycle: "FAILED",
    job_manager: "MISSING",
};
const STOPPED: Report = Report {
    job: "SUSPENDED",
    lifecycle: "SUSPENDED",
    job_manager: "MISSING",
};
/// Four polls.
const LIE: Duration = Duration::from_secs(20);
/// A deletion that was seen, and one complete answer after it.
const GONE: Duration = Duration::from_secs(25);
/// `alert_after` and some looks.
const ALERTED: Duration = Duration::from_secs(40);

pub async fn story(story: &Story) -> Result<()> {
    let resource = FlinkDeployment::create(JOB, &story.kit, &story.timeline).await?;
    let setup = Setup::new("operated", story.kit.reader().await?, "pod").discover(Discover::Operator);
    let watcher = story.watcher(setup).await?;
    let owner = resource.owner_option();
    let flink = story.submit(JOB, &["--no-ha", &owner], &RUN).await?;
    flink.wait("RUNNING", None, START).await?;
    watcher.wait_running(JOB, START).await?;
    resource.report(TRUE).await?;

    let lied = story.timeline.now();
    resource.report(FALSE).await?;
    story.timeline.until(lied + LIE).await;
    for (at, record) in watcher.recorder.looks(JOB, lied) {
        ensure!(record.is_confirmed("RUNNING"), "at {at:?}: {}", record.line());
    }
    resource.report(TRUE).await?;

    let suspended = story.timeline.now();
    resource.desire("suspended").await?;
    resource.delete_deployment().await?;
    let deleted = story.world.deleted(JOB, suspended, Duration::from_secs(60)).await?;
    resource.report(STOPPED).await?;
    let limit = (deleted + GONE).saturating_sub(story.timeline.now());
    let seen = watcher.wait_state(JOB, "SUSPENDED", limit).await?;
    story
        .timeline
        .measured(&format!("deletion to {JOB} SUSPENDED"), seen.saturating_sub(deleted));
    drop(flink);
    story.timeline.until(seen + ALERTED).await;
    for (at, record) in watcher.recorder.looks(JOB, seen) {
        ensure!(record.state == "SUSPENDED", "at {at:?}: {}", record.line());
    }
    let fired = watcher.events.alerts(JOB);
    ensure!(fired.is_empty(), "{JOB} was suspended on purpose: alerts {fired:?}");

    resource.desire("running").await?;
    let flink = story.submit(JOB, &["--no-ha", &owner], &RUN).await?;
    let (runs, _) = flink.wait("RUNNING", None, START).await?;
    let second = |record: &Record| record.is_confirmed("RUNNING") && record.attempt == 2;
    let seen = watcher
        .recorder
        .wait(JOB, "RUNNING in attempt 2", Duration::from_secs(15), second)
        .await?;
    story
        .timeline
        .measured(&format!("Flink's RUNNING to {JOB}'s record"), seen.saturating_sub(runs));
    resource.report(TRUE).await?;

    let gone = story.timeline.now();
    resource.delete().await?;
    resource.delete_deployment().await?;
    let deleted = story.world.deleted(JOB, gone, Duration::from_secs(60)).await?;
    let limit = (deleted + GONE).saturating_sub(story.timeline.now());
    let seen = watcher.wait_state(JOB, "TERMINATED", limit).await?;
    story
        .timeline
        .measured(&format!("deletion to {JOB} TERMINATED"), seen.saturating_sub(deleted));
    let history = watcher.history(JOB).await?;
    // The garbage collector ends TaskManagers and JobManager in no order: where a TaskManager goes first, Flink restarts
    // its job for a moment, and says so.
    let on_the_way = Step::Any(&["RESTARTING"]);
    history.assert_runs(&[
        BEFORE,
        Step::One(&["RUNNING"]),
        on_the_way,
        Step::One(&["SUSPENDED"]),
        Step::Any(&["RECONCILING", "STARTING", "CREATED", "INITIALIZING"]),
        Step::One(&["RUNNING"]),
        on_the_way,
        Step::One(&["TERMINATED"]),
    ])
}
