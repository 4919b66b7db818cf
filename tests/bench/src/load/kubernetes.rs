//! The API server: Deployments and pods of the size of recorded ones, in pages, by name, and as watches.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{Down, Job, World, address, locked};

const SESSION_DEPLOYMENTS: &str = include_str!("../../../fixtures/kubernetes/session/deployments.json");
const SESSION_PODS: &str = include_str!("../../../fixtures/kubernetes/session/pods.json");
const DEPLOYMENTS: &str = include_str!("../../../fixtures/kubernetes/running/deployments.json");
const PODS: &str = include_str!("../../../fixtures/kubernetes/running/pods.json");
const NAMESPACE: &str = "default";

/// Which objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Deployment,
    Pod,
}

impl Kind {
    fn list(self) -> (&'static str, &'static str) {
        match self {
            Self::Deployment => ("DeploymentList", "apps/v1"),
            Self::Pod => ("PodList", "v1"),
        }
    }
}

/// Recorded objects, cut at what differs between jobs.
#[derive(Debug)]
pub struct Templates {
    deployment: String,
    pod: String,
}

impl Templates {
    /// Those of the recordings, with the `managedFields` that an API server adds and the recordings leave out.
    #[expect(clippy::indexing_slicing, reason = "recorded objects, whose fields are known")]
    pub fn recorded(is_session: bool) -> anyhow::Result<Self> {
        let (deployments, pods, name) = if is_session {
            (SESSION_DEPLOYMENTS, SESSION_PODS, "sess")
        } else {
            (DEPLOYMENTS, PODS, "run-ha")
        };
        let first = |text: &str| -> anyhow::Result<Value> {
            let list: Value = serde_json::from_str(text)?;
            let items = list["items"].as_array().into_iter().flatten();
            let mut jobmanagers = items.filter(|item| item["metadata"]["labels"]["component"] == "jobmanager");
            Ok(jobmanagers.next().cloned().unwrap_or_default())
        };
        let mut deployment = first(deployments)?;
        deployment["metadata"]["uid"] = json!("d-@NAME-@INCARNATION");
        deployment["status"]["readyReplicas"] = json!("@READY");
        let mut pod = first(pods)?;
        pod["metadata"]["uid"] = json!("p-@NAME-@INCARNATION");
        pod["metadata"]["name"] = json!("@NAME-pod-@INCARNATION");
        pod["status"]["podIP"] = json!("@ADDRESS");
        pod["status"]["containerStatuses"][0]["restartCount"] = json!("@RESTARTS");
        pod["status"]["containerStatuses"][0]["ready"] = json!("@IS_READY");
        for condition in pod["status"]["conditions"].as_array_mut().into_iter().flatten() {
            if condition["type"] == "Ready" || condition["type"] == "ContainersReady" {
                condition["status"] = json!("@SAYS_READY");
            }
        }
        for object in [&mut deployment, &mut pod] {
            object["metadata"]["resourceVersion"] = json!("@VERSION");
            object["metadata"]["managedFields"] = managed_fields(&object["spec"]);
        }
        let template = |object: Value| {
            let text = object.to_string();
            // Where it is a name, or stands at the beginning or the end of one.
            let text = [("\"", "\""), ("\"", "-"), ("-", "\"")]
                .iter()
                .fold(text, |text, (before, behind)| {
                    text.replace(&format!("{before}{name}{behind}"), &format!("{before}@NAME{behind}"))
                });
            // What is no text.
            ["READY", "RESTARTS", "IS_READY"].iter().fold(text, |text, name| {
                text.replace(&format!("\"@{name}\""), &format!("@{name}"))
            })
        };
        Ok(Self {
            deployment: template(deployment),
            pod: template(pod),
        })
    }

    fn object(&self, kind: Kind, n: usize, job: &Job) -> String {
        let template = match kind {
            Kind::Deployment => &self.deployment,
            Kind::Pod => &self.pod,
        };
        let is_ready = job.down.is_none();
        let mut object = String::with_capacity(template.len());
        for (place, part) in template.split('@').enumerate() {
            let rest = if place == 0 {
                part
            } else {
                fill(&mut object, part, n, job, is_ready)
            };
            object.push_str(rest);
        }
        object
    }

    /// A line of a watch.
    pub fn event(&self, kind: Kind, what: &str, n: usize, job: &Job) -> String {
        format!("{{\"type\":\"{what}\",\"object\":{}}}\n", self.object(kind, n, job))
    }
}

/// Writes what stands for the name that a part begins with, and returns the rest of it.
fn fill<'a>(object: &mut String, part: &'a str, n: usize, job: &Job, is_ready: bool) -> &'a str {
    let end = part
        .find(|c: char| !c.is_ascii_uppercase() && c != '_')
        .unwrap_or(part.len());
    let (name, rest) = part.split_at(end);
    let written = match name {
        "NAME" => write!(object, "job-{n:05}"),
        "INCARNATION" => write!(object, "{}", job.incarnation),
        "VERSION" => write!(object, "{}", job.version),
        "ADDRESS" => write!(object, "{}", address(n)),
        "RESTARTS" => write!(object, "{}", job.restarts),
        "READY" => write!(object, "{}", u8::from(is_ready)),
        "IS_READY" => write!(object, "{is_ready}"),
        "SAYS_READY" => write!(object, "{}", if is_ready { "True" } else { "False" }),
        other => write!(object, "@{other}"),
    };
    debug_assert!(written.is_ok(), "a String takes what is written");
    rest
}

/// Who wrote which field, in the form that API servers keep it in: a key for each field, and some three owners.
fn managed_fields(spec: &Value) -> Value {
    fn owned(value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, field)| (format!("f:{name}"), owned(field)))
                .collect(),
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json!({}),
        }
    }
    let by = |manager: &str, fields: Value| {
        json!({ "manager": manager, "operation": "Update", "apiVersion": "v1", "time": "2026-11-23T01:13:25Z",
            "fieldsType": "FieldsV1", "fieldsV1": fields })
    };
    json!([
        by("okhttp", json!({ "f:spec": owned(spec) })),
        by(
            "kube-controller-manager",
            json!({ "f:metadata": { "f:annotations": {}, "f:labels": {} } })
        ),
        by(
            "kubelet",
            json!({ "f:status": { "f:conditions": {}, "f:containerStatuses": {}, "f:podIP": {} } })
        ),
    ])
}

/// Serves the API, and returns where.
pub async fn listen(world: &Arc<World>) -> anyhow::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    let deployments = |world, query| collection(world, query, Kind::Deployment);
    let pods = |world, query| collection(world, query, Kind::Pod);
    let app = Router::new()
        .route("/apis/apps/v1/deployments", get(deployments))
        .route("/api/v1/pods", get(pods))
        .route(
            "/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
            get(deployment),
        )
        .route("/api/v1/namespaces/{namespace}/pods", get(pods_of))
        .route("/api/v1/namespaces/{namespace}/pods/{name}", get(pod))
        .fallback(unknown)
        .with_state(Arc::clone(world));
    let world = Arc::clone(world);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if world.is_api_down.load(Relaxed) {
                drop(stream.set_zero_linger());
                continue;
            }
            let mut restarted = world.restarted.subscribe();
            let served = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app.clone()))
                .into_owned();
            tokio::spawn(async move {
                tokio::select! {
                    _ = served => {}
                    _ = restarted.changed() => {}
                }
            });
        }
    });
    Ok(at)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    watch: Option<String>,
    limit: Option<usize>,
    #[serde(rename = "continue")]
    token: Option<String>,
    resource_version: Option<String>,
}

async fn collection(State(world): State<Arc<World>>, Query(asked): Query<Asked>, kind: Kind) -> Response {
    if asked.watch.is_some() {
        locked(&world.counts).watches += 1;
        let from = asked.resource_version.and_then(|version| version.parse().ok());
        if !world.is_light().await {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        return watch(world, kind, from.unwrap_or(0));
    }
    {
        let mut counts = locked(&world.counts);
        counts.pages += 1;
        counts.lists += u32::from(asked.token.is_none());
    }
    if !world.is_light().await {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let body = page(&world, kind, &asked);
    ([("content-type", "application/json")], body).into_response()
}

/// A page of a list. All of them are of the version of the first, as with an API server: what is newer is told by the watch.
fn page(world: &World, kind: Kind, asked: &Asked) -> String {
    let newest = newest(world);
    let jobs = locked(&world.jobs);
    let token = asked.token.as_deref().and_then(|token| token.split_once('-'));
    let token = token.and_then(|(start, version)| Some((start.parse::<usize>().ok()?, version.parse::<u64>().ok()?)));
    let (start, newest) = token.unwrap_or((0, newest));
    let end = start.saturating_add(asked.limit.unwrap_or(jobs.len())).min(jobs.len());
    let there = (start..end).filter_map(|n| Some((n, jobs.get(n)?)));
    let there = there.filter(|(_, job)| job.down != Some(Down::Replacing));
    let items: Vec<String> = there.map(|(n, job)| world.templates.object(kind, n, job)).collect();
    let more = if end < jobs.len() {
        format!("{end}-{newest}")
    } else {
        String::new()
    };
    let (list, version) = kind.list();
    format!(
        "{{\"kind\":\"{list}\",\"apiVersion\":\"{version}\",\"metadata\":{{\"resourceVersion\":\"{newest}\",\"continue\":\"{more}\"}},\"items\":[{}]}}",
        items.join(",")
    )
}

fn newest(world: &World) -> u64 {
    locked(&world.events).newest()
}

/// The events behind a version, and those that come.
fn watch(world: Arc<World>, kind: Kind, from: u64) -> Response {
    if locked(&world.events).behind(from).is_none() {
        return refused(
            StatusCode::GONE,
            "Expired",
            &format!("too old resource version: {from}"),
        );
    }
    let events = stream::unfold((world, from), move |(world, from)| async move {
        let (lines, newest) = come(&world, kind, from).await;
        Some((Ok::<_, Infallible>(lines), (world, newest)))
    });
    Body::from_stream(events).into_response()
}

/// The next events behind a version, once somebody answers.
async fn come(world: &World, kind: Kind, from: u64) -> (String, u64) {
    loop {
        let happened = world.happened.notified();
        tokio::pin!(happened);
        happened.as_mut().enable();
        let (lines, newest) = behind(world, kind, from);
        if !lines.is_empty() && !world.dark.load(Relaxed) {
            return (lines, newest);
        }
        happened.await;
    }
}

/// Nothing of what is no longer kept: a watch that is open has been told it, or ends with the API server.
fn behind(world: &World, kind: Kind, from: u64) -> (String, u64) {
    let events = locked(&world.events);
    let mut lines = String::new();
    for event in events.behind(from).into_iter().flatten() {
        if event.kind == kind {
            lines.push_str(&event.line);
        }
    }
    (lines, events.newest())
}

async fn deployment(State(world): State<Arc<World>>, Path((_, name)): Path<(String, String)>) -> Response {
    named(&world, Kind::Deployment, &name, &name).await
}

async fn pod(State(world): State<Arc<World>>, Path((_, name)): Path<(String, String)>) -> Response {
    let job = name.split_once("-pod-").map_or("", |(job, _)| job);
    named(&world, Kind::Pod, job, &name).await
}

/// One object by its name, which stands for a job.
async fn named(world: &World, kind: Kind, job: &str, name: &str) -> Response {
    locked(&world.counts).gets += 1;
    if !world.is_light().await {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let object = world
        .object_of(kind, job)
        .filter(|object| object.contains(&format!("\"name\":\"{name}\"")));
    match object {
        Some(object) => {
            // Alone it says what it is; in a list it does not.
            let (kind, version) = match kind {
                Kind::Deployment => ("Deployment", "apps/v1"),
                Kind::Pod => ("Pod", "v1"),
            };
            let object = object.replacen('{', &format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{version}\","), 1);
            ([("content-type", "application/json")], object).into_response()
        }
        None => {
            let plural = match kind {
                Kind::Deployment => "deployments.apps",
                Kind::Pod => "pods",
            };
            not_found(&format!("{plural} \"{name}\" not found"))
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selects {
    label_selector: String,
}

/// The pods of one Deployment.
async fn pods_of(State(world): State<Arc<World>>, Query(Selects { label_selector }): Query<Selects>) -> Response {
    locked(&world.counts).gets += 1;
    if !world.is_light().await {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let mut labels = label_selector.split(',').filter_map(|label| label.split_once('='));
    let job = labels.find(|(name, _)| *name == "app").map_or("", |(_, job)| job);
    let pod = world
        .object_of(Kind::Pod, job)
        .filter(|_| label_selector.contains("jobmanager"));
    let items = pod.unwrap_or_default();
    let newest = newest(&world);
    let list = format!(
        "{{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{{\"resourceVersion\":\"{newest}\"}},\"items\":[{items}]}}"
    );
    ([("content-type", "application/json")], list).into_response()
}

impl World {
    /// The object of a job by the job's name, if it is there.
    fn object_of(&self, kind: Kind, job: &str) -> Option<String> {
        let n = job.strip_prefix("job-")?.parse::<usize>().ok()?;
        let jobs = locked(&self.jobs);
        let job = jobs.get(n).filter(|job| job.down != Some(Down::Replacing))?;
        Some(self.templates.object(kind, n, job))
    }
}

async fn unknown(State(world): State<Arc<World>>, uri: axum::http::Uri) -> Response {
    locked(&world.counts).others += 1;
    if !world.is_light().await {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let nothing = ["/events", "/configmaps"]
        .iter()
        .any(|collection| uri.path().ends_with(collection));
    if nothing {
        let list = if uri.path().ends_with("/events") {
            "EventList"
        } else {
            "ConfigMapList"
        };
        let version = newest(&world).to_string();
        let body = json!({ "kind": list, "apiVersion": "v1", "metadata": { "resourceVersion": version }, "items": [] });
        return axum::Json(body).into_response();
    }
    not_found(&format!("{} not found in {NAMESPACE}", uri.path()))
}

fn not_found(message: &str) -> Response {
    refused(StatusCode::NOT_FOUND, "NotFound", message)
}

fn refused(status: StatusCode, reason: &str, message: &str) -> Response {
    let body = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": reason, "code": status.as_u16() });
    (status, axum::Json(body)).into_response()
}
