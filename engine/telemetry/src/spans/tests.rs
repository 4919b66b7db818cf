//! The spans of a decision and of its delivery, without a network.

use std::collections::BTreeSet;
use std::time::Duration;

use steadfast_core::decision::{LookupSource, PolicyFailure, PolicyFailureKind};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::PolicyName;
use steadfast_core::journal::Sequence;
use steadfast_core::record::Reason;
use steadfast_core::state::{Confidence, JobState, Mode};
use steadfast_core::testing::{flink_job_id, job_key};
use steadfast_core::time::Timestamp;
use steadfast_core::trace::{
    CommitTrace, DecisionTrace, DeliveryTrace, Durable, Judged, Judgement, Look, NotCommitted, Seen, Undelivered, Way,
};

use super::*;
use crate::otlp::Value;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

fn spans() -> Spans {
    Spans::new(Identity {
        service: "steadfast".to_owned(),
        version: "1.2.3",
        store: "store".to_owned(),
        database: "sqlite",
        resource: BTreeMap::from([("deployment.environment.name".to_owned(), "production".to_owned())]),
    })
}

fn look(source: &'static str, asked: i64, observed: i64, seen: Seen) -> Look {
    Look {
        source,
        way: Way::Flink,
        asked_at: at(asked),
        observed_at: at(observed),
        seen,
        failures: 3,
    }
}

fn decision() -> DecisionTrace {
    DecisionTrace {
        number: 9,
        key: job_key("orders"),
        mode: Mode::Application,
        flink_job: Some(flink_job_id(1)),
        attempt: 2,
        policy: PolicyName::new("default"),
        looks: vec![
            look(
                "flink",
                900,
                950,
                Seen::Unknown(Fault::new(FaultKind::NotFound, "GET /jobs: 404")),
            ),
            look("archive", 920, 990, Seen::Present),
        ],
        judged: Judged {
            shown_at: at(1000),
            at: at(1004),
            took: Some(Duration::from_micros(250)),
            outcome: Ok(Judgement {
                rule: "ended-by-archive".to_owned(),
                state: JobState::Failed,
                confidence: Confidence::Confirmed,
                reason: Reason::new("ArchiveSays", "line one\nline two"),
            }),
            wanted: vec![LookupSource::Exceptions],
        },
        commit: Some(CommitTrace {
            at: at(1005),
            took: Duration::from_millis(7),
            changes: 3,
            revision: 12,
            transition: Some((JobState::Running, JobState::Failed)),
            outcome: Ok(vec![Sequence(41), Sequence(42)]),
        }),
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    Some(text(found.value.as_ref()?.value.as_ref()?))
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Array(array) => {
            let values = array.values.iter().filter_map(|value| value.value.as_ref());
            values.map(text).collect::<Vec<_>>().join(",")
        }
    }
}

fn is_error(span: &Span) -> bool {
    span.status.is_some()
}

/// In milliseconds after the beginning of these tests' time.
fn moments(span: &Span) -> (i64, i64) {
    let millis = |nanos: u64| i64::try_from(nanos / 1_000_000).unwrap() - at(0).as_millis();
    (millis(span.start_time_unix_nano), millis(span.end_time_unix_nano))
}

fn error(message: &str) -> Option<Status> {
    Some(Status {
        message: message.to_owned(),
        code: Code::Error.into(),
    })
}

#[test]
fn a_decision_is_one_trace_from_the_first_look_to_the_commit() {
    let spans = spans().of_decision(&decision());
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["decision", "look", "look", "decide", "commit"]);
    let whole = &spans[0];
    assert!(whole.parent_span_id.is_empty());
    for span in &spans[1..] {
        assert_eq!(span.trace_id, whole.trace_id);
        assert_eq!(span.parent_span_id, whole.span_id, "{}", span.name);
        assert_eq!((span.span_id.len(), span.flags & 1), (8, 1));
    }
    assert_eq!(moments(whole), (900, 1012));
    assert_eq!(moments(&spans[1]), (900, 950));
    assert_eq!(moments(&spans[3]), (1000, 1004));
    assert_eq!(moments(&spans[4]), (1005, 1012));
    let kinds: Vec<Kind> = spans.iter().map(Span::kind).collect();
    assert_eq!(
        (kinds[0], kinds[1], kinds[4]),
        (Kind::Internal, Kind::Client, Kind::Client)
    );
}

#[test]
fn each_span_says_what_it_is_about() {
    let spans = spans().of_decision(&decision());
    for (name, key, value) in [
        ("decision", "steadfast.job.id", "local/default/orders"),
        ("decision", "k8s.cluster.name", "local"),
        ("decision", "k8s.namespace.name", "default"),
        ("decision", "steadfast.attempt", "2"),
        ("decide", "steadfast.policy.name", "default"),
        ("decide", "steadfast.decided_by", "policy"),
        ("decide", "steadfast.policy.duration", "0.00025"),
        ("decide", "steadfast.rule", "ended-by-archive"),
        ("decide", "steadfast.state", "FAILED"),
        ("decide", "steadfast.reason.message", "line one line two"),
        ("commit", "db.system.name", "sqlite"),
        ("commit", "db.operation.batch.size", "3"),
        ("commit", "steadfast.revision", "12"),
        ("commit", "steadfast.state.before", "RUNNING"),
        ("commit", "steadfast.sequences", "41,42"),
        ("look", "error.type", "not-found"),
        ("look", "http.response.status_code", "404"),
        ("look", "steadfast.failures", "3"),
    ] {
        let span = named(&spans, name)[0];
        assert_eq!(
            attribute(span, key).as_deref(),
            Some(value),
            "{name}: {:?}",
            span.attributes
        );
    }
    assert!(
        is_error(&spans[1]) && !is_error(&spans[0]),
        "a look that failed is no failed decision"
    );
}

#[test]
fn a_standalone_job_is_in_no_cluster() {
    let mut decision = decision();
    decision.key = steadfast_core::id::JobKey::application(steadfast_core::id::TargetId::standalone("orders"));
    let whole = &spans().of_decision(&decision)[0];
    assert_eq!(attribute(whole, "k8s.cluster.name"), None);
    assert_eq!(attribute(whole, "steadfast.job.id").as_deref(), Some("-/-/orders"));
}

#[test]
fn a_policy_that_fails_and_a_commit_that_is_not_taken_are_errors_of_the_whole() {
    let mut failing = decision();
    failing.commit = None;
    failing.judged.took = None;
    failing.judged.outcome = Err(PolicyFailure {
        kind: PolicyFailureKind::Trap,
        message: "unreachable".into(),
    });
    let told = spans().of_decision(&failing);
    let decide = named(&told, "decide")[0];
    assert!(is_error(decide) && is_error(&told[0]));
    assert_eq!(attribute(decide, "error.type").as_deref(), Some("trap"));
    assert_eq!(attribute(decide, "steadfast.decided_by").as_deref(), Some("engine"));
    assert!(named(&told, "commit").is_empty());
    let mut refused = decision();
    if let Some(commit) = &mut refused.commit {
        commit.outcome = Err(NotCommitted::Failed("the disk is full".to_owned()));
    }
    let told = spans().of_decision(&refused);
    assert_eq!(told[0].status, error("the disk is full"));
    let again = spans().of_decision(&decision());
    assert_ne!(
        told[0].trace_id, again[0].trace_id,
        "the one that is durable in the end is another trace"
    );
}

#[test]
fn texts_are_bounded_and_harmless() {
    let mut decision = decision();
    if let Ok(judgement) = &mut decision.judged.outcome {
        judgement.reason.message = format!("\u{1b}[2J{}", "x".repeat(100_000));
    }
    let told = spans().of_decision(&decision);
    let message = attribute(named(&told, "decide")[0], "steadfast.reason.message").unwrap();
    assert!(message.len() <= TEXT && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn a_span_that_ends_before_it_begins_ends_when_it_begins() {
    let mut decision = decision();
    decision.looks = vec![look("flink", 2000, 1000, Seen::Absent)];
    let told = spans().of_decision(&decision);
    assert_eq!(moments(&told[1]), (2000, 2000));
    assert_eq!(moments(&told[0]).1, 2000);
}

fn told(name: &str, sequence: u64, revision: u64, when: Timestamp) -> Durable {
    Durable {
        sequence: Sequence(sequence),
        at: when,
        key: job_key(name),
        revision,
    }
}

fn delivery(told: Vec<Durable>) -> DeliveryTrace {
    DeliveryTrace {
        sink: "hook".to_owned(),
        events: told.len(),
        told: told.into_iter().take(DeliveryTrace::MOST_TOLD).collect(),
        began: at(5000),
        took: Duration::from_millis(30),
        failures: 1,
        outcome: Ok(()),
    }
}

#[test]
fn a_delivery_stands_below_the_commit_that_it_tells_of() {
    let decided = spans().of_decision(&decision());
    let commit = named(&decided, "commit")[0];
    let told_of = vec![told("orders", 41, 12, at(1005)), told("orders", 42, 12, at(1005))];
    let span = spans().of_delivery(&delivery(told_of)).unwrap();
    assert_eq!(span.trace_id, commit.trace_id);
    assert_eq!(span.parent_span_id, commit.span_id);
    assert!(span.links.is_empty(), "both entries are of this commit");
    for (key, value) in [
        ("steadfast.sink.name", "hook"),
        ("steadfast.delivery.events", "2"),
        ("steadfast.delivery.failed_tries", "1"),
        ("steadfast.sequences", "41,42"),
    ] {
        assert_eq!(attribute(&span, key).as_deref(), Some(value));
    }
}

#[test]
fn a_message_of_many_decisions_links_to_each_other_one() {
    let others = (1..=200).map(|number| told("bills", number + 42, number, at(2000)));
    let told_of: Vec<Durable> = std::iter::once(told("orders", 41, 12, at(1005)))
        .chain(others)
        .collect();
    let span = spans().of_delivery(&delivery(told_of)).unwrap();
    assert_eq!((span.links.len(), span.dropped_links_count), (128, 72));
    let events = attribute(&span, "steadfast.delivery.events");
    assert_eq!(events.as_deref(), Some("201"), "of which not all are named");
    let mut bills = decision();
    bills.key = job_key("bills");
    if let Some(commit) = &mut bills.commit {
        (commit.revision, commit.at) = (1, at(2000));
    }
    let decided = spans().of_decision(&bills);
    let commit = named(&decided, "commit")[0];
    assert_eq!(
        (&span.links[0].trace_id, &span.links[0].span_id),
        (&commit.trace_id, &commit.span_id)
    );
}

#[test]
fn a_try_that_failed_says_so_and_each_try_is_a_span() {
    let mut failed = delivery(vec![told("orders", 41, 12, at(1005))]);
    failed.outcome = Err(Undelivered {
        kind: "not-now",
        message: "the receiver answered 503".to_owned(),
    });
    let first = spans().of_delivery(&failed).unwrap();
    assert_eq!(first.status, error("the receiver answered 503"));
    assert_eq!(attribute(&first, "error.type").as_deref(), Some("not-now"));
    failed.began = at(6000);
    let second = spans().of_delivery(&failed).unwrap();
    assert_ne!(first.span_id, second.span_id);
    // Within a millisecond: the first half of what was refused, and the same once more.
    let both = vec![told("orders", 41, 12, at(1005)), told("bills", 43, 1, at(2000))];
    let whole = delivery(both.clone());
    let half = delivery(both[..1].to_vec());
    let again = DeliveryTrace {
        failures: 2,
        ..half.clone()
    };
    let ids: BTreeSet<Vec<u8>> = [whole, half, again]
        .iter()
        .map(|delivery| spans().of_delivery(delivery).unwrap().span_id)
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(spans().of_delivery(&delivery(Vec::new())), None);
}

#[test]
fn the_resource_is_what_the_configuration_says() {
    let resource = spans().resource();
    let said = resource.attributes.iter().map(|said| {
        let value = said.value.as_ref().and_then(|value| value.value.as_ref()).unwrap();
        format!("{}={}", said.key, text(value))
    });
    let mut said: Vec<String> = said.collect();
    said.sort();
    assert_eq!(
        said,
        [
            "deployment.environment.name=production",
            "service.instance.id=store",
            "service.name=steadfast",
            "service.version=1.2.3"
        ]
    );
}
