//! When things happened, and of whom they are: what policies that count restarts or read labels go by.

use std::time::Duration;

use super::*;

/// Lets the step at that second happen then.
async fn reach(world: &World, story: &Story, second: i64) {
    let at = steadfast_world::story::Moment::from_millis(second * 1000);
    tokio::time::sleep_until(world.clock().when(at)).await;
    happen(world, story, second);
}

/// The milliseconds of the story at which something was.
fn second(time: &Value) -> i64 {
    (time.as_i64().unwrap() - 1_767_225_600_000) / 1000
}

const RESTARTS: &str = r#"
[[step]]
at = "10s"
jobs = [{ id = "j1", state = "RESTARTING", root_exception = "java.io.IOException: full" }]
[[step]]
at = "20s"
jobs = [{ id = "j1", root_exception = "java.io.IOException: full" }]
[[step]]
at = "30s"
jobs = [{ id = "j1", state = "RESTARTING", root_exception = "java.io.IOException: full" }]
[[step]]
at = "40s"
jobs = [{ id = "j1", state = "FAILED", root_exception = "java.io.IOException: full" }]
"#;

#[tokio::test(start_paused = true)]
async fn each_restart_and_each_failure_has_its_own_time() {
    let (world, story) = world(&format!("{RUNNING}{RESTARTS}"));
    let job = format!("/jobs/{}", story.targets[0].flink_id("j1"));
    let mut seen = Vec::new();
    for at in [10, 20, 30, 40] {
        reach(&world, &story, at).await;
        // Nobody has to ask at that moment.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (_, list) = json(flink(&world), "/jobs/overview").await;
        let (_, exceptions) = json(flink(&world), &format!("{job}/exceptions")).await;
        let history = exceptions["exceptionHistory"]["entries"].as_array().unwrap();
        seen.push((
            second(&list["jobs"][0]["last-modification"]),
            second(&exceptions["timestamp"]),
            history
                .iter()
                .map(|entry| second(&entry["timestamp"]))
                .collect::<Vec<_>>(),
        ));
    }
    assert_eq!(
        seen,
        [
            (10, 10, vec![10]),
            (20, 10, vec![10]),
            (30, 30, vec![30, 10]),
            // The second failure is what it failed of.
            (40, 30, vec![30, 10]),
        ]
    );
    let (_, detail) = json(flink(&world), &job).await;
    let stamps = &detail["timestamps"];
    let at = |state: &str| second(&stamps[state]);
    assert_eq!((at("RESTARTING"), at("RUNNING"), at("FAILED")), (30, 20, 40));
    assert_eq!(stamps["CANCELED"], 0, "it was never in that one");
}

#[tokio::test(start_paused = true)]
async fn a_restart_between_two_steps_is_told_by_the_time_of_its_failure() {
    let told = |at: &str| format!("jobs = [{{ id = \"j1\", root_exception = \"full\", exception_at = \"{at}\" }}]\n");
    let steps = format!(
        "[[step]]\nat = \"10s\"\n{}[[step]]\nat = \"20s\"\n{}",
        told("4s"),
        told("16s")
    );
    let (world, story) = world(&format!("{RUNNING}{steps}"));
    let path = format!("/jobs/{}/exceptions", story.targets[0].flink_id("j1"));
    reach(&world, &story, 10).await;
    assert_eq!(second(&json(flink(&world), &path).await.1["timestamp"]), 4);
    reach(&world, &story, 20).await;
    let (_, exceptions) = json(flink(&world), &path).await;
    let entries = exceptions["exceptionHistory"]["entries"].as_array().unwrap();
    let times: Vec<i64> = entries.iter().map(|entry| second(&entry["timestamp"])).collect();
    assert_eq!((second(&exceptions["timestamp"]), times), (16, vec![16, 4]));
}

#[tokio::test]
async fn a_deployment_carries_the_labels_of_its_target_or_of_the_step() {
    let labelled = RUNNING.replace(
        "name = \"orders\"",
        "name = \"orders\"\nlabels = { team = \"payments\" }",
    );
    let step = "[[step]]\nat = \"10s\"\ndeployment = { labels = { tier = \"gold\" }, type_label = false }\n";
    let (world, story) = world(&format!("{labelled}{step}"));
    let path = "/apis/apps/v1/namespaces/default/deployments/orders";
    let labels = async || json(kubernetes(&world), path).await.1["metadata"]["labels"].clone();
    assert_eq!(
        labels().await,
        serde_json::json!({
            "app": "orders", "component": "jobmanager", "type": "flink-native-kubernetes", "team": "payments",
        })
    );
    happen(&world, &story, 10);
    let expected = serde_json::json!({ "app": "orders", "component": "jobmanager", "tier": "gold" });
    assert_eq!(labels().await, expected);
}

#[tokio::test(start_paused = true)]
async fn of_two_job_managers_each_has_its_own_events_and_restarts() {
    let two = RUNNING.replace("[{ name = \"jm-1\" }]", "[{}, {}]");
    let step = "[[step]]\nat = \"10s\"\npods = [{}, { restarts = 1, terminated = \"OOMKilled\" }]\n\
                events = [{ reason = \"BackOff\", message = \"back-off\", object = \"Pod/jm-2\" }]\n";
    let (world, story) = world(&format!("{two}{step}"));
    reach(&world, &story, 10).await;
    let (_, pods) = json(kubernetes(&world), "/api/v1/pods").await;
    let pods = pods["items"].as_array().unwrap();
    let began = |pod: &Value| pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"].clone();
    assert_eq!(pods.len(), 2);
    assert_eq!(
        (began(&pods[0]), began(&pods[1])),
        ("2026-01-01T00:00:00Z".into(), "2026-01-01T00:00:10Z".into())
    );
    let (_, events) = json(kubernetes(&world), "/api/v1/events").await;
    assert_eq!(
        events["items"][0]["involvedObject"]["name"],
        pods[1]["metadata"]["name"]
    );
}
