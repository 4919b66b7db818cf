use steadfast_core::board::ObjectRef;
use steadfast_core::kube_update::ResourceVersion;
use steadfast_core::lookup::{ContainerRun, ObjectQuestion};

use super::*;

use std::convert::Infallible;
use std::sync::Mutex;

/// A cluster that is not watched, whose requests are answered by a function of the URL.
pub(super) fn cluster(
    answer: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static,
) -> (KubeCluster, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let url = request.uri().to_string();
        let (status, body) = answer(&url);
        log.lock().unwrap().push(url);
        async move {
            Ok::<_, Infallible>(
                http::Response::builder()
                    .status(status)
                    .body(reqwest::Body::from(body))
                    .unwrap(),
            )
        }
    });
    let client = kube::Client::new(service, "default");
    let timing = settings().timing;
    let cluster = KubeCluster {
        settings: settings(),
        getter: Getter::new(client.clone(), timing.timeout, timing.validate),
        client,
        relist_requests: Vec::new(),
        undecodable: Arc::default(),
    };
    (cluster, asked)
}

#[tokio::test(start_paused = true)]
async fn both_flinks_ha_data_is_found() {
    for scene in ["kubernetes/running", "kubernetes-flink-1.20.3/running"] {
        let (cluster, _) = cluster(move |_| (200, recorded(&format!("{scene}/configmaps.json"))));
        let found = cluster
            .ha_config_maps(&Namespace::new("default"), "run-ha")
            .await
            .unwrap();
        assert_eq!(
            found,
            [
                "run-ha-cluster-config-map",
                "run-ha-ffffffffc92beb7b0000000000000000-config-map"
            ],
            "{scene}"
        );
    }
    let (cluster, _) = cluster(|_| (200, recorded("kubernetes/canceled-cluster-ends/configmaps-left.json")));
    let left = cluster
        .ha_config_maps(&Namespace::new("default"), "end-cancel")
        .await
        .unwrap();
    assert!(left.is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_not_no_ha_data() {
    for (status, body) in [
        (403, recorded("kubernetes/errors/403-forbidden.json")),
        (200, "{}".into()),
        (200, "<html>".into()),
    ] {
        let (cluster, _) = cluster(move |_| (status, body.clone()));
        assert!(
            cluster
                .ha_config_maps(&Namespace::new("default"), "run-ha")
                .await
                .is_err()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn warnings_about_the_target_are_found_newest_first() {
    let (cluster, _) = cluster(|url| {
        let body = recorded("kubernetes/broken/events.json");
        (200, if url.contains("/pods?") { pods(&[]) } else { body })
    });
    let events = cluster.events(&Namespace::new("default"), "noimage").await.unwrap();
    assert!(
        events.iter().any(|event| event.reason == "Failed")
            && events.iter().all(|event| event.object.contains("noimage")),
        "{events:?}"
    );
    assert!(events.is_sorted_by(|a, b| a.at >= b.at));
}

#[tokio::test(start_paused = true)]
async fn events_on_a_later_page_are_found_too() {
    let (cluster, asked) = cluster(|url| {
        let event = |name: &str| serde_json::json!({"metadata": {}, "involvedObject": {"kind": "Deployment", "name": name}, "reason": "Trouble"});
        let page = |name: &str, token: &str| serde_json::json!({"kind": "EventList", "metadata": {"resourceVersion": "1", "continue": token}, "items": [event(name)]});
        let body = if url.contains("/pods?") {
            return (200, pods(&[]));
        } else if url.contains("continue=more") {
            page("orders", "")
        } else {
            page("other", "more")
        };
        (200, body.to_string())
    });
    let events = cluster.events(&Namespace::new("default"), "orders").await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(asked.lock().unwrap().len(), 3);
}

/// A list of one JobManager's pod with these volumes.
fn pods(volumes: &[serde_json::Value]) -> String {
    let pod = serde_json::json!({"metadata": {"name": "orders-7d-x"}, "spec": {"containers": [], "volumes": volumes}});
    serde_json::json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": [pod]}).to_string()
}

fn events_of(events: &[(&str, &str, &str)]) -> String {
    let item = |(kind, name, reason): &(&str, &str, &str)| serde_json::json!({"metadata": {}, "involvedObject": {"kind": kind, "name": name}, "reason": reason, "message": "why"});
    let items: Vec<serde_json::Value> = events.iter().map(item).collect();
    serde_json::json!({"kind": "EventList", "metadata": {"resourceVersion": "1"}, "items": items}).to_string()
}

#[tokio::test(start_paused = true)]
async fn of_pods_those_at_hand_speak_whatever_made_their_names() {
    let (cluster, _) = cluster(|url| {
        let pod = |name: &str| serde_json::json!({"metadata": {"name": name}, "spec": {"containers": []}});
        let body = if url.contains("/pods?") {
            let items = [pod("orders-0"), pod("orders-7d-x-y")];
            serde_json::json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": items}).to_string()
        } else {
            events_of(&[
                ("Pod", "orders-0", "FailedMount"),
                ("Pod", "orders-7d-x-y", "FailedMount"),
                ("Pod", "orders-1", "FailedMount"),
                ("Pod", "orders-8e-x-y", "FailedMount"),
            ])
        };
        (200, body)
    });
    let events = cluster.events(&Namespace::new("default"), "orders").await.unwrap();
    let objects: Vec<&str> = events.iter().map(|event| event.object.as_str()).collect();
    assert_eq!(objects, ["Pod/orders-0", "Pod/orders-7d-x-y"]);
}

#[tokio::test(start_paused = true)]
async fn of_claims_those_speak_that_a_pod_at_hand_names() {
    let volumes = [
        serde_json::json!({"name": "a", "persistentVolumeClaim": {"claimName": "checkpoints"}}),
        serde_json::json!({"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}),
        serde_json::json!({"name": "b", "emptyDir": {}}),
    ];
    let claim = "PersistentVolumeClaim";
    let (cluster, asked) = cluster(move |url| {
        let body = if url.contains("/pods?") {
            pods(&volumes)
        } else if url.contains("Warning") {
            events_of(&[
                (claim, "checkpoints", "ProvisioningFailed"),
                (claim, "payments", "ProvisioningFailed"),
                ("PersistentVolume", "checkpoints", "VolumeFailedDelete"),
            ])
        } else {
            events_of(&[
                (claim, "checkpoints", "ProvisioningSucceeded"),
                (claim, "orders-7d-x-scratch", "ExternalProvisioning"),
                (claim, "payments", "FailedBinding"),
            ])
        };
        (200, body)
    });
    let events = cluster.events(&Namespace::new("default"), "orders").await.unwrap();
    let told: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event.object.as_str(), event.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("PersistentVolumeClaim/checkpoints", "ProvisioningFailed"),
            ("PersistentVolumeClaim/orders-7d-x-scratch", "ExternalProvisioning"),
        ]
    );
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn while_the_pods_cannot_be_read_no_answer_says_that_there_is_no_event() {
    let (cluster, _) = cluster(|url| match url.contains("/pods?") {
        true => (403, recorded("kubernetes/errors/403-forbidden.json")),
        false => (200, events_of(&[])),
    });
    let fault = cluster.events(&Namespace::new("default"), "orders").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn a_log_is_flinks_containers_or_the_only_ones() {
    let (native, asked) = cluster(|_| (200, "bye\n".into()));
    assert_eq!(
        native
            .pod_log(&Namespace::new("default"), "p", ContainerRun::Current)
            .await
            .unwrap()
            .as_deref(),
        Some("bye\n")
    );
    assert_eq!(
        *asked.lock().unwrap(),
        ["/api/v1/namespaces/default/pods/p/log?tailLines=800&limitBytes=1048576&container=flink-main-container"]
    );
    let (standalone, _) = cluster(|url| {
        if url.contains("container=") {
            (400, "container flink-main-container is not valid for pod p".into())
        } else {
            (200, "bye\n".into())
        }
    });
    assert_eq!(
        standalone
            .pod_log(&Namespace::new("default"), "p", ContainerRun::Current)
            .await
            .unwrap()
            .as_deref(),
        Some("bye\n")
    );
    let (gone, _) = cluster(|_| (404, recorded("kubernetes/errors/404-deployment.json")));
    let fault = gone
        .pod_log(&Namespace::new("default"), "p", ContainerRun::Current)
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert!(
        fault.message.contains("not found"),
        "the server's own words are kept: {fault}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_container_before_this_one_is_asked_for_and_may_never_have_been() {
    let since = Some(Timestamp::from_millis(1_500));
    let (restarted, asked) = cluster(|_| (200, "bye\n".into()));
    let log = restarted
        .pod_log(&Namespace::new("default"), "p", ContainerRun::Previous { since })
        .await;
    assert_eq!(log.unwrap().as_deref(), Some("bye\n"));
    assert_eq!(
        *asked.lock().unwrap(),
        [
            "/api/v1/namespaces/default/pods/p/log?tailLines=800&limitBytes=1048576&previous=true&sinceTime=1970-01-01T00:00:01.500Z\
          &container=flink-main-container"
        ]
    );
    let (first, asked) = cluster(|_| {
        let message = "previous terminated container \\\"main\\\" in pod \\\"p\\\" not found";
        (400, format!(r#"{{"kind":"Status","code":400,"message":"{message}"}}"#))
    });
    let log = first
        .pod_log(&Namespace::new("default"), "p", ContainerRun::Previous { since })
        .await;
    assert_eq!(log, Ok(None));
    assert_eq!(asked.lock().unwrap().len(), 1);
    let (other, _) = cluster(|_| (400, "a container name must be specified".into()));
    let log = other
        .pod_log(&Namespace::new("default"), "p", ContainerRun::Previous { since })
        .await;
    assert_eq!(
        log.unwrap_err().kind,
        FaultKind::Status,
        "another refusal is not an absence"
    );
}

fn question(kind: ObjectKind, uid: Option<&str>) -> ObjectQuestion {
    ObjectQuestion::Named {
        kind,
        object: ObjectRef::new(&Namespace::new("default"), "orders"),
        uid: uid.map(Uid::new),
    }
}

/// A Deployment as a GET shows it.
fn answered(name: &str, uid: &str) -> String {
    let mut deployment = deployment(name, uid);
    deployment["kind"] = "Deployment".into();
    deployment["metadata"]["resourceVersion"] = "7".into();
    deployment.to_string()
}

fn not_found(name: &str) -> String {
    let details = serde_json::json!({"name": name, "group": "apps", "kind": "deployments"});
    serde_json::json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "details": details, "code": 404})
        .to_string()
}

#[tokio::test(start_paused = true)]
async fn one_object_is_asked_for_without_a_resource_version() {
    let (missing, asked) = cluster(|_| (404, not_found("orders")));
    let said = missing.ask_for(&question(ObjectKind::Deployment, Some("u1"))).await;
    assert!(matches!(said, Ok(Answered { change: KubeChange::NotFound(object), .. }) if object.name == "orders"));
    assert_eq!(
        *asked.lock().unwrap(),
        ["/apis/apps/v1/namespaces/default/deployments/orders"]
    );
    let (there, _) = cluster(|_| (200, answered("orders", "u1")));
    let said = there
        .ask_for(&question(ObjectKind::Deployment, Some("u1")))
        .await
        .unwrap();
    assert!(matches!(said.change, KubeChange::Applied(Object::Deployment(d)) if d.uid.as_str() == "u1"));
    assert_eq!(
        said.version,
        ResourceVersion::read("7"),
        "by which it is compared with a list"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_but_the_servers_own_word_says_that_an_object_is_not_there() {
    for (status, body) in [
        (404, not_found("payments")),
        (404, "404 page not found".to_owned()),
        (
            404,
            r#"{"kind":"Status","reason":"NotFound","message":"the server could not find the requested resource"}"#
                .to_owned(),
        ),
        (403, recorded("kubernetes/errors/403-forbidden.json")),
        (410, "{}".to_owned()),
        (429, "{}".to_owned()),
        (500, not_found("orders")),
        (200, not_found("orders")),
        (200, "<html>".to_owned()),
        (200, answered("payments", "u1")),
    ] {
        let shown = format!("{status} {body}");
        let (cluster, _) = cluster(move |_| (status, body.clone()));
        let said = cluster.ask_for(&question(ObjectKind::Deployment, Some("u1"))).await;
        assert!(said.is_err(), "{shown}: {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_another_object_under_the_name_only_a_list_says_whether_it_is_selected() {
    let (mut next, _) = cluster(|_| (200, answered("orders", "u2")));
    for uid in [Some("u1"), None] {
        for (deployments, is_told) in [(Selector::All, true), (Selector::Flink, false)] {
            next.settings.deployments = deployments;
            let said = next.ask_for(&question(ObjectKind::Deployment, uid)).await;
            assert_eq!(said.is_ok(), is_told, "{uid:?} {deployments:?}: {said:?}");
            assert!(!said.is_ok_and(|said| matches!(said.change, KubeChange::NotFound(_))));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_does_not_end_is_named_and_left_alone_for_a_while() {
    let page = |items: usize, token: &str| {
        let items = vec![serde_json::json!({"metadata": {"name": "x"}}); items];
        let metadata = serde_json::json!({"resourceVersion": "1", "continue": token});
        let page = serde_json::json!({"kind": "ConfigMapList", "metadata": metadata, "items": items});
        (200, page.to_string())
    };
    let next = |url: &str| {
        url.split("continue=")
            .nth(1)
            .map_or(0, |at| at.parse::<usize>().unwrap())
            + 1
    };
    let circle = move |_: &str| page(1, "1");
    let empty = move |url: &str| page(0, &next(url).to_string());
    let endless = move |url: &str| page(500, &next(url).to_string());
    type Answer = Arc<dyn Fn(&str) -> (u16, String) + Send + Sync>;
    let answers: [(&str, Answer); 3] = [
        ("its `continue` leads to the same page again", Arc::new(circle)),
        ("10 pages in a row are empty, and lead to more", Arc::new(empty)),
        ("it has more than 100000 objects", Arc::new(endless)),
    ];
    for (told, answer) in answers {
        let (cluster, asked) = cluster(move |url| answer(url));
        let fault = cluster
            .ha_config_maps(&Namespace::new("default"), "orders")
            .await
            .unwrap_err();
        assert!(fault.message.ends_with(told), "{fault}");
        assert_eq!(fault.retry_after, Some(Duration::from_secs(60)));
        assert!(asked.lock().unwrap().len() <= 201);
    }
}

#[tokio::test(start_paused = true)]
async fn the_pods_of_one_deployment_are_all_that_have_its_labels_and_those_that_were_known_and_still_are() {
    let list = serde_json::json!({
        "kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": [jobmanager("jm-1", "p1")],
    });
    // One was relabelled, of one the name is another's by now, and one is gone.
    let answer = move |url: &str| match url {
        url if url.contains("labelSelector=app%3Dorders,") => (200, list.to_string()),
        url if url.ends_with("/pods/relabelled") => (200, with_kind(jobmanager("relabelled", "p2"))),
        url if url.ends_with("/pods/replaced") => (200, with_kind(jobmanager("replaced", "p4"))),
        _ => {
            let details = serde_json::json!({"name": "gone", "kind": "pods"});
            let status = serde_json::json!({"kind": "Status", "reason": "NotFound", "details": details, "code": 404});
            (404, status.to_string())
        }
    };
    let (cluster, asked) = cluster(answer);
    let known = [("jm-1", "p1"), ("relabelled", "p2"), ("replaced", "p3"), ("gone", "p5")];
    let question = ObjectQuestion::PodsOf {
        object: ObjectRef::new(&Namespace::new("default"), "orders"),
        known: known.map(|(name, uid)| (name.to_owned(), Uid::new(uid))).to_vec(),
    };
    let said = cluster.ask_for(&question).await.unwrap();
    let KubeChange::PodsOf(object, pods) = said.change else {
        panic!("all of them were told of")
    };
    assert_eq!(said.version, ResourceVersion::read("1"), "the list's");
    assert_eq!(object.name, "orders");
    let names: Vec<&str> = pods.iter().map(|pod| pod.namespaced_name().1).collect();
    assert_eq!(names, ["jm-1", "relabelled"]);
    assert_eq!(asked.lock().unwrap().len(), 4);
}

/// A running pod of `orders` as a list shows it.
fn jobmanager(name: &str, uid: &str) -> serde_json::Value {
    serde_json::json!({
        "metadata": {"name": name, "namespace": "default", "uid": uid, "labels": {"app": "orders", "component": "jobmanager"}},
        "status": {"phase": "Running"},
    })
}

fn with_kind(mut object: serde_json::Value) -> String {
    object["kind"] = "Pod".into();
    object.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_there_and_cannot_be_read_is_not_gone() {
    let (cluster, _) = cluster(|url| match url {
        url if url.contains("labelSelector") => {
            let list = serde_json::json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": []});
            (200, list.to_string())
        }
        _ => {
            let mut odd = jobmanager("jm-1", "p1");
            odd["status"]["phase"] = 7.into();
            (200, with_kind(odd))
        }
    });
    let question = ObjectQuestion::PodsOf {
        object: ObjectRef::new(&Namespace::new("default"), "orders"),
        known: vec![("jm-1".to_owned(), Uid::new("p1"))],
    };
    let told = cluster.ask_for(&question).await;
    let Ok(Answered {
        change: KubeChange::PodsOf(_, pods),
        ..
    }) = &told
    else {
        panic!("{told:?}")
    };
    assert!(
        matches!(&pods[..], [Object::Undecodable { name, .. }] if name == "jm-1"),
        "{pods:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn of_pods_of_which_one_is_not_told_nothing_is_concluded() {
    for status in [403, 500] {
        let (cluster, _) = cluster(move |url| match url {
            url if url.contains("labelSelector") => {
                let list = serde_json::json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": []});
                (200, list.to_string())
            }
            _ => (status, "{}".to_owned()),
        });
        let question = ObjectQuestion::PodsOf {
            object: ObjectRef::new(&Namespace::new("default"), "orders"),
            known: vec![("jm-1".to_owned(), Uid::new("p1"))],
        };
        let fault = cluster.ask_for(&question).await.unwrap_err();
        assert!(fault.message.starts_with("get pods"), "{fault}");
    }
}
