use http::{Method, StatusCode};
use serde_json::Value;
use steadfast_core::state::JobState;

use crate::testing::TestServer;

fn names(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["name"].as_str().unwrap())
        .collect()
}

async fn fleet() -> TestServer {
    let server = TestServer::new();
    for (id, state) in [
        ("local/a/one", JobState::Running),
        ("local/a/two", JobState::Failed),
        ("local/b/three", JobState::Running),
        ("local/b/four", JobState::Finished),
        ("-/-/five", JobState::Lost),
    ] {
        server.add(id, state).await;
    }
    server
}

#[tokio::test]
async fn filters_by_state_and_namespace() {
    let server = fleet().await;
    let all = server.get("/api/v1/jobs").await.1;
    assert_eq!(names(&all), ["five", "one", "two", "four", "three"]);
    assert_eq!(all["cursor"], Value::Null);
    for (query, expected) in [
        ("state=RUNNING", vec!["one", "three"]),
        ("state=RUNNING,LOST", vec!["five", "one", "three"]),
        ("state=FAILED&state=LOST", vec!["five", "two"]),
        ("namespace=b", vec!["four", "three"]),
        ("namespace=-&state=", vec!["five"]),
        (
            "state=&namespace=&limit=&cursor=",
            vec!["five", "one", "two", "four", "three"],
        ),
        ("state=CANCELED", vec![]),
    ] {
        let (status, page) = server.get(&format!("/api/v1/jobs?{query}")).await;
        assert_eq!((status, names(&page)), (StatusCode::OK, expected), "{query}");
    }
}

#[tokio::test]
async fn pages_join_without_a_gap_though_jobs_come_and_go() {
    let server = fleet().await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = server.get(&format!("/api/v1/jobs?limit=2&cursor={cursor}")).await;
        assert!(names(&page).len() <= 2);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        // The job the cursor names is gone before the next page is read.
        let last = page["items"].as_array().unwrap().last().unwrap()["id"]
            .as_str()
            .unwrap();
        server.jobs.remove(&crate::testing::key(last));
        match page["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ["five", "one", "two", "four", "three"]);
}

#[tokio::test]
async fn a_full_last_page_has_no_cursor() {
    let server = fleet().await;
    let (_, page) = server.get("/api/v1/jobs?limit=5").await;
    assert_eq!((names(&page).len(), &page["cursor"]), (5, &Value::Null));
}

#[tokio::test]
async fn a_wrong_parameter_is_named_with_its_rule_and_the_fix() {
    let server = fleet().await;
    for (query, parameter, says) in [
        ("state=RUNING", "state", "use one of CREATED"),
        ("state=RUNNING,", "state", "is not a state"),
        ("limit=0", "limit", "from 1 to 5000"),
        ("limit=5001", "limit", "from 1 to 5000"),
        ("limit=ten", "limit", "from 1 to 5000"),
        ("cursor=00", "cursor", "leave it out"),
        ("sate=RUNNING", "sate", "not a parameter"),
    ] {
        let (status, problem) = server.get(&format!("/api/v1/jobs?{query}")).await;
        assert_eq!(
            (status, problem["parameter"].as_str()),
            (StatusCode::BAD_REQUEST, Some(parameter)),
            "{query}"
        );
        assert_eq!(problem["status"], 400);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
}

#[tokio::test]
async fn what_is_not_served_is_a_problem_too() {
    let server = TestServer::new();
    for (method, path, status) in [
        (Method::GET, "/api/v1/nothing", StatusCode::NOT_FOUND),
        (Method::POST, "/api/v1/jobs", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/livez", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let (found, problem) = server.call(method, path, "").await;
        assert_eq!(
            (found, problem["status"].as_u64()),
            (status, Some(u64::from(status.as_u16()))),
            "{path}"
        );
    }
    let request = crate::testing::request(Method::POST, "/api/v1/jobs").body(axum::body::Body::empty());
    let response = server.send(request.unwrap()).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert!(response.headers()["allow"].to_str().unwrap().contains("GET"));
    let head = crate::testing::request(Method::HEAD, "/api/v1/jobs").body(axum::body::Body::empty());
    let (status, body) = crate::testing::read(server.send(head.unwrap()).await).await;
    assert_eq!((status, body), (StatusCode::OK, Value::String(String::new())));
}

/// A fleet with something to sort by: severity, state, and since how many minutes before.
async fn sortable() -> TestServer {
    use steadfast_core::record::{AlertScope, StandingAlert};
    use steadfast_core::state::Confidence::{self, Confirmed, Stale};
    use steadfast_core::time::Timestamp;
    const MINUTE: i64 = 60_000;
    let server = TestServer::new();
    let add = async |id: &str, state, confidence: Confidence, minutes: i64, alerts: &[&str]| {
        let mut record = crate::testing::record(id, state);
        let ago = |minutes| Timestamp::from_millis(crate::testing::AT.as_millis() - minutes * MINUTE);
        record.confidence = confidence;
        record.since = ago(minutes);
        record.confirmed_at = (confidence == Confirmed).then(|| ago(-minutes));
        record.alerts = alerts
            .iter()
            .map(|name| StandingAlert {
                name: (*name).to_owned(),
                scope: AlertScope::Job,
                since: ago(1),
                message: String::new(),
                silenced: false,
            })
            .collect();
        server
            .commit(record, vec![crate::testing::moved(JobState::Unknown, state)])
            .await;
    };
    add("b/a/young", JobState::Running, Confirmed, 1, &[]).await;
    add("b/a/old", JobState::Running, Confirmed, 9, &[]).await;
    add("a/a/stale", JobState::Running, Stale, 5, &[]).await;
    add("a/a/failed", JobState::Failed, Confirmed, 3, &[]).await;
    add("a/a/told", JobState::Lost, Confirmed, 2, &["JobLost"]).await;
    server
}

#[tokio::test]
async fn jobs_are_sorted_as_asked_on_one_page_and_over_pages() {
    let server = sortable().await;
    for (sort, expected) in [
        ("id", ["failed", "stale", "told", "old", "young"]),
        ("-id", ["young", "old", "told", "stale", "failed"]),
        ("severity", ["told", "failed", "stale", "old", "young"]),
        ("-severity", ["young", "old", "stale", "failed", "told"]),
        ("state", ["failed", "told", "stale", "old", "young"]),
        ("since", ["old", "stale", "failed", "told", "young"]),
        ("confirmed", ["stale", "young", "told", "failed", "old"]),
        ("cluster", ["failed", "stale", "told", "old", "young"]),
    ] {
        let (_, all) = server.get(&format!("/api/v1/jobs?sort={sort}")).await;
        assert_eq!(names(&all), expected, "{sort}");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/jobs?sort={sort}&limit=2&cursor={cursor}");
            let (_, page) = server.get(&path).await;
            assert_eq!(page["total"], 5, "{sort}: of all pages");
            seen.extend(names(&page).into_iter().map(str::to_owned));
            match page["cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{sort}");
    }
}

#[tokio::test]
async fn a_cursor_goes_with_its_sort_and_its_filters() {
    let server = sortable().await;
    let (_, page) = server.get("/api/v1/jobs?sort=severity&cluster=a,b&limit=1").await;
    let cursor = page["cursor"].as_str().unwrap();
    for (query, says) in [
        ("sort=-severity&cluster=a,b", "sorted otherwise"),
        ("cluster=a,b", "sorted otherwise"),
        ("sort=severity", "other filters"),
        ("sort=severity&cluster=a", "other filters"),
    ] {
        let (status, problem) = server.get(&format!("/api/v1/jobs?{query}&cursor={cursor}")).await;
        assert_eq!(
            (status, problem["parameter"].as_str()),
            (StatusCode::BAD_REQUEST, Some("cursor")),
            "{query}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let (_, page) = server.get("/api/v1/jobs?cluster=a,b&limit=1").await;
    let by_id = page["cursor"].as_str().unwrap();
    let (status, _) = server.get(&format!("/api/v1/jobs?cursor={by_id}")).await;
    assert_eq!(
        status,
        StatusCode::OK,
        "behind an id there is a next one in any list by id"
    );
    let same = format!("/api/v1/jobs?cluster=b&cluster=a&limit=9&sort=severity&cursor={cursor}");
    assert_eq!(names(&server.get(&same).await.1), ["failed", "stale", "old", "young"]);
    let (status, problem) = server.get("/api/v1/jobs?sort=name").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("use one of id, severity, state"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_job_shows_its_severity_and_its_labels() {
    let server = TestServer::new();
    let mut record = crate::testing::record("local/a/one", JobState::Failed);
    record.labels = std::collections::BTreeMap::from([("team".to_owned(), "payments".to_owned())]).into();
    server
        .commit(record, vec![crate::testing::moved(JobState::Unknown, JobState::Failed)])
        .await;
    let (_, page) = server.get("/api/v1/jobs?severity=failed&label=team=payments").await;
    assert_eq!(page["total"], 1);
    assert_eq!(page["items"][0]["severity"], "failed");
    assert_eq!(page["items"][0]["labels"], serde_json::json!({ "team": "payments" }));
}
