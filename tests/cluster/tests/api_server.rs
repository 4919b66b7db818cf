//! The API server is killed and is gone for a minute; the jobs run on.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::record::{ENDS, Record};
use cluster_tests::setup::{Discover, Setup};
use cluster_tests::story::{START, Story, Watcher};

/// Flink without high availability needs no API server to go on.
const PLAIN: [&str; 2] = ["api-plain-a", "api-plain-b"];
/// This one's JobManager cannot renew its lease: Flink suspends the job, and takes it up again as a new attempt.
const LEASED: &str = "api-ha";
const JOBS: [&str; 3] = [PLAIN[0], PLAIN[1], LEASED];
const OUTAGE: Duration = Duration::from_secs(60);
/// By when a record is stale that nothing can confirm.
const STALE: Duration = Duration::from_secs(30);
const CONFIRMED: Duration = Duration::from_secs(35);
const CLEAR: Duration = Duration::from_secs(45);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn a_minute_without_an_api_server_ends_no_job() -> Result<()> {
    let story = Story::begin("api_server").await?;
    let reader = story.kit.reader().await?;
    let mut direct = Setup::new("direct", reader, "pod").discover(Discover::Nothing);
    let mut flinks = Vec::new();
    for job in JOBS {
        let ha = if job == LEASED { "--ha" } else { "--no-ha" };
        let address = story.kit.submit(job, &[ha], &["--mode", "run"]).await?;
        flinks.push(story.world.poll_flink(job, &address)?);
        direct = direct.job(job, &address);
    }
    let direct = story.watcher(direct).await?;
    let by_pod = story.reader("by-pod", "").await?;
    let proxy = story.through_proxy("proxy").await?;
    for job in JOBS {
        for watcher in [&direct, &by_pod, &proxy] {
            watcher.wait_running(job, START).await?;
        }
    }

    let killed = story.timeline.now();
    let outage = story.kit.kill_api_server().await?;
    story.timeline.until(killed + OUTAGE).await;
    let started = story.timeline.now();
    outage.heal().await?;
    let serves = story.timeline.now();

    for watcher in [&direct, &by_pod, &proxy] {
        for job in PLAIN {
            let limit = (serves + CONFIRMED).saturating_sub(story.timeline.now());
            let seen = watcher.wait_running(job, limit).await?;
            story.timeline.measured(
                &format!("API server serves to {job} confirmed ({})", watcher.engine.name()),
                seen.saturating_sub(serves),
            );
        }
    }
    for job in PLAIN {
        // Where a pod was last seen, Flink is asked on.
        for watcher in [&direct, &by_pod] {
            was_seen_throughout(watcher, job, killed)?;
        }
        // Its Flink is behind the API server.
        let looks = proxy.recorder.looks(job, killed + STALE);
        for (at, record) in looks.iter().filter(|(at, _)| *at < started) {
            ensure!(record.confidence == "stale", "at {at:?}: {}", record.line());
        }
    }
    for watcher in [&direct, &by_pod, &proxy] {
        for job in JOBS {
            comes_to_rest(&story, watcher, job, serves).await?;
        }
    }
    story.end().await
}

/// An engine that reaches Flink confirms the job in every look, and says that it has lost sight of Kubernetes.
fn was_seen_throughout(watcher: &Watcher, job: &str, killed: Duration) -> Result<()> {
    let looks = watcher.recorder.looks(job, killed);
    let mut unreachable = looks.iter().filter(|(_, record)| record.has("KubernetesUnreachable"));
    let (at, _) = unreachable.next().context("the outage was never known")?;
    watcher.recorder.timeline().measured(
        &format!("kill to {job} KubernetesUnreachable"),
        at.saturating_sub(killed),
    );
    for (at, record) in &looks {
        ensure!(record.is_confirmed("RUNNING"), "at {at:?}: {}", record.line());
    }
    Ok(())
}

async fn comes_to_rest(story: &Story, watcher: &Watcher, job: &str, serves: Duration) -> Result<()> {
    let clear = |record: &Record| record.is_confirmed("RUNNING") && record.conditions.is_empty();
    let limit = if job == LEASED { CLEAR + START } else { CLEAR };
    let seen = watcher.recorder.wait(job, "free of conditions", limit, clear).await?;
    let who = watcher.engine.name();
    story.timeline.measured(
        &format!("API server serves to {job} without conditions ({who})"),
        seen.saturating_sub(serves),
    );
    let history = watcher.history(job).await?;
    if job == LEASED {
        // SUSPENDED is Flink's own word for a job whose JobManager has lost its lease.
        let ends: Vec<&str> = ENDS.into_iter().filter(|end| *end != "SUSPENDED").collect();
        return history.assert_never(&ends);
    }
    history.assert_never(&ENDS)?;
    history.assert_runs(&[BEFORE, Step::One(&["RUNNING"])])?;
    ensure!(
        history.rows().iter().all(|row| row.attempt <= 1),
        "{history}: nothing began anew"
    );
    Ok(())
}
