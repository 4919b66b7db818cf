use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use steadfast_core::decision::{PolicyFailure, PolicyFailureKind};
use steadfast_core::id::PolicyName;
use steadfast_core::record::{AlertScope, StandingAlert};
use steadfast_core::shown::ShownAlert;
use steadfast_core::state::JobState;
use steadfast_core::testing;

use crate::testing::{AT, TestServer, record};

/// Two shadows over two jobs; `naive` takes both for lost, and failed once at `orders`.
fn compared() -> TestServer {
    let server = TestServer::new();
    for (policy, state) in [("naive", JobState::Lost), ("strict", JobState::Running)] {
        for id in ["local/a/clicks", "local/a/orders"] {
            let fails = policy == "naive" && id.ends_with("orders");
            let record = Arc::new(record(id, JobState::Running));
            let mut verdict = testing::shadow_verdict(&record, state);
            verdict.failure = fails.then(|| PolicyFailure {
                kind: PolicyFailureKind::Deadline,
                message: "too slow".into(),
            });
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
            "shadow": { "state": "LOST", "attempt": 0, "confidence": "confirmed",
                "reason": { "code": "Says", "message": "so it says" }, "rule": "says" },
            "aspects": ["state"],
            "since": AT.to_string(),
            "judged": 1,
            "differed": 1,
            "compared": {
                "differences": [{ "aspect": "state", "since": AT.to_string(), "times": 1 }],
                "decided": { "alerts": [], "conditions": [], "attention": "active", "pollAfterSeconds": null,
                    "validateAfterSeconds": null, "wanted": [], "asked": [] },
                "shadow": { "alerts": [], "conditions": [], "attention": "active", "pollAfterSeconds": null,
                    "validateAfterSeconds": null, "wanted": [], "asked": [] },
            },
            "failure": { "at": AT.to_string(), "kind": "deadline", "message": "too slow" },
        })
    );
    let aspects = |of_state: u64| {
        let beside = [
            "attempt",
            "alerts",
            "conditions",
            "confidence",
            "reason",
            "pace",
            "lookups",
        ];
        let all = [("state", of_state)]
            .into_iter()
            .chain(beside.map(|aspect| (aspect, 0)));
        all.map(|(aspect, count)| json!({ "aspect": aspect, "jobs": count, "differed": count }))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        page["policies"],
        json!([
            { "policy": "naive", "jobs": 2, "differing": 2, "judged": 2, "differed": 2, "failures": 1, "aspects": aspects(2) },
            { "policy": "strict", "jobs": 2, "differing": 0, "judged": 2, "differed": 0, "failures": 0, "aspects": aspects(0) },
        ])
    );
}

/// It says the same state, and would alert: no reader of states would see it, and it is not passed over.
#[tokio::test]
async fn an_alert_that_only_the_shadow_raises_is_shown_and_counted_by_itself() {
    let server = TestServer::new();
    let record = Arc::new(record("local/a/orders", JobState::Running));
    let mut verdict = testing::shadow_verdict(&record, JobState::Running);
    verdict.shown.shows.alerts = vec![ShownAlert {
        name: "RestartStorm".to_owned(),
        scope: AlertScope::Job,
    }];
    verdict.shown.alerts = vec![StandingAlert {
        name: "RestartStorm".to_owned(),
        scope: AlertScope::Job,
        since: AT,
        message: "5 restarts in 10 min".to_owned(),
        silenced: false,
    }];
    server.shadows.record(&PolicyName::new("storms"), record, verdict, AT);
    let (_, page) = server.get("/api/v1/shadows?aspect=alerts,conditions").await;
    let item = &page["items"][0];
    assert_eq!(
        (&item["differs"], &item["aspects"]),
        (&json!(false), &json!(["alerts"]))
    );
    assert_eq!(
        item["compared"]["shadow"]["alerts"],
        json!([{ "name": "RestartStorm", "scope": "job", "since": AT.to_string(), "message": "5 restarts in 10 min" }])
    );
    assert_eq!(item["compared"]["decided"]["alerts"], json!([]));
    let policy = &page["policies"][0];
    assert_eq!((&policy["differing"], &policy["differed"]), (&json!(0), &json!(0)));
    assert_eq!(
        policy["aspects"][2],
        json!({ "aspect": "alerts", "jobs": 1, "differed": 1 })
    );
    let (_, none) = server.get("/api/v1/shadows?aspect=state").await;
    assert_eq!(none["items"], json!([]));
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
        ("aspect=mood", "aspect"),
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
