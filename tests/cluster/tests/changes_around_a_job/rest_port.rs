//! `rest.port` moved from Flink's 8081: the port is read from where Kubernetes names it `rest`.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::history::{BEFORE, Step};
use cluster_tests::setup::Setup;
use cluster_tests::story::{START, Story};
use tokio::net::TcpStream;

use crate::CONFIRMED;

/// The application of this story, of the token's and of the rights'.
pub const JOB: &str = "moved";
/// How many polls of the default pause a record must stay confirmed for.
const WATCHED: Duration = Duration::from_secs(15);

pub async fn story(story: &Story) -> Result<()> {
    let options = ["--no-ha", "-D", "rest.port=9091"];
    let flink = story.submit(JOB, &options, &["--mode", "run"]).await?;
    flink.wait("RUNNING", None, START).await?;
    let pods = format!("--selector=app={JOB},component=jobmanager");
    let ip = [
        "kubectl",
        "--",
        "get",
        "pods",
        &pods,
        "-o",
        "jsonpath={.items[0].status.podIP}",
    ];
    let usual = SocketAddr::new(story.kit.ask(&ip).await?.parse()?, 8081);
    let nobody = tokio::time::timeout(Duration::from_secs(5), TcpStream::connect(usual)).await;
    ensure!(
        nobody.context("no answer from the usual port")?.is_err(),
        "Flink listens on the usual port: the story proves nothing"
    );

    let by_pod = Setup::new("port-by-pod", story.kit.reader().await?, "pod");
    let by_proxy = Setup::new("port-by-proxy", story.kit.administrator().await?, "proxy");
    for setup in [by_pod, by_proxy] {
        let began = story.timeline.now();
        let watcher = story.watcher(setup).await?;
        let seen = watcher.wait_running(JOB, CONFIRMED).await?;
        let who = watcher.engine.name();
        story.timeline.measured(
            &format!("start to RUNNING at the moved port ({who})"),
            seen.saturating_sub(began),
        );
        story.timeline.until(seen + WATCHED).await;
        for (at, record) in watcher.recorder.looks(JOB, seen) {
            ensure!(record.is_confirmed("RUNNING"), "at {at:?}: {}", record.line());
        }
        let history = watcher.history(JOB).await?;
        history.assert_runs(&[BEFORE, Step::One(&["RUNNING"])])?;
    }
    Ok(())
}
