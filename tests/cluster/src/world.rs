//! What the world really did, seen without the engine: watches of the API server and polls of Flink.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::kit::Kit;
use crate::timeline::Timeline;

const DEPLOYMENTS: &str = r#"jsonpath={.type} {.object.metadata.name} {.object.metadata.deletionTimestamp}{"\n"}"#;
const PODS: &str = r#"jsonpath={.type} {.object.metadata.name} {.object.metadata.deletionTimestamp} {.object.status.phase} {.object.status.containerStatuses[*].state.waiting.reason}{.object.status.containerStatuses[*].state.terminated.reason} restarts {.object.status.containerStatuses[*].restartCount}{"\n"}"#;

/// When each Deployment was last deleted, on the story's clock.
type Deletions = BTreeMap<String, Duration>;

/// The watches of Deployments and pods; they end with this value.
#[derive(Debug)]
pub struct World {
    timeline: Timeline,
    deleted: watch::Receiver<Deletions>,
    tasks: Vec<JoinHandle<()>>,
}

impl World {
    /// Begins to watch; every change is told as the world's.
    pub fn watch(kit: &Kit, timeline: &Timeline) -> Self {
        let (sender, deleted) = watch::channel(Deletions::new());
        let follow =
            |kind, template, deleted| tokio::spawn(follow(kit.clone(), kind, template, timeline.clone(), deleted));
        let deployments = follow("deployments", DEPLOYMENTS, Some(sender));
        let pods = follow("pods", PODS, None);
        Self {
            timeline: timeline.clone(),
            deleted,
            tasks: vec![deployments, pods],
        }
    }

    /// Waits until the API server says that this Deployment was deleted, after `since`; returns when.
    pub async fn deleted(&self, app: &str, since: Duration, limit: Duration) -> Result<Duration> {
        let mut deleted = self.deleted.clone();
        let seen = deleted.wait_for(|all| all.get(app).is_some_and(|at| *at >= since));
        let all = tokio::time::timeout(limit, seen)
            .await
            .with_context(|| format!("{app} was not deleted within {limit:?}"))??;
        all.get(app).copied().context("not deleted")
    }

    /// Begins to poll a Flink cluster; every change of its answer is told as the world's.
    pub fn poll_flink(&self, app: &str, address: &str) -> Result<Flink> {
        Flink::poll(app, address, &self.timeline)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

type Lines = (
    tokio::process::Child,
    tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
);

fn lines(kit: &Kit, kind: &str, template: &str) -> Result<Lines> {
    let mut child = kit.kubectl(&["get", kind, "--watch", "--output-watch-events", "--output", template])?;
    let output = child.stdout.take().context("kubectl has no output")?;
    Ok((child, BufReader::new(output).lines()))
}

/// Watches until it is aborted; a watch that ends, with the API server for instance, is opened anew.
async fn follow(
    kit: Kit,
    kind: &'static str,
    template: &'static str,
    timeline: Timeline,
    deleted: Option<watch::Sender<Deletions>>,
) {
    let mut before = BTreeMap::new();
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Ok(lines) = lines(&kit, kind, template) {
            tell(lines, &timeline, deleted.as_ref(), &mut before).await;
        }
    }
}

async fn tell(
    (_child, mut lines): Lines,
    timeline: &Timeline,
    deleted: Option<&watch::Sender<Deletions>>,
    before: &mut BTreeMap<String, String>,
) {
    while let Ok(Some(line)) = lines.next_line().await {
        let mut words = line.split_whitespace();
        let (Some(kind), Some(name)) = (words.next(), words.next()) else {
            continue;
        };
        // Most changes of an object touch nothing that is told here.
        let told = format!("{kind} {}", words.collect::<Vec<_>>().join(" "));
        if before.insert(name.to_owned(), told.clone()).as_ref() != Some(&told) {
            timeline.tell("kubernetes", format!("{name} {told}"));
        }
        if let Some(deleted) = deleted
            && kind == "DELETED"
        {
            deleted.send_modify(|all| all.extend([(name.to_owned(), timeline.now())]));
        }
    }
}

/// One job as Flink itself shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlinkJob {
    /// Its 32 hex digits.
    pub id: String,
    /// Flink's word for its state.
    pub state: String,
    /// Milliseconds since 1970; another one after each JobManager failover.
    pub start: u64,
}

/// What a poll of one Flink cluster showed last, and when; `Err` while it does not answer with a list.
type Answer = (Duration, std::result::Result<Vec<FlinkJob>, String>);

/// Polls `/jobs/overview` of one cluster every 100 ms.
#[derive(Debug)]
pub struct Flink {
    app: String,
    address: String,
    http: reqwest::Client,
    latest: watch::Receiver<Answer>,
    task: JoinHandle<()>,
}

impl Flink {
    fn poll(app: &str, address: &str, timeline: &Timeline) -> Result<Self> {
        let http = steadfast_http::client()
            .timeout(Duration::from_secs(2))
            .no_proxy()
            .build()?;
        let (newest, latest) = watch::channel((timeline.now(), Err("not asked yet".to_owned())));
        let url = format!("{address}/jobs/overview");
        let task = tokio::spawn(poll(app.to_owned(), http.clone(), url, timeline.clone(), newest));
        Ok(Self {
            app: app.to_owned(),
            address: address.to_owned(),
            http,
            latest,
            task,
        })
    }

    /// Waits until Flink shows a job in this state that is not `before`'s attempt; returns it and when.
    pub async fn wait(&self, state: &str, before: Option<&FlinkJob>, limit: Duration) -> Result<(Duration, FlinkJob)> {
        let fits =
            |job: &&FlinkJob| job.state == state && before.is_none_or(|b| (&b.id, b.start) != (&job.id, job.start));
        let (at, jobs) = self
            .wait_list(state, limit, |jobs| jobs.iter().any(|job| fits(&job)))
            .await?;
        Ok((at, jobs.into_iter().find(|job| fits(&job)).context("no job")?))
    }

    /// Waits until Flink answers with a list that is as `wanted`; returns when and the list.
    pub async fn wait_list(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&[FlinkJob]) -> bool,
    ) -> Result<(Duration, Vec<FlinkJob>)> {
        let mut latest = self.latest.clone();
        let waiting = latest.wait_for(|answer| answer.1.as_ref().is_ok_and(|jobs| wanted(jobs)));
        let Ok(shown) = tokio::time::timeout(limit, waiting).await else {
            bail!(
                "Flink did not show {what} for {} within {limit:?}: {:?}",
                self.app,
                self.latest.borrow().1
            );
        };
        let (at, jobs) = shown?.clone();
        match jobs {
            Ok(jobs) => Ok((at, jobs)),
            Err(error) => bail!("no list: {error}"),
        }
    }

    /// Waits until Flink gives no list, for a reason that holds this text; returns when.
    pub async fn wait_failing(&self, reason: &str, limit: Duration) -> Result<Duration> {
        let mut latest = self.latest.clone();
        let failing = latest.wait_for(|answer| answer.1.as_ref().is_err_and(|error| error.contains(reason)));
        let shown = tokio::time::timeout(limit, failing).await;
        let shown =
            shown.with_context(|| format!("Flink of {} did not fail with {reason} within {limit:?}", self.app))?;
        Ok(shown?.0)
    }

    /// Cancels a job as any user of Flink would.
    pub async fn cancel(&self, job: &FlinkJob) -> Result<()> {
        let url = format!("{}/jobs/{}?mode=cancel", self.address, job.id);
        self.http.patch(url).send().await?.error_for_status()?;
        Ok(())
    }
}

impl Drop for Flink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn poll(app: String, http: reqwest::Client, url: String, timeline: Timeline, newest: watch::Sender<Answer>) {
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let answer = ask(&http, &url).await;
        if newest.borrow().1 != answer {
            timeline.tell("flink", format!("{app}: {}", brief(&answer)));
        }
        drop(newest.send_replace((timeline.now(), answer)));
    }
}

async fn ask(http: &reqwest::Client, url: &str) -> std::result::Result<Vec<FlinkJob>, String> {
    let refused = |error: reqwest::Error| {
        if error.is_timeout() {
            "time-out"
        } else {
            "no connection"
        }
        .to_owned()
    };
    let answer = http.get(url).send().await.map_err(refused)?;
    if !answer.status().is_success() {
        return Err(answer.status().to_string());
    }
    let body: Value = answer.json().await.map_err(refused)?;
    let jobs = body.get("jobs").and_then(Value::as_array).ok_or("no list of jobs")?;
    let mut jobs: Vec<FlinkJob> = jobs.iter().filter_map(read).collect();
    // The order of the overview is not stable.
    jobs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(jobs)
}

fn read(job: &Value) -> Option<FlinkJob> {
    Some(FlinkJob {
        id: job.get("jid")?.as_str()?.to_owned(),
        state: job.get("state")?.as_str()?.to_owned(),
        start: job.get("start-time")?.as_u64()?,
    })
}

fn brief(answer: &std::result::Result<Vec<FlinkJob>, String>) -> String {
    match answer {
        Ok(jobs) if jobs.is_empty() => "no jobs".to_owned(),
        Ok(jobs) => jobs
            .iter()
            .map(|job| format!("{} {}", job.state, job.id))
            .collect::<Vec<_>>()
            .join(", "),
        Err(error) => error.clone(),
    }
}
