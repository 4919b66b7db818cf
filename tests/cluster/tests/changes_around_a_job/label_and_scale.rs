//! One application: its JobMaster falls silent, its Deployment loses the label that discovery selects by, and is scaled to zero.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::Record;
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story, Watcher};
use cluster_tests::world::Flink;

use crate::silent::runs_on;
use crate::stall::Stall;
use crate::{CONFIRMED, PARAMS, TIMING, UNSURE, WINDOW};

const JOB: &str = "scaled";
/// How long the label is away: every list in between leaves the Deployment out.
const UNLABELLED: Duration = Duration::from_secs(40);
/// A pod's grace period, twice the window, and a validation that had just begun.
const SEEN: Duration = Duration::from_secs(120);
/// How much earlier than the test the engine may learn that a pod is gone.
const LAG: Duration = Duration::from_secs(3);

pub async fn story(story: &Story) -> Result<()> {
    let stall = Stall::new(&story.kit.data().await?, JOB)?;
    let inside = stall.inside();
    let options = ["--no-ha", "-D", "heartbeat.timeout=180000"];
    let job = ["--mode", "run", "--stall", &inside];
    let flink = story.submit(JOB, &options, &job).await?;
    let setup = Setup::new("scale", story.kit.administrator().await?, "pod");
    let mut watcher = story.watcher(setup.params(PARAMS).timing(TIMING)).await?;
    flink.wait("RUNNING", None, START).await?;
    watcher.wait_running(JOB, START).await?;

    silent(story, &watcher, &flink, &stall).await?;
    unlabelled(story, &mut watcher).await?;
    scaled(story, &watcher, &flink).await
}

/// With Flink's own `web.timeout`, which is longer than anybody waits, it answers nothing at all.
async fn silent(story: &Story, watcher: &Watcher, flink: &Flink, stall: &Stall) -> Result<()> {
    let began = story.timeline.now();
    let held = stall.begin(story, START).await?;
    let unsure = |record: &Record| record.confidence != "confirmed";
    watcher.recorder.wait(JOB, "not confirmed", UNSURE, unsure).await?;
    story.timeline.until(held + 3 * WINDOW).await;
    stall.end(story)?;
    flink.wait("RUNNING", None, CONFIRMED).await?;
    watcher.wait_running(JOB, CONFIRMED).await?;
    runs_on(watcher, JOB, began).await
}

/// A list that selects by a label says nothing of what lost it: not while it is watched, nor after a restart.
async fn unlabelled(story: &Story, watcher: &mut Watcher) -> Result<()> {
    let label = |value| ["kubectl", "--", "label", "deployment", JOB, value];
    let began = story.timeline.now();
    let off = story
        .kit
        .harm(&label("type-"), &label("type=flink-native-kubernetes"))
        .await?;
    story.timeline.until(began + UNLABELLED / 2).await;
    stays_confirmed(watcher, began)?;
    watcher.kill_and_restart().await?;
    let restarted = story.timeline.now();
    story.timeline.until(began + UNLABELLED).await;
    // What was read from the store is confirmed once Flink has been asked.
    let looks = watcher.recorder.looks(JOB, restarted);
    let again = looks.iter().find(|(_, record)| record.is_confirmed("RUNNING"));
    let (again, _) = again.context("not confirmed again after the restart")?;
    let on = story.timeline.now();
    off.heal().await?;
    // Two validations see it selected again.
    story.timeline.until(on + Duration::from_secs(20)).await;
    stays_confirmed(watcher, *again)?;
    runs_on(watcher, JOB, began).await
}

fn stays_confirmed(watcher: &Watcher, since: Duration) -> Result<()> {
    for (at, record) in watcher.recorder.looks(JOB, since) {
        ensure!(record.is_confirmed("RUNNING"), "at {at:?}: {}", record.line());
    }
    Ok(())
}

/// Nothing is asked for, and nothing runs: that is no end, and it is over when somebody scales it up.
async fn scaled(story: &Story, watcher: &Watcher, flink: &Flink) -> Result<()> {
    let (_, before) = flink.wait("RUNNING", None, CONFIRMED).await?;
    let scale = |to| ["kubectl", "--", "scale", "deployment", JOB, to];
    let down = story.kit.harm(&scale("--replicas=0"), &scale("--replicas=1")).await?;
    let pods = format!("--selector=app={JOB},component=jobmanager");
    let gone = ["kubectl", "--", "wait", "--for=delete", "pod", &pods, "--timeout=60s"];
    story.kit.ask(&gone).await?;
    let gone = story.timeline.now();
    let suspended = |record: &Record| record.state == "SUSPENDED" && record.code == "ScaledToZero";
    let seen = watcher
        .recorder
        .wait(JOB, "SUSPENDED, scaled to zero", SEEN, suspended)
        .await?;
    let after = seen.saturating_sub(gone);
    story.timeline.measured("the JobManager's pod gone to SUSPENDED", after);
    ensure!(
        after + LAG >= WINDOW,
        "{JOB} was taken for suspended before it was confirmed"
    );
    for (at, record) in watcher.recorder.looks(JOB, seen) {
        ensure!(record.confidence == "inferred", "at {at:?}: {}", record.line());
    }

    down.heal().await?;
    let (runs, _) = flink.wait("RUNNING", Some(&before), START).await?;
    let again = |record: &Record| record.is_confirmed("RUNNING") && record.attempt == 2;
    let seen = watcher
        .recorder
        .wait(JOB, "RUNNING in attempt 2", CONFIRMED, again)
        .await?;
    let after = seen.saturating_sub(runs);
    story
        .timeline
        .measured("Flink's RUNNING after the scaling up to the record's", after);
    let history = watcher.history(JOB).await?;
    history.assert_never(&["FAILED", "LOST", "TERMINATED", "FINISHED", "CANCELED"])?;
    history.assert_runs(&[
        BEFORE,
        Step::One(&["RUNNING"]),
        Step::Any(&["RESTARTING", "RECONCILING"]),
        Step::One(&["SUSPENDED"]),
        Step::Any(&["STARTING", "CREATED", "INITIALIZING", "RECONCILING"]),
        Step::One(&["RUNNING"]),
    ])?;
    let fired = watcher.events.alerts(JOB);
    let ends = fired.iter().filter(|alert| alert.starts_with("Job")).count();
    ensure!(ends == 0, "{JOB} was scaled down on purpose: alerts {fired:?}");
    Ok(())
}
