//! `steadfast explain`, for people.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::de::DeserializeOwned;
use serde_json::Value;
use steadfast_core::facts::{
    Checkpoints, Deployment, FlinkJob, FlinkResource, HaData, JobEnd, KubeEvent, Pod, Readiness, Rollout, RootException,
};
use steadfast_core::time::Timestamp;

use super::status::text;

/// The pieces of evidence, by their key in the snapshot and as people call them.
const EVIDENCE: [(&str, &str); 12] = [
    ("flink", "Flink"),
    ("deployment", "Deployment"),
    ("pods", "JobManager pods"),
    ("flinkResource", "operator's resource"),
    ("exceptions", "exceptions"),
    ("checkpoints", "checkpoints"),
    ("taskManagers", "TaskManager pods"),
    ("events", "events"),
    ("lastWords", "last words"),
    ("archive", "archive"),
    ("haData", "HA data"),
    ("deletion", "deletion seen"),
];

/// What the API says of a decision, as a page of text.
pub(super) fn page(job: &str, explanation: &Value) -> String {
    let snapshot = explanation.get("snapshot").unwrap_or(&Value::Null);
    let record = snapshot.get("record").unwrap_or(&Value::Null);
    let attempt = record.pointer("/incarnation/attempt").unwrap_or(&Value::Null);
    let mut page = format!(
        "{job} is {}, {}, in attempt {attempt} since {}\n  {}: {}\n",
        text(record, "/state"),
        text(record, "/confidence"),
        text(record, "/since"),
        text(record, "/reason/code"),
        text(record, "/reason/message"),
    );
    page.push_str(&judged(explanation));
    page.push_str(&conditions(record));
    page.push_str(&evidence(snapshot));
    page.push_str(&shadows(explanation));
    page.push_str(&waits_for(explanation));
    page
}

/// What the policy makes of it now, and the rule in the policy's words.
fn judged(explanation: &Value) -> String {
    let policy = text(explanation, "/policy");
    let Some(decision) = explanation.get("decision") else {
        return format!(
            "\nThe policy `{policy}` failed ({}): {}. The last state stays.\n",
            text(explanation, "/failure/kind"),
            text(explanation, "/failure/message")
        );
    };
    let mut said = format!(
        "\nJudged now by policy `{policy}`, rule `{}`: {}, {}\n",
        text(decision, "/rule"),
        text(decision, "/state"),
        text(decision, "/confidence"),
    );
    if explanation["rule"].is_object() {
        for (what, key) in [
            ("says", "/rule/says"),
            ("because", "/rule/because"),
            ("changed by", "/rule/changedBy"),
        ] {
            said.push_str(&format!("  {what:<11} {}\n", text(explanation, key)));
        }
    }
    said
}

fn conditions(record: &Value) -> String {
    let standing: Vec<String> = record["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|condition| {
            format!(
                "  {} since {}: {}\n",
                text(condition, "/type"),
                text(condition, "/since"),
                text(condition, "/message")
            )
        })
        .collect();
    if standing.is_empty() {
        return String::new();
    }
    format!("\nConditions\n{}", standing.concat())
}

fn evidence(snapshot: &Value) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["EVIDENCE", "AGE", "ANSWER"]);
    let mut never = Vec::new();
    for (key, name) in EVIDENCE {
        match snapshot.get(key) {
            Some(found) if found.get("latest").is_some() => {
                table.add_row([name.to_owned(), seconds(&found["ageSeconds"]), answer(key, found)]);
            }
            Some(found) if key == "deletion" && found.is_object() => {
                table.add_row([
                    name,
                    "",
                    &format!("UID {} at {}", text(found, "/uid"), text(found, "/seenAt")),
                ]);
            }
            Some(_) | None if key != "deletion" => never.push(name),
            Some(_) | None => {}
        }
    }
    let never = if never.is_empty() {
        String::new()
    } else {
        format!("never asked: {}\n", never.join(", "))
    };
    format!("\n{table}\n{never}")
}

fn answer(key: &str, evidence: &Value) -> String {
    let latest = &evidence["latest"];
    if let Some(fault) = latest.get("unknown") {
        let known = match evidence.get("knownAgeSeconds") {
            Some(age) => format!("last known {} ago", seconds(age)),
            None => "never known".to_owned(),
        };
        return format!(
            "unknown, {} looks in a row, {known}: {}",
            evidence["failures"],
            text(fault, "/message")
        );
    }
    match latest.get("present") {
        Some(value) => present(key, value).unwrap_or_else(|| value.to_string()),
        None => "absent: a complete answer lacks it".to_owned(),
    }
}

/// A fact in a line; `None` if it has another shape, as an engine of another version may send.
fn present(key: &str, value: &Value) -> Option<String> {
    Some(match key {
        "flink" => {
            let job: FlinkJob = read(value)?;
            format!(
                "job {} {}, started {}, {} of {} tasks run",
                job.id, job.state, job.started_at, job.tasks.running, job.tasks.total
            )
        }
        "deployment" => deployment(&read(value)?),
        "pods" | "taskManagers" => {
            let pods: Vec<Pod> = read(value)?;
            pods.iter().map(pod).collect::<Vec<_>>().join("\n")
        }
        "flinkResource" => resource(&read(value)?),
        "exceptions" => read::<RootException>(value)?.headline,
        "checkpoints" => {
            let counts: Checkpoints = read(value)?;
            format!("{} completed, {} failed", counts.completed, counts.failed)
        }
        "events" => {
            let events: Vec<KubeEvent> = read(value)?;
            let lines = events
                .iter()
                .map(|event| format!("{}: {}: {}", event.object, event.reason, event.message));
            lines.collect::<Vec<_>>().join("\n")
        }
        "haData" => read::<HaData>(value)?.config_maps.join(", "),
        _ => {
            let end: JobEnd = read(value)?;
            let cause = end.cause.map_or_else(String::new, |cause| format!(": {cause}"));
            format!("job {} reached {}{cause}", end.job, end.state)
        }
    })
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

/// What each shadow policy would show instead.
fn shadows(explanation: &Value) -> String {
    let lines = explanation["shadows"].as_array().into_iter().flatten().map(|one| {
        let compared = if one["differs"] == true { "differs" } else { "agrees" };
        let failed = if one["failure"].is_object() {
            format!(
                "\n    failed at {}: {}",
                text(one, "/failure/at"),
                text(one, "/failure/message")
            )
        } else {
            String::new()
        };
        format!(
            "  {}: {}, {}; {compared} since {}, differed in {} of {} decisions\n    {}: {}{failed}\n",
            text(one, "/policy"),
            text(one, "/shadow/state"),
            text(one, "/shadow/confidence"),
            text(one, "/since"),
            one["differed"],
            one["judged"],
            text(one, "/shadow/reason/code"),
            text(one, "/shadow/reason/message"),
        )
    });
    let said: String = lines.collect();
    if said.is_empty() {
        return said;
    }
    format!("\nShadow policies\n{said}")
}

fn waits_for(explanation: &Value) -> String {
    let now = explanation.pointer("/snapshot/now").and_then(moment);
    let awaited: Vec<String> = explanation["waitsFor"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            let due = match (moment(&one["dueAt"]), now) {
                (Some(due), Some(now)) => format!("in {:.1} s", due.since(now).as_secs_f64()),
                _ => "under way".to_owned(),
            };
            format!("  {:<14} {due}\n", text(one, "/look"))
        })
        .collect();
    if awaited.is_empty() {
        return "\nWaits for something new to be seen; it is not polled.\n".to_owned();
    }
    format!("\nWaits for\n{}", awaited.concat())
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(Timestamp::parse)
}

fn seconds(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s"))
}

#[cfg(test)]
mod tests;
