//! What is asked of Kubernetes on request: events, ConfigMaps, TaskManagers, a log, one object by its name.

use bytes::Bytes;
use serde::Deserialize;
use steadfast_core::board::ObjectRef;
use steadfast_core::facts::HaData;
use steadfast_core::id::{Namespace, Uid};
use steadfast_core::kube_update::{KubeChange, ObjectKind};
use steadfast_core::lookup::{ContainerRun, ObjectQuestion};
use steadfast_core::testing;

use super::kube_lists::{KINDS, WORDS};
use crate::fakes::{Reply, api_server, choice, head, play, status};
use crate::watching::Watching;
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "kube_lookups",
    words: WORDS,
    seeds,
    check,
};

/// Behind what chooses lookup and status: the answer.
fn seeds() -> Vec<Vec<u8>> {
    let mut all = vec![
        b"34a container name must be specified for pod run, choose one of: [a b]".to_vec(),
        br#"34{"message":"previous terminated container \"flink-main-container\" in pod \"run\" not found"}"#.to_vec(),
    ];
    for (head, name) in [
        ("00", "events.json"),
        ("10", "configmaps.json"),
        ("10", "configmaps-left.json"),
        ("20", "pods.json"),
        ("30", "jobmanager-log-tail.txt"),
        ("41", "404-deployment.json"),
    ] {
        let bodies = seeds::files("tests/fixtures", |path| {
            path.contains("kubernetes") && path.ends_with(&format!("/{name}"))
        });
        all.extend(bodies.iter().map(|(_, body)| seeds::input(head, body)));
    }
    for (head, object) in [
        (
            "40",
            r#"{"kind":"Deployment","metadata":{"name":"run","namespace":"default","uid":"u1"}}"#,
        ),
        (
            "50",
            r#"{"kind":"Pod","metadata":{"name":"run","namespace":"default","uid":"u1"}}"#,
        ),
        (
            "60",
            r#"{"kind":"FlinkDeployment","metadata":{"name":"run","namespace":"default","uid":"u1"}}"#,
        ),
        (
            "41",
            r#"{"kind":"Status","reason":"NotFound","details":{"name":"run","kind":"deployments"}}"#,
        ),
        (
            "51",
            r#"{"kind":"Status","reason":"NotFound","message":"pods \"run\" not found"}"#,
        ),
    ] {
        all.push(seeds::input(head, object.as_bytes()));
    }
    all
}

fn check(input: &[u8]) {
    let ([which, of_status], body) = head(input);
    let (which, status) = (choice(which, 4 + KINDS.len()), status(of_status));
    let answer = Bytes::copy_from_slice(body);
    let server = move |path: &str| {
        if path.starts_with("/api/v1/namespaces/default/") || path.contains("/namespaces/default/") {
            Reply::Answer(status, answer.clone())
        } else {
            Reply::Never
        }
    };
    play(async {
        let watching = Watching::start(api_server(server), ObjectKind::Deployment);
        look_up(&watching, which, status, body).await;
        watching.stop().await;
    });
}

async fn look_up(watching: &Watching, which: usize, status: u16, body: &[u8]) {
    let (cluster, namespace) = (&watching.cluster, Namespace::new("default"));
    match which {
        0 => {
            let Some(events) = hold::told(cluster.events(&namespace, "run").await, status) else {
                return;
            };
            assert!(events.len() <= 20);
            for event in &events {
                [&event.object, &event.reason, &event.message]
                    .into_iter()
                    .for_each(hold::text);
                event.at.into_iter().for_each(hold::time);
            }
            hold::kept(|shown| shown.events = testing::observed(hold::present(events), testing::at(1)));
        }
        1 => {
            let Some(config_maps) = hold::told(cluster.ha_config_maps(&namespace, "run").await, status) else {
                return;
            };
            config_maps.iter().for_each(hold::text);
            assert!(config_maps.is_sorted());
            let data = hold::present(HaData { config_maps });
            hold::kept(|shown| shown.ha_data = testing::observed(data, testing::at(1)));
        }
        2 => {
            let pods = hold::told(cluster.task_managers(&namespace, "run").await, status);
            pods.iter().flatten().for_each(hold::pod);
        }
        3 => match cluster.pod_log(&namespace, "run", ContainerRun::Current).await {
            Ok(Some(_)) => assert_eq!(status, 200),
            Ok(None) => {
                assert_eq!(status, 400);
                assert!(String::from_utf8_lossy(body).contains("previous terminated container"));
            }
            Err(fault) => hold::fault(&fault),
        },
        kind => by_name(watching, KINDS[kind - 4], status, body).await,
    }
}

/// How an API server words an error.
#[derive(Deserialize)]
struct Said {
    kind: String,
    reason: String,
}

async fn by_name(watching: &Watching, kind: ObjectKind, status: u16, body: &[u8]) {
    let object = ObjectRef {
        namespace: Namespace::new("default"),
        name: "run".to_owned(),
    };
    let question = ObjectQuestion::Named {
        kind,
        object: object.clone(),
        uid: Some(Uid::new("u1")),
    };
    let answered = watching.cluster.ask_for(&question).await;
    match answered.map(|answered| answered.change) {
        Ok(KubeChange::Applied(there)) => {
            assert_eq!(status, 200);
            assert_eq!(there.namespaced_name(), (&object.namespace, "run"));
            hold::object(&there);
        }
        Ok(KubeChange::NotFound(missing)) => {
            assert_eq!((status, &missing), (404, &object));
            let Said { kind, reason } = serde_json::from_slice(body).expect("the API server's own word is JSON");
            assert_eq!((kind.as_str(), reason.as_str()), ("Status", "NotFound"));
        }
        Ok(other) => panic!("one object by its name is there or not: {other:?}"),
        Err(fault) => hold::fault(&fault),
    }
}
