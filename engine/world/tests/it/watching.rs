//! WATCH as real API servers do it: versions, expiry, silence, and ends.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::time::timeout;

use super::*;

const WATCH: &str = "/apis/apps/v1/namespaces/default/deployments?watch=true&allowWatchBookmarks=true";

/// Two faults that come at once, then a deletion.
fn story(fault: &str) -> String {
    format!(
        "{RUNNING}\n[[step]]\nat = \"10s\"\nkubernetes = \"{fault}\"\n[[step]]\nat = \"20s\"\ndeployment = {{ present = false }}\npods = []\n\
             [[step]]\nat = \"30s\"\nkubernetes = \"ok\"\n"
    )
}

async fn version(world: &World) -> String {
    let (_, list) = json(kubernetes(world), "/apis/apps/v1/deployments").await;
    list["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

async fn watch(world: &World, version: &str) -> Body {
    let response = get(kubernetes(world), &format!("{WATCH}&resourceVersion={version}"))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

/// The next event; `None` at the stream's end.
async fn next(body: &mut Body) -> Option<Value> {
    let frame = body.frame().await?.unwrap();
    Some(serde_json::from_slice(frame.data_ref().unwrap()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_reported_with_a_later_version_and_a_bookmark_follows() {
    let (world, story) = world(&story("slow:1s"));
    let from = version(&world).await;
    let mut body = watch(&world, &from).await;
    happen(&world, &story, 20);
    let event = next(&mut body).await.unwrap();
    assert_eq!(event["type"], "DELETED");
    let told: u64 = event["object"]["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(told > from.parse().unwrap());
    // Virtual time passes at once: nothing else happens, so a bookmark comes.
    assert_eq!(next(&mut body).await.unwrap()["type"], "BOOKMARK");
}

#[tokio::test(start_paused = true)]
async fn a_silent_watch_loses_what_happens_and_lists_tell_it() {
    let (world, story) = world(&story("watch-silent"));
    let mut body = watch(&world, &version(&world).await).await;
    happen(&world, &story, 10);
    happen(&world, &story, 20);
    assert!(timeout(Duration::from_secs(200), next(&mut body)).await.is_err());
    let (_, list) = json(kubernetes(&world), "/apis/apps/v1/deployments").await;
    assert_eq!(list["items"], serde_json::json!([]));
    happen(&world, &story, 30);
    assert_eq!(
        next(&mut body).await.unwrap()["type"],
        "BOOKMARK",
        "what was missed is lost"
    );
}

#[tokio::test(start_paused = true)]
async fn expired_versions_end_watches_both_ways_by_turns_and_a_new_list_works() {
    let (world, story) = world(&story("410"));
    let old = version(&world).await;
    let path = format!("{WATCH}&resourceVersion={old}");
    let mut body = watch(&world, &old).await;
    happen(&world, &story, 10);
    assert_eq!(next(&mut body).await, None, "the first time, the watch just ends");
    assert_eq!(get(kubernetes(&world), &path).await.unwrap().status(), 410);

    let fresh = version(&world).await;
    let mut body = watch(&world, &fresh).await;
    happen(&world, &story, 10);
    let event = next(&mut body).await.unwrap();
    assert_eq!(
        (event["type"].as_str(), event["object"]["code"].as_i64()),
        (Some("ERROR"), Some(410))
    );
    assert_eq!(next(&mut body).await, None);
    let mut body = get(kubernetes(&world), &path).await.unwrap().into_body();
    assert_eq!(next(&mut body).await.unwrap()["type"], "ERROR");
}

#[tokio::test(start_paused = true)]
async fn a_watch_caught_in_a_drop_is_silent_for_ever() {
    let (world, story) = world(&story("drop"));
    let mut body = watch(&world, &version(&world).await).await;
    happen(&world, &story, 10);
    happen(&world, &story, 20);
    happen(&world, &story, 30);
    assert!(timeout(Duration::from_secs(86_400), next(&mut body)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn pages_hold_what_was_asked_for_and_lead_on() {
    let (world, _) = world(&RUNNING.replace("name = \"orders\"", "name = \"orders\"\ncount = 5"));
    let mut names = Vec::new();
    let mut path = "/apis/apps/v1/deployments?limit=2".to_owned();
    loop {
        let (_, page) = json(kubernetes(&world), &path).await;
        names.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["metadata"]["name"].clone()),
        );
        let Some(token) = page["metadata"]["continue"].as_str() else {
            break;
        };
        path = format!("/apis/apps/v1/deployments?limit=2&continue={token}");
    }
    names.dedup();
    assert_eq!(names.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_leaves_a_selection_is_deleted_for_its_watches_and_still_there_by_name() {
    let labelled =
        |at: u32, label: bool| format!("[[step]]\nat = \"{at}s\"\ndeployment = {{ type_label = {label} }}\n");
    let (world, story) = world(&format!("{RUNNING}\n{}{}", labelled(10, false), labelled(20, true)));
    let selector = "labelSelector=type%3Dflink-native-kubernetes";
    let path = format!("{WATCH}&{selector}&resourceVersion={}", version(&world).await);
    let mut selecting = get(kubernetes(&world), &path).await.unwrap().into_body();
    let mut whole = watch(&world, &version(&world).await).await;
    let listed = async |path: &str| {
        let (_, list) = json(kubernetes(&world), path).await;
        list["items"].as_array().unwrap().len()
    };
    let (all, selected) = (
        "/apis/apps/v1/deployments",
        format!("/apis/apps/v1/deployments?{selector}"),
    );

    happen(&world, &story, 10);
    let left = next(&mut selecting).await.unwrap();
    assert_eq!(left["type"], "DELETED");
    assert_eq!(
        left["object"]["metadata"]["labels"]["type"], "flink-native-kubernetes",
        "as it was"
    );
    let changed = next(&mut whole).await.unwrap();
    assert_eq!(changed["type"], "MODIFIED");
    assert_eq!(changed["object"]["metadata"]["labels"]["type"], Value::Null);
    assert_eq!(
        left["object"]["metadata"]["resourceVersion"],
        changed["object"]["metadata"]["resourceVersion"]
    );
    assert_eq!((listed(all).await, listed(&selected).await), (1, 0));
    let (status, _) = json(
        kubernetes(&world),
        "/apis/apps/v1/namespaces/default/deployments/orders",
    )
    .await;
    assert_eq!(status, 200, "by name it is there");

    happen(&world, &story, 20);
    assert_eq!(next(&mut selecting).await.unwrap()["type"], "ADDED");
    assert_eq!(next(&mut whole).await.unwrap()["type"], "MODIFIED");
    assert_eq!(listed(&selected).await, 1);
}
