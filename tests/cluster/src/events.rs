//! Follows an engine's event stream over its restarts, as a client that must not miss anything does.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::engine::Api;
use crate::record::{Transition, short_id};

/// The pause before the stream is opened anew.
const PAUSE: Duration = Duration::from_millis(200);
/// How much later than the journal's page the stream may show a row.
const LAG: Duration = Duration::from_secs(5);

/// What came over the stream since the first event, in the order in which it came.
#[derive(Clone, Debug, Default)]
struct Came {
    ids: Vec<u64>,
    alerts: Vec<Alert>,
}

/// An alert that began or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The job, as [`crate::record::Record::name`] names it.
    pub job: String,
    /// E.g. `JobLost`.
    pub alert: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// For people; one of several jobs lists them.
    pub message: String,
}

/// The events of one engine.
#[derive(Debug)]
pub struct Events {
    came: watch::Receiver<Came>,
    task: JoinHandle<()>,
}

impl Events {
    /// Opens the stream at its beginning; after each break it resumes behind the last id that came.
    #[must_use]
    pub fn follow(api: Api) -> Self {
        let (sender, came) = watch::channel(Came::default());
        let task = tokio::spawn(async move {
            let mut ticks = interval(PAUSE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                // A break is what this is for: the engine was killed. The ids say whether anything was lost.
                let _ = read(&api, &sender).await;
            }
        });
        Self { came, task }
    }

    /// Every row came over the stream, and nothing came twice or out of order.
    pub async fn assert_complete(&self, rows: &[Transition]) -> Result<()> {
        let mut came = self.came.clone();
        let last = rows.iter().map(|row| row.sequence).max().context("no rows")?;
        let whole = came.wait_for(|came| came.ids.contains(&last));
        let arrived = tokio::time::timeout(LAG, whole).await;
        arrived.with_context(|| format!("event {last} is in the journal, but not on the stream"))??;
        let came = self.came.borrow();
        for (before, id) in came.ids.iter().zip(came.ids.iter().skip(1)) {
            ensure!(before < id, "event {id} came after {before}");
        }
        for row in rows {
            ensure!(came.ids.contains(&row.sequence), "the stream left out {}", row.line());
        }
        Ok(())
    }

    /// Waits until this alert fires for one of the jobs, and returns its message.
    pub async fn wait_alert(&self, jobs: &[String], alert: &str, limit: Duration) -> Result<String> {
        let mut came = self.came.clone();
        let fires = |told: &&Alert| jobs.contains(&told.job) && told.alert == alert && told.status == "firing";
        let fired = came.wait_for(|came| came.alerts.iter().any(|told| fires(&told)));
        match tokio::time::timeout(limit, fired).await {
            Ok(fired) => {
                let fired = fired?;
                let told = fired.alerts.iter().find(fires);
                Ok(told.map(|told| told.message.clone()).unwrap_or_default())
            }
            Err(_) => bail!("{alert} did not fire for any of {jobs:?} within {limit:?}"),
        }
    }

    /// The alerts that fired for a job, in the order in which they came.
    #[must_use]
    pub fn alerts(&self, job: &str) -> Vec<String> {
        let came = self.came.borrow();
        let of_job = came.alerts.iter().filter(|told| told.job == job);
        of_job
            .filter(|told| told.status == "firing")
            .map(|told| told.alert.clone())
            .collect()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(api: &Api, came: &watch::Sender<Came>) -> Result<()> {
    let last = came.borrow().ids.last().copied().unwrap_or_default();
    let mut answer = api.events(last).await?;
    let mut rest = String::new();
    while let Some(chunk) = answer.chunk().await? {
        rest.push_str(&String::from_utf8_lossy(&chunk));
        // Only a whole frame counts: what was cut off comes again after the next start.
        while let Some((frame, after)) = rest.split_once("\n\n") {
            let (id, alert) = event(frame);
            came.send_modify(|came| {
                came.ids.extend(id);
                came.alerts.extend(alert);
            });
            rest = after.to_owned();
        }
    }
    Ok(())
}

/// A frame's id, and the alert in it; a heartbeat has neither.
fn event(frame: &str) -> (Option<u64>, Option<Alert>) {
    let field = |name: &str| {
        let mut lines = frame.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    };
    let alert = || {
        let told: Value = serde_json::from_str(field("data")?).ok()?;
        let body = told.get("body")?;
        let text = |key: &str| body.get(key)?.as_str().map(str::to_owned);
        Some(Alert {
            job: short_id(told.get("job")?.as_str()?).to_owned(),
            alert: text("alert")?,
            status: text("status")?,
            message: text("message").unwrap_or_default(),
        })
    };
    let is_alert = field("event") == Some("alert");
    (
        field("id").and_then(|id| id.parse().ok()),
        if is_alert { alert() } else { None },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_read_from_its_frame() {
        let frame = "event: alert\nid: 7\ndata: {\"job\":\"local/default/s/j1\",\"sequence\":7,\
                     \"body\":{\"alert\":\"JobLost\",\"status\":\"firing\"}}";
        let (id, alert) = event(frame);
        assert_eq!(id, Some(7));
        let alert = alert.unwrap();
        assert_eq!((alert.job.as_str(), alert.alert.as_str()), ("s/j1", "JobLost"));
        assert_eq!(event(": heartbeat"), (None, None));
    }
}
