//! `steadfast explain`.

mod beside;

use std::time::Duration;

use clap::Args;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Deserialize as _;
use serde_json::Value;
use steadfast_server::explain::{
    Alert, Awaited, Condition, Deletion, Deployment, Evidence, Explanation, FlinkJob, FlinkResource, JobEnd, KubeEvent,
    Observed, Outcome, Pod, PostedIntent, Readiness, Record, Rollout, Rule, Snapshot, State,
};

use super::age::short;
use super::client::{Client, ServerOptions, job_path};
use super::job_arg::job;
use super::output::{Format, OutputOption};
use super::{Failure, complete, names, printer};

/// Which job.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// CLUSTER/NAMESPACE/NAME, with /FLINK-SESSION-JOB or /FLINK-JOB-ID for one of a session cluster; -/-/NAME for a standalone one; or
    /// the end of it if only one job ends so.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job)]
    job: String,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

/// Shows why a job's record says what it says.
pub(super) async fn show(options: &Options) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let get = async |id: &str| client.get(&job_path(id, "/explain")?).await;
    let (job, answer) = names::on(&client, &options.job, get).await?;
    match &options.output.format {
        Format::People(_) => Ok(printer::data(&page(&job, &answer))?),
        Format::Data(data) => Ok(printer::data(&data.shown(&answer)?)?),
    }
}

/// What the API says of a decision, as a page of text. What another engine says in another shape stays as it says it.
pub(super) fn page(job: &str, answer: &Value) -> String {
    match Explanation::deserialize(answer) {
        Ok(explanation) => read(job, &explanation),
        Err(error) => format!(
            "this engine explains {job} in a shape that this command does not know ({error}); as it is:\n{answer:#}\n"
        ),
    }
}

fn read(job: &str, explanation: &Explanation) -> String {
    let Explanation {
        policy,
        rule,
        waits_for,
        shadows,
        snapshot,
        archive_configured,
        outcome,
    } = explanation;
    let archive = match archive_configured {
        Some(false) => Archive::NotConfigured,
        Some(true) | None => Archive::Asked,
    };
    let Record {
        state,
        confidence,
        reason,
        incarnation,
        conditions,
        alerts,
        intent,
        ..
    } = &snapshot.record;
    let mut page = format!(
        "{job} is {state}, {confidence}, in attempt {} since {}\n  {}: {}\n",
        incarnation.attempt,
        since(&snapshot.record),
        reason.code,
        reason.message,
    );
    page.push_str(&judged(policy, rule.as_ref(), outcome));
    page.push_str(&wanted(intent.as_ref()));
    page.push_str(&standing(conditions));
    page.push_str(&firing(alerts));
    page.push_str(&evidence(snapshot, archive));
    page.push_str(&beside::page(shadows));
    page.push_str(&awaited(waits_for, snapshot, archive));
    page
}

/// Whether there is any place that tells of ended jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Archive {
    Asked,
    NotConfigured,
}

/// As the awaited look and the evidence are called.
const ARCHIVE: &str = "archive";
const NOT_CONFIGURED: &str = "none is configured (archive, history_server, job_result_store)";

/// When the state began. Flink's time is of another clock than ours, so it is said whose it is.
fn since(record: &Record) -> String {
    let first_seen = &record.since;
    let Some(told) = &record.told_since else {
        return first_seen.to_string();
    };
    let whose = match record.state {
        State::Finished | State::Failed | State::Canceled => "end-time",
        State::Created
        | State::Initializing
        | State::Running
        | State::Failing
        | State::Cancelling
        | State::Restarting
        | State::Suspended
        | State::Reconciling
        | State::Unknown
        | State::Starting
        | State::Savepointing
        | State::Lost
        | State::Terminated => "start-time",
    };
    format!("{told} (Flink's {whose}), first seen {first_seen}")
}

/// What the policy makes of it now, and the rule in the policy's words.
fn judged(policy: &str, rule: Option<&Rule>, outcome: &Outcome) -> String {
    let decision = match outcome {
        Outcome::Decision(decision) => decision,
        Outcome::Failure(failure) => {
            return format!(
                "\nThe policy `{policy}` failed ({}): {}. The last state stays.\n",
                failure.kind, failure.message
            );
        }
    };
    let mut said = format!(
        "\nJudged now by policy `{policy}`, rule `{}`: {}, {}\n",
        decision.rule, decision.state, decision.confidence,
    );
    if let Some(rule) = rule {
        for (what, text) in [
            ("says", &rule.says),
            ("because", &rule.because),
            ("changed by", &rule.changed_by),
        ] {
            said.push_str(&format!("  {what:<11} {text}\n"));
        }
    }
    said
}

fn wanted(intent: Option<&PostedIntent>) -> String {
    let Some(intent) = intent else {
        return String::new();
    };
    let author = intent
        .author
        .as_ref()
        .map_or_else(String::new, |by| format!(", by {by}"));
    format!("\nIntent\n  {} since {}{author}\n", intent.intent, intent.since)
}

fn firing(alerts: &[Alert]) -> String {
    if alerts.is_empty() {
        return String::new();
    }
    let lines = alerts
        .iter()
        .map(|alert| format!("  {} since {}: {}\n", alert.name, alert.since, alert.message));
    format!("\nAlerts\n{}", lines.collect::<String>())
}

fn standing(conditions: &[Condition]) -> String {
    if conditions.is_empty() {
        return String::new();
    }
    let lines = conditions.iter().map(|condition| {
        format!(
            "  {} since {}: {}\n",
            condition.kind, condition.since, condition.message
        )
    });
    format!("\nConditions\n{}", lines.collect::<String>())
}

/// The pieces of evidence, as people call them.
struct Rows {
    table: Table,
    never_asked: Vec<&'static str>,
}

fn evidence(snapshot: &Snapshot, archive: Archive) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["EVIDENCE", "AGE", "ANSWER"]);
    let mut rows = Rows {
        table,
        never_asked: Vec::new(),
    };
    rows.add("Flink", snapshot.flink.as_ref(), flink_job);
    rows.add("Deployment", snapshot.deployment.as_ref(), deployment);
    rows.add("JobManager pods", snapshot.pods.as_ref(), |pods| lines(&pods.0, pod));
    rows.add("operator's resource", snapshot.flink_resource.as_ref(), resource);
    rows.add("exceptions", snapshot.exceptions.as_ref(), |exception| {
        exception.headline.clone()
    });
    rows.add("checkpoints", snapshot.checkpoints.as_ref(), |counts| {
        format!("{} completed, {} failed", counts.completed, counts.failed)
    });
    rows.add("TaskManager pods", snapshot.task_managers.as_ref(), |pods| {
        lines(&pods.0, pod)
    });
    rows.add("events", snapshot.events.as_ref(), |events| lines(&events.0, event));
    rows.add("last words", snapshot.last_words.as_ref(), end);
    match archive {
        Archive::Asked => rows.add(ARCHIVE, snapshot.archive.as_ref(), end),
        Archive::NotConfigured => drop(rows.table.add_row([ARCHIVE, "", NOT_CONFIGURED])),
    }
    rows.add("HA data", snapshot.ha_data.as_ref(), |data| data.config_maps.join(", "));
    rows.add_deletion(snapshot.deletion.as_ref());
    let never = if rows.never_asked.is_empty() {
        String::new()
    } else {
        format!("never asked: {}\n", rows.never_asked.join(", "))
    };
    format!("\n{}\n{never}", rows.table)
}

impl Rows {
    fn add<T>(&mut self, name: &'static str, evidence: Option<&Evidence<T>>, render: impl FnOnce(&T) -> String) {
        let Some(evidence) = evidence else {
            self.never_asked.push(name);
            return;
        };
        let age = seconds(evidence.age_seconds);
        self.table.add_row([name.to_owned(), age, answer(evidence, render)]);
    }

    /// Nobody asks for a deletion: it is seen or not.
    fn add_deletion(&mut self, deletion: Option<&Deletion>) {
        if let Some(Deletion { uid, seen_at }) = deletion {
            self.table
                .add_row(["deletion seen", "", &format!("UID {uid} at {seen_at}")]);
        }
    }
}

fn answer<T>(evidence: &Evidence<T>, render: impl FnOnce(&T) -> String) -> String {
    match &evidence.latest {
        Observed::Present(value) => render(value),
        Observed::Absent => "absent: a complete answer lacks it".to_owned(),
        Observed::Unknown(fault) => {
            let known = match evidence.known_age_seconds {
                Some(age) => format!("last known {} ago", seconds(age)),
                None => "never known".to_owned(),
            };
            let failures = evidence.failures;
            let looks = match failures {
                1 => "1 look".to_owned(),
                looks => format!("{looks} looks in a row"),
            };
            format!("unknown, {looks}, {known}: {}", fault.message)
        }
    }
}

fn lines<T>(items: &[T], render: impl Fn(&T) -> String) -> String {
    items.iter().map(render).collect::<Vec<_>>().join("\n")
}

fn flink_job(job: &FlinkJob) -> String {
    let ended = job
        .ended_at
        .as_ref()
        .map_or_else(String::new, |at| format!(", ended {at}"));
    format!(
        "job {} {}, started {}{ended}, {} of {} tasks run",
        job.id, job.state, job.started_at, job.tasks.running, job.tasks.total
    )
}

fn event(event: &KubeEvent) -> String {
    format!("{}: {}: {}", event.object, event.reason, event.message)
}

fn end(end: &JobEnd) -> String {
    let ended = end.ended_at.as_ref().map_or_else(String::new, |at| format!(" at {at}"));
    let cause = end
        .cause
        .as_ref()
        .map_or_else(String::new, |cause| format!(": {cause}"));
    format!("job {} reached {}{ended}{cause}", end.job, end.state)
}

fn deployment(deployment: &Deployment) -> String {
    let mut line = format!(
        "UID {}, {} of {} replicas ready",
        deployment.uid, deployment.ready, deployment.replicas
    );
    if let Some(at) = deployment.deleting_since {
        line.push_str(&format!(", being deleted since {at}"));
    }
    if deployment.rollout == Rollout::InProgress {
        line.push_str(", rollout in progress");
    }
    if let Some(trouble) = &deployment.trouble {
        line.push_str(&format!(", {trouble}"));
    }
    line
}

fn pod(pod: &Pod) -> String {
    let ready = match pod.ready {
        Readiness::Ready => "ready",
        Readiness::NotReady => "not ready",
    };
    let mut line = format!("{} {}, {ready}", pod.name, pod.phase);
    if pod.deleting_since.is_some() {
        line.push_str(", going");
    }
    line.extend(pod.reason.iter().map(|reason| format!(", {reason}")));
    line.extend(pod.unschedulable.iter().map(|why| format!(", {why}")));
    if let Some(container) = &pod.container {
        if container.restarts > 0 {
            line.push_str(&format!(", {} restarts", container.restarts));
        }
        line.extend(container.waiting.iter().map(|waiting| format!(", {}", waiting.reason)));
        let ended = container.terminated.iter();
        line.extend(ended.map(|ended| format!(", last ended {} ({})", ended.reason, ended.exit_code)));
    }
    line
}

fn resource(resource: &FlinkResource) -> String {
    let mut line = format!("{:?} {}, wants {:?}", resource.kind, resource.name, resource.desired);
    line.extend(resource.reported_state.iter().map(|state| format!(", reports {state}")));
    line.extend(resource.lifecycle.iter().map(|lifecycle| format!(", {lifecycle}")));
    line.extend(resource.error.iter().map(|error| format!(", {error}")));
    line
}

fn awaited(waits_for: &[Awaited], snapshot: &Snapshot, archive: Archive) -> String {
    if waits_for.is_empty() {
        return "\nWaits for something new to be seen; it is not polled.\n".to_owned();
    }
    let lines = waits_for.iter().map(|one| {
        let due = match one.due_at {
            _ if one.look == ARCHIVE && archive == Archive::NotConfigured => NOT_CONFIGURED.to_owned(),
            Some(due) => format!("in {:.1} s", due.0.since(snapshot.now.0).as_secs_f64()),
            None => "under way".to_owned(),
        };
        format!("  {:<14} {due}\n", one.look)
    });
    format!("\nWaits for\n{}", lines.collect::<String>())
}

/// Tenths of a second tell something of what was looked at a moment ago.
fn seconds(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if span >= Duration::from_secs(60) => short(span),
        Ok(_) | Err(_) => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests;
