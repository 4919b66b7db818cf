//! What `/explain` shows is what an earlier build showed, member by member.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use steadfast_core::decision::{
    DecidedAlert, DecidedCondition, Decision, LookupRequest, LookupSource, PolicyFailure, PolicyFailureKind, Watch,
};
use steadfast_core::explanation::{Awaited, Awaiting, Due, Explanation};
use steadfast_core::id::PolicyName;
use steadfast_core::journal::Sequence;
use steadfast_core::record::{AlertScope, Reason};
use steadfast_core::recording::Recorded;
use steadfast_core::rule::Rule;
use steadfast_core::shadow::{ShadowBoard, ShadowState, ShadowVerdict, ShadowView};
use steadfast_core::shown::Shown;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, ConditionType, Confidence, JobState};
use steadfast_core::time::Timestamp;

use crate::testing::AT;

const V1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/explain/v1.jsonl");
/// Snapshots in which everything is present, absent or unknown, and filled or empty.
const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/tests/formats/v1/store.db");
/// The same snapshots as recordings have them.
const RECORDED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../store/tests/formats/v1/recordings.jsonl"
);
const SOURCES: [LookupSource; 8] = [
    LookupSource::Exceptions,
    LookupSource::Checkpoints,
    LookupSource::Kubernetes,
    LookupSource::HaData,
    LookupSource::Events,
    LookupSource::LastWords,
    LookupSource::Archive,
    LookupSource::TaskManagers,
];

async fn recordings() -> Vec<Recorded> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::copy(STORE, &path).unwrap();
    let store = steadfast_store::open_recordings(&format!("sqlite://{}", path.display())).unwrap();
    let kept = store.recorded(Sequence(0), Timestamp::default(), 100).await.unwrap();
    kept.read.into_iter().map(|(_, recorded)| recorded).collect()
}

fn decision(n: usize) -> Decision {
    let want = |source| LookupRequest {
        source,
        observed_after: AT,
    };
    let is_a_policys = |kind: &&ConditionType| {
        !matches!(
            kind,
            ConditionType::PolicyOutdated | ConditionType::DecisionTrimmed | ConditionType::RateLimited
        )
    };
    let condition = |kind: &ConditionType| DecidedCondition {
        kind: *kind,
        message: format!("{kind} stands"),
    };
    let alert = |scope| DecidedAlert {
        name: "JobFailed".to_owned(),
        scope,
        message: "it failed".to_owned(),
    };
    Decision {
        state: JobState::ALL[n % JobState::ALL.len()],
        confidence: Confidence::ALL[n % Confidence::ALL.len()],
        reason: Reason::new("FlinkSays", "Flink lists it so: \"ok\""),
        rule: "flink-running".to_owned(),
        watch: Watch {
            poll_after: Duration::from_millis(1500),
            validate_after: Duration::from_secs(60),
            attention: Attention::ALL[n % Attention::ALL.len()],
        },
        wanted: SOURCES.map(want).to_vec(),
        // A policy raises none of the engine's own.
        conditions: ConditionType::ALL.iter().filter(is_a_policys).map(condition).collect(),
        alerts: [AlertScope::Job, AlertScope::Cluster].map(alert).to_vec(),
        memory: vec![0, 171, 255],
    }
}

/// A shadow that agrees and has not decided yet, and one that differs and fails.
fn shadows(recorded: &Recorded) -> Vec<(PolicyName, ShadowView)> {
    let board = ShadowBoard::default();
    let decided = Arc::clone(&recorded.before);
    let beside = Shown::kept(&decided);
    let shown = ShadowState {
        shows: beside.clone(),
        reason: decided.reason.clone(),
        conditions: Vec::new(),
        alerts: Vec::new(),
        rule: None,
    };
    let mut other = ShadowState {
        rule: Some("gone".to_owned()),
        ..shown.clone()
    };
    other.shows.state = JobState::Lost;
    let failure = PolicyFailure {
        kind: PolicyFailureKind::Deadline,
        message: "it ran past 50 ms".into(),
    };
    for (name, shown, failure) in [("agreeing", shown, None), ("differing", other, Some(failure))] {
        let verdict = ShadowVerdict {
            shown,
            beside: beside.clone(),
            failure,
        };
        board.record(&PolicyName::new(name), decided.clone(), verdict, AT);
    }
    board.of(&decided.key)
}

/// An explanation of each recorded snapshot, the first of them with as little beside it as there can be.
fn explanation(n: usize, recorded: &Recorded) -> (Explanation, Vec<(PolicyName, ShadowView)>) {
    let outcome = match &recorded.failure {
        Some(failure) => Err(failure.clone()),
        None => Ok(decision(n)),
    };
    let rule = Rule {
        name: "flink-running".to_owned(),
        says: "Flink lists the job".to_owned(),
        because: "Flink's answer wins".to_owned(),
        changed_by: "any answer".to_owned(),
    };
    let wanted = SOURCES.map(Awaiting::Lookup);
    let looks = [Awaiting::Flink, Awaiting::Review].into_iter().chain(wanted);
    let waits_for = looks.enumerate().map(|(at, awaiting)| Awaited {
        awaiting,
        due: match at {
            0 => Due::UnderWay,
            _ => Due::At(AT.after(Duration::from_secs(at as u64))),
        },
    });
    let explanation = Explanation {
        policy: PolicyName::new("default"),
        snapshot: recorded.snapshot.clone(),
        outcome,
        rule: (n > 0).then_some(rule),
        waits_for: waits_for.filter(|_| n > 0).collect(),
    };
    let shadows = if n > 0 { shadows(recorded) } else { vec![] };
    (explanation, shadows)
}

async fn shown() -> Vec<Value> {
    let recordings = recordings().await;
    let shown = recordings.iter().enumerate().map(|(n, recorded)| {
        let (explanation, shadows) = explanation(n, recorded);
        serde_json::to_value(super::Explanation::new(&explanation, &shadows)).unwrap()
    });
    shown.collect()
}

fn pinned() -> Vec<Value> {
    let text = fs::read_to_string(V1).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn explanations_are_what_they_were() {
    let (shown, pinned) = (shown().await, pinned());
    assert_eq!(shown.len(), pinned.len());
    for (n, (shown, pinned)) in shown.iter().zip(&pinned).enumerate() {
        assert_eq!(&without_later(shown), pinned, "line {}", n + 1);
    }
}

/// Without the members that came later, which a client of an earlier build passes over.
fn without_later(shown: &Value) -> Value {
    let mut shown = shown.clone();
    for shadow in shown["shadows"].as_array_mut().unwrap() {
        let shadow = shadow.as_object_mut().unwrap();
        assert!(shadow.remove("compared").is_some());
        shadow.remove("aspects");
    }
    shown
}

/// What came later reads back too, and the schema describes it.
#[tokio::test]
async fn what_else_is_compared_reads_back() {
    let document = crate::openapi::described().unwrap();
    let schema = &document["components"]["schemas"]["explain.Explanation"];
    let mut aspects = Vec::new();
    for (n, shown) in shown().await.into_iter().enumerate() {
        Described { document: &document }.hold(schema, &shown, &format!("explanation {n}"));
        let read: super::Explanation = serde_json::from_value(shown.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), shown, "explanation {n}");
        aspects.extend(read.shadows.into_iter().flat_map(|shadow| shadow.aspects));
    }
    assert!(aspects.contains(&super::Aspect::State), "{aspects:?}");
}

/// As the command line reads them, and clients in Rust may.
#[test]
fn explanations_read_back() {
    for (n, pinned) in pinned().into_iter().enumerate() {
        let read: super::Explanation = serde_json::from_value(pinned.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), pinned, "line {}", n + 1);
    }
}

/// A fixture of `policy test` begins as what `/explain` shows, or as what a recording holds.
#[tokio::test]
async fn a_snapshot_reads_from_what_is_shown_and_from_what_is_recorded() {
    let recorded = fs::read_to_string(RECORDED).unwrap();
    let recorded = recorded
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    for ((expected, recorded), shown) in recordings().await.into_iter().zip(recorded).zip(pinned()) {
        for document in [&recorded["snapshot"], &shown["snapshot"]] {
            let snapshot: super::Snapshot = serde_json::from_value(document.clone()).unwrap();
            assert_eq!(Snapshot::from(snapshot), expected.snapshot);
        }
    }
}

#[test]
fn what_is_no_span_and_no_bytes_is_refused() {
    for wrong in ["-1.0", "1e300", "\"5s\"", "{\"secs\":1}"] {
        assert!(serde_json::from_str::<super::Seconds>(wrong).is_err(), "{wrong}");
    }
    for wrong in ["\"0\"", "\"+1\"", "\"\u{e4}\"", "[256]", "7"] {
        assert!(serde_json::from_str::<super::Hex>(wrong).is_err(), "{wrong}");
    }
}

/// The schema that describes a value, with what it refers to.
struct Described<'a> {
    document: &'a Value,
}

impl<'a> Described<'a> {
    /// The plain schemas that one stands for.
    fn parts(&self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.document.pointer(reference.trim_start_matches('#'));
            return self.parts(target.unwrap_or_else(|| panic!("{reference} leads nowhere")));
        }
        let nested = ["allOf", "oneOf", "anyOf"]
            .into_iter()
            .find_map(|key| schema[key].as_array());
        nested.map_or_else(
            || vec![schema],
            |all| all.iter().flat_map(|one| self.parts(one)).collect(),
        )
    }

    /// Fails at the first place that the schema does not describe.
    fn hold(&self, schema: &'a Value, value: &Value, place: &str) {
        let parts = self.parts(schema);
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let place = format!("{place}/{name}");
                    let described = parts.iter().find_map(|part| {
                        let own = part["properties"].get(name);
                        own.or_else(|| part.get("additionalProperties"))
                    });
                    self.hold(
                        described.unwrap_or_else(|| panic!("{place} is not described")),
                        member,
                        &place,
                    );
                }
            }
            Value::Array(items) => {
                let described = parts.iter().find_map(|part| part.get("items"));
                let described = described.unwrap_or_else(|| panic!("{place} is not described as an array"));
                items.iter().for_each(|item| self.hold(described, item, place));
            }
            Value::Null => self.has_type(&parts, &["null"], place),
            Value::Bool(_) => self.has_type(&parts, &["boolean"], place),
            Value::Number(_) => self.has_type(&parts, &["number", "integer"], place),
            Value::String(_) => {
                self.has_type(&parts, &["string"], place);
                let mut words = parts.iter().filter_map(|part| part["enum"].as_array()).peekable();
                let free = parts
                    .iter()
                    .any(|part| part["type"] == "string" && part["enum"].is_null());
                assert!(
                    free || words.peek().is_none() || words.any(|words| words.contains(value)),
                    "{place}: {value} is not among its words"
                );
            }
        }
    }

    fn has_type(&self, parts: &[&Value], types: &[&str], place: &str) {
        let named = |part: &Value, name: &str| match part["type"].as_array() {
            Some(all) => all.iter().any(|one| one == name),
            None => part["type"] == name,
        };
        let found = parts.iter().any(|part| types.iter().any(|name| named(part, name)));
        assert!(found, "{place} is not described as {types:?}: {parts:?}");
    }
}

/// Which keys the schema of a file asks for: those without which it does not read, in every object of every snapshot.
#[test]
fn the_schema_of_a_file_asks_for_what_is_read() {
    let schema = super::snapshot_schema().unwrap();
    let document = serde_json::json!({ "$defs": schema.definitions });
    let described = Described { document: &document };
    let mut held = 0;
    for (n, pinned) in pinned().iter().enumerate() {
        let snapshot = &pinned["snapshot"];
        described.hold(&schema.snapshot, snapshot, &format!("line {}", n + 1));
        let mut places = Vec::new();
        objects(&described, &schema.snapshot, snapshot, "", &mut places);
        held += places.len();
        for (object, key, is_required) in places {
            let mut without = snapshot.clone();
            without
                .pointer_mut(&object)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(&key);
            let reads = serde_json::from_value::<super::Snapshot>(without).is_ok();
            assert_eq!(reads, !is_required, "line {}: {object}/{key}", n + 1);
        }
    }
    assert!(held > 100, "{held}");
}

/// Each member of each object whose keys are fixed, and whether the schema asks for it.
fn objects<'a>(
    described: &Described<'a>,
    schema: &'a Value,
    value: &Value,
    place: &str,
    found: &mut Vec<(String, String, bool)>,
) {
    let parts = described.parts(schema);
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let Some((part, own)) = parts
                    .iter()
                    .find_map(|part| part["properties"].get(key).map(|own| (part, own)))
                else {
                    continue;
                };
                let is_required = part["required"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one == key));
                found.push((place.to_owned(), key.clone(), is_required));
                objects(described, own, member, &format!("{place}/{key}"), found);
            }
        }
        Value::Array(items) => {
            let Some(own) = parts.iter().find_map(|part| part.get("items")) else {
                return;
            };
            for (at, item) in items.iter().enumerate() {
                objects(described, own, item, &format!("{place}/{at}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_schema_describes_every_member() {
    let document = crate::openapi::described().unwrap();
    let answer = "/paths/~1api~1v1~1jobs~1{cluster}~1{namespace}~1{name}~1explain/get/responses/200/content";
    let schema = &document.pointer(answer).unwrap()["application/json"]["schema"];
    for (n, pinned) in pinned().iter().enumerate() {
        Described { document: &document }.hold(schema, pinned, &format!("line {}", n + 1));
    }
}

/// `FORMATS=FOLDER cargo test -p steadfast-server explain::tests::write_samples -- --ignored` writes `v1.jsonl` there.
#[tokio::test]
#[ignore = "writes a file; only for a version that is new"]
async fn write_samples() {
    let path = Path::new(&std::env::var_os("FORMATS").unwrap()).join("v1.jsonl");
    assert!(!path.exists(), "what is pinned is never written over");
    let lines: String = shown().await.iter().map(|value| format!("{value}\n")).collect();
    fs::write(path, lines).unwrap();
}
