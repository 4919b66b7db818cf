//! Reads Flink's bodies: leniently where versions 1.13 to 2.3 differ, strictly where a decision hangs on it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::{Checkpoints, FlinkJob, RootException, Tasks};
use steadfast_core::foreign_text::harmless;
use steadfast_core::id::FlinkJobId;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

use crate::json;
use crate::transport::shown;

/// The longest headline of an exception that is kept, in bytes: the name of its TaskManager finds room beside it.
const HEADLINE: usize = 768;

#[derive(Deserialize)]
struct IdBody {
    jid: String,
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
pub(super) fn never() -> i64 {
    -1
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TasksBody {
    total: u32,
    running: u32,
    finished: u32,
}

/// Why a row of `/jobs/overview` tells nothing.
#[derive(Debug)]
pub(super) enum BadRow {
    /// It is no JSON, and so the list that it stands in is none.
    NotJson(String),
    /// It is none of Flink's. The job's id, if that can be read.
    NotFlinks(Option<FlinkJobId>, Fault),
}

/// Reads a row of `/jobs/overview`.
pub(super) fn row(url: &str, text: &[u8]) -> Result<FlinkJob, BadRow> {
    let not_json = |error: &dyn std::fmt::Display| BadRow::NotJson(error.to_string());
    let text = std::str::from_utf8(text).map_err(|error| not_json(&error))?;
    let whole = json(url, text.as_bytes()).and_then(|job| read_job(url, job));
    whole.map_err(|fault| {
        if let Err(error) = json::from_str::<IgnoredAny>(text) {
            return not_json(&error);
        }
        let id = json::from_str::<IdBody>(text).ok();
        BadRow::NotFlinks(id.and_then(|row| FlinkJobId::parse(&row.jid)), fault)
    })
}

fn bad(url: &str, what: &str, text: &str) -> Fault {
    Fault::new(
        FaultKind::Malformed,
        format!("{}: {what} `{text}` is not one of Flink's", shown(url)),
    )
}

pub(super) fn id(url: &str, text: &str) -> Result<FlinkJobId, Fault> {
    FlinkJobId::parse(text).ok_or_else(|| bad(url, "jid", text))
}

pub(super) fn state(url: &str, text: &str) -> Result<JobState, Fault> {
    JobState::parse(text)
        .filter(|state| state.is_flinks())
        .ok_or_else(|| bad(url, "state", text))
}

/// A time that Flink writes as -1 before it has come.
pub(super) fn come(time: i64) -> Option<Timestamp> {
    Timestamp::written(time).filter(|_| time >= 0)
}

/// A time, if it is one: a store could not give back what no calendar has.
pub(super) fn moment(url: &str, what: &str, millis: i64) -> Result<Timestamp, Fault> {
    Timestamp::written(millis).ok_or_else(|| bad(url, what, &millis.to_string()))
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
        started_at: moment(url, "start-time", job.start_time)?,
        ended_at: come(job.end_time),
        tasks: Tasks {
            total: job.tasks.total,
            running: job.tasks.running.saturating_add(job.tasks.finished),
        },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct AskedBody {
    jid: String,
    state: String,
    start_time: i64,
    #[serde(default = "never")]
    end_time: i64,
    /// By the states of tasks, in capitals.
    #[serde(default)]
    status_counts: BTreeMap<String, u32>,
}

/// Reads `/jobs/<id>` as a row of the list.
pub(super) fn job(url: &str, body: &[u8], asked: FlinkJobId) -> Result<FlinkJob, Fault> {
    let body: AskedBody = json(url, body)?;
    let told = id(url, &body.jid)?;
    if told != asked {
        return Err(Fault::new(
            FaultKind::Malformed,
            format!("{}: tells of job {told}", shown(url)),
        ));
    }
    let count = |state: &str| body.status_counts.get(state).copied().unwrap_or(0);
    Ok(FlinkJob {
        id: told,
        state: state(url, &body.state)?,
        started_at: moment(url, "start-time", body.start_time)?,
        ended_at: come(body.end_time),
        tasks: Tasks {
            total: body
                .status_counts
                .values()
                .fold(0, |sum, count| sum.saturating_add(*count)),
            running: count("RUNNING").saturating_add(count("FINISHED")),
        },
    })
}

/// How Flink says what went wrong.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    pub(super) errors: Vec<String>,
}

/// Whether the body of a 404 is Flink's own word that it does not know a job (`NotFoundException: Job <id> not found`, from
/// `AbstractExecutionGraphHandler`, 1.13 to 2.3). It answers otherwise for a path that it does not know, and so do proxies.
pub(super) fn says_unknown_job(body: &[u8], id: FlinkJobId) -> bool {
    let word = format!("Job {id} not found");
    json::from_slice::<ErrorBody>(body).is_ok_and(|body| body.errors.iter().any(|error| error.contains(&word)))
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
        headline: headline.into(),
        at: at.and_then(Timestamp::written),
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
    harmless(&text, HEADLINE).into_owned()
}

#[derive(Deserialize)]
struct CheckpointsBody {
    counts: Counts,
    /// The newest first.
    #[serde(default)]
    history: Vec<CheckpointBody>,
    #[serde(default)]
    latest: LatestBody,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LatestBody {
    savepoint: Option<CheckpointBody>,
}

#[derive(Deserialize)]
struct CheckpointBody {
    id: u64,
    #[serde(default)]
    status: String,
    #[serde(default)]
    is_savepoint: bool,
}

#[derive(Deserialize)]
struct Counts {
    completed: u64,
    failed: u64,
}

/// Reads `/jobs/<id>/checkpoints`.
pub(super) fn checkpoints(url: &str, body: &[u8]) -> Result<Checkpoints, Fault> {
    let CheckpointsBody {
        counts,
        history,
        latest,
    } = json(url, body)?;
    let in_progress = |one: &&CheckpointBody| one.is_savepoint && one.status == "IN_PROGRESS";
    Ok(Checkpoints {
        completed: counts.completed,
        failed: counts.failed,
        savepoint_in_progress: history.iter().find(in_progress).map(|one| one.id),
        savepoint_completed: latest.savepoint.map(|one| one.id),
    })
}

/// Reads a body as Flink writes it.
pub(super) fn json<'a, T: Deserialize<'a>>(url: &str, body: &'a [u8]) -> Result<T, Fault> {
    json::from_slice(body).map_err(|error| {
        Fault::new(
            FaultKind::Malformed,
            format!("{}: not what Flink answers: {error}", shown(url)),
        )
    })
}

#[cfg(test)]
mod tests;
