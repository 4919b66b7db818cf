use serde_json::{Value, json};
use steadfast_core::record::{AlertScope, StandingAlert};
use steadfast_core::state::JobState;

use crate::testing::{AT, TestServer, record};

async fn alerting(server: &TestServer, id: &str, scope: AlertScope) {
    let mut record = record(id, JobState::Running);
    record.alerts = vec![StandingAlert {
        name: "Odd".to_owned(),
        scope,
        since: AT,
        message: "it is odd".to_owned(),
        silenced: false,
    }];
    record.labels = std::collections::BTreeMap::from([("team".to_owned(), "payments".to_owned())]).into();
    server
        .commit(
            record,
            vec![crate::testing::moved(JobState::Unknown, JobState::Running)],
        )
        .await;
}

#[tokio::test]
async fn jobs_are_counted_by_severity_alert_and_value() {
    let server = TestServer::new();
    server.add("-/-/x", JobState::Running).await;
    server.add("local/a/y", JobState::Failed).await;
    alerting(&server, "local/a/one", AlertScope::Job).await;
    alerting(&server, "local/a/two", AlertScope::Cluster).await;
    alerting(&server, "local/b/three", AlertScope::Cluster).await;
    let (_, summary) = server.get("/api/v1/summary").await;
    assert_eq!((&summary["jobs"], &summary["sequence"]), (&json!(5), &json!(5)));
    assert_eq!(
        summary["severity"],
        json!({ "alerting": 1, "failed": 1, "degraded": 0, "unconfirmed": 0, "changing": 0, "running": 3, "ended": 0 })
    );
    assert_eq!(
        summary["alerts"],
        json!({ "firing": 2, "silenced": 0 }),
        "one of a cluster counts once"
    );
    let facet = |name: &str| summary["facets"][name].clone();
    assert_eq!(
        facet("cluster"),
        json!({ "items": [{ "value": "local", "count": 4 }, { "value": "-", "count": 1 }], "more": 0 })
    );
    assert_eq!(
        facet("label")["items"],
        json!([{ "value": "team=payments", "count": 3 }])
    );
    assert_eq!(facet("alert")["items"], json!([{ "value": "Odd", "count": 3 }]));
    assert_eq!(facet("state")["items"][0], json!({ "value": "RUNNING", "count": 4 }));
    for name in ["namespace", "confidence", "mode", "policy"] {
        assert_ne!(facet(name)["items"], json!([]), "{name}");
    }
    assert_eq!(facet("condition"), json!({ "items": [], "more": 0 }));
}

#[tokio::test]
async fn a_summary_takes_the_filters_of_the_list_and_no_other_parameter() {
    let server = TestServer::new();
    alerting(&server, "local/a/one", AlertScope::Job).await;
    server.add("local/b/y", JobState::Failed).await;
    for query in [
        "namespace=b",
        "alert=Odd",
        "label=team",
        "search=A/O",
        "state=RUNNING,FAILED",
    ] {
        let (_, listed) = server.get(&format!("/api/v1/jobs?{query}")).await;
        let (_, summary) = server.get(&format!("/api/v1/summary?{query}")).await;
        assert_eq!(summary["jobs"], listed["total"], "{query}");
        assert_ne!(summary["jobs"], Value::from(0), "{query}");
    }
    let (status, problem) = server.get("/api/v1/summary?limit=1").await;
    assert_eq!((status.as_u16(), problem["parameter"].as_str()), (400, Some("limit")));
}
