//! A JobMaster that answers nobody while its tasks run on: first its session's list fails with it, then its application's is
//! silent. No job has ended, and none is given up.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::{ENDS, Record};
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story, Watcher};
use cluster_tests::world::FlinkJob;

use crate::stall::Stall;
use crate::{CONFIRMED, PARAMS, TIMING, UNSURE, WINDOW};

const SESSION: &str = "stalled";
/// Flink waits for this long before it says that a JobMaster does not answer; less than the engine waits for Flink.
const ASK: &str = "web.timeout=1500";
/// The JobMaster's silence must not look like a dead one to its TaskManagers.
const PATIENCE: &str = "heartbeat.timeout=180000";
/// A poll of this test, on a machine that does other things as well.
const ANSWERED: Duration = Duration::from_secs(15);

pub async fn story(story: &Story) -> Result<()> {
    let setup = Setup::new("stall", story.kit.administrator().await?, "pod");
    let watcher = story.watcher(setup.params(PARAMS).timing(TIMING)).await?;
    let stall = Stall::new(&story.kit.data().await?, SESSION)?;
    let inside = stall.inside();
    let jobs: [&[&str]; 2] = [
        &["--mode", "run", "--name", "neighbour"],
        &["--mode", "run", "--name", "silent", "--stall", &inside],
    ];
    let options = ["--no-ha", "-D", ASK, "-D", PATIENCE];
    let (flink, ids) = story.session(SESSION, &options, &jobs).await?;
    let both = |list: &[FlinkJob]| list.len() == 2 && list.iter().all(|job| job.state == "RUNNING");
    flink.wait_list("both jobs RUNNING", START, both).await?;
    let records: Vec<String> = ids.iter().map(|id| format!("{SESSION}/{id}")).collect();
    for record in &records {
        watcher.wait_running(record, START).await?;
    }

    let silent = records.last().context("no record")?;
    let began = story.timeline.now();
    let held = stall.begin(story, START).await?;
    // Not only the row of that job: no list at all comes of a Flink that cannot fill one in.
    flink.wait_failing("500", ANSWERED).await?;
    let unsure = |record: &Record| record.confidence != "confirmed";
    let unsure = watcher.recorder.wait(silent, "not confirmed", UNSURE, unsure).await?;
    story.timeline.measured(
        "a JobMaster that answers nobody to a record that is not confirmed",
        unsure.saturating_sub(held),
    );
    // Were a failed list one without the job, its end would be confirmed by now.
    story.timeline.until(held + 3 * WINDOW).await;
    stall.end(story)?;
    let (answers, _) = flink.wait_list("both jobs RUNNING", CONFIRMED, both).await?;
    for record in &records {
        let seen = watcher.wait_running(record, CONFIRMED).await?;
        let after = seen.saturating_sub(answers);
        story
            .timeline
            .measured(&format!("Flink's list to {record} confirmed"), after);
        runs_on(&watcher, record, began).await?;
    }
    Ok(())
}

/// It is RUNNING in every look since then and in its journal, in one attempt, and no alert says that it ended.
pub async fn runs_on(watcher: &Watcher, job: &str, since: Duration) -> Result<()> {
    for (at, record) in watcher.recorder.looks(job, since) {
        ensure!(
            record.state == "RUNNING" && record.attempt == 1,
            "at {at:?}: {}",
            record.line()
        );
    }
    let history = watcher.history(job).await?;
    history.assert_never(&ENDS)?;
    history.assert_runs(&[BEFORE, Step::One(&["RUNNING"])])?;
    let fired = watcher.events.alerts(job);
    let ends = fired.iter().filter(|alert| alert.starts_with("Job")).count();
    ensure!(ends == 0, "{job} runs: alerts {fired:?}");
    Ok(())
}
