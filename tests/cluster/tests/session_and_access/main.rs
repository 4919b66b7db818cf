//! Two stories that do not touch each other, told side by side to save their time.

mod access;
mod session;

use anyhow::Result;
use cluster_tests::story::Story;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn killed_sessions_and_a_refused_watcher() -> Result<()> {
    let story = Story::begin("session_and_access").await?;
    tokio::try_join!(session::story(&story), access::story(&story))?;
    story.end().await
}
