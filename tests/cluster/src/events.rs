//! Follows an engine's event stream over its restarts, as a client that must not miss anything does.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::engine::Api;
use crate::record::Transition;

/// The pause before the stream is opened anew.
const PAUSE: Duration = Duration::from_millis(200);
/// How much later than the journal's page the stream may show a row.
const LAG: Duration = Duration::from_secs(5);

/// The ids of all events since the first, in the order in which they came.
#[derive(Debug)]
pub struct Events {
    ids: watch::Receiver<Vec<u64>>,
    task: JoinHandle<()>,
}

impl Events {
    /// Opens the stream at its beginning; after each break it resumes behind the last id that came.
    #[must_use]
    pub fn follow(api: Api) -> Self {
        let (sender, ids) = watch::channel(Vec::new());
        let task = tokio::spawn(async move {
            let mut ticks = interval(PAUSE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                // A break is what this is for: the engine was killed. The ids say whether anything was lost.
                let _ = read(&api, &sender).await;
            }
        });
        Self { ids, task }
    }

    /// Every row came over the stream, and nothing came twice or out of order.
    pub async fn assert_complete(&self, rows: &[Transition]) -> Result<()> {
        let mut ids = self.ids.clone();
        let last = rows.iter().map(|row| row.sequence).max().context("no rows")?;
        let whole = ids.wait_for(|ids| ids.contains(&last));
        let arrived = tokio::time::timeout(LAG, whole).await;
        arrived.with_context(|| format!("event {last} is in the journal, but not on the stream"))??;
        let ids = self.ids.borrow();
        for (before, id) in ids.iter().zip(ids.iter().skip(1)) {
            ensure!(before < id, "event {id} came after {before}");
        }
        for row in rows {
            ensure!(ids.contains(&row.sequence), "the stream left out {}", row.line());
        }
        Ok(())
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(api: &Api, ids: &watch::Sender<Vec<u64>>) -> Result<()> {
    let last = ids.borrow().last().copied().unwrap_or_default();
    let mut answer = api.events(last).await?;
    let mut rest = String::new();
    while let Some(chunk) = answer.chunk().await? {
        rest.push_str(&String::from_utf8_lossy(&chunk));
        while let Some((line, after)) = rest.split_once('\n') {
            if let Some(id) = line.strip_prefix("id:").and_then(|id| id.trim().parse().ok()) {
                ids.send_modify(|ids| ids.push(id));
            }
            rest = after.to_owned();
        }
    }
    Ok(())
}
