//! Jobs that really end, in application mode: Flink deletes its own cluster, whatever the job's fate.

use std::time::Duration;

use anyhow::Result;
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::Record;
use cluster_tests::story::{START, Story};

const RECORDED: Duration = Duration::from_secs(10);
/// (application, kit options, job options, its end)
const JOBS: [(&str, &[&str], &[&str], &str); 4] = [
    (
        "finish",
        &["--no-ha"],
        &["--mode", "finish", "--records", "1000"],
        "FINISHED",
    ),
    (
        "finish-ha",
        &["--ha"],
        &["--mode", "finish", "--records", "1000"],
        "FINISHED",
    ),
    ("fail", &["--no-ha"], &["--mode", "fail", "--after", "20"], "FAILED"),
    ("fail-ha", &["--ha"], &["--mode", "fail", "--after", "20"], "FAILED"),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn a_real_end_is_recorded_as_what_it_was() -> Result<()> {
    let story = Story::begin("ends").await?;
    let calm = story.reader("calm", "").await?;
    let proxy = story.through_proxy("proxy").await?;
    let began = story.timeline.now();
    let mut flinks = Vec::new();
    for (job, options, how, _) in JOBS {
        flinks.push(story.submit(job, options, how).await?);
    }
    for (job, _, _, _) in JOBS {
        // RUNNING may be over when this is asked: the history below tells whether it was recorded.
        calm.recorder
            .wait(job, "seen by Flink", START, |record: &Record| {
                record.confidence == "confirmed"
            })
            .await?;
    }
    for (job, _, _, end) in JOBS {
        let deleted = story.world.deleted(job, began, Duration::from_secs(120)).await?;
        for watcher in [&calm, &proxy] {
            let limit = RECORDED.saturating_sub(story.timeline.now().saturating_sub(deleted));
            let seen = watcher.wait_state(job, end, limit).await?;
            let who = watcher.engine.name();
            let (before, after) = (deleted.saturating_sub(seen), seen.saturating_sub(deleted));
            if before > after {
                story
                    .timeline
                    .measured(&format!("{job} {end} before the deletion ({who})"), before);
            } else {
                story
                    .timeline
                    .measured(&format!("deletion to {job} {end} ({who})"), after);
            }
        }
    }
    for (job, _, _, end) in JOBS {
        for watcher in [&calm, &proxy] {
            let history = watcher.history(job).await?;
            match end {
                "FINISHED" => history.assert_runs(&[BEFORE, Step::One(&["RUNNING"]), Step::One(&["FINISHED"])])?,
                _ => history.assert_runs(&[
                    BEFORE,
                    Step::One(&["RUNNING"]),
                    Step::Any(&["FAILING"]),
                    Step::One(&["FAILED"]),
                ])?,
            }
        }
    }
    story.end().await
}
