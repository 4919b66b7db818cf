//! Session clusters, two jobs each, whose JobManagers are killed: with high availability the jobs come back, without
//! it Flink answers and no longer knows them.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::{ENDS, Record};
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story, Watcher};
use cluster_tests::world::{Flink, FlinkJob};

const KEPT: &str = "session-ha";
const LOST: &str = "session-no-ha";
const JOBS: [&[&str]; 2] = [&["--mode", "run", "--name", "a"], &["--mode", "run", "--name", "b"]];
const BETWEEN: [&str; 3] = ["RESTARTING", "RECONCILING", "INITIALIZING"];
/// `absence_window`: LOST needs complete answers this far apart.
const WINDOW: Duration = Duration::from_secs(50);
/// By when a session's job missing from Flink's list is LOST.
const CONFIRMED: Duration = Duration::from_secs(90);
/// How long a poll of this test may take.
const POLL: Duration = Duration::from_secs(2);
/// `alert_after`, and a few looks.
const ALERTED: Duration = Duration::from_secs(45);

pub async fn story(story: &Story) -> Result<()> {
    // Not the reader: the other story takes its rights away.
    let setup = Setup::new("sessions", story.kit.administrator().await?, "pod");
    let watcher = story.watcher(setup).await?;
    let (kept, lost) = tokio::try_join!(
        story.session(KEPT, &["--ha"], &JOBS),
        story.session(LOST, &["--no-ha"], &JOBS)
    )?;
    let before = tokio::try_join!(running(&kept.0), running(&lost.0))?;
    let kept_jobs: Vec<String> = kept.1.iter().map(|id| format!("{KEPT}/{id}")).collect();
    let lost_jobs: Vec<String> = lost.1.iter().map(|id| format!("{LOST}/{id}")).collect();
    for job in kept_jobs.iter().chain(&lost_jobs) {
        watcher.wait_running(job, START).await?;
    }

    let kill = story.timeline.now();
    tokio::try_join!(story.kit.run(&["kill-jm", KEPT]), story.kit.run(&["kill-jm", LOST]))?;
    tokio::try_join!(
        come_back(story, &watcher, &kept.0, &before.0, &kept_jobs, kill),
        are_lost(story, &watcher, &lost.0, &before.1, &lost_jobs, kill)
    )?;
    Ok(())
}

async fn running(flink: &Flink) -> Result<Vec<FlinkJob>> {
    let both = |jobs: &[FlinkJob]| jobs.len() == JOBS.len() && jobs.iter().all(|job| job.state == "RUNNING");
    Ok(flink.wait_list("both jobs RUNNING", START, both).await?.1)
}

async fn come_back(
    story: &Story,
    watcher: &Watcher,
    flink: &Flink,
    before: &[FlinkJob],
    jobs: &[String],
    kill: Duration,
) -> Result<()> {
    let anew = |now: &[FlinkJob]| {
        before.iter().all(|old| {
            let mut same = now.iter().filter(|new| new.id == old.id);
            same.any(|new| new.state == "RUNNING" && new.start != old.start)
        })
    };
    let (back, _) = flink
        .wait_list("both jobs RUNNING anew", Duration::from_secs(60), anew)
        .await?;
    story.timeline.measured(
        "kill to RUNNING of a session's jobs, as Flink says",
        back.saturating_sub(kill),
    );
    for job in jobs {
        let again = |record: &Record| record.is_confirmed("RUNNING") && record.attempt == 2;
        let seen = watcher
            .recorder
            .wait(job, "RUNNING in attempt 2", Duration::from_secs(15), again)
            .await?;
        story
            .timeline
            .measured(&format!("Flink's RUNNING to {job}'s record"), seen.saturating_sub(back));
        let history = watcher.history(job).await?;
        history.assert_never(&ENDS)?;
        history.assert_runs(&[
            BEFORE,
            Step::One(&["RUNNING"]),
            Step::Some(&BETWEEN),
            Step::One(&["RUNNING"]),
        ])?;
        let fired = watcher.events.alerts(job);
        ensure!(fired.is_empty(), "{job}: alerts {fired:?}");
    }
    Ok(())
}

async fn are_lost(
    story: &Story,
    watcher: &Watcher,
    flink: &Flink,
    before: &[FlinkJob],
    jobs: &[String],
    kill: Duration,
) -> Result<()> {
    let lacks = |now: &[FlinkJob]| !now.iter().any(|job| before.iter().any(|old| old.id == job.id));
    let (answers, _) = flink
        .wait_list("a list without the jobs", Duration::from_secs(60), lacks)
        .await?;
    for job in jobs {
        let limit = (answers + CONFIRMED).saturating_sub(story.timeline.now());
        let seen = watcher.wait_state(job, "LOST", limit).await?;
        story
            .timeline
            .measured(&format!("kill to {job} LOST"), seen.saturating_sub(kill));
        // The engine may have been answered while this test's own poll was still under way.
        ensure!(
            seen.saturating_sub(answers) + POLL >= WINDOW,
            "{job} was given up before it was confirmed"
        );
    }
    // One cause, one alert: it is told with one of the jobs, and lists them all.
    let message = watcher.events.wait_alert(jobs, "JobLost", ALERTED).await?;
    for old in before {
        ensure!(message.contains(&old.id), "JobLost does not name {}: {message}", old.id);
    }
    let fired: Vec<String> = jobs.iter().flat_map(|job| watcher.events.alerts(job)).collect();
    ensure!(fired == ["JobLost"], "alerts {fired:?}");
    for job in jobs {
        let history = watcher.history(job).await?;
        history.assert_runs(&[
            BEFORE,
            Step::One(&["RUNNING"]),
            Step::Any(&BETWEEN),
            Step::One(&["LOST"]),
        ])?;
    }
    Ok(())
}
