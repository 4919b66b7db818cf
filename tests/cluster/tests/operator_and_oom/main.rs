//! Two stories that do not touch each other, told side by side to save their time.

mod oom;
mod operator;

use anyhow::Result;
use cluster_tests::story::Story;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn an_operators_job_and_a_taskmanager_out_of_memory() -> Result<()> {
    let story = Story::begin("operator_and_oom").await?;
    tokio::try_join!(operator::story(&story), oom::story(&story))?;
    story.end().await
}
