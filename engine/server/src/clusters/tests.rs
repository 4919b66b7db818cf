use http::{Method, StatusCode};
use serde_json::json;
use steadfast_core::cluster_lists::ClusterLists;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::ClusterName;
use steadfast_core::kube_update::{KubeChange, KubeUpdate, ObjectKind, Scope};
use steadfast_core::record::JobRecord;
use steadfast_core::state::{Confidence, JobState};

use crate::ClusterReading;
use crate::testing::{AT, TestServer, record};

const AT_TEXT: &str = "2026-11-23T01:13:29.838Z";

/// A cluster that lists only what is not in `forbidden`, of which nothing else was answered yet.
fn reading(name: &str, forbidden: &[ObjectKind]) -> ClusterReading {
    let scope = |kind| Scope {
        cluster: ClusterName::new(name),
        kind,
        namespace: None,
    };
    let kinds = [ObjectKind::Deployment, ObjectKind::Pod, ObjectKind::FlinkDeployment];
    let mut lists = ClusterLists::new(kinds.map(scope));
    for kind in forbidden {
        let fault = Fault::new(FaultKind::Forbidden, format!("cannot list {}", kind.as_str()));
        lists.note(&KubeUpdate {
            scope: scope(*kind),
            asked_at: AT,
            at: AT,
            version: None,
            change: KubeChange::Failed(fault),
        });
    }
    ClusterReading {
        name: ClusterName::new(name),
        server: format!("https://{name}:6443"),
        lists,
        tells_of_ends: false,
        unwatched: Vec::new(),
    }
}

#[tokio::test]
async fn what_nothing_watches_is_named_up_to_a_limit() {
    let server = TestServer::new();
    let names = (0..103).map(|n| format!("default/d{n}"));
    server.health.clusters.lock().unwrap()[0].unwatched = names.collect();
    let (_, list) = server.get("/api/v1/clusters").await;
    let local = &list["items"][0];
    assert_eq!(local["unwatched"].as_array().unwrap().len(), 100);
    assert_eq!(local["unwatchedOmitted"], 3);
}

#[tokio::test]
async fn a_cluster_tells_what_of_it_can_be_read_and_what_is_on_record() {
    let server = TestServer::new();
    server.add("local/default/orders", JobState::Running).await;
    let stale = JobRecord {
        confidence: Confidence::Stale,
        ..record("local/default/billing", JobState::Running)
    };
    server.commit(stale, vec![]).await;
    server.add("-/-/legacy", JobState::Running).await;
    let (status, list) = server.get("/api/v1/clusters").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        list,
        json!({
            "items": [{
                "name": "local", "server": "https://local:6443", "state": "retrying",
                "reachableSince": null, "unknownSince": AT_TEXT, "fault": "timeout: no answer within 3s", "neverRead": false,
                "kinds": [
                    {"kind": "Deployment", "namespace": null, "state": "retrying", "reachableSince": null, "unknownSince": AT_TEXT,
                     "fault": "timeout: no answer within 3s", "lastListAt": AT_TEXT, "lastListObjects": 0},
                    {"kind": "Pod", "namespace": null, "state": "retrying", "reachableSince": null, "unknownSince": AT_TEXT,
                     "fault": "timeout: no answer within 3s", "lastListAt": null, "lastListObjects": null}],
                "jobs": 2, "unconfirmed": 1, "flinks": {"watched": 2, "silent": 1}}],
            "standalone": {"jobs": 1, "unconfirmed": 0, "flinks": {"watched": 0, "silent": 0}}})
    );
}

#[tokio::test]
async fn a_job_that_is_not_on_record_may_be_in_a_cluster_that_cannot_be_read() {
    let server = TestServer::new();
    *server.health.clusters.lock().unwrap() = vec![
        reading("refusing", &[ObjectKind::Deployment]),
        reading("new", &[]),
        reading("new-without-pods", &[ObjectKind::Pod]),
    ];
    for (path, says) in [
        (
            "/api/v1/jobs/refusing/default/orders",
            format!("could not be read yet (Deployments since {AT_TEXT}: forbidden: cannot list Deployment)"),
        ),
        (
            "/api/v1/jobs/new/default/orders/explain",
            "was not read yet (the first lists are under way)".to_owned(),
        ),
        (
            "/api/v1/jobs/new-without-pods/default/orders/transitions",
            "was not read yet".to_owned(),
        ),
    ] {
        let (status, problem) = server.get(path).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::NOT_FOUND, &json!("job-not-known"))
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains(&says) && detail.ends_with("is not known"),
            "{path}: {detail}"
        );
    }
    // Of another cluster than those of the configuration it is known that it is not watched.
    let (_, problem) = server
        .call(Method::GET, "/api/v1/jobs/elsewhere/default/orders", "")
        .await;
    assert_eq!(
        problem["detail"],
        "there is no job elsewhere/default/orders, since no [[kubernetes]] is named elsewhere; there is refusing, new, new-without-pods"
    );
}
