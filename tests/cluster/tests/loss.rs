//! Every packet to Kubernetes and Flink is lost for three minutes; the jobs run on.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::{ENDS, Record};
use cluster_tests::story::{START, Story, Watcher};

/// Three, so that the canary has others whose backoff its success must end.
const JOBS: [&str; 3] = ["loss-a", "loss-b", "loss-c"];
const LOSS: Duration = Duration::from_secs(180);
/// When the loss must be known at the latest: an open watch is silent, not broken, until the next validation.
const KNOWN: Duration = Duration::from_secs(90);
const HEALED: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn three_minutes_without_a_packet_end_no_job() -> Result<()> {
    let story = Story::begin("loss").await?;
    let calm = story.reader("calm", "").await?;
    let mut killed = story.reader("killed", "").await?;
    let mut flinks = Vec::new();
    for job in JOBS {
        flinks.push(story.submit(job, &[], &["--mode", "run"]).await?);
    }
    for job in JOBS {
        calm.wait_running(job, START).await?;
        killed.wait_running(job, START).await?;
    }

    let dropped = story.timeline.now();
    let cut = story.kit.drop_all_packets().await?;
    story.timeline.until(dropped + LOSS / 3).await;
    killed.kill_and_restart().await?;
    let reborn = story.timeline.now();
    story.timeline.until(dropped + LOSS * 2 / 3).await;
    killed.kill_and_restart().await?;
    story.timeline.until(dropped + LOSS).await;
    let heal = story.timeline.now();
    cut.heal().await?;

    for job in JOBS {
        for watcher in [&calm, &killed] {
            let limit = HEALED.saturating_sub(story.timeline.now().saturating_sub(heal));
            let seen = watcher.wait_running(job, limit).await?;
            let who = watcher.engine.name();
            story.timeline.measured(
                &format!("heal to {job} RUNNING and confirmed ({who})"),
                seen.saturating_sub(heal),
            );
        }
    }
    for job in JOBS {
        for watcher in [&calm, &killed] {
            let clear = |record: &Record| record.is_confirmed("RUNNING") && record.conditions.is_empty();
            let seen = watcher
                .recorder
                .wait(job, "free of conditions", Duration::from_secs(60), clear)
                .await?;
            let who = watcher.engine.name();
            story.timeline.measured(
                &format!("heal to {job} without conditions ({who})"),
                seen.saturating_sub(heal),
            );
        }
        assert_known_as_unreachable(&calm, job, dropped, heal)?;
        for (at, record) in killed.recorder.looks(job, reborn).iter().filter(|(at, _)| *at < heal) {
            ensure!(
                record.confidence == "stale",
                "unseen since its start, at {at:?}: {}",
                record.line()
            );
        }
        for watcher in [&calm, &killed] {
            let history = watcher.history(job).await?;
            history.assert_never(&ENDS)?;
            history.assert_runs(&[BEFORE, Step::One(&["RUNNING"])])?;
            ensure!(
                history.rows().iter().all(|row| row.attempt <= 1),
                "{history}: nothing began anew"
            );
        }
    }
    story.end().await
}

/// Meanwhile the record is stale and says why, from some time on without a gap.
fn assert_known_as_unreachable(watcher: &Watcher, job: &str, dropped: Duration, heal: Duration) -> Result<()> {
    let known = |record: &Record| {
        record.confidence == "stale" && record.has("FlinkUnreachable") && record.has("KubernetesUnreachable")
    };
    let looks = watcher.recorder.looks(job, dropped);
    let during: Vec<_> = looks.iter().filter(|(at, _)| *at < heal).collect();
    for (what, holds) in [
        ("stale", (|record| record.confidence == "stale") as fn(&Record) -> bool),
        ("FlinkUnreachable", |record| record.has("FlinkUnreachable")),
        ("KubernetesUnreachable", |record| record.has("KubernetesUnreachable")),
    ] {
        if let Some((at, _)) = during.iter().find(|(_, record)| holds(record)) {
            let took = at.saturating_sub(dropped);
            watcher
                .recorder
                .timeline()
                .measured(&format!("loss to {job} {what} ({})", watcher.engine.name()), took);
        }
    }
    for (at, record) in during.into_iter().filter(|(at, _)| *at > dropped + KNOWN) {
        ensure!(known(record), "not known as unreachable at {at:?}: {}", record.line());
    }
    Ok(())
}
