use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use steadfast_core::decision::{PolicyFailure, PolicyFailureKind};
use steadfast_core::id::PolicyName;
use steadfast_core::record::Reason;
use steadfast_core::shadow::{ShadowState, ShadowVerdict};
use steadfast_core::state::{Confidence, JobState};

use crate::testing::{AT, TestServer, record};

/// Two shadows over two jobs; `naive` takes both for lost, and failed once at `orders`.
fn compared() -> TestServer {
    let server = TestServer::new();
    for (policy, state) in [("naive", JobState::Lost), ("strict", JobState::Running)] {
        for id in ["local/a/clicks", "local/a/orders"] {
            let fails = policy == "naive" && id.ends_with("orders");
            let verdict = ShadowVerdict {
                shown: ShadowState {
                    state,
                    attempt: 0,
                    confidence: Confidence::Inferred,
                    reason: Reason::new("Gone", "it is not listed"),
                    rule: Some("gone".to_owned()),
                },
                failure: fails.then(|| PolicyFailure {
                    kind: PolicyFailureKind::Deadline,
                    message: "too slow".into(),
                }),
            };
            let record = Arc::new(record(id, JobState::Running));
            server.shadows.record(&PolicyName::new(policy), record, verdict, AT);
        }
    }
    server
}

fn named(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| format!("{} {}", item["policy"].as_str().unwrap(), item["job"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_comparison_says_what_both_show_and_since_when() {
    let (status, page) = compared().get("/api/v1/shadows?policy=naive&differs=true").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        page["items"][1],
        json!({
            "policy": "naive",
            "job": "local/a/orders",
            "differs": true,
            "decided": { "policy": "default", "state": "RUNNING", "attempt": 0, "confidence": "confirmed",
                "reason": { "code": "FlinkSays", "message": "Flink lists the job" } },
            "shadow": { "state": "LOST", "attempt": 0, "confidence": "inferred",
                "reason": { "code": "Gone", "message": "it is not listed" }, "rule": "gone" },
            "since": AT.to_string(),
            "judged": 1,
            "differed": 1,
            "failure": { "at": AT.to_string(), "kind": "deadline", "message": "too slow" },
        })
    );
    assert_eq!(
        page["policies"],
        json!([
            { "policy": "naive", "jobs": 2, "differing": 2, "judged": 2, "differed": 2, "failures": 1 },
            { "policy": "strict", "jobs": 2, "differing": 0, "judged": 2, "differed": 0, "failures": 0 },
        ])
    );
}

#[tokio::test]
async fn filters_and_pages_join_without_a_gap() {
    let server = compared();
    let all = [
        "naive local/a/clicks",
        "naive local/a/orders",
        "strict local/a/clicks",
        "strict local/a/orders",
    ];
    for (query, expected) in [
        ("", &all[..]),
        ("differs=true", &all[..2]),
        ("differs=false&policy=strict", &all[2..]),
    ] {
        let (_, page) = server.get(&format!("/api/v1/shadows?{query}")).await;
        assert_eq!(
            (named(&page).as_slice(), &page["cursor"]),
            (
                expected.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(),
                &Value::Null
            ),
            "{query}"
        );
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = server.get(&format!("/api/v1/shadows?limit=1&cursor={cursor}")).await;
        seen.extend(named(&page));
        match page["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let server = compared();
    for (query, parameter) in [
        ("differs=maybe", "differs"),
        ("limit=0", "limit"),
        ("cursor=zz", "cursor"),
        ("state=LOST", "state"),
    ] {
        let (status, problem) = server.get(&format!("/api/v1/shadows?{query}")).await;
        assert_eq!(
            (status, &problem["parameter"]),
            (StatusCode::BAD_REQUEST, &json!(parameter)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_explanation_shows_what_the_shadows_say() {
    let server = compared();
    server.add("local/a/orders", JobState::Running).await;
    let (_, explained) = server.get("/api/v1/jobs/local/a/orders/explain").await;
    let shadows = explained["shadows"].as_array().unwrap();
    let said: Vec<&str> = shadows
        .iter()
        .map(|one| one["shadow"]["state"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["LOST", "RUNNING"]);
}
