use std::sync::Arc;

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, TargetId, Uid};
use steadfast_core::journal::Event;
use steadfast_core::projection::{JobView, WatchStatus};
use steadfast_core::record::{Condition, JobRecord, OtherJob};
use steadfast_core::state::{Attention, ConditionType, JobState};
use steadfast_core::testing::flink_job;
use steadfast_core::time::Timestamp;

use crate::testing::{AT, SESSION_JOB, TestServer, moved, read, record, request};

const JOB: &str = "/api/v1/jobs/local/default/orders";

async fn orders() -> TestServer {
    let server = TestServer::new();
    server.add("local/default/orders", JobState::Running).await;
    server
}

#[tokio::test]
async fn a_job_has_the_contracts_fields() {
    let server = TestServer::new();
    let id = FlinkJobId::parse("ffffffffa021a4190000000000000000").unwrap();
    let mut orders = record("local/default/orders", JobState::Running);
    orders.incarnation.see_deployment(&Uid::new("u1"), None, AT, AT);
    orders
        .incarnation
        .see_job(&flink_job(id, JobState::Running, AT), AT, AT);
    orders.confirmed_at = Some(AT);
    orders.conditions = vec![Condition {
        kind: ConditionType::FlinkUnreachable,
        since: AT,
        message: "refused".to_owned(),
    }];
    orders.other_jobs = vec![OtherJob {
        flink_job_id: id,
        state: JobState::Finished,
    }];
    orders.attention = Attention::Active;
    let later = |millis: i64| Some(Timestamp::from_millis(AT.as_millis() + millis));
    server.jobs.show(JobView {
        record: Arc::new(orders),
        watch: WatchStatus {
            next_poll_at: later(5000),
            next_review_at: later(60_000),
            failures: 3,
            confirmed_at: later(1000),
            unwritten_since: None,
        },
    });
    let (status, job) = server.get(JOB).await;
    assert_eq!(status, StatusCode::OK);
    let expected = json!({
        "id": "local/default/orders", "cluster": "local", "namespace": "default", "name": "orders",
        "mode": "application", "flinkJobId": "ffffffffa021a4190000000000000000", "attempt": 1,
        "state": "RUNNING", "confidence": "confirmed", "severity": "degraded", "labels": {},
        "reason": {"code": "FlinkSays", "message": "Flink lists the job"},
        "since": "2026-11-23T01:13:29.838Z", "firstSeen": "2026-11-23T01:13:29.838Z",
        "startedAt": "2026-11-23T01:13:29.838Z", "confirmedAt": "2026-11-23T01:13:30.838Z",
        "conditions": [{"type": "FlinkUnreachable", "since": "2026-11-23T01:13:29.838Z", "message": "refused"}],
        "alerts": [], "silences": [],
        "watch": {
            "attention": "active", "nextPollAt": "2026-11-23T01:13:34.838Z",
            "nextReviewAt": "2026-11-23T01:14:29.838Z", "failures": 3,
        },
        "policy": "default", "revision": 1,
        "otherJobs": [{"flinkJobId": "ffffffffa021a4190000000000000000", "state": "FINISHED"}],
        "intent": null, "links": []
    });
    assert_eq!(job, expected);
}

#[tokio::test]
async fn flinks_own_time_is_shown_beside_when_it_was_seen() {
    let server = TestServer::new();
    let told = AT.before(std::time::Duration::from_secs(3 * 3600));
    let record = JobRecord {
        told_since: Some(told),
        ..record("local/default/orders", JobState::Failed)
    };
    let mut moved = moved(JobState::Unknown, JobState::Failed);
    if let Event::Transition(transition) = &mut moved {
        transition.told_since = Some(told);
    }
    server.commit(record, vec![moved]).await;
    let (_, job) = server.get(JOB).await;
    let times = json!(["2026-11-22T22:13:29.838Z", "2026-11-23T01:13:29.838Z", null]);
    assert_eq!(json!([job["since"], job["firstSeen"], job["startedAt"]]), times);
    let (_, history) = server.get(&format!("{JOB}/transitions")).await;
    let first = &history["items"][0];
    assert_eq!(json!([first["since"], first["at"], null]), times);
}

#[tokio::test]
async fn a_watch_that_sleeps_counts_no_looks() {
    let server = TestServer::new();
    let mut ended = record("local/default/orders", JobState::Finished);
    ended.attention = Attention::Sleeping;
    server.jobs.show(JobView {
        record: Arc::new(ended),
        watch: WatchStatus {
            failures: 11,
            ..WatchStatus::default()
        },
    });
    let (_, job) = server.get(JOB).await;
    assert_eq!(job["watch"]["failures"], json!(0));
}

#[tokio::test]
async fn a_job_of_which_the_store_takes_nothing_is_stale() {
    let server = TestServer::new();
    server.jobs.show(JobView {
        record: Arc::new(record("local/default/orders", JobState::Running)),
        watch: WatchStatus {
            unwritten_since: Some(AT),
            ..WatchStatus::default()
        },
    });
    let (_, job) = server.get(JOB).await;
    assert_eq!(
        (&job["state"], &job["confidence"]),
        (&json!("RUNNING"), &json!("stale"))
    );
    assert_eq!(job["watch"]["unwrittenSince"], json!("2026-11-23T01:13:29.838Z"));
}

#[tokio::test]
async fn what_is_not_known_is_null() {
    let server = orders().await;
    let (_, job) = server.get(JOB).await;
    for path in [
        "/flinkJobId",
        "/startedAt",
        "/confirmedAt",
        "/watch/nextPollAt",
        "/watch/nextReviewAt",
        "/intent",
    ] {
        assert_eq!(job.pointer(path), Some(&Value::Null), "{path}");
    }
}

#[tokio::test]
async fn names_are_decoded_and_no_word_stands_for_a_job_id() {
    let server = TestServer::new();
    server.add("local/default/explain", JobState::Running).await;
    server.add("local/default/a b%ü", JobState::Finished).await;
    server.add(SESSION_JOB, JobState::Running).await;
    for (path, name) in [
        ("local/default/explain", "explain"),
        ("local/default/a%20b%25%C3%BC", "a b%ü"),
        ("local/default/s/ffffffffa021a4190000000000000000", "s"),
        ("local/default/s/FFFFFFFFA021A4190000000000000000", "s"),
    ] {
        let (status, job) = server.get(&format!("/api/v1/jobs/{path}")).await;
        assert_eq!((status, job["name"].as_str()), (StatusCode::OK, Some(name)), "{path}");
    }
    let (_, transitions) = server.get("/api/v1/jobs/local/default/explain/transitions").await;
    assert_eq!(transitions["items"][0]["to"], "RUNNING");
    let (_, transitions) = server.get(&format!("/api/v1/jobs/{SESSION_JOB}/transitions")).await;
    assert_eq!(transitions["items"][0]["to"], "RUNNING");
    for (path, says) in [
        ("local/default/s", "add /{flinkJobId}"),
        ("local/default/gone", "no job local/default/gone"),
        ("local/default/gone/transitions", "no job"),
        ("local/default/gone/explain", "no job"),
        ("local/default/explain/explane", "no job local/default/explain/explane"),
        ("local/default/explain/EXPLAIN", "32 hex digits"),
        ("local/default/s/00000000000000000000000000000001", "no job"),
        ("local/default", "nothing is served"),
    ] {
        let (status, problem) = server.get(&format!("/api/v1/jobs/{path}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{path}: {problem}");
    }
    let (status, _) = server.get("/api/v1/jobs/local/default/%FF").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_slash_in_a_name_reaches_no_other_job() {
    let server = TestServer::new();
    server.add("local/default/orders", JobState::Running).await;
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "or/ders");
    let mut odd = record("local/default/orders", JobState::Failed);
    odd.key = JobKey::application(target);
    server.jobs.show(JobView {
        record: Arc::new(odd),
        watch: WatchStatus::default(),
    });
    let (_, job) = server.get("/api/v1/jobs/local/default/or%2Fders").await;
    assert_eq!(job["state"], "FAILED");
}

#[tokio::test]
async fn history_comes_oldest_first_by_page() {
    let server = orders().await;
    for (n, (from, to)) in [
        (JobState::Running, JobState::Restarting),
        (JobState::Restarting, JobState::Running),
    ]
    .into_iter()
    .enumerate()
    {
        let next = JobRecord {
            revision: 2 + n as u64,
            ..record("local/default/orders", to)
        };
        server.commit(next, vec![moved(from, to)]).await;
        server.add(&format!("local/default/other-{n}"), JobState::Running).await;
    }
    let (_, all) = server.get(&format!("{JOB}/transitions")).await;
    let steps: Vec<_> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["from"].clone(), t["to"].clone()))
        .collect();
    let expected = [
        ("UNKNOWN", "RUNNING"),
        ("RUNNING", "RESTARTING"),
        ("RESTARTING", "RUNNING"),
    ];
    assert_eq!(steps, expected.map(|(from, to)| (json!(from), json!(to))));
    assert_eq!(all["cursor"], Value::Null);
    let first = &all["items"][0];
    assert_eq!(
        *first,
        json!({"sequence": 1, "at": "2026-11-23T01:13:29.838Z", "from": "UNKNOWN", "to": "RUNNING",
            "confidence": "confirmed", "reason": {"code": "FlinkSays", "message": "Flink lists the job"},
            "attempt": 1, "policy": "default"})
    );
    let (_, page) = server.get(&format!("{JOB}/transitions?limit=2")).await;
    let cursor = page["cursor"].as_str().unwrap();
    let (_, rest) = server.get(&format!("{JOB}/transitions?limit=2&cursor={cursor}")).await;
    assert_eq!(
        (rest["items"][0].clone(), &rest["cursor"]),
        (all["items"][2].clone(), &Value::Null)
    );
    for query in [
        "limit=0",
        "cursor=x",
        "cursor=9223372036854775808",
        "cursor=18446744073709551615",
        "state=RUNNING",
    ] {
        let (status, _) = server.get(&format!("{JOB}/transitions?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn explain_shows_evidence_with_ages_and_the_rule() {
    let server = orders().await;
    let (status, explained) = server.get(&format!("{JOB}/explain")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(explained["policy"], "default");
    assert_eq!(explained["decision"]["rule"], "keep-last");
    assert_eq!(explained["decision"]["watch"]["pollAfter"], 1.5);
    assert_eq!(explained["snapshot"]["timing"]["poll"], 5.0);
    assert_eq!(explained["snapshot"]["record"]["memory"], "00ab");
    let flink = &explained["snapshot"]["flink"];
    assert_eq!(
        (&flink["ageSeconds"], &flink["knownAgeSeconds"]),
        (&json!(2.0), &json!(10.0))
    );
    assert_eq!(flink["latest"]["unknown"]["kind"], "timeout");
    assert_eq!(explained["rule"]["changedBy"], "any answer");
    assert_eq!(
        explained["waitsFor"],
        json!([
            { "look": "kubernetes", "dueAt": null },
            { "look": "flink", "dueAt": explained["waitsFor"][1]["dueAt"] },
        ])
    );
    assert!(explained["waitsFor"][1]["dueAt"].is_string(), "{explained}");
}

#[tokio::test]
async fn a_job_of_a_cluster_that_is_not_configured_is_told_apart() {
    let server = orders().await;
    let (status, problem) = server.get("/api/v1/jobs/prod/default/orders").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("no [[kubernetes]] is named prod; there is local"),
        "{detail}"
    );
}

#[tokio::test]
async fn explain_says_whether_anything_tells_of_ended_jobs() {
    let server = orders().await;
    for is_configured in [false, true] {
        server.health.clusters.lock().unwrap()[0].tells_of_ends = is_configured;
        let (_, explained) = server.get(&format!("{JOB}/explain")).await;
        assert_eq!(explained["archiveConfigured"], is_configured);
    }
}

#[tokio::test]
async fn explain_shows_a_policy_that_failed() {
    let server = TestServer::new();
    server.add("local/default/orders", JobState::Failed).await;
    let (_, explained) = server.get(&format!("{JOB}/explain")).await;
    assert_eq!(explained["failure"]["kind"], "trap");
    assert!(explained.get("decision").is_none());
}

#[tokio::test]
async fn an_intent_is_noted() {
    let server = orders().await;
    for intent in ["start", "cancel", "savepoint", "none"] {
        let body = json!({ "intent": intent }).to_string();
        let (status, job) = server.call(Method::PUT, &format!("{JOB}/intent"), &body).await;
        assert_eq!(
            (status, job["intent"]["intent"].as_str()),
            (StatusCode::OK, Some(intent))
        );
    }
}

#[tokio::test]
async fn a_body_that_is_no_intent_is_refused() {
    let server = orders().await;
    let long = format!("{{\"intent\":\"{}\"}}", "x".repeat(70_000));
    for (body, status, says) in [
        (
            "{\"intent\":\"stop\"}",
            StatusCode::BAD_REQUEST,
            "`stop` is not an intent",
        ),
        (
            "{\"intent\":\"cancel\",\"by\":1}",
            StatusCode::BAD_REQUEST,
            "unknown field",
        ),
        ("{}", StatusCode::BAD_REQUEST, "missing field"),
        ("cancel", StatusCode::BAD_REQUEST, "not an intent"),
        ("[\"cancel\",\"mallory\"]", StatusCode::BAD_REQUEST, "not an intent"),
        ("", StatusCode::BAD_REQUEST, "not an intent"),
        (long.as_str(), StatusCode::PAYLOAD_TOO_LARGE, "65536"),
    ] {
        let (found, problem) = server.call(Method::PUT, &format!("{JOB}/intent"), body).await;
        assert_eq!(found, status, "{says}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let form = request(Method::PUT, &format!("{JOB}/intent"))
        .header("content-type", "text/plain")
        .body(Body::from("{\"intent\":\"cancel\"}"));
    let (status, problem) = read(server.send(form.unwrap()).await).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{problem}");
    let (status, _) = server
        .call(
            Method::PUT,
            "/api/v1/jobs/local/default/gone/intent",
            "{\"intent\":\"none\"}",
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_forgotten_job_is_gone_and_a_failing_loop_says_so() {
    let server = orders().await;
    assert_eq!(server.call(Method::DELETE, JOB, "").await.0, StatusCode::NO_CONTENT);
    let (status, problem) = server.call(Method::DELETE, JOB, "").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("job-not-known")),
        "its cluster cannot be read"
    );
    let (status, problem) = server.call(Method::DELETE, "/api/v1/jobs/local/default/busy", "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("the store is full; nothing has changed")
    );
}

#[tokio::test]
async fn a_job_that_is_seen_alive_is_forgotten_only_by_force() {
    let server = TestServer::new();
    server.add("local/default/alive", JobState::Running).await;
    let path = "/api/v1/jobs/local/default/alive";
    for query in ["", "?force=false", "?force="] {
        let (status, problem) = server.call(Method::DELETE, &format!("{path}{query}"), "").await;
        assert_eq!(status, StatusCode::CONFLICT, "{query}");
        assert_eq!(problem["code"], "job-seen-alive");
        let detail = problem["detail"].as_str().unwrap();
        for says in ["Flink lists the job as RUNNING", "without its history", "force=true"] {
            assert!(detail.contains(says), "{says}: {detail}");
        }
    }
    for query in ["?force=yes", "?forced=true"] {
        let (status, _) = server.call(Method::DELETE, &format!("{path}{query}"), "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
    }
    assert_eq!(server.get(path).await.0, StatusCode::OK);
    let (status, _) = server.call(Method::DELETE, &format!("{path}?force=true"), "").await;
    assert_eq!(
        (status, server.get(path).await.0),
        (StatusCode::NO_CONTENT, StatusCode::NOT_FOUND)
    );
}

#[tokio::test]
async fn of_thousands_of_other_jobs_some_are_shown_and_the_rest_is_a_number() {
    let server = TestServer::new();
    for (name, count, omitted) in [
        ("few", 100_usize, serde_json::Value::Null),
        ("many", 40_000, 39_900.into()),
    ] {
        let id = format!("local/default/{name}");
        let mut record = record(&id, JobState::Running);
        let other = |n: usize| OtherJob {
            flink_job_id: FlinkJobId::parse(&format!("{n:032x}")).unwrap(),
            state: JobState::Running,
        };
        record.other_jobs = (0..count).map(other).collect();
        server.commit(record, vec![]).await;
        let (_, job) = server.get(&format!("/api/v1/jobs/{id}")).await;
        assert_eq!(job["otherJobs"].as_array().unwrap().len(), 100);
        assert_eq!(job["otherJobsOmitted"], omitted, "{name}");
    }
    let (_, page) = server.get("/api/v1/jobs").await;
    assert!(page.to_string().len() < 40_000, "{}", page.to_string().len());
}

#[tokio::test]
async fn a_job_that_is_changed_too_often_says_which_rule_holds_and_when_to_come_again() {
    let server = TestServer::new();
    let job = "/api/v1/jobs/local/default/hasty";
    let intent = format!("{job}/intent");
    let calls = [
        (Method::PUT, intent.as_str(), r#"{"intent":"cancel","author":"a"}"#),
        (Method::DELETE, job, ""),
    ];
    for (method, path, body) in calls {
        let request = request(method, path).header("content-type", "application/json");
        let response = server.send(request.body(Body::from(body)).unwrap()).await;
        let headers = response.headers().clone();
        let (status, problem) = read(response).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{problem}");
        assert_eq!(problem["code"], "too-many-calls");
        assert_eq!(headers[http::header::RETRY_AFTER], "2");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("120 at once") && detail.contains("Nothing has changed"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn an_author_is_named_as_it_reads() {
    let server = TestServer::new();
    server.add("local/default/orders", JobState::Running).await;
    let intent = "/api/v1/jobs/local/default/orders/intent";
    for harmful in [
        "a\u{202e}b",
        "a\u{2028}b",
        "a\u{200b}",
        "a\nb",
        "\u{1b}[31m",
        &"x".repeat(257),
    ] {
        let body = serde_json::json!({"intent": "cancel", "author": harmful}).to_string();
        let (status, problem) = server.call(Method::PUT, intent, &body).await;
        assert_eq!(
            (status, &problem["parameter"]),
            (StatusCode::BAD_REQUEST, &"author".into()),
            "{harmful:?}"
        );
    }
    let body = r#"{"intent":"cancel","author":"Jörg नमस्‍ते"}"#;
    let (status, job) = server.call(Method::PUT, intent, body).await;
    assert_eq!(
        (status, &job["intent"]["author"]),
        (StatusCode::OK, &"Jörg नमस्‍ते".into())
    );
}

#[tokio::test]
async fn a_look_says_whether_what_was_seen_has_been_judged() {
    let server = orders().await;
    let path = |name: &str| format!("/api/v1/jobs/local/default/{name}/look");
    for name in ["silent", "hasty"] {
        server.add(&format!("local/default/{name}"), JobState::Running).await;
    }
    let (status, job) = server.call(Method::POST, &path("orders"), "").await;
    assert_eq!((status, &job["state"]), (StatusCode::OK, &json!("RUNNING")));
    let (status, job) = server.call(Method::POST, &path("silent"), "").await;
    assert_eq!(
        (status, &job["id"]),
        (StatusCode::ACCEPTED, &json!("local/default/silent"))
    );
    let (status, _) = server.call(Method::POST, &path("hasty"), "").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let (status, _) = server.call(Method::POST, &path("nobody"), "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = server.get(&path("orders")).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "it asks others for something");
}
