//! Jobs are cancelled through Flink, their Deployments vanish, and they are submitted again.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::Record;
use cluster_tests::story::{START, Story, Watcher};
use cluster_tests::world::{Flink, FlinkJob};

/// Gone within a second of the call.
const QUICK: &str = "cancel-quick";
/// Stays in CANCELLING for a while; an engine is killed in it.
const SLOW: &str = "cancel-slow";
/// An engine is killed as the call is made, and has only what it finds when it is back.
const BLIND: &str = "cancel-blind";
const JOBS: [&str; 3] = [QUICK, SLOW, BLIND];
const RUN: [&str; 2] = ["--mode", "run"];
const LINGER: [&str; 4] = ["--mode", "run", "--cancel-ms", "8000"];
const RECORDED: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn a_cancelled_job_is_watched_until_it_runs_again() -> Result<()> {
    let story = Story::begin("cancel").await?;
    let calm = story.reader("calm", "").await?;
    let mut killed = story.reader("killed", "").await?;
    let quick = running(&story, QUICK, &RUN).await?;
    let slow = running(&story, SLOW, &LINGER).await?;
    let blind = running(&story, BLIND, &RUN).await?;
    for job in JOBS {
        calm.wait_running(job, START).await?;
        killed.wait_running(job, START).await?;
    }

    let called = cancel(&story, &quick).await?;
    canceled(&story, [&calm, &killed], QUICK, called).await?;
    let called = cancel(&story, &slow).await?;
    killed.wait_state(SLOW, "CANCELLING", Duration::from_secs(10)).await?;
    killed.kill_and_restart().await?;
    canceled(&story, [&calm, &killed], SLOW, called).await?;
    let called = cancel(&story, &blind).await?;
    killed.kill_and_restart().await?;
    canceled(&story, [&calm, &killed], BLIND, called).await?;
    drop((quick, slow, blind));

    let mut again = Vec::new();
    for job in JOBS {
        again.push(story.submit(job, &[], &RUN).await?);
    }
    killed.wait_state(BLIND, "STARTING", Duration::from_secs(20)).await?;
    killed.kill_and_restart().await?;
    for (job, flink) in JOBS.iter().zip(&again) {
        let (runs, _) = flink.wait("RUNNING", None, START).await?;
        for watcher in [&calm, &killed] {
            let second = |record: &Record| record.is_confirmed("RUNNING") && record.attempt == 2;
            let seen = watcher
                .recorder
                .wait(job, "RUNNING in attempt 2", Duration::from_secs(15), second)
                .await?;
            let who = watcher.engine.name();
            story.timeline.measured(
                &format!("Flink's RUNNING to {job}'s record ({who})"),
                seen.saturating_sub(runs),
            );
        }
    }
    for job in JOBS {
        for watcher in [&calm, &killed] {
            let history = watcher.history(job).await?;
            history.assert_runs(&[
                BEFORE,
                Step::One(&["RUNNING"]),
                Step::Any(&["CANCELLING"]),
                Step::One(&["CANCELED"]),
                Step::Some(&["STARTING"]),
                Step::Any(&["CREATED", "INITIALIZING"]),
                Step::One(&["RUNNING"]),
            ])?;
            ensure!(
                history.last("RUNNING").is_some_and(|row| row.attempt == 2),
                "{history}: not attempt 2"
            );
        }
    }
    story.end().await
}

async fn running(story: &Story, job: &str, how: &[&str]) -> Result<(String, Flink, FlinkJob)> {
    let flink = story.submit(job, &[], how).await?;
    let (_, shown) = flink.wait("RUNNING", None, START).await?;
    Ok((job.to_owned(), flink, shown))
}

async fn cancel(story: &Story, (name, flink, job): &(String, Flink, FlinkJob)) -> Result<Duration> {
    let called = story.timeline.now();
    flink.cancel(job).await?;
    story
        .timeline
        .tell("world", format!("{name} is cancelled through Flink"));
    Ok(called)
}

/// CANCELED by both engines within ten seconds of the Deployment's deletion.
async fn canceled(story: &Story, watchers: [&Watcher; 2], job: &str, called: Duration) -> Result<()> {
    let deleted = story.world.deleted(job, called, Duration::from_secs(60)).await?;
    for watcher in watchers {
        let limit = RECORDED.saturating_sub(story.timeline.now().saturating_sub(deleted));
        let seen = watcher.wait_state(job, "CANCELED", limit).await?;
        let who = watcher.engine.name();
        story
            .timeline
            .measured(&format!("call to {job} CANCELED ({who})"), seen.saturating_sub(called));
        story.timeline.measured(
            &format!("deletion to {job} CANCELED ({who})"),
            seen.saturating_sub(deleted),
        );
    }
    Ok(())
}
