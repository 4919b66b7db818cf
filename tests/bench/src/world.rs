//! The world of the benchmark: one Kubernetes API and one Flink REST endpoint for each job, all healthy.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

const NAMESPACE: &str = "default";

/// Serves until its standard input closes, and prints its address first.
pub async fn serve(jobs: usize) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let world = Arc::new(World {
        jobs,
        started: millis(),
    });
    let app = Router::new()
        .route("/apis/apps/v1/deployments", get(deployments))
        .route("/api/v1/pods", get(pods))
        .route("/{namespace}/{name}/jobs/overview", get(overview))
        .route("/{namespace}/{name}/jobs/{id}/checkpoints", get(checkpoints))
        .with_state(world);
    let mut out = tokio::io::stdout();
    tokio::io::AsyncWriteExt::write_all(&mut out, format!("{}\n", listener.local_addr()?).as_bytes()).await?;
    tokio::io::AsyncWriteExt::flush(&mut out).await?;
    let parent_gone = async {
        let mut byte = [0_u8; 1];
        drop(tokio::io::AsyncReadExt::read(&mut tokio::io::stdin(), &mut byte).await);
    };
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        () = parent_gone => {}
    }
    Ok(())
}

struct World {
    jobs: usize,
    started: u128,
}

fn millis() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_millis())
}

/// The name of the n-th job.
fn name(n: usize) -> String {
    format!("job-{n:05}")
}

type Parameters = Query<std::collections::BTreeMap<String, String>>;

async fn deployments(State(world): State<Arc<World>>, query: Parameters) -> Response {
    answer(&world, &query, "DeploymentList", "apps/v1", |n| {
        json!({
            "metadata": metadata(n, "d"),
            "spec": { "replicas": 1, "selector": { "matchLabels": { "app": name(n) } }, "template": { "spec": { "containers": [{
                "name": "flink-main-container", "image": "job:1",
                "args": ["kubernetes-jobmanager.sh", "kubernetes-application"],
            }] } } },
            "status": { "replicas": 1, "readyReplicas": 1 },
        })
    })
}

async fn pods(State(world): State<Arc<World>>, query: Parameters) -> Response {
    answer(&world, &query, "PodList", "v1", |n| {
        json!({
            "metadata": metadata(n, "p"),
            "spec": { "containers": [{ "name": "flink-main-container", "image": "job:1" }] },
            "status": {
                "phase": "Running", "podIP": "127.0.0.1",
                "conditions": [{ "type": "Ready", "status": "True" }],
                "containerStatuses": [{ "name": "flink-main-container", "image": "job:1", "imageID": "", "ready": true,
                    "restartCount": 0, "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } } }],
            },
        })
    })
}

fn metadata(n: usize, kind: &str) -> Value {
    json!({
        "name": name(n), "namespace": NAMESPACE, "uid": format!("{kind}-{n}"), "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": { "app": name(n), "component": "jobmanager", "type": "flink-native-kubernetes" },
    })
}

/// A page of a list, or a watch on which nothing happens.
fn answer(world: &World, query: &Parameters, kind: &str, version: &str, item: impl Fn(usize) -> Value) -> Response {
    if query.get("watch").is_some_and(|watch| watch == "true" || watch == "1") {
        let stream = Body::from_stream(futures::stream::pending::<Result<String, std::convert::Infallible>>());
        return Response::builder()
            .header("Content-Type", "application/json")
            .body(stream)
            .unwrap_or_default();
    }
    let number = |key: &str| query.get(key).and_then(|text| text.parse::<usize>().ok());
    let (start, limit) = (number("continue").unwrap_or(0), number("limit").unwrap_or(world.jobs));
    let end = start.saturating_add(limit).min(world.jobs);
    let more = (end < world.jobs).then(|| end.to_string());
    let metadata = json!({ "resourceVersion": "1", "continue": more });
    let items: Vec<Value> = (start..end).map(item).collect();
    axum::Json(json!({ "kind": kind, "apiVersion": version, "metadata": metadata, "items": items })).into_response()
}

async fn overview(State(world): State<Arc<World>>, Path((_, name)): Path<(String, String)>) -> Response {
    let start = world.started;
    axum::Json(json!({ "jobs": [{
        "jid": job_id(&name), "name": name, "start-time": start, "end-time": -1, "duration": millis() - start, "state": "RUNNING",
        "last-modification": start, "tasks": { "total": 2, "running": 2, "created": 0, "scheduled": 0, "deploying": 0, "finished": 0,
            "canceling": 0, "canceled": 0, "failed": 0, "reconciling": 0, "initializing": 0 },
    }] }))
    .into_response()
}

async fn checkpoints(Path(_path): Path<(String, String, String)>) -> Response {
    axum::Json(json!({ "counts": { "restored": 0, "total": 9, "in_progress": 0, "completed": 9, "failed": 0 } }))
        .into_response()
}

fn job_id(name: &str) -> String {
    format!(
        "{:032x}",
        name.trim_start_matches("job-").parse::<u128>().unwrap_or_default() + 1
    )
}
