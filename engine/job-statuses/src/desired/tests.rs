use std::sync::Arc;
use std::time::Duration;

use steadfast_core::projection::WatchStatus;
use steadfast_core::record::{self, JobRecord, Reason, StandingAlert};
use steadfast_core::state::{ConditionType, Confidence, JobState};
use steadfast_core::testing::{at, flink_job_id, job_key, record};

use super::*;
use crate::testing::applied;

fn running() -> JobRecord {
    let mut record = record(job_key("orders"), at(100));
    record.state = JobState::Running;
    record.confidence = Confidence::Confirmed;
    record.reason = Reason::new("FlinkSays", "Flink lists the job as RUNNING");
    record.incarnation.attempt = 2;
    record.incarnation.flink_job_id = Some(flink_job_id(7));
    record.confirmed_at = Some(at(160));
    record
}

fn view(record: JobRecord) -> JobView {
    JobView {
        record: Arc::new(record),
        watch: WatchStatus::default(),
    }
}

fn written(desired: &Desired, before: Transitions, now: i64) -> (serde_json::Value, Transitions) {
    let (body, after) = desired.status(3, before, at(now));
    (serde_json::from_slice(&body).unwrap(), after)
}

fn condition<'a>(object: &'a serde_json::Value, kind: &str) -> &'a serde_json::Value {
    let all = object["status"]["conditions"].as_array().unwrap();
    all.iter().find(|condition| condition["type"] == kind).unwrap()
}

#[test]
fn a_running_job_is_ready_confirmed_and_neither_alerting_nor_ended() {
    let desired = Desired::of(&view(running()), "s");
    let (object, _) = written(&desired, Transitions::default(), 200);
    let status = &object["status"];
    assert_eq!(
        (
            &status["state"],
            &status["confidence"],
            &status["reason"],
            &status["attempt"]
        ),
        (&json!("RUNNING"), &json!("confirmed"), &json!("FlinkSays"), &json!(2))
    );
    assert_eq!(status["since"], "1970-01-01T00:01:40Z");
    assert_eq!(status["lastSeen"], "1970-01-01T00:02:40Z");
    assert_eq!(status["observedGeneration"], 3);
    for (kind, truth) in [
        ("Ready", "True"),
        ("Confirmed", "True"),
        ("Alerting", "False"),
        ("Ended", "False"),
    ] {
        assert_eq!(condition(&object, kind)["status"], truth, "{kind}");
        assert_eq!(condition(&object, kind)["observedGeneration"], 3, "{kind}");
    }
    let head: serde_json::Value = serde_json::from_slice(&desired.head()).unwrap();
    assert_eq!(head["metadata"]["labels"][CLUSTER], "local");
    assert_eq!(head["spec"]["job"], "local/default/orders");
}

#[test]
fn what_nobody_knows_now_is_neither_ready_nor_not() {
    for (state, confidence, truth) in [
        (JobState::Running, Confidence::Stale, "Unknown"),
        (JobState::Failed, Confidence::Stale, "Unknown"),
        (JobState::Unknown, Confidence::Confirmed, "Unknown"),
        (JobState::Starting, Confidence::Inferred, "False"),
        (JobState::Failed, Confidence::Confirmed, "False"),
    ] {
        let record = JobRecord {
            state,
            confidence,
            ..running()
        };
        let (object, _) = written(&Desired::of(&view(record), "s"), Transitions::default(), 200);
        assert_eq!(condition(&object, "Ready")["status"], truth, "{state} {confidence}");
    }
    let unwritten = JobView {
        watch: WatchStatus {
            unwritten_since: Some(at(150)),
            ..WatchStatus::default()
        },
        ..view(running())
    };
    let (object, _) = written(&Desired::of(&unwritten, "s"), Transitions::default(), 200);
    assert_eq!(
        condition(&object, "Ready")["status"],
        "Unknown",
        "the store does not take its record"
    );
}

#[test]
fn a_condition_has_the_time_at_which_its_status_changed() {
    let (first, before) = written(&Desired::of(&view(running()), "s"), Transitions::default(), 200);
    assert_eq!(condition(&first, "Ready")["lastTransitionTime"], "1970-01-01T00:01:40Z");
    assert_eq!(
        condition(&first, "Confirmed")["lastTransitionTime"],
        "1970-01-01T00:03:20Z"
    );
    // Another attempt that runs as well: ready all along, for all that is known.
    let again = JobRecord {
        since: at(250),
        ..running()
    };
    let (second, before) = written(&Desired::of(&view(again), "s"), before, 260);
    assert_eq!(
        condition(&second, "Ready")["lastTransitionTime"],
        "1970-01-01T00:01:40Z"
    );
    let failed = JobRecord {
        state: JobState::Failed,
        since: at(300),
        ..running()
    };
    let (third, _) = written(&Desired::of(&view(failed), "s"), before, 301);
    assert_eq!(condition(&third, "Ready")["lastTransitionTime"], "1970-01-01T00:05:01Z");
    assert_eq!(
        condition(&third, "Confirmed")["lastTransitionTime"],
        "1970-01-01T00:03:20Z"
    );
}

#[test]
fn what_stands_beside_the_state_stands_among_the_conditions() {
    let mut record = running();
    record.conditions = vec![record::Condition {
        kind: ConditionType::CrashLoop,
        since: at(120),
        message: "the container ended with 1".to_owned(),
    }];
    record.alerts = vec![StandingAlert {
        name: "RestartLoop".to_owned(),
        scope: AlertScope::Job,
        since: at(130),
        message: "it does not come to rest".to_owned(),
        silenced: false,
    }];
    record.reason.code = "two words".to_owned();
    let (object, _) = written(&Desired::of(&view(record), "s"), Transitions::default(), 200);
    let crash = condition(&object, "CrashLoop");
    assert_eq!(
        (&crash["status"], &crash["reason"], &crash["lastTransitionTime"]),
        (&json!("True"), &json!("CrashLoop"), &json!("1970-01-01T00:02:00Z"))
    );
    let alerting = condition(&object, "Alerting");
    assert_eq!(
        (
            &alerting["status"],
            &alerting["reason"],
            &alerting["lastTransitionTime"]
        ),
        (&json!("True"), &json!("RestartLoop"), &json!("1970-01-01T00:02:10Z"))
    );
    assert_eq!(object["status"]["alerts"][0]["scope"], "job");
    assert_eq!(object["status"]["reason"], "two words");
    assert_eq!(condition(&object, "Ready")["reason"], "Other");
}

#[test]
fn what_was_written_reads_back_as_the_same() {
    let mut record = running();
    record.incarnation.deployment_uid = Some(steadfast_core::id::Uid::new("u1"));
    let desired = Desired::of(&view(record), "s");
    let (body, after) = desired.status(1, Transitions::default(), at(200));
    let mut there = applied(&desired.head(), &body, 1);
    there.status.conditions.reverse();
    there.labels.insert("theirs".to_owned(), "stays".to_owned());
    let print = desired.fingerprint();
    assert_eq!(found(&there), (print.head, Some(print.status), after));
    there.generation = 2;
    assert_eq!(found(&there).1, None, "somebody has changed the spec since");
}

#[test]
fn a_confirmation_alone_is_nothing_to_write() {
    let before = Desired::of(&view(running()), "s").fingerprint();
    let later = JobView {
        watch: WatchStatus {
            confirmed_at: Some(at(160).after(Duration::from_secs(600))),
            ..WatchStatus::default()
        },
        ..view(JobRecord {
            revision: 9,
            memory: vec![1],
            ..running()
        })
    };
    assert_eq!(Desired::of(&later, "s").fingerprint(), before);
    let stale = JobRecord {
        confidence: Confidence::Stale,
        ..running()
    };
    assert_ne!(Desired::of(&view(stale), "s").fingerprint().status, before.status);
}
