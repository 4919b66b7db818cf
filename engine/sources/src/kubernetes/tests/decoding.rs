use steadfast_core::facts::{Container, Deployment, Pod, Readiness};
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;

use super::super::decode;
use super::*;

fn items(path: &str, kind: ObjectKind) -> Vec<Object> {
    let list: serde_json::Value = crate::json::from_str(&recorded(path)).unwrap();
    let decoded = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| decode::object(kind, &item.to_string()));
    decoded
        .map(|decoded| match decoded {
            Ok(Object::Undecodable { error, .. }) | Err(error) => panic!("{path}: {error}"),
            Ok(object) => object,
        })
        .collect()
}

fn deployment_in(scene: &str) -> Deployment {
    match items(&format!("{scene}/deployments.json"), ObjectKind::Deployment).remove(0) {
        Object::Deployment(deployment) => deployment,
        other @ (Object::Pod(_)
        | Object::FlinkResource(_)
        | Object::StateSnapshot(_)
        | Object::Undecodable { .. }
        | Object::Unanswered { .. }) => panic!("{other:?}"),
    }
}

fn pod_in(scene: &str) -> Pod {
    let pods = items(&format!("{scene}/pods.json"), ObjectKind::Pod);
    let pods = pods.into_iter().filter_map(|object| match object {
        Object::Pod(pod) => Some(pod),
        Object::Deployment(_)
        | Object::FlinkResource(_)
        | Object::StateSnapshot(_)
        | Object::Undecodable { .. }
        | Object::Unanswered { .. } => None,
    });
    pods.into_iter().find(|pod| !pod.name.contains("taskmanager")).unwrap()
}

fn container_in(scene: &str) -> Container {
    pod_in(scene).container.unwrap()
}

#[test]
fn a_running_application_of_both_flinks() {
    for scene in ["kubernetes/running", "kubernetes-flink-1.20.3/running"] {
        let deployment = deployment_in(scene);
        assert_eq!(deployment.name, "run-ha", "{scene}");
        assert_eq!(deployment.native, Some(Mode::Application), "{scene}");
        assert_eq!((deployment.replicas, deployment.ready), (1, 1), "{scene}");
        assert!(deployment.created_at.is_some() && deployment.deleting_since.is_none());
        assert_eq!((deployment.owner, deployment.trouble), (None, None));
        let pod = pod_in(scene);
        assert_eq!((pod.app.as_str(), pod.phase.as_str()), ("run-ha", "Running"));
        assert_eq!(pod.rest_port, Some(8081));
        assert_eq!(pod.ready, Readiness::Ready);
        assert!(pod.ip.is_some() && pod.deleting_since.is_none());
    }
}

#[test]
fn a_session_cluster() {
    assert_eq!(deployment_in("kubernetes/session").native, Some(Mode::Session));
}

#[test]
fn pods_in_trouble() {
    let crashing = container_in("kubernetes/crash-loop");
    assert_eq!(crashing.waiting.unwrap().reason, "CrashLoopBackOff");
    assert!(crashing.restarts > 0 && crashing.terminated.unwrap().exit_code != 0);
    assert_eq!(
        container_in("kubernetes/err-image-pull").waiting.unwrap().reason,
        "ErrImagePull"
    );
    assert_eq!(
        container_in("kubernetes/image-pull-back-off").waiting.unwrap().reason,
        "ImagePullBackOff"
    );
    let killed = container_in("kubernetes/after-jobmanager-kill");
    assert!(killed.restarts > 0, "{killed:?}");
    assert_eq!(pod_in("kubernetes/starting").ready, Readiness::NotReady);
    assert!(pod_in("kubernetes/terminating").deleting_since.is_some());
}

#[test]
fn an_init_container_in_trouble_is_the_one_reported() {
    let list: serde_json::Value = crate::json::from_str(&recorded("kubernetes/starting/pods.json")).unwrap();
    let mut pod = list["items"][0].clone();
    pod["status"]["initContainerStatuses"] = serde_json::json!([{
        "name": "fetch-jar", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}},
    }]);
    let Ok(Object::Pod(pod)) = decode::object(ObjectKind::Pod, &pod.to_string()) else {
        panic!("not a pod")
    };
    assert_eq!(pod.container.unwrap().name, "fetch-jar");
}

#[test]
fn the_operators_deployment_is_known_by_an_owner_that_does_not_control() {
    let mut owned = deployment("orders", "u");
    owned["metadata"]["ownerReferences"] = serde_json::json!([{
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": "orders", "uid": "o", "controller": false,
    }]);
    let Ok(Object::Deployment(owned)) = decode::object(ObjectKind::Deployment, &owned.to_string()) else {
        panic!("not a Deployment")
    };
    assert_eq!(owned.owner.as_deref(), Some("FlinkDeployment"));
}

/// What a policy is shown is recorded, and what is recorded must read back.
#[test]
fn a_moment_at_the_end_of_the_calendar_can_be_written_back() {
    let object = r#"{"metadata":{"name":"a","uid":"u","creationTimestamp":"9999-12-30T22:00:00.999999999Z",
        "deletionTimestamp":"-009999-01-02T01:59:59.5Z"},"spec":{"selector":{},"template":{}}}"#;
    let Ok(Object::Deployment(deployment)) = decode::object(ObjectKind::Deployment, object) else {
        panic!("it decodes")
    };
    for moment in [deployment.created_at, deployment.deleting_since] {
        let moment = moment.unwrap();
        assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
    }
}
