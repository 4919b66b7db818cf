//! What others change around a job that runs on: its JobMaster's answers, its port, its labels, its scale, the engine's token
//! and the engine's rights. Stories that share three Flink clusters, told side by side to save their time.

mod label_and_scale;
mod rest_port;
mod rights;
mod silent;
mod stall;
mod token;

use std::time::Duration;

use anyhow::Result;
use cluster_tests::story::Story;

/// Shorter than by default, so that what waits for a validation or for a window is seen in seconds.
const TIMING: &str = "validate = \"10s\"\nretry_max = \"5s\"";
/// `absence_window` as these stories shorten it.
const WINDOW: Duration = Duration::from_secs(10);
const PARAMS: &str = "absence_window = \"10s\"";
/// By when a Flink that answers again is confirmed: a poll's pause and deadline, and a look.
const CONFIRMED: Duration = Duration::from_secs(20);
/// By when a Flink that does not answer is not confirmed any more: two polls with their deadlines, and a look.
const UNSURE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn answers_ports_labels_scale_tokens_and_rights() -> Result<()> {
    let story = Story::begin("changes_around_a_job").await?;
    let moved = async {
        rest_port::story(&story).await?;
        tokio::try_join!(token::story(&story), rights::story(&story))
    };
    tokio::try_join!(silent::story(&story), label_and_scale::story(&story), moved)?;
    story.end().await
}
