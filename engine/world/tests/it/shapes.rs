//! Field by field against bodies that real servers sent (`tests/fixtures`).

use std::path::Path;

use super::*;

fn recorded(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(path);
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every field of ours that the recording lacks, or has with another type. `null` goes with anything; an element of
/// an array must be like some element of the recorded one.
fn foreign(ours: &Value, theirs: &Value, path: &str) -> Vec<String> {
    match (ours, theirs) {
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        (Value::Object(ours), Value::Object(theirs)) => {
            let each = ours.iter().map(|(name, value)| match theirs.get(name) {
                None => vec![format!("{path}.{name} is not in the recording")],
                Some(their) => foreign(value, their, &format!("{path}.{name}")),
            });
            each.flatten().collect()
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            let least = |one: &Value| {
                let each = theirs.iter().map(|their| foreign(one, their, &format!("{path}[]")));
                each.min_by_key(Vec::len).unwrap_or_default()
            };
            ours.iter().flat_map(least).collect()
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => Vec::new(),
        (ours, theirs) => vec![format!("{path} is {ours}, recorded {theirs}")],
    }
}

/// Ours lacks nothing either.
fn assert_same_shape(ours: &Value, theirs: &Value, what: &str) {
    assert_eq!(foreign(ours, theirs, what), Vec::<String>::new());
    assert_eq!(foreign(theirs, ours, &format!("recorded {what}")), Vec::<String>::new());
}

#[tokio::test]
async fn flinks_lists_have_every_recorded_field_and_no_other() {
    let (world, _) = world(RUNNING);
    for (path, file) in [
        ("/jobs/overview", "jobs-overview.json"),
        ("/jobs", "jobs.json"),
        ("/overview", "overview.json"),
        ("/config", "config.json"),
    ] {
        let (status, body) = json(flink(&world), path).await;
        assert_eq!(status, 200, "{path}");
        assert_same_shape(&body, &recorded(&format!("flink-1.20.3/running/{file}")), path);
    }
}

#[tokio::test]
async fn what_flink_says_of_a_job_has_no_field_that_was_not_recorded() {
    let (world, story) = world(RUNNING);
    let id = story.targets[0].flink_id("j1");
    for (path, file) in [
        (format!("/jobs/{id}"), "running/job.json"),
        (format!("/jobs/{id}/exceptions"), "running/job-exceptions.json"),
        (
            format!("/jobs/{id}/checkpoints"),
            "finished-cluster-stays/job-checkpoints.json",
        ),
        (format!("/jobs/{id}/status"), "running/job-status.json"),
    ] {
        let (status, body) = json(flink(&world), &path).await;
        assert_eq!(status, 200, "{path}");
        let theirs = recorded(&format!("flink-1.20.3/{file}"));
        assert_eq!(foreign(&body, &theirs, file), Vec::<String>::new());
        let ours: Vec<&String> = body.as_object().unwrap().keys().collect();
        let missing: Vec<&String> = theirs
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| !ours.contains(key))
            .collect();
        assert_eq!(missing, Vec::<&String>::new(), "{file}");
    }
}

#[tokio::test]
async fn a_failure_is_reported_as_flink_does() {
    let (world, story) = world(&RUNNING.replace(
        "checkpoints",
        "state = \"FAILED\", root_exception = \"java.io.IOException: full\", checkpoints",
    ));
    let path = format!("/jobs/{}/exceptions", story.targets[0].flink_id("j1"));
    let (_, body) = json(flink(&world), &path).await;
    let theirs = recorded("flink-1.20.3/failed-cluster-stays/job-exceptions.json");
    assert_eq!(foreign(&body, &theirs, "exceptions"), Vec::<String>::new());
    assert!(
        body["root-exception"]
            .as_str()
            .unwrap()
            .starts_with("java.io.IOException: full\n\tat ")
    );
}

#[tokio::test]
async fn flinks_errors_are_those_of_the_recordings() {
    let (world, _) = world(RUNNING);
    let (status, body) = json(flink(&world), "/jobs/ffffffffffffffffffffffffffffffff").await;
    assert_eq!(status, 404);
    assert_same_shape(
        &body,
        &recorded("flink-1.20.3/errors/404-unknown-job.json"),
        "unknown job",
    );
    let (status, body) = json(flink(&world), "/no/such/path").await;
    assert_eq!(status, 404);
    assert_same_shape(
        &body,
        &recorded("flink-1.20.3/errors/404-unknown-path.json"),
        "unknown path",
    );
}

#[tokio::test]
async fn kubernetes_lists_have_no_field_that_was_not_recorded() {
    let (world, _) = world(RUNNING);
    for (path, file) in [
        ("/apis/apps/v1/namespaces/default/deployments", "deployments.json"),
        ("/apis/apps/v1/namespaces/default/replicasets", "replicasets.json"),
        ("/api/v1/namespaces/default/pods", "pods.json"),
        ("/api/v1/namespaces/default/services", "services.json"),
        ("/api/v1/namespaces/default/configmaps", "configmaps.json"),
    ] {
        let (status, body) = json(kubernetes(&world), path).await;
        assert_eq!(status, 200, "{path}");
        assert!(!body["items"].as_array().unwrap().is_empty(), "{path} lists something");
        assert_eq!(
            foreign(&body, &recorded(&format!("kubernetes/running/{file}")), file),
            Vec::<String>::new()
        );
    }
}

#[tokio::test]
async fn pods_in_trouble_look_as_recorded() {
    let waiting = "phase = \"Pending\", ready = false, waiting = \"ImagePullBackOff\", message = \"Back-off\"";
    let crashing =
        "ready = false, restarts = 4, waiting = \"CrashLoopBackOff\", message = \"back-off\", terminated = \"Error\"";
    for (pod, file) in [(waiting, "image-pull-back-off"), (crashing, "crash-loop")] {
        let (world, _) = world(&RUNNING.replace("name = \"jm-1\"", pod));
        let (_, body) = json(kubernetes(&world), "/api/v1/pods").await;
        assert_eq!(
            foreign(&body, &recorded(&format!("kubernetes/{file}/pods.json")), file),
            Vec::<String>::new()
        );
    }
}

#[tokio::test]
async fn kubernetes_errors_are_statuses_as_recorded() {
    let (world, _) = world(&format!("{RUNNING}kubernetes = \"403\"\n"));
    let (status, body) = json(kubernetes(&world), "/apis/apps/v1/deployments").await;
    assert_eq!(status, 403);
    assert_eq!(
        foreign(&body, &recorded("kubernetes/errors/403-forbidden.json"), "403"),
        Vec::<String>::new()
    );
    assert_eq!(
        (body["kind"].as_str(), body["reason"].as_str()),
        (Some("Status"), Some("Forbidden"))
    );
}

#[tokio::test]
async fn task_managers_pods_look_as_recorded() {
    let (world, _) = world(&RUNNING.replace("pods =", "task_managers = [{}]\npods ="));
    let path = "/api/v1/pods?labelSelector=app%3Dorders,component%3Dtaskmanager";
    let (_, body) = json(kubernetes(&world), path).await;
    assert_eq!(body["items"][0]["metadata"]["name"], "orders-taskmanager-1-1");
    assert_eq!(
        foreign(&body, &recorded("kubernetes/running/pods.json"), "pods"),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn the_operators_resources_outlive_their_deployment_and_can_be_hidden() {
    let story = RUNNING.replace(
        "deployment = {}",
        "resource = { suspended = true, error = \"quota\", generation = 2 }",
    );
    let path = "/apis/flink.apache.org/v1beta1/flinkdeployments";
    let (world_with, _) = world(&story);
    let (_, body) = json(kubernetes(&world_with), path).await;
    let found = &body["items"][0];
    assert_eq!(found["kind"], "FlinkDeployment");
    assert_eq!(found["metadata"]["generation"], 2);
    assert_eq!(found["spec"]["job"]["state"], "suspended");
    assert_eq!(found["status"]["jobManagerDeploymentStatus"], "MISSING");
    assert!(
        found["status"]["error"]
            .as_str()
            .unwrap()
            .contains("\"message\":\"quota\"")
    );
    let (hidden, _) = world(&format!("{story}kubernetes = \"operator:403\"\n"));
    assert_eq!(json(kubernetes(&hidden), path).await.0, 403);
    assert_eq!(json(kubernetes(&hidden), "/api/v1/pods").await.0, 200);
}

#[test]
fn a_field_that_flink_does_not_have_is_noticed() {
    let theirs = recorded("flink-1.20.3/running/jobs-overview.json");
    let mut ours = theirs.clone();
    ours["jobs"][0]["start_time"] = serde_json::json!(1);
    ours["jobs"][0]["state"] = serde_json::json!(7);
    assert_eq!(foreign(&ours, &theirs, "").len(), 2);
}

#[tokio::test]
async fn a_job_can_be_left_out_of_lists_and_fail_by_itself() {
    let silent = RUNNING.replace("checkpoints", "listed = false, asked = \"500\", checkpoints");
    for (story, status) in [
        (silent.clone(), 500),
        (silent.replace("\"500\"", "\"404\""), 404),
        (silent.replace("asked = \"500\", ", ""), 200),
    ] {
        let (world, story) = world(&story);
        for list in ["/jobs", "/jobs/overview"] {
            assert_eq!(
                json(flink(&world), list).await,
                (200, serde_json::json!({ "jobs": [] }))
            );
        }
        let job = format!("/jobs/{}", story.targets[0].flink_id("j1"));
        for path in [job.clone(), format!("{job}/checkpoints")] {
            assert_eq!(json(flink(&world), &path).await.0, status, "{path}");
        }
    }
}

#[tokio::test]
async fn a_row_holds_what_was_written_whatever_comes_of_it() {
    let odd = "written_state = \"?\\u0000\", name = \"\\u001b[2J\", start = \"-9223372036854775808ms\", end = \"1ms\", \
               tasks = { running = 4294967295, total = 0 }, checkpoints = { completed = 4294967295, failed = 4294967295 }";
    let (world, story) = world(&RUNNING.replace("checkpoints = { completed = 2, failed = 1 }", odd));
    let (_, list) = json(flink(&world), "/jobs/overview").await;
    let row = &list["jobs"][0];
    assert_eq!((&row["state"], &row["name"]), (&"?\0".into(), &"\u{1b}[2J".into()));
    assert_eq!(
        (&row["tasks"]["total"], &row["tasks"]["running"]),
        (&0.into(), &u32::MAX.into())
    );
    assert_ne!(row["end-time"], serde_json::json!(-1), "it has an end, though it runs");
    let (_, counters) = json(
        flink(&world),
        &format!("/jobs/{}/checkpoints", story.targets[0].flink_id("j1")),
    )
    .await;
    assert_eq!(counters["counts"]["total"], serde_json::json!(2 * u64::from(u32::MAX)));
}
