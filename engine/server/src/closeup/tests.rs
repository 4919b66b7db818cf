use http::{Method, StatusCode};
use serde_json::{Value, json};
use steadfast_core::state::JobState;

use crate::testing::{SESSION_JOB, TestServer};

async fn server() -> TestServer {
    let server = TestServer::new();
    for name in ["orders", "silent", "gone", "busy"] {
        server.add(&format!("local/default/{name}"), JobState::Running).await;
    }
    server
}

async fn shown(server: &TestServer, path: &str) -> Value {
    let (status, body) = server.get(&format!("/api/v1/jobs/local/default/{path}")).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

const AT: &str = "2026-11-23T01:13:29.838Z";

#[tokio::test]
async fn what_flink_says_has_the_contracts_fields() {
    let server = server().await;
    let failure =
        json!({"headline": "a.B: no", "stackTrace": "a.B: no\n\tat a.B.c(B.java:1)\n", "at": AT, "task": "map (1/4)"});
    let expected = json!({
        "askedAt": AT,
        "job": {"known": "present", "value": {
            "id": "ffffffffa021a4190000000000000000", "name": "orders", "state": "RUNNING", "startedAt": AT,
            "durationSeconds": 8.61, "parallelism": 4,
            "vertices": [{"id": "cbc3", "name": "Source: numbers", "parallelism": 4, "status": "RUNNING",
                "tasks": {"RUNNING": 4}, "startedAt": AT, "durationSeconds": 3.53}],
        }},
        "checkpoints": {"known": "present", "value": {
            "counts": {"completed": 1, "failed": 3, "inProgress": 0, "restored": 0},
            "latestCompleted": {"id": 1, "at": "2026-11-23T01:13:29.937Z", "sizeBytes": 265, "durationMillis": 99,
                "path": "file:/flink-data/chk-1", "isSavepoint": false},
            "latestFailed": {"id": 0, "at": AT, "failureMessage": "expired"},
            "history": [{"id": 1, "status": "COMPLETED", "at": AT, "durationMillis": 99, "sizeBytes": 265, "isSavepoint": false}],
        }},
        "exceptions": {"known": "present", "value": {"root": failure, "history": [failure], "truncated": false}},
    });
    assert_eq!(shown(&server, "orders/flink").await, expected);
}

#[tokio::test]
async fn what_kubernetes_says_has_the_contracts_fields() {
    let server = server().await;
    let expected = json!({
        "askedAt": AT,
        "pods": {"known": "present", "value": [{
            "name": "orders-7d-x", "role": "jobmanager", "phase": "Running", "ready": false, "node": "node-1", "restarts": 2,
            "startedAt": AT,
            "containers": [{"name": "flink-main-container", "restarts": 2, "state": "waiting", "reason": "CrashLoopBackOff",
                "exitCode": 137}],
        }]},
        "podsOmitted": 0,
        "events": {"known": "present", "value": [{"object": "Pod/orders-7d-x", "reason": "BackOff", "message": "back-off",
            "at": AT, "count": 3, "type": "Warning"}]},
    });
    assert_eq!(shown(&server, "orders/pods").await, expected);
    let log = shown(&server, "orders/log?lines=7&previous=true&pod=orders-8e-y").await;
    let expected = json!({"pod": "orders-8e-y", "container": "flink-main-container", "text": "7 true\n"});
    assert_eq!(log["log"]["value"], expected);
    assert_eq!(
        shown(&server, "orders/log").await["log"]["value"]["text"],
        "200 false\n"
    );
}

#[tokio::test]
async fn an_error_is_unknown_with_its_words_and_never_absent() {
    let server = server().await;
    for (path, parts) in [
        ("flink", &["job", "checkpoints", "exceptions"][..]),
        ("pods", &["pods", "events"]),
        ("log", &["log"]),
    ] {
        let silent = shown(&server, &format!("silent/{path}")).await;
        let gone = shown(&server, &format!("gone/{path}")).await;
        for part in parts {
            let unknown = json!({"known": "unknown", "why": "timeout: no complete answer within 3000 ms"});
            assert_eq!(silent[part], unknown, "{path} {part}");
            assert_eq!(gone[part], json!({"known": "absent"}), "{path} {part}");
        }
        let (status, problem) = server.get(&format!("/api/v1/jobs/local/default/busy/{path}")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
        let (status, _) = server.get(&format!("/api/v1/jobs/local/default/nobody/{path}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_log_is_asked_for_within_its_bounds() {
    let server = server().await;
    for wrong in ["lines=0", "lines=2001", "lines=x", "previous=maybe", "container=a"] {
        let (status, problem) = server
            .get(&format!("/api/v1/jobs/local/default/orders/log?{wrong}"))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {problem}");
        assert_eq!(problem["parameter"], wrong.split('=').next().unwrap());
    }
}

#[tokio::test]
async fn a_sessions_jobs_are_looked_at_as_well_and_nothing_is_written() {
    let server = TestServer::new();
    server.add(SESSION_JOB, JobState::Running).await;
    for path in ["flink", "pods", "log"] {
        let (status, body) = server.get(&format!("/api/v1/jobs/{SESSION_JOB}/{path}")).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        let (status, _) = server
            .call(Method::POST, &format!("/api/v1/jobs/{SESSION_JOB}/{path}"), "")
            .await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(server.jobs.page(None, 10, |_| true).len(), 1);
}
