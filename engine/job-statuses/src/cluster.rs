//! A cluster, as far as resources are kept there.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Deserializer};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::Namespace;
use steadfast_sources::kubernetes::{Refused, Writer};

use crate::resource::{GROUP, PLURAL, Spec, Status, VERSION};

/// How many resources a page holds.
const PAGE: usize = 500;
/// No list has more resources.
const MOST: usize = 100_000;
/// Nor more bytes.
const MOST_BYTES: usize = 512 << 20;

/// Where a resource is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// `metadata.namespace`.
    pub namespace: Namespace,
    /// `metadata.name`.
    pub name: String,
}

/// A resource that is there.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where.
    pub(crate) place: Place,
    /// `metadata.labels`.
    pub(crate) labels: BTreeMap<String, String>,
    /// `metadata.generation`.
    pub(crate) generation: i64,
    pub(crate) spec: Spec,
    pub(crate) status: Status,
}

/// A whole list.
pub type Listed = Vec<Found>;

/// What is asked of a cluster: by [`Writer`] in production, in memory in tests.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// All resources with that label, `KEY=VALUE`, in one namespace or in all. Fails unless every page came.
    async fn list(&self, namespace: Option<&Namespace>, label: &str) -> Result<Listed, Refused>;

    /// Applies labels and spec; makes the resource if there is none. Returns its generation.
    async fn apply(&self, place: &Place, object: Vec<u8>) -> Result<i64, Refused>;

    /// Applies the status of one that is there.
    async fn apply_status(&self, place: &Place, object: Vec<u8>) -> Result<(), Refused>;

    /// Deletes it.
    async fn delete(&self, place: &Place) -> Result<(), Refused>;
}

#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    /// Left out, it is no list: what somebody else answers in the API server's place must not be one that is empty.
    #[serde(deserialize_with = "items_or_null")]
    items: Vec<Item>,
}

/// Go writes an empty list as `null`, too.
fn items_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Item>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    /// Somebody else may have written anything there: it is written anew.
    #[serde(default)]
    spec: serde_json::Value,
    #[serde(default)]
    status: serde_json::Value,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    generation: i64,
}

impl Item {
    fn has(&self, label: &str) -> bool {
        let is_it = |(key, value): (&str, &str)| self.metadata.labels.get(key).is_some_and(|is| is == value);
        label.split_once('=').is_some_and(is_it)
    }

    /// Whether its name and namespace are such as Kubernetes gives: what is not would lead elsewhere in a path.
    fn can_be_named(&self) -> bool {
        [&self.metadata.namespace, &self.metadata.name].into_iter().all(|name| {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
            name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.bytes().all(is_plain)
        })
    }
}

impl From<Item> for Found {
    fn from(item: Item) -> Self {
        let Item { metadata, spec, status } = item;
        Self {
            place: Place {
                namespace: Namespace::new(metadata.namespace),
                name: metadata.name,
            },
            labels: metadata.labels,
            generation: metadata.generation,
            spec: serde_json::from_value(spec).unwrap_or_default(),
            status: serde_json::from_value(status).unwrap_or_default(),
        }
    }
}

#[async_trait]
impl Cluster for Writer {
    async fn list(&self, namespace: Option<&Namespace>, label: &str) -> Result<Listed, Refused> {
        let (mut all, mut next) = (Vec::new(), String::new());
        let (mut items, mut bytes) = (0_usize, 0_usize);
        let path = collection(namespace);
        loop {
            let body = self.read(&format!("{path}?{}", query(label, &next))).await?;
            let page: Page = parsed(&path, &body)?;
            (items, bytes) = (items + page.items.len().max(1), bytes + body.len());
            // Whoever answers may leave out the selection.
            let ours = page
                .items
                .into_iter()
                .filter(|item| item.can_be_named() && item.has(label));
            all.extend(ours.map(Found::from));
            let before = std::mem::replace(&mut next, page.metadata.next);
            if next.is_empty() {
                return Ok(all);
            }
            if next == before || items > MOST || bytes > MOST_BYTES {
                return Err(malformed(&path, &"the list does not end"));
            }
        }
    }

    async fn apply(&self, place: &Place, object: Vec<u8>) -> Result<i64, Refused> {
        let path = path(place);
        let body = self.apply(&path, object).await?;
        let item: Item = parsed(&path, &body)?;
        Ok(item.metadata.generation)
    }

    async fn apply_status(&self, place: &Place, object: Vec<u8>) -> Result<(), Refused> {
        self.apply(&format!("{}/status", path(place)), object).await.map(drop)
    }

    async fn delete(&self, place: &Place) -> Result<(), Refused> {
        self.delete(&path(place)).await
    }
}

/// Whether the cluster has the kind. Fails for any answer that says neither.
pub async fn is_installed(cluster: &Writer, namespace: Option<&Namespace>) -> Result<bool, Refused> {
    match cluster.read(&format!("{}?limit=1", collection(namespace))).await {
        Ok(_) => Ok(true),
        Err(refused) if refused.status == Some(404) => Ok(false),
        Err(refused) => Err(refused),
    }
}

fn collection(namespace: Option<&Namespace>) -> String {
    match namespace {
        Some(namespace) => format!("/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"),
        None => format!("/apis/{GROUP}/{VERSION}/{PLURAL}"),
    }
}

fn query(label: &str, next: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("labelSelector", label);
    query.append_pair("limit", &PAGE.to_string());
    if !next.is_empty() {
        query.append_pair("continue", next);
    }
    query.finish()
}

fn path(place: &Place) -> String {
    let Place { namespace, name } = place;
    format!("/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}")
}

fn parsed<'a, T: Deserialize<'a>>(path: &str, body: &'a [u8]) -> Result<T, Refused> {
    steadfast_http::json::from_slice(body).map_err(|error| malformed(path, &error))
}

fn malformed(path: &str, error: &dyn std::fmt::Display) -> Refused {
    Refused {
        status: None,
        about: String::new(),
        reason: String::new(),
        fault: Fault::new(
            FaultKind::Malformed,
            format!("{path}: not what Kubernetes answers: {error}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use http::{Request, Response};
    use http_body_util::BodyExt as _;
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    type Asked = Arc<Mutex<Vec<(String, String, Value)>>>;

    /// An API server that answers with what is made of a path, and notes what it was asked.
    fn server(answer: impl Fn(&str) -> (u16, Value) + Clone + Send + 'static) -> (Writer, Asked) {
        let asked = Asked::default();
        let noted = Arc::clone(&asked);
        let service = tower::service_fn(move |request: Request<Body>| {
            let (answer, noted) = (answer.clone(), Arc::clone(&noted));
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let format = head.headers.get(http::header::CONTENT_TYPE);
                let format = format.map_or("", |format| format.to_str().unwrap());
                let line = format!("{} {}", head.method, head.uri);
                noted.lock().unwrap().push((
                    line.clone(),
                    format.to_owned(),
                    serde_json::from_slice(&body).unwrap_or_default(),
                ));
                let (status, body) = answer(&line);
                let body = Body::from(body.to_string().into_bytes());
                Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
            }
        });
        let client = kube::Client::new(service, "default");
        (Writer::new(client, Duration::from_secs(3)), asked)
    }

    fn place() -> Place {
        Place {
            namespace: Namespace::new("prod"),
            name: "orders".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_list_is_all_its_pages() {
        let item = |name: &str| {
            let labels = json!({"l": "v"});
            json!({"metadata": {"namespace": "prod", "name": name, "generation": 2, "labels": labels}, "spec": 7})
        };
        let (writer, asked) = server(move |line| {
            let (next, name) = if line.contains("continue=more") {
                ("", "b")
            } else {
                ("more", "a")
            };
            (200, json!({"metadata": {"continue": next}, "items": [item(name)]}))
        });
        let listed = Cluster::list(&writer, Some(&Namespace::new("prod")), "l=v")
            .await
            .unwrap();
        let names: Vec<&str> = listed.iter().map(|found| found.place.name.as_str()).collect();
        assert_eq!((names, listed[0].generation), (vec!["a", "b"], 2));
        let first = "GET /apis/steadfast.dev/v1alpha1/namespaces/prod/jobstatuses?labelSelector=l%3Dv&limit=500";
        assert_eq!(asked.lock().unwrap()[0].0, first);
    }

    #[tokio::test]
    async fn a_list_of_which_a_page_fails_is_none() {
        let (writer, _) = server(|line| {
            if line.contains("continue") {
                (410, json!({}))
            } else {
                (200, json!({"metadata": {"continue": "more"}, "items": []}))
            }
        });
        assert_eq!(Cluster::list(&writer, None, "l=v").await.unwrap_err().status, Some(410));
        for none in [
            json!(["no", "list"]),
            json!({"metadata": {}}),
            json!({"metadata": {}, "items": {}}),
        ] {
            let (writer, _) = server(move |_| (200, none.clone()));
            assert!(Cluster::list(&writer, None, "l=v").await.is_err());
        }
        let (writer, _) = server(|_| (200, json!({"metadata": {}, "items": null})));
        assert!(Cluster::list(&writer, None, "l=v").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_list_that_does_not_end_is_none() {
        let item = json!({"metadata": {"namespace": "prod", "name": "a", "labels": {"l": "v"}}});
        for next in ["same", "other"] {
            let pages = std::sync::atomic::AtomicUsize::new(0);
            let (pages, item) = (Arc::new(pages), item.clone());
            let (writer, _) = server(move |_| {
                let page = pages.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let next = if next == "same" {
                    "same".to_owned()
                } else {
                    page.to_string()
                };
                (
                    200,
                    json!({"metadata": {"continue": next}, "items": vec![&item; 20_000]}),
                )
            });
            let refused = Cluster::list(&writer, None, "l=v").await.unwrap_err();
            assert!(refused.to_string().contains("does not end"), "{refused}");
        }
    }

    #[tokio::test]
    async fn what_is_not_ours_or_cannot_be_named_is_passed_over() {
        let item = |namespace: &str, name: &str, label: &str| json!({"metadata": {"namespace": namespace, "name": name, "labels": {"l": label}}});
        let items = [
            item("prod", "a.b-c.id", "v"),
            item("prod", "foreign", "w"),
            item("prod", "", "v"),
            item("", "a", "v"),
            item("prod", "../../pods/x", "v"),
            item("prod", "..", "v"),
            item("prod", "a?x", "v"),
            item("pro/d", "a", "v"),
            json!({"metadata": {"namespace": "prod", "name": "bare"}}),
        ];
        let (writer, _) = server(move |_| (200, json!({"metadata": {}, "items": items})));
        let listed = Cluster::list(&writer, None, "l=v").await.unwrap();
        let names: Vec<&str> = listed.iter().map(|found| found.place.name.as_str()).collect();
        assert_eq!(names, ["a.b-c.id"]);
    }

    #[tokio::test]
    async fn what_is_written_is_applied_by_our_field_manager() {
        let (writer, asked) = server(|_| (200, json!({"metadata": {"generation": 4}})));
        let object = || br#"{"a":1}"#.to_vec();
        assert_eq!(Cluster::apply(&writer, &place(), object()).await.unwrap(), 4);
        Cluster::apply_status(&writer, &place(), object()).await.unwrap();
        Cluster::delete(&writer, &place()).await.unwrap();
        let path = "/apis/steadfast.dev/v1alpha1/namespaces/prod/jobstatuses/orders";
        let apply = |path: &str| {
            let line = format!("PATCH {path}?fieldManager=steadfast&force=true");
            (line, "application/apply-patch+yaml".to_owned(), json!({"a": 1}))
        };
        let asked = asked.lock().unwrap();
        assert_eq!(asked[..2], [apply(path), apply(&format!("{path}/status"))]);
        assert_eq!(asked[2].0, format!("DELETE {path}"));
    }

    #[tokio::test]
    async fn only_a_404_says_that_the_kind_is_not_there() {
        for (status, said) in [(200, Some(true)), (404, Some(false)), (403, None), (503, None)] {
            let (writer, _) = server(move |_| (status, json!({})));
            assert_eq!(is_installed(&writer, None).await.ok(), said, "{status}");
        }
    }
}
