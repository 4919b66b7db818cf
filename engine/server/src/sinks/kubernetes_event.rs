//! Events of Kubernetes, on what a job runs on: its Deployment, or the FlinkSessionJob that asks for it.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use steadfast_core::alert::AlertStatus;
use steadfast_core::id::ClusterName;
use steadfast_core::journal::{Entry, Event};
use steadfast_core::projection::Projection;
use steadfast_core::record::JobRecord;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

use super::message::{Message, Told, id, json as text};

/// The longest message of an Event, and the longest reason, in bytes (k8s.io/kubernetes, `ValidateEvent`).
const MESSAGE: usize = 1024;
const REASON: usize = 128;
/// The most that is kept of the name of what an Event is about, so that there is room for the digest behind it.
const NAME: usize = 200;
/// Who reports.
const COMPONENT: &str = "steadfast";

/// The Event that tells of an entry; `None` for what is told of no job of that cluster.
pub(super) fn write(store_id: &str, entry: &Entry, cluster: &ClusterName, records: &Projection) -> Option<Message> {
    if entry.key.target.cluster != *cluster {
        return None;
    }
    let told = Said::of(&entry.event)?;
    let record = records.get(&entry.key).map(|view| view.record);
    let id = id(store_id, entry.sequence);
    let body = event(
        &object(entry, record.as_deref()),
        // The same however often it is sent, so that the API server has it once.
        &named(&entry.key.target.name, &id),
        &told,
        entry.at,
    );
    Some(Message {
        id,
        title: told.message,
        body: text(&body),
        place: Some(entry.key.target.namespace.to_string()),
        tells_of: vec![Told::from(entry)],
    })
}

/// One about a namespace, which is always there.
pub(super) fn test(id: &str, title: &str, namespace: &str, now: Timestamp) -> String {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "name": namespace, "namespace": namespace});
    let told = Said {
        reason: "SinkTest".to_owned(),
        message: title.to_owned(),
        is_warning: false,
    };
    text(&event(&object, &named("steadfast", id), &told, now))
}

/// What an Event says.
struct Said {
    reason: String,
    message: String,
    is_warning: bool,
}

impl Said {
    fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Transition(transition) => Some(Self {
                reason: cut(&transition.reason.code, REASON),
                message: cut(
                    &format!(
                        "{} -> {} ({}): {}",
                        transition.from, transition.to, transition.confidence, transition.reason.message
                    ),
                    MESSAGE,
                ),
                is_warning: is_bad(transition.to),
            }),
            Event::Alert(alert) => {
                let (is_warning, word) = match alert.status {
                    AlertStatus::Firing => (true, "fires"),
                    AlertStatus::Resolved => (false, "is resolved"),
                };
                Some(Self {
                    reason: cut(&alert.alert, REASON),
                    message: cut(&format!("{} {word}: {}", alert.alert, alert.message), MESSAGE),
                    is_warning,
                })
            }
            Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        }
    }
}

/// Whether a state is an end that somebody may want to know of.
const fn is_bad(state: JobState) -> bool {
    match state {
        JobState::Failed | JobState::Failing | JobState::Lost | JobState::Terminated | JobState::Restarting => true,
        JobState::Created
        | JobState::Initializing
        | JobState::Running
        | JobState::Cancelling
        | JobState::Canceled
        | JobState::Finished
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing => false,
    }
}

/// What the job runs on, as its record has it by now. `kubectl describe` finds an Event by the uid.
fn object(entry: &Entry, record: Option<&JobRecord>) -> Value {
    let target = &entry.key.target;
    let incarnation = record.map(|record| &record.incarnation);
    let (api, kind, name, uid) = match entry.key.flink_session_job() {
        Some(name) => {
            let uid = incarnation.and_then(|incarnation| incarnation.session_job_uid.as_ref());
            ("flink.apache.org/v1beta1", "FlinkSessionJob", name, uid)
        }
        None => {
            let name = incarnation.and_then(|incarnation| incarnation.deployment_name.as_deref());
            let uid = incarnation.and_then(|incarnation| incarnation.deployment_uid.as_ref());
            ("apps/v1", "Deployment", name.unwrap_or(&target.name), uid)
        }
    };
    let mut object = json!({"apiVersion": api, "kind": kind, "namespace": target.namespace.as_str(), "name": name});
    if let (Some(uid), Some(fields)) = (uid, object.as_object_mut()) {
        fields.insert("uid".to_owned(), uid.as_str().into());
    }
    object
}

fn event(object: &Value, name: &str, told: &Said, at: Timestamp) -> Value {
    let at = at.to_string();
    let seconds = at
        .split_once('.')
        .map_or(at.clone(), |(seconds, _)| format!("{seconds}Z"));
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": object.get("namespace"), "name": name},
        "involvedObject": object,
        "type": if told.is_warning { "Warning" } else { "Normal" },
        "reason": told.reason,
        "message": told.message,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
        "firstTimestamp": seconds,
        "lastTimestamp": seconds,
        "count": 1,
    })
}

/// A name that no other Event has.
fn named(about: &str, id: &str) -> String {
    let mut digest = const_hex::encode(Sha256::digest(id.as_bytes()));
    digest.truncate(32);
    let is_outer = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_name = about.len() <= NAME
        && about
            .split('.')
            .all(|label| label.bytes().all(|byte| is_outer(byte) || byte == b'-'))
        && about
            .split('.')
            .all(|label| label.bytes().next().is_some_and(is_outer) && label.bytes().last().is_some_and(is_outer));
    let about = if is_name { about } else { "job" };
    format!("{about}.{digest}")
}

fn cut(text: &str, most: usize) -> String {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use steadfast_core::id::{JobKey, Uid};
    use steadfast_core::projection::{JobView, WatchStatus};
    use steadfast_core::record::AlertScope;
    use steadfast_core::testing::{at, record};

    use super::*;
    use crate::sinks::testing::{alert, entry};
    use crate::testing::moved;

    fn written(entry: &Entry, records: &Projection) -> Value {
        let message = write("store", entry, &ClusterName::new("a"), records).unwrap();
        assert_eq!(message.tells_of.len(), 1);
        serde_json::from_str(&message.body).unwrap()
    }

    fn on_record(job: &str, change: impl FnOnce(&mut JobRecord)) -> Projection {
        let mut record = record(JobKey::parse(job).unwrap(), at(0));
        change(&mut record);
        let records = Projection::default();
        records.show(JobView {
            record: Arc::new(record),
            watch: WatchStatus::default(),
        });
        records
    }

    #[test]
    fn an_end_is_a_warning_on_the_deployment() {
        let records = on_record("a/prod/orders", |record| {
            record.incarnation.deployment_uid = Some(Uid::new("u1"));
            record.incarnation.deployment_name = Some("orders-blue".to_owned());
        });
        let failed = entry(7, "a/prod/orders", moved(JobState::Running, JobState::Failed));
        let event = written(&failed, &records);
        assert_eq!(
            event["involvedObject"],
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "prod", "name": "orders-blue", "uid": "u1"})
        );
        assert_eq!(
            (&event["type"], &event["metadata"]["namespace"]),
            (&json!("Warning"), &json!("prod"))
        );
        assert!(
            event["message"].as_str().unwrap().starts_with("RUNNING -> FAILED ("),
            "{event}"
        );
        let again = written(&failed, &records);
        assert_eq!(
            event["metadata"]["name"], again["metadata"]["name"],
            "the same however often it is sent"
        );
        let next = written(
            &entry(8, "a/prod/orders", moved(JobState::Failed, JobState::Running)),
            &records,
        );
        assert_ne!(event["metadata"]["name"], next["metadata"]["name"]);
        assert_eq!(next["type"], "Normal");
    }

    #[test]
    fn a_job_of_a_session_is_told_of_on_the_resource_that_asks_for_it() {
        let records = on_record("a/prod/s/daily", |record| {
            record.incarnation.session_job_uid = Some(Uid::new("u2"));
            record.incarnation.deployment_uid = Some(Uid::new("u1"));
        });
        let fired = entry(
            7,
            "a/prod/s/daily",
            alert("JobFailed", AlertScope::Job, AlertStatus::Firing),
        );
        let event = written(&fired, &records);
        let object = &event["involvedObject"];
        assert_eq!(
            (&object["kind"], &object["name"], &object["uid"]),
            (&json!("FlinkSessionJob"), &json!("daily"), &json!("u2"))
        );
        assert_eq!(
            (&event["reason"], &event["type"]),
            (&json!("JobFailed"), &json!("Warning"))
        );
        let resolved = entry(
            8,
            "a/prod/s/daily",
            alert("JobFailed", AlertScope::Job, AlertStatus::Resolved),
        );
        assert_eq!(written(&resolved, &records)["type"], "Normal");
    }

    #[test]
    fn nothing_is_told_to_a_cluster_of_another_s_jobs() {
        let failed = entry(7, "b/prod/orders", moved(JobState::Running, JobState::Failed));
        assert_eq!(
            write("store", &failed, &ClusterName::new("a"), &Projection::default()),
            None
        );
    }

    #[test]
    fn any_name_makes_a_name_and_a_forgotten_job_is_told_of_without_a_uid() {
        let failed = entry(7, "a/prod/Orders_1", moved(JobState::Running, JobState::Failed));
        let event = written(&failed, &Projection::default());
        assert!(
            event["metadata"]["name"].as_str().unwrap().starts_with("job."),
            "{event}"
        );
        assert!(event["involvedObject"].get("uid").is_none());
        assert_eq!(cut(&"é".repeat(600), MESSAGE).len(), MESSAGE);
    }
}
