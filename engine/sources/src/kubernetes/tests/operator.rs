//! The operator's resources. The bodies are written after the v1beta1 reference of the Flink Kubernetes Operator.

use serde_json::{Value, json};
use steadfast_core::facts::{Desired, FlinkResource, ResourceKind, Rollout, SnapshotPhase};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::kube_update::KindOrigin;
use steadfast_core::state::{JobState, Mode};

use super::super::decode;
use super::*;

fn orders() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {
            "name": "orders", "namespace": "default", "uid": "6d5c1c5e-9b0b-4a8e-8f0c-2b2f2c1b7c1a", "generation": 3,
            "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "4711",
            "finalizers": ["flinkdeployments.flink.apache.org/finalizer"],
        },
        "spec": {
            "image": "orders-job:v7", "flinkVersion": "v1_20", "serviceAccount": "flink", "mode": "native",
            "flinkConfiguration": { "taskmanager.numberOfTaskSlots": "2" },
            "jobManager": { "replicas": 1, "resource": { "cpu": 1.0, "memory": "2048m" } },
            "job": {
                "jarURI": "local:///opt/job.jar", "parallelism": 2, "state": "running", "upgradeMode": "savepoint",
                "aFieldOfTomorrow": { "a": 1 },
            },
        },
        "status": {
            "clusterInfo": { "flink-version": "1.20.3", "state-size": "12" },
            "jobManagerDeploymentStatus": "READY", "lifecycleState": "STABLE", "observedGeneration": 3,
            "jobStatus": {
                "jobId": "5c8e8a4b2f6d4e0c9a1b3c5d7e9f0a1b", "jobName": "orders", "state": "RUNNING",
                "startTime": "1767225700000", "updateTime": "1767225720000",
                "checkpointInfo": { "lastPeriodicCheckpointTimestamp": 0 },
            },
            "reconciliationStatus": { "lastReconciledSpec": "{}", "state": "DEPLOYED" },
            "taskManager": { "labelSelector": "component=taskmanager,app=orders", "replicas": 1 },
        },
    })
}

fn session_job() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkSessionJob",
        "metadata": { "name": "daily", "namespace": "default", "uid": "s1", "generation": 1 },
        "spec": {
            "deploymentName": "shared",
            "job": { "jarURI": "https://repo/daily.jar", "parallelism": 4, "upgradeMode": "stateless", "state": "suspended" },
        },
        "status": { "jobStatus": { "jobId": "0000000000000000000000000000000a", "state": "FINISHED" }, "observedGeneration": 1 },
    })
}

fn decoded(kind: ObjectKind, body: &Value) -> FlinkResource {
    match decode::object(kind, &body.to_string()) {
        Ok(Object::FlinkResource(resource)) => resource,
        other => panic!("{other:?}"),
    }
}

fn error_of(error: &str) -> ForeignText {
    let mut body = orders();
    body["status"]["error"] = error.into();
    decoded(ObjectKind::FlinkDeployment, &body).error.unwrap()
}

#[test]
fn an_application_with_all_its_facts() {
    let orders = decoded(ObjectKind::FlinkDeployment, &orders());
    assert_eq!(
        (orders.kind, orders.mode),
        (ResourceKind::FlinkDeployment, Mode::Application)
    );
    assert_eq!((orders.name.as_str(), orders.deployment.as_str()), ("orders", "orders"));
    assert_eq!((orders.desired, orders.rollout), (Desired::Running, Rollout::Settled));
    assert_eq!(
        orders.flink_job_id.map(|id| id.to_string()).as_deref(),
        Some("5c8e8a4b2f6d4e0c9a1b3c5d7e9f0a1b")
    );
    assert_eq!(orders.reported_state, Some(JobState::Running));
    assert_eq!(orders.lifecycle.as_deref(), Some("STABLE"));
    assert_eq!(orders.job_manager_status.as_deref(), Some("READY"));
    assert_eq!((orders.error, orders.deleting_since), (None, None));
    assert_eq!(orders.created_at.map(Timestamp::as_millis), Some(1_767_225_600_000));
}

#[test]
fn one_that_the_operator_has_not_looked_at_yet() {
    let mut new = orders();
    new.as_object_mut().unwrap().remove("status");
    let new = decoded(ObjectKind::FlinkDeployment, &new);
    assert_eq!((new.rollout, new.lifecycle), (Rollout::InProgress, None));
    let mut session = orders();
    session["spec"]["job"] = Value::Null;
    assert_eq!(decoded(ObjectKind::FlinkDeployment, &session).mode, Mode::Session);
}

#[test]
fn a_session_job_names_its_session_and_its_job() {
    let daily = decoded(ObjectKind::FlinkSessionJob, &session_job());
    assert_eq!((daily.kind, daily.mode), (ResourceKind::FlinkSessionJob, Mode::Session));
    assert_eq!((daily.name.as_str(), daily.deployment.as_str()), ("daily", "shared"));
    assert_eq!(daily.desired, Desired::Suspended);
    assert!(daily.flink_job_id.is_some());
}

#[test]
fn an_error_is_worded_as_people_would_say_it() {
    let json = json!({
        "type": "org.apache.flink.kubernetes.operator.exception.ReconciliationException",
        "message": "org.apache.flink.client.deployment.ClusterDeploymentException: Could not create Kubernetes cluster \"orders\".",
        "additionalMetadata": {},
        "throwableList": [
            { "type": "org.apache.flink.client.deployment.ClusterDeploymentException",
              "message": "Could not create Kubernetes cluster \"orders\".", "additionalMetadata": {} },
            { "type": "io.fabric8.kubernetes.client.KubernetesClientException",
              "message": "deployments.apps \"orders\" is forbidden: exceeded quota: compute", "additionalMetadata": {} },
        ],
    });
    let error = error_of(&json.to_string());
    assert!(error.starts_with("ReconciliationException: "), "{error}");
    assert!(
        error.ends_with(
            "caused by KubernetesClientException: deployments.apps \"orders\" is forbidden: exceeded quota: compute"
        ),
        "{error}"
    );
    assert_eq!(
        error_of("Configured template is invalid"),
        "Configured template is invalid"
    );
    assert_eq!(error_of("{\"a\": 1}"), "{\"a\": 1}");
}

#[test]
fn what_has_another_shape_is_undecodable_and_keeps_its_name() {
    let mut strange = orders();
    strange["spec"]["job"]["state"] = "paused".into();
    let mut homeless = session_job();
    homeless["spec"].as_object_mut().unwrap().remove("deploymentName");
    for (kind, body) in [
        (ObjectKind::FlinkDeployment, strange),
        (ObjectKind::FlinkSessionJob, homeless),
    ] {
        let object = decode::object(kind, &body.to_string()).unwrap();
        assert!(matches!(object, Object::Undecodable { .. }), "{object:?}");
    }
}

fn watched(server: &Server, seed: u64) -> Watched {
    Watched::start_with(server, settings(), OperatorResources::Watched, seed)
}

fn is_operators(update: &KubeUpdate) -> bool {
    update.scope.kind.origin() == KindOrigin::FlinkOperator
}

#[tokio::test(start_paused = true)]
async fn both_kinds_are_listed_and_watched() {
    let server = Server::new();
    server.put("flinkdeployments", orders());
    let mut seen = watched(&server, 1);
    let list = seen.until(|update| is_list(update, ObjectKind::FlinkDeployment)).await;
    assert_eq!(names(&list), ["orders"]);
    seen.until(|update| is_list(update, ObjectKind::FlinkSessionJob)).await;
    server.put("flinksessionjobs", session_job());
    let update = seen
        .until(|update| matches!(update.change, KubeChange::Applied(_)))
        .await;
    assert_eq!(names(&update), ["daily"]);
    server.delete("flinkdeployments", "orders");
    let update = seen
        .until(|update| matches!(update.change, KubeChange::Deleted(_)))
        .await;
    assert_eq!(
        (update.scope.kind, names(&update)),
        (ObjectKind::FlinkDeployment, vec!["orders"])
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_the_operator_is_asked_with_the_validation_only() {
    for (status, kind) in [(404, FaultKind::NotFound), (403, FaultKind::Forbidden)] {
        let server = Server::new();
        server.operator(Some(status));
        let mut seen = watched(&server, 1);
        seen.settle().await;
        let moment = tokio::time::Instant::now();
        let update = seen.during(Duration::from_secs(600)).await;
        for update in update.iter().filter(|update| is_operators(update)) {
            assert!(
                matches!(&update.change, KubeChange::Failed(fault) if fault.kind == kind),
                "{update:?}"
            );
        }
        let asked = server.asked();
        let of_operator = asked.iter().filter(|(at, url)| *at >= moment && url.contains("/flink"));
        assert!(of_operator.count() <= 22, "two kinds, once a minute");
        server.operator(None);
        server.put("flinkdeployments", orders());
        let list = seen.until(|update| is_list(update, ObjectKind::FlinkDeployment)).await;
        assert_eq!(names(&list), ["orders"], "once it is installed, it is found");
    }
}

#[tokio::test(start_paused = true)]
async fn the_operators_lists_alone_never_lead_the_recovery() {
    let server = Server::new();
    server.operator(Some(500));
    let mut seen = watched(&server, 1);
    seen.settle().await;
    seen.during(Duration::from_secs(120)).await;
    let moment = tokio::time::Instant::now();
    seen.during(Duration::from_secs(600)).await;
    let asked = server.asked();
    let of_operator = asked
        .iter()
        .filter(|(at, url)| *at >= moment && url.contains("/flink"))
        .count();
    // Full jitter over 30 s: half that on average. A canary would have asked 120 times more.
    assert!((20..130).contains(&of_operator), "{of_operator}");
}

#[test]
fn a_state_snapshot_tells_of_which_job_and_whether_a_savepoint_is_under_way() {
    let of = |what: &str, state: Option<&str>| {
        let mut body = json!({
            "metadata": {"name": "before-upgrade", "namespace": "default", "uid": "u9"},
            "spec": {"jobReference": {"kind": "FlinkSessionJob", "name": "daily"}},
        });
        body["spec"][what] = json!({"disposeOnDelete": false});
        if let Some(state) = state {
            body["status"] = json!({"state": state});
        }
        match decode::object(ObjectKind::FlinkStateSnapshot, &body.to_string()).unwrap() {
            Object::StateSnapshot(snapshot) => (snapshot.of, snapshot.phase),
            other @ (Object::Deployment(_)
            | Object::Pod(_)
            | Object::FlinkResource(_)
            | Object::Undecodable { .. }
            | Object::Unanswered { .. }) => panic!("{other:?}"),
        }
    };
    let daily = (ResourceKind::FlinkSessionJob, "daily".to_owned());
    for state in ["TRIGGER_PENDING", "IN_PROGRESS"] {
        assert_eq!(
            of("savepoint", Some(state)),
            (daily.clone(), SnapshotPhase::SavepointUnderWay)
        );
        assert_eq!(of("checkpoint", Some(state)).1, SnapshotPhase::Other);
    }
    for state in [None, Some("COMPLETED"), Some("FAILED"), Some("ABANDONED")] {
        assert_eq!(of("savepoint", state).1, SnapshotPhase::Other, "{state:?}");
    }
}
