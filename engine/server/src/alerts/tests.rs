use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use steadfast_core::record::{AlertScope, Silence, StandingAlert};
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

use crate::testing::{AT, TestServer, moved, record};

/// A job with alerts: the name of each, what it is about, and since how many seconds after [`AT`] it stands.
async fn add(server: &TestServer, id: &str, alerts: &[(&str, AlertScope, u64)]) {
    let mut record = record(id, JobState::Running);
    let standing = alerts.iter().map(|(name, scope, seconds)| StandingAlert {
        name: (*name).to_owned(),
        scope: *scope,
        since: AT.after(Duration::from_secs(*seconds)),
        message: format!("{name} at {id}"),
        silenced: false,
    });
    record.alerts = standing.collect();
    server
        .commit(record, vec![moved(JobState::Unknown, JobState::Running)])
        .await;
}

async fn fleet() -> TestServer {
    use AlertScope::{Cluster, Job, Policy};
    let server = TestServer::new();
    add(
        &server,
        "east/a/one",
        &[("FlinkUnreachable", Cluster, 7), ("JobFailed", Job, 3)],
    )
    .await;
    add(&server, "east/a/two", &[("FlinkUnreachable", Cluster, 5)]).await;
    add(
        &server,
        "west/a/one",
        &[("FlinkUnreachable", Cluster, 1), ("PolicyFailing", Policy, 9)],
    )
    .await;
    add(&server, "west/a/two", &[("PolicyFailing", Policy, 9)]).await;
    server.add("west/a/well", JobState::Running).await;
    server
}

fn rows(page: &Value) -> Vec<String> {
    let rows = page["items"].as_array().unwrap().iter();
    rows.map(|row| {
        format!(
            "{} {} {}",
            row["alert"].as_str().unwrap(),
            row["job"].as_str().unwrap(),
            row["jobs"]
        )
    })
    .collect()
}

const ALL: [&str; 4] = [
    "FlinkUnreachable west/a/one 1",
    "JobFailed east/a/one 1",
    "FlinkUnreachable east/a/two 2",
    "PolicyFailing west/a/one 2",
];

#[tokio::test]
async fn what_many_jobs_have_is_listed_once_with_the_job_that_has_it_longest() {
    let server = fleet().await;
    let (_, page) = server.get("/api/v1/alerts").await;
    assert_eq!(
        (rows(&page), &page["total"], &page["cursor"]),
        (ALL.map(str::to_owned).to_vec(), &json!(4), &Value::Null)
    );
    assert_eq!(
        page["items"][3],
        json!({
            "alert": "PolicyFailing", "scope": "policy", "cluster": "west", "policy": "default", "job": "west/a/one", "jobs": 2,
            "since": "2026-11-23T01:13:38.838Z", "message": "PolicyFailing at west/a/one"
        })
    );
    assert_eq!(page["items"][1]["scope"], "job");
    assert_eq!(page["items"][1].get("policy"), None);
}

#[tokio::test]
async fn pages_join_without_a_gap() {
    let server = fleet().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = server.get(&format!("/api/v1/alerts?limit=1&cursor={cursor}")).await;
        assert_eq!(page["total"], 4);
        seen.extend(rows(&page));
        match page["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ALL);
}

#[tokio::test]
async fn filters_say_of_which_jobs_and_a_name_says_which_alerts() {
    let server = fleet().await;
    for (query, expected) in [
        (
            "cluster=east",
            vec!["JobFailed east/a/one 1", "FlinkUnreachable east/a/two 2"],
        ),
        (
            "search=one&alert=FlinkUnreachable",
            vec!["FlinkUnreachable west/a/one 1", "FlinkUnreachable east/a/one 1"],
        ),
        ("status=firing&alert=JobFailed", vec!["JobFailed east/a/one 1"]),
        ("status=silenced", vec![]),
        ("alert=*&cluster=west", vec![ALL[0], ALL[3]]),
    ] {
        let (_, page) = server.get(&format!("/api/v1/alerts?{query}")).await;
        assert_eq!(rows(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_goes_with_its_list() {
    let server = fleet().await;
    let (_, page) = server.get("/api/v1/alerts?limit=1&status=firing").await;
    let cursor = page["cursor"].as_str().unwrap();
    for query in ["limit=1", "limit=1&status=silenced", "status=firing&cluster=east"] {
        let (status, problem) = server.get(&format!("/api/v1/alerts?{query}&cursor={cursor}")).await;
        assert_eq!(
            (status, problem["parameter"].as_str()),
            (StatusCode::BAD_REQUEST, Some("cursor")),
            "{query}"
        );
    }
    let (status, _) = server
        .get(&format!("/api/v1/alerts?status=firing&cursor={cursor}"))
        .await;
    assert_eq!(status, StatusCode::OK);
    let (status, problem) = server.get("/api/v1/alerts?status=resolved").await;
    assert_eq!(
        (status, problem["parameter"].as_str()),
        (StatusCode::BAD_REQUEST, Some("status"))
    );
}

#[tokio::test]
async fn a_silence_at_one_job_is_enough_for_what_many_share() {
    let server = TestServer::new();
    let until = AT.after(Duration::from_secs(3600));
    for (id, silences) in [
        ("east/a/one", vec![]),
        ("east/a/two", vec![silence("KubernetesUnreachable", until)]),
    ] {
        let mut record = record(id, JobState::Running);
        record.alerts = vec![StandingAlert {
            name: "KubernetesUnreachable".to_owned(),
            scope: AlertScope::Cluster,
            since: AT,
            message: "it is away".to_owned(),
            silenced: false,
        }];
        record.silences = silences;
        server
            .commit(record, vec![moved(JobState::Unknown, JobState::Running)])
            .await;
    }
    let (_, page) = server.get("/api/v1/alerts?status=silenced").await;
    let row = &page["items"][0];
    assert_eq!(
        (
            &row["jobs"],
            &row["silencedBy"],
            &row["silencedJob"],
            &row["silencedUntil"]
        ),
        (
            &json!(2),
            &json!("ann"),
            &json!("east/a/two"),
            &json!(until.to_string())
        )
    );
    let (_, page) = server.get("/api/v1/alerts?status=firing").await;
    assert_eq!(page["total"], 0, "{page}");
    let (_, summary) = server.get("/api/v1/summary").await;
    assert_eq!(summary["alerts"], json!({ "firing": 0, "silenced": 1 }));
}

fn silence(alert: &str, until: Timestamp) -> Silence {
    Silence {
        alert: alert.to_owned(),
        since: AT,
        until,
        by: Some("ann".into()),
        comment: None,
    }
}

/// `clicks` has none of it: its silence counts all the same, whichever jobs are asked for.
#[tokio::test]
async fn a_silence_counts_of_a_job_that_has_no_such_alert_and_is_not_asked_for() {
    use AlertScope::{Cluster, Policy};
    let server = TestServer::new();
    for id in ["east/a/one", "east/b/two"] {
        let shared = [("KubernetesUnreachable", Cluster, 0), ("PolicyFailing", Policy, 1)];
        add(&server, id, &shared).await;
    }
    for (id, hours) in [("east/c/clicks", 1), ("east/c/longer", 2), ("east/c/short", 1)] {
        let mut record = record(id, JobState::Finished);
        let until = AT.after(Duration::from_secs(hours * 3600));
        record.silences = vec![silence("KubernetesUnreachable", until), silence("PolicyFailing", until)];
        server
            .commit(record, vec![moved(JobState::Running, JobState::Finished)])
            .await;
    }
    for query in ["", "namespace=a", "search=two", "state=RUNNING"] {
        let (_, page) = server.get(&format!("/api/v1/alerts?status=silenced&{query}")).await;
        assert_eq!(page["total"], 2, "{query}: {page}");
        for row in page["items"].as_array().unwrap() {
            let told = (&row["silencedJob"], &row["silencedUntil"]);
            let longest = AT.after(Duration::from_secs(2 * 3600)).to_string();
            assert_eq!(
                told,
                (&json!("east/c/longer"), &json!(longest)),
                "the one that lasts longest"
            );
        }
        let (_, page) = server.get(&format!("/api/v1/alerts?status=firing&{query}")).await;
        assert_eq!(page["total"], 0, "{query}: {page}");
        let (_, summary) = server.get(&format!("/api/v1/summary?{query}")).await;
        assert_eq!(summary["alerts"], json!({ "firing": 0, "silenced": 2 }), "{query}");
    }
    // Each job that has it says the same.
    let (_, job) = server.get("/api/v1/jobs/east/a/one").await;
    for alert in job["alerts"].as_array().unwrap() {
        let longest = AT.after(Duration::from_secs(2 * 3600)).to_string();
        assert_eq!(
            (&alert["silencedJob"], &alert["silencedUntil"]),
            (&json!("east/c/longer"), &json!(longest)),
            "{job}"
        );
    }
}
