//! The JobManager's process is killed; with high availability its job comes back as a new attempt.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::{ENDS, Record};
use cluster_tests::story::{START, Story};

const JOB: &str = "jm-kill";
const BETWEEN: [&str; 3] = ["RESTARTING", "RECONCILING", "INITIALIZING"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn a_killed_jobmanager_is_a_new_attempt() -> Result<()> {
    let story = Story::begin("jobmanager_kill").await?;
    let calm = story.reader("calm", "").await?;
    let proxy = story.through_proxy("proxy").await?;
    let mut killed = story.reader("killed", "").await?;
    let flink = story.submit(JOB, &["--ha"], &["--mode", "run"]).await?;
    let (_, first) = flink.wait("RUNNING", None, START).await?;
    for watcher in [&calm, &proxy, &killed] {
        watcher.wait_running(JOB, START).await?;
    }

    let kill = story.timeline.now();
    story.kit.run(&["kill-jm", JOB]).await?;
    killed.kill_and_restart().await?;
    let restarting = |record: &Record| BETWEEN.contains(&record.state.as_str());
    for watcher in [&calm, &proxy, &killed] {
        let seen = watcher
            .recorder
            .wait(JOB, "restarting", Duration::from_secs(30), restarting)
            .await?;
        let who = watcher.engine.name();
        story
            .timeline
            .measured(&format!("kill to restarting ({who})"), seen.saturating_sub(kill));
    }
    killed.kill_and_restart().await?;
    let (back, _) = flink.wait("RUNNING", Some(&first), Duration::from_secs(60)).await?;
    story
        .timeline
        .measured("kill to RUNNING, as Flink says", back.saturating_sub(kill));
    let again = |record: &Record| record.is_confirmed("RUNNING") && record.attempt == 2;
    for watcher in [&calm, &proxy, &killed] {
        let seen = watcher
            .recorder
            .wait(JOB, "RUNNING in attempt 2", Duration::from_secs(15), again)
            .await?;
        let who = watcher.engine.name();
        story.timeline.measured(
            &format!("Flink's RUNNING to the record's ({who})"),
            seen.saturating_sub(back),
        );
    }
    for watcher in [&calm, &proxy, &killed] {
        let history = watcher.history(JOB).await?;
        history.assert_never(&ENDS)?;
        history.assert_runs(&[
            BEFORE,
            Step::One(&["RUNNING"]),
            Step::Some(&BETWEEN),
            Step::One(&["RUNNING"]),
        ])?;
        let attempts = history
            .rows()
            .iter()
            .filter(|row| row.to == "RUNNING")
            .map(|row| row.attempt);
        let mut attempts: Vec<u64> = attempts.collect();
        attempts.dedup();
        ensure!(attempts == [1, 2], "{history}: RUNNING in attempts {attempts:?}");
    }
    story.end().await
}
