//! Applications whose JobManager never serves: it crashes at every start, or its image is not there.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use cluster_tests::history::Step;
use cluster_tests::record::Record;
use cluster_tests::story::Story;

const CRASH: &str = "crash-loop";
const NO_IMAGE: &str = "no-image";
const IMAGE: &str = "localhost/missing:1";
const DEADLINE: Duration = Duration::from_secs(30);
/// An empty zip archive: a jar without the job's class.
const EMPTY_JAR: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/// The kubelet waits up to five minutes between two tries.
const NEXT_TRY: Duration = Duration::from_secs(330);
const STARTS: [&str; 6] = [
    "UNKNOWN",
    "STARTING",
    "CREATED",
    "INITIALIZING",
    "RECONCILING",
    "RESTARTING",
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn what_never_starts_fails_with_its_reason_until_it_is_mended() -> Result<()> {
    let story = Story::begin("never_starts").await?;
    // An earlier run may have left the name; an error says that it did not.
    let _ = story.kit.ask(&["untag-image", IMAGE]).await;
    let calm = story.reader("calm", r#"start_deadline = "30s""#).await?;
    let jar = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty.jar");
    std::fs::write(&jar, EMPTY_JAR)?;
    let broken = ["--class", "TestJob", "--jar", &jar.to_string_lossy()];
    let crash_at = story.timeline.now();
    let crash = story.submit(CRASH, &broken, &["--mode", "run"]).await?;
    let no_image_at = story.timeline.now();
    let no_image = story.submit(NO_IMAGE, &["--image", IMAGE], &["--mode", "run"]).await?;

    for (job, submitted, condition, word) in [
        (CRASH, crash_at, "CrashLoop", "crash"),
        (NO_IMAGE, no_image_at, "ImagePull", "image"),
    ] {
        let failed = |record: &Record| record.state == "FAILED";
        let seen = calm
            .recorder
            .wait(job, "FAILED", DEADLINE + Duration::from_secs(60), failed)
            .await?;
        story
            .timeline
            .measured(&format!("submission to {job} FAILED"), seen.saturating_sub(submitted));
        ensure!(
            seen.saturating_sub(submitted) >= DEADLINE,
            "{job} was given up before the deadline"
        );
        let looks = calm.recorder.looks(job, seen);
        let (_, record) = looks.first().ok_or_else(|| anyhow::anyhow!("no look"))?;
        let said = format!("{} {}", record.code, record.message).to_lowercase();
        ensure!(
            said.contains(word),
            "{job} is FAILED without the reason: {}",
            record.line()
        );
        ensure!(
            record.has(condition),
            "{job} is FAILED without {condition}: {}",
            record.line()
        );
    }

    story.kit.run(&["put-jar", CRASH]).await?;
    story.kit.run(&["tag-image", IMAGE]).await?;
    for (job, flink) in [(CRASH, &crash), (NO_IMAGE, &no_image)] {
        let (runs, _) = flink.wait("RUNNING", None, NEXT_TRY).await?;
        let seen = calm.wait_running(job, Duration::from_secs(75)).await?;
        story
            .timeline
            .measured(&format!("Flink's RUNNING to {job}'s record"), seen.saturating_sub(runs));
        let clear = |record: &Record| record.conditions.is_empty();
        calm.recorder
            .wait(job, "free of conditions", Duration::from_secs(75), clear)
            .await?;
        let history = calm.history(job).await?;
        history.assert_runs(&[
            Step::Any(&STARTS),
            Step::One(&["FAILED"]),
            Step::Any(&STARTS),
            Step::One(&["RUNNING"]),
        ])?;
    }
    story.kit.run(&["untag-image", IMAGE]).await?;
    story.end().await
}
