use steadfast_core::closeup::{ContainerState, LogQuestion, MOST_PODS, PodRole};

use super::lookups::cluster;
use super::*;

fn default() -> Namespace {
    Namespace::new("default")
}

fn newest_log(lines: u32) -> LogQuestion {
    LogQuestion {
        pod: None,
        lines,
        previous: false,
    }
}

#[tokio::test(start_paused = true)]
async fn recorded_pods_are_shown_with_their_roles_and_containers() {
    let (cluster_, asked) = cluster(|_| (200, recorded("kubernetes/session/pods.json")));
    let pods = cluster_.pod_details(&default(), "sess").await.unwrap();
    let roles: Vec<PodRole> = pods.iter().map(|pod| pod.role).collect();
    assert_eq!(roles, [PodRole::JobManager, PodRole::TaskManager, PodRole::TaskManager]);
    assert!(
        pods.iter()
            .all(|pod| pod.ready && pod.node.is_some() && pod.started_at.is_some())
    );
    let url = asked.lock().unwrap()[0].clone();
    assert!(
        url.contains("/namespaces/default/pods?labelSelector=app%3Dsess,component%20in"),
        "{url}"
    );

    let (cluster_, _) = cluster(|_| (200, recorded("kubernetes/crash-loop/pods.json")));
    let pod = cluster_.pod_details(&default(), "crash").await.unwrap().remove(0);
    let container = &pod.containers[0];
    assert_eq!((container.state, pod.restarts), (ContainerState::Waiting, 1));
    assert_eq!(container.reason.as_deref(), Some("CrashLoopBackOff"));
    assert!(
        container.exit_code.is_some_and(|code| code != 0),
        "with what it ended before"
    );

    let (cluster_, _) = cluster(|_| (200, recorded("kubernetes/taskmanager-oom/pods.json")));
    let pod = cluster_.pod_details(&default(), "oom").await.unwrap().remove(0);
    let container = &pod.containers[0];
    let shown = (container.state, container.reason.as_deref(), container.exit_code);
    assert_eq!(shown, (ContainerState::Terminated, Some("OOMKilled"), Some(137)));

    let (cluster_, _) = cluster(|_| (200, recorded("kubernetes/terminating/pods.json")));
    let pods = cluster_.pod_details(&default(), "run-ha").await.unwrap();
    assert!(
        pods.iter()
            .any(|pod| pod.reason.as_ref().is_some_and(|why| why.starts_with("Terminating")))
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_told_of_a_cluster_is_shown_newest_first_warnings_or_not() {
    let (cluster, _) = cluster(|url| {
        let scene = if url.contains("/pods?") {
            "err-image-pull/pods"
        } else {
            "broken/events"
        };
        (200, recorded(&format!("kubernetes/{scene}.json")))
    });
    let events = cluster.event_details(&default(), "noimage").await.unwrap();
    assert!(
        events.iter().all(|event| event.object.contains("noimage")),
        "{events:?}"
    );
    assert!(events.is_sorted_by(|a, b| a.at >= b.at));
    let has = |kind: &str, reason: &str| {
        events
            .iter()
            .any(|event| event.kind.as_deref() == Some(kind) && event.reason == reason)
    };
    assert!(has("Warning", "Failed") && has("Normal", "ScalingReplicaSet") && has("Normal", "Pulling"));
    assert!(events.iter().any(|event| event.count == Some(2)));
}

#[tokio::test(start_paused = true)]
async fn no_error_is_an_empty_list() {
    for (status, body) in [
        (403, recorded("kubernetes/errors/403-forbidden.json")),
        (404, "404 page not found".into()),
        (200, "{}".into()),
        (200, "<html>".into()),
        (
            200,
            r#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"a/../b"}}]}"#.into(),
        ),
    ] {
        let (cluster, _) = cluster(move |_| (status, body.clone()));
        assert!(cluster.pod_details(&default(), "run-ha").await.is_err(), "{status}");
        assert!(cluster.event_details(&default(), "run-ha").await.is_err(), "{status}");
        assert!(
            cluster.log_tail(&default(), "run-ha", &newest_log(10)).await.is_err(),
            "{status}"
        );
    }
    let empty = r#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}"#;
    let (cluster, _) = cluster(move |_| (200, empty.into()));
    assert_eq!(
        cluster.pod_details(&default(), "run-ha").await,
        Ok(Vec::new()),
        "a complete answer without any"
    );
    assert_eq!(cluster.log_tail(&default(), "run-ha", &newest_log(10)).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_log_is_read_of_the_jobs_own_pods_alone() {
    let answer = |url: &str| {
        if url.contains("/log?") {
            (200, "one\n\u{1b}[2Jtwo\n".to_owned())
        } else {
            (200, recorded("kubernetes/running/pods.json"))
        }
    };
    let (cluster, asked) = cluster(answer);
    let log = cluster
        .log_tail(&default(), "run-ha", &newest_log(7))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (log.pod.as_str(), log.container.as_str()),
        ("run-ha-5fcc5cc494-qflb6", "flink-main-container")
    );
    assert_eq!(log.text.as_str(), "one\n\\u{1b}[2Jtwo\n");
    let url = asked.lock().unwrap().last().unwrap().clone();
    assert!(
        url.ends_with("/pods/run-ha-5fcc5cc494-qflb6/log?container=flink-main-container&tailLines=7"),
        "{url}"
    );
    let of = |pod: &str| LogQuestion {
        pod: Some(pod.to_owned()),
        previous: true,
        ..newest_log(7)
    };
    let log = cluster
        .log_tail(&default(), "run-ha", &of("run-ha-taskmanager-1-1"))
        .await
        .unwrap();
    assert_eq!(log.unwrap().pod, "run-ha-taskmanager-1-1");
    assert!(asked.lock().unwrap().last().unwrap().ends_with("&previous=true"));
    let before = asked.lock().unwrap().len();
    for foreign in ["coredns-1", "../secrets/a", "run-ha-5fcc5cc494-qflb6/../other"] {
        assert_eq!(cluster.log_tail(&default(), "run-ha", &of(foreign)).await, Ok(None));
    }
    let asked = asked.lock().unwrap();
    assert!(asked.iter().skip(before).all(|url| !url.contains("/log")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_never_was_has_no_log_and_one_too_long_says_what_helps() {
    let previous = r#"{"kind":"Status","code":400,"message":"previous terminated container \"flink-main-container\" in pod \"p\" not found"}"#;
    for (status, body) in [(400, previous.to_owned()), (200, "x".repeat((4 << 20) + 1))] {
        let (cluster, _) = cluster(move |url| {
            if url.contains("/log?") {
                (status, body.clone())
            } else {
                (200, recorded("kubernetes/running/pods.json"))
            }
        });
        let log = cluster.log_tail(&default(), "run-ha", &newest_log(2000)).await;
        if status == 400 {
            assert_eq!(log, Ok(None));
        } else {
            let fault = log.unwrap_err();
            assert_eq!(fault.kind, FaultKind::TooLarge);
            assert!(fault.message.ends_with("ask for fewer lines"), "{fault}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_is_read_of_any_pod_however_many_there_are() {
    let pod = |number: usize| {
        format!(
            r#"{{"metadata":{{"name":"big-{number}","uid":"u{number}","resourceVersion":"1","labels":{{"component":"taskmanager"}}}},"spec":{{"containers":[{{"name":"flink-main-container"}}]}}}}"#
        )
    };
    let pods: Vec<String> = (0..=MOST_PODS).map(pod).collect();
    let list = format!(
        r#"{{"kind":"PodList","metadata":{{"resourceVersion":"1"}},"items":[{}]}}"#,
        pods.join(",")
    );
    let (cluster, _) = cluster(move |url| {
        let text = if url.contains("/log?") {
            "last words".to_owned()
        } else {
            list.clone()
        };
        (200, text)
    });
    assert_eq!(
        cluster.pod_details(&default(), "big").await.unwrap().len(),
        MOST_PODS + 1
    );
    for number in 0..=MOST_PODS {
        let question = LogQuestion {
            pod: Some(format!("big-{number}")),
            ..newest_log(7)
        };
        let log = cluster.log_tail(&default(), "big", &question).await.unwrap();
        assert_eq!(log.map(|log| log.pod), question.pod);
    }
}
