//! LIST: all pages of a collection, or a fault.
//!
//! A list is read in pages, so that no answer is larger than the size limit, and is one snapshot all the same: the
//! `continue` token names the resource version of the first page. When that version expires between two pages (HTTP
//! 410), the list is begun again, since pages of two versions together could lack an object that was there all along.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::Namespace;
use steadfast_core::kube_update::{Completeness, Object, ObjectKind, Scope};

use super::Selector;
use super::decode;
use crate::json;
use crate::transport::{Answer, MAX_BODY, fetch, within};

/// How many objects a page holds at first: about 3 MiB of Deployments as Flink writes them, up to 8 MiB of pods
/// whose managed fields are long.
pub(super) const PAGE: u32 = 500;
/// Pages are not asked for smaller than this: an answer that is still too large is a fault.
const SMALLEST_PAGE: u32 = 20;
/// No list has more objects than this, which is ten times what an engine is built for; nor more pages than the smallest ones
/// make of them. A server that goes on and on is not believed.
const MOST_OBJECTS: usize = 100_000;
const MOST_PAGES: u32 = 5_000;
/// So many pages in a row without an object lead nowhere.
const EMPTY_PAGES: u32 = 10;
/// When a list that does not end is asked for again.
const ENDLESS_PAUSE: Duration = Duration::from_secs(60);
/// How often a list that expires between two pages is begun again before that counts as a failure.
const RESTARTS: u32 = 3;

/// The labels that Flink's native integration and the operator's standalone mode put on their objects.
const FLINK_TYPES: &str = "type%20in%20(flink-native-kubernetes,flink-standalone-kubernetes)";

/// The API of the Flink Kubernetes Operator's resources.
const FLINK_API: &str = "/apis/flink.apache.org/v1beta1";

/// Where a collection is listed and watched.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// Without a query.
    collection: String,
    /// The part of the query that selects objects; ends with `&` if there is one.
    selector: String,
    list_kind: &'static str,
}

/// Where a kind is served.
#[derive(Clone, Copy)]
pub(super) struct Collection {
    api: &'static str,
    plural: &'static str,
    /// As rights name it.
    resource: &'static str,
    object_kind: &'static str,
    list_kind: &'static str,
}

impl Collection {
    pub(super) const fn of(kind: ObjectKind) -> Self {
        let (api, plural, resource, object_kind, list_kind) = match kind {
            ObjectKind::Deployment => (
                "/apis/apps/v1",
                "deployments",
                "deployments.apps",
                "Deployment",
                "DeploymentList",
            ),
            ObjectKind::Pod => ("/api/v1", "pods", "pods", "Pod", "PodList"),
            ObjectKind::FlinkDeployment => (
                FLINK_API,
                "flinkdeployments",
                "flinkdeployments.flink.apache.org",
                "FlinkDeployment",
                "FlinkDeploymentList",
            ),
            ObjectKind::FlinkSessionJob => (
                FLINK_API,
                "flinksessionjobs",
                "flinksessionjobs.flink.apache.org",
                "FlinkSessionJob",
                "FlinkSessionJobList",
            ),
            ObjectKind::FlinkStateSnapshot => (
                FLINK_API,
                "flinkstatesnapshots",
                "flinkstatesnapshots.flink.apache.org",
                "FlinkStateSnapshot",
                "FlinkStateSnapshotList",
            ),
        };
        Self {
            api,
            plural,
            resource,
            object_kind,
            list_kind,
        }
    }

    /// Its name in paths and in answers' details.
    pub(super) const fn plural(&self) -> &'static str {
        self.plural
    }

    /// With its group, as rights are granted: e.g. `deployments.apps`.
    pub(super) const fn resource(&self) -> &'static str {
        self.resource
    }

    /// The `kind` of its objects.
    pub(super) const fn object_kind(&self) -> &'static str {
        self.object_kind
    }

    /// The path of one object. It names no resource version: the answer is read from a quorum.
    pub(super) fn object(&self, namespace: &Namespace, name: &str) -> String {
        let Self { api, plural, .. } = self;
        format!("{api}/namespaces/{namespace}/{plural}/{name}")
    }
}

/// Whether a scope's list leaves out objects of its kind by their labels.
pub(super) fn selects(kind: ObjectKind, deployments: Selector) -> bool {
    match kind {
        ObjectKind::Deployment => deployments == Selector::Flink,
        ObjectKind::Pod => true,
        ObjectKind::FlinkDeployment | ObjectKind::FlinkSessionJob | ObjectKind::FlinkStateSnapshot => false,
    }
}

/// The path of a scope's list.
pub(super) fn path(scope: &Scope, deployments: Selector) -> Path {
    let Collection {
        api, plural, list_kind, ..
    } = Collection::of(scope.kind);
    let selector = match (scope.kind, deployments) {
        (ObjectKind::Deployment, Selector::All) => String::new(),
        (ObjectKind::Deployment, Selector::Flink) => format!("labelSelector={FLINK_TYPES}&"),
        (ObjectKind::Pod, _) => format!("labelSelector={FLINK_TYPES},component%3Djobmanager&"),
        // Their labels are their owners' business.
        (ObjectKind::FlinkDeployment | ObjectKind::FlinkSessionJob | ObjectKind::FlinkStateSnapshot, _) => {
            String::new()
        }
    };
    let namespace = scope
        .namespace
        .as_ref()
        .map_or_else(String::new, |namespace| format!("/namespaces/{namespace}"));
    Path::new(format!("{api}{namespace}/{plural}"), selector, list_kind)
}

/// The path of a list of a Deployment's JobManager pods: Flink labels them with the cluster's id, which is the Deployment's name.
pub(super) fn pods_of(namespace: &Namespace, deployment: &str) -> Path {
    Path::new(
        format!("/api/v1/namespaces/{namespace}/pods"),
        format!("labelSelector=app%3D{deployment},{FLINK_TYPES},component%3Djobmanager&"),
        "PodList",
    )
}

impl Path {
    /// A collection by its path without a query, a selector that ends with `&` or is empty, and the kind of its lists.
    pub(super) fn new(collection: String, selector: String, list_kind: &'static str) -> Self {
        Self {
            collection,
            selector,
            list_kind,
        }
    }

    fn page(&self, limit: u32, token: Option<&str>) -> String {
        let token = token.map_or_else(String::new, |token| format!("&continue={}", encoded(token)));
        format!("{}?{}limit={limit}{token}", self.collection, self.selector)
    }

    /// The path of the watch that goes on from a version.
    pub(super) fn watch(&self, version: &str) -> String {
        format!(
            "{}?{}watch=true&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion={}",
            self.collection,
            self.selector,
            encoded(version)
        )
    }

    fn malformed(&self, error: impl std::fmt::Display) -> Fault {
        Fault::new(
            FaultKind::Malformed,
            format!("{}: not what Kubernetes answers: {error}", self.collection),
        )
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A complete list.
#[derive(Debug)]
pub(super) struct List {
    pub(super) objects: Vec<Object>,
    pub(super) completeness: Completeness,
    pub(super) version: String,
}

/// How a collection is listed.
pub(super) struct Lister<'a> {
    pub(super) client: &'a kube::Client,
    pub(super) path: &'a Path,
    /// For each page.
    pub(super) deadline: Duration,
}

/// Lists a scope. `page` is how many objects a page holds; it shrinks when pages turn out too large. Fails if any page
/// does: half a list says nothing.
pub(super) async fn all(lister: Lister<'_>, kind: ObjectKind, page: &mut u32) -> Result<List, Fault> {
    let take = |(objects, completeness): &mut (Vec<Object>, Completeness), item: &str| {
        match decode::object(kind, item) {
            Ok(object) => objects.push(object),
            Err(error) => {
                tracing::warn!("a listed object has no readable name: {error}");
                *completeness = Completeness::Incomplete;
            }
        }
        Ok(())
    };
    let empty = || (Vec::new(), Completeness::Complete);
    let ((objects, completeness), version) = lister.read(page, empty, take).await?;
    Ok(List {
        objects,
        completeness,
        version,
    })
}

impl Lister<'_> {
    /// Reads all pages of a collection, each within the deadline, and hands each item to `take`. Answers what was
    /// gathered, and the resource version it is of. Any failed page fails the whole, unless a list begun anew or
    /// smaller pages can mend it.
    pub(super) async fn read<T>(
        &self,
        page: &mut u32,
        empty: impl Fn() -> T,
        take: impl Fn(&mut T, &str) -> Result<(), serde_json::Error>,
    ) -> Result<(T, String), Fault> {
        let mut restarts = 0;
        loop {
            let mut gathered = empty();
            let stopped = match self.attempt(*page, &mut gathered, &take).await {
                Ok(version) => return Ok((gathered, version)),
                Err(stopped) => stopped,
            };
            let kind = stopped.fault.kind;
            if stopped.is_endless {
                return Err(stopped.fault);
            } else if kind == FaultKind::Expired && stopped.pages > 0 && restarts < RESTARTS {
                // The snapshot behind the pages is gone: the list is begun again.
                restarts += 1;
            } else if kind == FaultKind::TooLarge && *page > SMALLEST_PAGE {
                *page = (*page / 4).max(SMALLEST_PAGE);
            } else {
                return Err(stopped.fault);
            }
        }
    }

    async fn attempt<T>(
        &self,
        limit: u32,
        gathered: &mut T,
        take: &impl Fn(&mut T, &str) -> Result<(), serde_json::Error>,
    ) -> Result<String, Stopped> {
        let Self { client, path, deadline } = self;
        let mut token: Option<String> = None;
        let mut going = Going::default();
        for pages in 0..MOST_PAGES {
            let stopped = |fault| Stopped {
                fault,
                pages,
                is_endless: false,
            };
            let url = path.page(limit, token.as_deref());
            let body = within(*deadline, &path.collection, async {
                success(&path.collection, fetch(client, &url, MAX_BODY).await?)
            })
            .await
            .map_err(stopped)?;
            let page = read_page(path, &body).map_err(stopped)?;
            let endless = |why| Stopped::endless(path, pages, why);
            going.note(page.items.len()).map_err(endless)?;
            for item in page.items {
                take(gathered, item.get()).map_err(|error| stopped(path.malformed(error)))?;
            }
            let next = page.metadata.token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(page.metadata.resource_version);
            }
            if next == token {
                return Err(endless("its `continue` leads to the same page again".to_owned()));
            }
            token = next;
        }
        Err(Stopped::endless(
            path,
            MOST_PAGES,
            format!("it has more than {MOST_PAGES} pages"),
        ))
    }
}

/// How far a list has gone.
#[derive(Debug, Default)]
struct Going {
    objects: usize,
    /// Pages without an object since the last one.
    empty: u32,
}

impl Going {
    /// Notes a page. Fails where no list goes.
    fn note(&mut self, objects: usize) -> Result<(), String> {
        self.objects += objects;
        self.empty = if objects == 0 { self.empty + 1 } else { 0 };
        if self.objects > MOST_OBJECTS {
            Err(format!("it has more than {MOST_OBJECTS} objects"))
        } else if self.empty > EMPTY_PAGES {
            Err(format!("{EMPTY_PAGES} pages in a row are empty, and lead to more"))
        } else {
            Ok(())
        }
    }
}

/// A list that ended with a fault, after that many pages.
struct Stopped {
    fault: Fault,
    pages: u32,
    /// Neither smaller pages nor another begin would bring it to its end.
    is_endless: bool,
}

impl Stopped {
    /// Of a list that does not end, or not before it is too long. What came of it is thrown away, and it is not asked for
    /// again at once: each try costs as much.
    fn endless(path: &Path, pages: u32, why: String) -> Self {
        let message = format!("{}: the list does not end: {why}", path.collection);
        Self {
            fault: Fault {
                retry_after: Some(ENDLESS_PAUSE),
                ..Fault::new(FaultKind::TooLarge, message)
            },
            pages,
            is_endless: true,
        }
    }
}

#[derive(Deserialize)]
struct Page<'a> {
    kind: String,
    metadata: PageMetadata,
    #[serde(borrow, deserialize_with = "items_or_null")]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    token: Option<String>,
}

/// Go writes an empty list as null at times. A list without the key at all is no list: it must not say "empty".
fn items_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<&'de RawValue>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn read_page<'a>(path: &Path, body: &'a [u8]) -> Result<Page<'a>, Fault> {
    let page: Page<'_> = json::from_slice(body).map_err(|error| path.malformed(error))?;
    if page.kind != path.list_kind {
        return Err(path.malformed(format!("a {}, not a {}", page.kind, path.list_kind)));
    }
    if page.metadata.resource_version.is_empty() {
        return Err(path.malformed("a list without a resource version"));
    }
    Ok(page)
}

/// The body of a 200, or the fault that the answer is.
pub(super) fn success(path: &str, answer: Answer) -> Result<bytes::Bytes, Fault> {
    if answer.status == 200 {
        return Ok(answer.body);
    }
    Err(Fault {
        retry_after: answer.retry_after,
        ..status_fault(path, answer.status, &answer.body)
    })
}

/// What a status that is no success means, with the API server's own message where there is one.
pub(super) fn status_fault(path: &str, status: u16, body: &[u8]) -> Fault {
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
    let said =
        json::from_slice::<Status>(body).map_or_else(|_| String::new(), |status| format!(": {}", status.message));
    Fault::new(kind, format!("{path}: HTTP {status}{said}"))
}
