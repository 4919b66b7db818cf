//! LIST: all pages of a kind, or a fault.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::news::{Completeness, Object, ObjectKind, Scope};

use super::Selector;
use super::decode::{self, Decoded};
use crate::transport::{Answer, MAX_BODY, fetch, within};

/// How many objects one page holds: about 3 MiB of Deployments as Flink writes them.
const PAGE: u32 = 500;
/// How often a list that expires between two pages is begun again before that counts as a failure.
const RESTARTS: u32 = 3;

/// The labels that Flink's native integration and the operator's standalone mode put on their objects.
const FLINK_TYPES: &str = "type%20in%20(flink-native-kubernetes,flink-standalone-kubernetes)";

/// The path of a list, with its selector.
#[derive(Clone, Debug)]
pub(super) struct Path(String);

/// The path of a scope's list.
pub(super) fn path(scope: &Scope, deployments: Selector) -> Path {
    let (api, plural) = match scope.kind {
        ObjectKind::Deployment => ("/apis/apps/v1", "deployments"),
        ObjectKind::Pod => ("/api/v1", "pods"),
    };
    let selector = match (scope.kind, deployments) {
        (ObjectKind::Deployment, Selector::All) => String::new(),
        (ObjectKind::Deployment, Selector::Flink) => format!("labelSelector={FLINK_TYPES}&"),
        (ObjectKind::Pod, _) => format!("labelSelector={FLINK_TYPES},component%3Djobmanager&"),
    };
    let namespace = scope.namespace.as_ref().map_or_else(String::new, |namespace| format!("/namespaces/{namespace}"));
    Path(format!("{api}{namespace}/{plural}?{selector}"))
}

impl Path {
    fn page(&self, token: Option<&str>) -> String {
        let token = token.map_or_else(String::new, |token| {
            format!("&continue={}", form_urlencoded::byte_serialize(token.as_bytes()).collect::<String>())
        });
        format!("{}limit={PAGE}{token}", self.0)
    }

    /// The path of the watch that goes on from a version.
    pub(super) fn watch(&self, version: &str) -> String {
        let version: String = form_urlencoded::byte_serialize(version.as_bytes()).collect();
        format!("{}watch=true&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion={version}", self.0)
    }
}

/// A complete list.
#[derive(Debug)]
pub(super) struct List {
    pub(super) objects: Vec<Object>,
    pub(super) completeness: Completeness,
    pub(super) version: String,
}

#[derive(Deserialize)]
struct Page {
    kind: String,
    metadata: PageMetadata,
    /// Go writes an empty list as null at times.
    items: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    token: Option<String>,
}

/// Reads all pages, each within the deadline. One failed page fails the list.
pub(super) async fn all(client: &kube::Client, path: &Path, kind: ObjectKind, deadline: Duration) -> Result<List, Fault> {
    let mut restarts = 0;
    loop {
        match attempt(client, path, kind, deadline).await {
            // The snapshot behind the pages is gone: the list is begun again.
            Err(fault) if fault.kind == FaultKind::Expired && restarts < RESTARTS => restarts += 1,
            outcome => return outcome,
        }
    }
}

async fn attempt(client: &kube::Client, path: &Path, kind: ObjectKind, deadline: Duration) -> Result<List, Fault> {
    let mut objects = Vec::new();
    let mut completeness = Completeness::Complete;
    let mut token: Option<String> = None;
    loop {
        let url = path.page(token.as_deref());
        let page: Page = within(deadline, &url, async {
            let body = success(&url, fetch(client, &url, MAX_BODY).await?)?;
            serde_json::from_slice(&body).map_err(|error| malformed(&url, &error))
        })
        .await?;
        if page.kind != decode::list_kind(kind) {
            return Err(Fault::new(FaultKind::Malformed, format!("{url}: a {}, not a {}", page.kind, decode::list_kind(kind))));
        }
        for item in page.items.unwrap_or_default() {
            match decode::object(kind, item.get()) {
                Decoded::Object(object) => objects.push(object),
                Decoded::Nameless(error) => {
                    tracing::warn!("an object without a readable name: {error}");
                    completeness = Completeness::Incomplete;
                }
            }
        }
        token = page.metadata.token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(List { objects, completeness, version: page.metadata.resource_version });
        }
    }
}

/// The body of a 200, or the fault that the answer is.
pub(super) fn success(url: &str, answer: Answer) -> Result<bytes::Bytes, Fault> {
    if answer.status == 200 {
        return Ok(answer.body);
    }
    Err(Fault { retry_after: answer.retry_after, ..status_fault(url, answer.status, &answer.body) })
}

/// What a status that is no success means, with the API server's own message where there is one.
pub(super) fn status_fault(url: &str, status: u16, body: &[u8]) -> Fault {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    let kind = match status {
        401 => FaultKind::Unauthorized,
        403 => FaultKind::Forbidden,
        404 => FaultKind::NotFound,
        410 => FaultKind::Expired,
        429 => FaultKind::TooManyRequests,
        _ => FaultKind::Status,
    };
    let said = serde_json::from_slice::<Status>(body).map_or_else(|_| String::new(), |status| format!(": {}", status.message));
    let place = url.split('?').next().unwrap_or(url);
    Fault::new(kind, format!("{place}: HTTP {status}{said}"))
}

fn malformed(url: &str, error: &serde_json::Error) -> Fault {
    let place = url.split('?').next().unwrap_or(url);
    Fault::new(FaultKind::Malformed, format!("{place}: not what Kubernetes answers: {error}"))
}
