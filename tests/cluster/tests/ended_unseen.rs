//! Jobs end and their clusters vanish while no engine runs: what Flink left on disk tells the end.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::Record;
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story, Watcher};
use cluster_tests::world::Flink;

/// What the jobs' failure says of itself; `job/TestJob.java` throws it.
const CAUSE: &str = "intended failure";
/// Only missing from complete answers, as nobody saw the deletion.
const WINDOW: Duration = Duration::from_secs(50);
const RECORDED: Duration = Duration::from_secs(100);

/// A job and its end.
struct Ending {
    app: &'static str,
    job: &'static [&'static str],
    end: &'static str,
}

/// Long enough that all of them run while the engines look.
const ENDINGS: [Ending; 3] = [
    Ending {
        app: "unseen-finish",
        job: &["--mode", "finish", "--records", "2500"],
        end: "FINISHED",
    },
    Ending {
        app: "unseen-fail",
        job: &["--mode", "fail", "--after", "50"],
        end: "FAILED",
    },
    Ending {
        app: "unseen-cancel",
        job: &["--mode", "run"],
        end: "CANCELED",
    },
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn an_end_nobody_saw_is_read_from_what_flink_left() -> Result<()> {
    let story = Story::begin("ended_unseen").await?;
    let data = story.kit.data().await?;
    let archives: Vec<PathBuf> = ENDINGS.iter().map(|e| data.join("archive").join(e.app)).collect();
    let results = data.join("ha/job-result-store");
    let mut told = [
        start(&story, "archive", |setup| setup.archive(&archives)).await?,
        start(&story, "results", |setup| setup.job_result_store(&results)).await?,
    ];
    let mut untold = start(&story, "neither", |setup| setup).await?;
    let began = story.timeline.now();
    let mut flinks = Vec::new();
    for ending in &ENDINGS {
        flinks.push(story.submit(ending.app, &["--ha"], ending.job).await?);
    }
    for watcher in told.iter().chain([&untold]) {
        for ending in &ENDINGS {
            watcher.wait_running(ending.app, START).await?;
        }
    }

    for watcher in told.iter_mut().chain([&mut untold]) {
        watcher.kill().await?;
    }
    cancel(&ENDINGS, &flinks).await?;
    for ending in &ENDINGS {
        story.world.deleted(ending.app, began, Duration::from_secs(120)).await?;
        // While a JobManager's pod goes, its last words could still be heard.
        story.kit.pods_gone(ending.app).await?;
    }
    drop(flinks);
    let back = story.timeline.now();
    for watcher in told.iter_mut().chain([&mut untold]) {
        watcher.engine.start_again().await?;
    }

    for ending in &ENDINGS {
        for watcher in &told {
            is_reported(&story, watcher, ending, back).await?;
        }
        let limit = (back + RECORDED).saturating_sub(story.timeline.now());
        untold.wait_state(ending.app, "TERMINATED", limit).await?;
        let history = untold.history(ending.app).await?;
        history.assert_runs(&[BEFORE, Step::One(&["RUNNING"]), Step::One(&["TERMINATED"])])?;
    }
    story.end().await
}

async fn start(story: &Story, name: &'static str, told: impl Fn(Setup) -> Setup) -> Result<Watcher> {
    let setup = Setup::new(name, story.kit.reader().await?, "pod");
    story.watcher(told(setup)).await
}

async fn cancel(endings: &[Ending], flinks: &[Flink]) -> Result<()> {
    for (_, flink) in endings
        .iter()
        .zip(flinks)
        .filter(|(ending, _)| ending.end == "CANCELED")
    {
        let (_, job) = flink.wait("RUNNING", None, START).await?;
        flink.cancel(&job).await?;
    }
    Ok(())
}

/// The record says this end, by the source that this engine has, only after the confirmations.
async fn is_reported(story: &Story, watcher: &Watcher, ending: &Ending, back: Duration) -> Result<()> {
    let who = watcher.engine.name();
    let limit = (back + RECORDED).saturating_sub(story.timeline.now());
    let seen = watcher.wait_state(ending.app, ending.end, limit).await?;
    let took = seen.saturating_sub(back);
    story
        .timeline
        .measured(&format!("start to {} {} ({who})", ending.app, ending.end), took);
    ensure!(took >= WINDOW, "{} was given up before it was confirmed", ending.app);
    let looks = watcher.recorder.looks(ending.app, seen);
    let (_, record) = looks.first().context("no look")?;
    tells(record, ending)?;
    let history = watcher.history(ending.app).await?;
    history.assert_runs(&[BEFORE, Step::One(&["RUNNING"]), Step::One(&[ending.end])])?;
    let end = history.last(ending.end).context("no such row")?;
    ensure!(end.attempt == 1, "{history}: nothing began anew");
    Ok(())
}

fn tells(record: &Record, ending: &Ending) -> Result<()> {
    ensure!(
        record.confidence == "confirmed",
        "not confirmed by what Flink left: {}",
        record.line()
    );
    ensure!(
        ending.end != "FAILED" || record.message.contains(CAUSE),
        "FAILED without its cause: {}",
        record.line()
    );
    Ok(())
}
