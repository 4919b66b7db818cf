use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::call::{Asked, AskedSilence, Call, Through};
use steadfast_core::journal::Event;
use steadfast_core::record::{AlertScope, Reason};
use steadfast_core::state::{Confidence, JobState};

use crate::testing::{AT, TestServer, moved, read, record, request};

/// Five entries of two jobs: a start, a call, an update, an alert, and the start of a job outside of Kubernetes.
async fn server() -> TestServer {
    let server = TestServer::new();
    fill(&server).await;
    server
}

async fn fill(server: &TestServer) {
    server.add("prod/shop/orders", JobState::Running).await;
    let called = Event::Called(Call {
        asked: Asked::Silence,
        by: None,
        through: Through::Nothing,
        says: Some("=ann".into()),
        from: None,
        alert: Some("JobFailed".into()),
        silence: Some(AskedSilence {
            until: AT,
            comment: Some("a move".into()),
        }),
    });
    let alert = Event::Alert(AlertEvent {
        alert: "JobFailed".to_owned(),
        scope: AlertScope::Job,
        status: AlertStatus::Firing,
        since: AT,
        message: "it failed, twice".to_owned(),
        silenced: true,
    });
    let mut orders = record("prod/shop/orders", JobState::Running);
    orders.revision = 2;
    let events = vec![called, Event::Update(Some(Confidence::Stale)), alert];
    server.commit(orders, events).await;
    let mut started = moved(JobState::Unknown, JobState::Running);
    if let Event::Transition(transition) = &mut started {
        transition.reason = Reason::new("FlinkSays", "Flink says \"RUNNING\"");
    }
    server.commit(record("-/-/x", JobState::Running), vec![started]).await;
}

fn sequences(page: &Value) -> Vec<u64> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["sequence"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn what_happened_is_told_with_what_it_has() {
    let server = server().await;
    let (status, page) = server.get("/api/v1/history").await;
    assert_eq!(
        (status, sequences(&page), &page["cursor"]),
        (StatusCode::OK, vec![5, 4, 3, 2, 1], &Value::Null)
    );
    assert_eq!((&page["droppedUntil"], page.get("unreadable")), (&json!(0), None));
    let kinds: Vec<&str> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["transition", "alert", "update", "call", "transition"]);
    assert_eq!(
        page["items"][2],
        json!({
            "sequence": 3, "at": "2026-11-23T01:13:29.838Z", "job": "prod/shop/orders", "kind": "update", "revision": 2,
            "confidence": "stale"
        })
    );
    assert_eq!(page["items"][1]["alert"]["status"], "firing");
    let call = &page["items"][3]["call"];
    assert_eq!(
        (&call["what"], &call["until"], &call["comment"]),
        (&"silence".into(), &AT.to_string().into(), &"a move".into())
    );
    assert_eq!(page["items"][4]["transition"]["to"], "RUNNING");
}

#[tokio::test]
async fn filters_and_order_are_heeded() {
    let server = server().await;
    for (query, expected) in [
        ("order=oldest", vec![1, 2, 3, 4, 5]),
        ("job=prod/shop/orders&kind=transition,call", vec![2, 1]),
        ("job=-/-/x", vec![5]),
        ("cluster=prod&kind=alert&namespace=shop", vec![4]),
        ("namespace=-", vec![5]),
        ("since=2026-11-23T01:13:29.839Z", vec![]),
        ("until=2026-11-23T01:13:29.838Z&kind=update", vec![]),
        ("until=2026-11-23T01:13:29.839Z&kind=update", vec![3]),
    ] {
        let (status, page) = server.get(&format!("/api/v1/history?{query}")).await;
        assert_eq!((status, sequences(&page)), (StatusCode::OK, expected), "{query}");
    }
    for (query, parameter, says) in [
        (
            "job=orders",
            "job",
            "`orders` is not a job's id; write cluster/namespace/name",
        ),
        (
            "kind=end",
            "kind",
            "use one of transition, alert, update, call, forgotten",
        ),
        ("order=up", "order", "use one of newest, oldest"),
        ("format=xml", "format", "use one of json, csv"),
        ("since=now", "since", "write it as RFC 3339 does"),
    ] {
        let (status, problem) = server.get(&format!("/api/v1/history?{query}")).await;
        assert_eq!(
            (status, problem["parameter"].as_str()),
            (StatusCode::BAD_REQUEST, Some(parameter)),
            "{query}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
}

#[tokio::test]
async fn pages_join_and_a_cursor_goes_with_its_list() {
    let server = server().await;
    for (order, expected) in [("newest", [5, 4, 3, 2, 1]), ("oldest", [1, 2, 3, 4, 5])] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (_, page) = server
                .get(&format!("/api/v1/history?limit=2&order={order}&cursor={cursor}"))
                .await;
            seen.extend(sequences(&page));
            match page["cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{order}");
    }
    let (_, page) = server.get("/api/v1/history?limit=2").await;
    let cursor = page["cursor"].as_str().unwrap();
    for query in ["order=oldest", "kind=alert"] {
        let (status, problem) = server.get(&format!("/api/v1/history?{query}&cursor={cursor}")).await;
        assert_eq!(
            (status, problem["parameter"].as_str()),
            (StatusCode::BAD_REQUEST, Some("cursor")),
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_is_not_shown_yet_has_not_happened() {
    let server = server().await;
    let update = vec![Event::Update(None)];
    let mut orders = record("prod/shop/orders", JobState::Running);
    orders.revision = 3;
    server.commit_unseen(orders, update).await;
    for order in ["newest", "oldest"] {
        let (_, page) = server.get(&format!("/api/v1/history?order={order}")).await;
        assert_eq!((sequences(&page).len(), &page["cursor"]), (5, &Value::Null), "{order}");
    }
}

#[tokio::test]
async fn an_entry_that_does_not_read_is_named() {
    let server = TestServer::damaged(&[3]);
    fill(&server).await;
    let (_, page) = server.get("/api/v1/history?limit=4").await;
    assert_eq!(sequences(&page), [5, 4, 2]);
    let named = json!([{ "sequence": 3, "job": "prod/shop/orders", "why": "its event does not read" }]);
    assert_eq!(page["unreadable"], named);
}

#[tokio::test]
async fn a_table_has_a_line_for_each_and_no_formula() {
    let server = server().await;
    let asked = request(Method::GET, "/api/v1/history?order=oldest").header("accept", "text/csv, */*;q=0.1");
    let response = server.send(asked.body(Body::empty()).unwrap()).await;
    assert_eq!(
        response.headers()["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    assert!(!response.headers().contains_key("steadfast-cursor"));
    let (_, table) = read(response).await;
    let lines: Vec<&str> = table.as_str().unwrap().split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "sequence,at,job,kind,from,to,confidence,alert,status,by,message,silenced",
            "1,2026-11-23T01:13:29.838Z,prod/shop/orders,transition,UNKNOWN,RUNNING,confirmed,,,,FlinkSays: Flink lists the job,",
            "2,2026-11-23T01:13:29.838Z,prod/shop/orders,call,,,,JobFailed,,'=ann,silence until 2026-11-23T01:13:29.838Z: a move,",
            "3,2026-11-23T01:13:29.838Z,prod/shop/orders,update,,,stale,,,,,",
            "4,2026-11-23T01:13:29.838Z,prod/shop/orders,alert,,,,JobFailed,firing,,\"it failed, twice\",true",
            "5,2026-11-23T01:13:29.838Z,'-/-/x,transition,UNKNOWN,RUNNING,confirmed,,,,\"FlinkSays: Flink says \"\"RUNNING\"\"\",",
            "",
        ]
    );
    let asked = request(Method::GET, "/api/v1/history?limit=2&format=csv").body(Body::empty());
    let response = server.send(asked.unwrap()).await;
    let cursor = response.headers()["steadfast-cursor"].to_str().unwrap().to_owned();
    let (_, page) = server.get(&format!("/api/v1/history?limit=9&cursor={cursor}")).await;
    assert_eq!(sequences(&page), [3, 2, 1]);
}
