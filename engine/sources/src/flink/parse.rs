//! Reads Flink's bodies: leniently where versions 1.13 to 2.3 differ, strictly where a decision hangs on it.

use serde::Deserialize;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::{Checkpoints, FlinkJob, FlinkOverview, RootException, Tasks};
use steadfast_core::id::FlinkJobId;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

use crate::transport::shown;

/// The longest headline of an exception that is kept, in characters.
const HEADLINE: usize = 1024;

#[derive(Deserialize)]
struct OverviewBody {
    jobs: Vec<JobBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct JobBody {
    jid: String,
    state: String,
    start_time: i64,
    #[serde(default = "never")]
    end_time: i64,
    #[serde(default)]
    tasks: TasksBody,
}

/// How Flink writes a time that has not come.
fn never() -> i64 {
    -1
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TasksBody {
    total: u32,
    running: u32,
    finished: u32,
}

/// Reads `/jobs/overview`.
pub(super) fn overview(url: &str, body: &[u8]) -> Result<FlinkOverview, Fault> {
    let body: OverviewBody = json(url, body)?;
    let mut jobs = body
        .jobs
        .into_iter()
        .map(|job| read_job(url, job))
        .collect::<Result<Vec<_>, _>>()?;
    jobs.sort_by_key(|job| job.id);
    Ok(FlinkOverview { jobs })
}

fn bad(url: &str, what: &str, text: &str) -> Fault {
    Fault::new(
        FaultKind::Malformed,
        format!("{}: {what} `{text}` is not one of Flink's", shown(url)),
    )
}

fn id(url: &str, text: &str) -> Result<FlinkJobId, Fault> {
    FlinkJobId::parse(text).ok_or_else(|| bad(url, "jid", text))
}

fn state(url: &str, text: &str) -> Result<JobState, Fault> {
    JobState::parse(text)
        .filter(|state| state.is_flinks())
        .ok_or_else(|| bad(url, "state", text))
}

/// A time that Flink writes as -1 before it has come.
fn come(time: i64) -> Option<Timestamp> {
    (time >= 0).then(|| Timestamp::from_millis(time))
}

/// What `/jobs/<id>` says of a job's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    /// `jid`.
    pub(crate) id: FlinkJobId,
    /// `state`.
    pub(crate) state: JobState,
    /// `end-time`, when it has ended.
    pub(crate) ended_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DetailBody {
    jid: String,
    state: String,
    #[serde(default = "never")]
    end_time: i64,
}

/// Reads `/jobs/<id>`, of which archives and HistoryServers keep a copy.
pub(crate) fn detail(url: &str, body: &[u8]) -> Result<Detail, Fault> {
    let body: DetailBody = json(url, body)?;
    Ok(Detail {
        id: id(url, &body.jid)?,
        state: state(url, &body.state)?,
        ended_at: come(body.end_time),
    })
}

fn read_job(url: &str, job: JobBody) -> Result<FlinkJob, Fault> {
    Ok(FlinkJob {
        id: id(url, &job.jid)?,
        state: state(url, &job.state)?,
        started_at: Timestamp::from_millis(job.start_time),
        ended_at: come(job.end_time),
        tasks: Tasks {
            total: job.tasks.total,
            running: job.tasks.running.saturating_add(job.tasks.finished),
        },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ExceptionsBody {
    /// Flink up to 1.20.
    root_exception: Option<String>,
    timestamp: Option<i64>,
    #[serde(rename = "exceptionHistory")]
    history: Option<HistoryBody>,
}

#[derive(Deserialize)]
struct HistoryBody {
    entries: Vec<EntryBody>,
}

#[derive(Deserialize)]
struct EntryBody {
    stacktrace: Option<String>,
    #[serde(rename = "exceptionName")]
    name: Option<String>,
    timestamp: Option<i64>,
    /// In Kubernetes, the name of the TaskManager's pod.
    #[serde(rename = "taskManagerId")]
    task_manager: Option<String>,
}

/// Reads `/jobs/<id>/exceptions`; the history's newest entry comes first.
pub(crate) fn exceptions(url: &str, body: &[u8]) -> Result<Option<RootException>, Fault> {
    let body: ExceptionsBody = json(url, body)?;
    if body.root_exception.is_none() && body.history.is_none() {
        // Flink 1.20 says `"root-exception": null` beside an empty history: one of the keys is always there.
        return Err(Fault::new(
            FaultKind::Malformed,
            format!("{}: neither root-exception nor exceptionHistory", shown(url)),
        ));
    }
    let newest = body.history.and_then(|history| history.entries.into_iter().next());
    let newest = newest.and_then(|entry| {
        let headline = headline(&entry.stacktrace.or(entry.name)?);
        let pod = entry.task_manager.filter(|id| !headline.contains(id.as_str()));
        let pod = pod.map_or_else(String::new, |id| format!(" (TaskManager {id})"));
        Some((format!("{headline}{pod}"), entry.timestamp))
    });
    let failure = newest.or_else(|| Some((headline(&body.root_exception?), body.timestamp)));
    Ok(failure.map(|(headline, at)| RootException {
        headline,
        at: at.map(Timestamp::from_millis),
    }))
}

/// What Flink's Kubernetes integration says of a pod that ended (`KubernetesPod.getTerminatedDiagnostics`), and how
/// the JVM says that its memory ran out: a cause that says so is worth more than the innermost one.
const DIAGNOSES: [&str; 3] = ["container termination statuses", "OOMKilled", "OutOfMemoryError"];

/// Class and message of an exception, and of its causes the one that diagnoses, else the innermost.
pub(crate) fn headline(trace: &str) -> String {
    let first = trace
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let causes = || {
        trace
            .lines()
            .rev()
            .filter_map(|line| line.trim().strip_prefix("Caused by: "))
    };
    let diagnoses = |text: &&str| DIAGNOSES.iter().any(|diagnosis| text.contains(diagnosis));
    let cause = causes().find(diagnoses).or_else(|| causes().next());
    let text = match cause {
        Some(cause) => format!("{first}; caused by {cause}"),
        None => first.to_owned(),
    };
    text.chars().take(HEADLINE).collect()
}

#[derive(Deserialize)]
struct CheckpointsBody {
    counts: Counts,
}

#[derive(Deserialize)]
struct Counts {
    completed: u64,
    failed: u64,
}

/// Reads `/jobs/<id>/checkpoints`.
pub(super) fn checkpoints(url: &str, body: &[u8]) -> Result<Checkpoints, Fault> {
    let CheckpointsBody { counts } = json(url, body)?;
    Ok(Checkpoints {
        completed: counts.completed,
        failed: counts.failed,
    })
}

/// Reads a body as Flink writes it.
pub(super) fn json<'a, T: Deserialize<'a>>(url: &str, body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        Fault::new(
            FaultKind::Malformed,
            format!("{}: not what Flink answers: {error}", shown(url)),
        )
    })
}

#[cfg(test)]
mod tests;
