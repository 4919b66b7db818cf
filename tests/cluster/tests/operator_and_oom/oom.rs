//! A TaskManager takes more memory than its container may have, and the kernel kills it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::{ENDS, Record};
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story};

const JOB: &str = "out-of-memory";
/// Once, 25 s after the start; Flink waits 12 s before it starts the tasks again.
const GREEDY: [&str; 8] = ["--mode", "oom", "--times", "1", "--after", "25", "--delay", "12"];

pub async fn story(story: &Story) -> Result<()> {
    let setup = Setup::new("oom", story.kit.administrator().await?, "pod");
    let watcher = story.watcher(setup).await?;
    let flink = story.submit(JOB, &["--no-ha"], &GREEDY).await?;
    flink.wait("RUNNING", None, START).await?;
    watcher.wait_running(JOB, START).await?;

    let (killed, _) = flink.wait("RESTARTING", None, Duration::from_secs(60)).await?;
    // From the pod, which is listed for two seconds more, or from Flink's exception, which does not name the pod.
    let names_it = |record: &Record| record.state == "RESTARTING" && record.message.contains("OOMKilled");
    let seen = watcher
        .recorder
        .wait(
            JOB,
            "RESTARTING for the TaskManager's OOMKilled",
            Duration::from_secs(25),
            names_it,
        )
        .await?;
    story.timeline.measured(
        "Flink's RESTARTING to a reason that names OOMKilled",
        seen.saturating_sub(killed),
    );
    let (runs, _) = flink.wait("RUNNING", None, Duration::from_secs(60)).await?;
    let limit = Duration::from_secs(15);
    watcher.wait_running(JOB, limit).await?;
    let again = watcher.recorder.looks(JOB, runs);
    let (at, record) = again
        .iter()
        .find(|(_, record)| record.is_confirmed("RUNNING"))
        .context("no look")?;
    story.timeline.measured(
        "Flink's RUNNING after OOMKilled to the record's",
        at.saturating_sub(runs),
    );
    ensure!(
        record.attempt == 1,
        "Flink gave it no new start-time: {}",
        record.line()
    );
    let history = watcher.history(JOB).await?;
    history.assert_never(&ENDS)?;
    history.assert_runs(&[
        BEFORE,
        Step::One(&["RUNNING"]),
        Step::Some(&["FAILING", "RESTARTING"]),
        Step::One(&["RUNNING"]),
    ])
}
