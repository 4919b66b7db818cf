//! GET: one object by its name.
//!
//! It names no resource version, so the API server reads it from a quorum of its store, and its answer is complete about that one
//! object, whatever its labels are. That there is none is believed in the API server's own words alone: a Status with the
//! reason NotFound that names the object, in its details or, where something left these out, in its message. Any other 404 may be
//! a proxy's, or about the whole kind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::Namespace;
use steadfast_core::kube_update::{Object, ObjectKind, ResourceVersion};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::decode;
use super::list::{Collection, success};
use crate::json;
use crate::transport::{Answer, MAX_BODY, fetch, within};

/// How many objects of a cluster are asked for at once.
const AT_ONCE: usize = 16;

/// An object's namespace and name.
pub(super) type Key = (Namespace, String);

/// An object that is there.
pub(super) struct Found {
    pub(super) object: Object,
    /// Its own version, if that can be compared: no later one was there when it was read.
    pub(super) version: Option<ResourceVersion>,
}

/// Since when objects of a kind may not be read in a namespace, and what was said of it.
type Refused = BTreeMap<(ObjectKind, Namespace), (Instant, Fault)>;

/// Asks a cluster for single objects, a few at once, each within the deadline. Clones share their limits.
#[derive(Clone)]
pub(super) struct Getter {
    client: kube::Client,
    deadline: Duration,
    /// For how long a refusal answers for its whole namespace.
    refusal_lasts: Duration,
    permits: Arc<Semaphore>,
    refused: Arc<Mutex<Refused>>,
}

impl Getter {
    pub(super) fn new(client: kube::Client, deadline: Duration, refusal_lasts: Duration) -> Self {
        Self {
            client,
            deadline,
            refusal_lasts,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            refused: Arc::default(),
        }
    }

    /// Asks for one object. `None`: the API server says itself that there is none of that name. Fails for any other answer
    /// but the object, with a fault that names verb and resource. Who may not read one object of a namespace may read none:
    /// such a fault answers for the others for a while.
    pub(super) async fn get(&self, kind: ObjectKind, key: &Key) -> Result<Option<Found>, Fault> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        if let Some(fault) = self.refusal(kind, &key.0) {
            return Err(fault);
        }
        let collection = Collection::of(kind);
        let path = collection.object(&key.0, &key.1);
        let answer = within(self.deadline, &path, fetch(&self.client, &path, MAX_BODY)).await;
        let read = answer.and_then(|answer| read(kind, key, &path, answer));
        read.map_err(|fault| {
            if fault.kind == FaultKind::Forbidden {
                self.note_refusal(kind, &key.0, &fault);
            }
            Fault {
                message: format!("get {}: {}", collection.resource(), fault.message).into(),
                ..fault
            }
        })
    }

    fn refusal(&self, kind: ObjectKind, namespace: &Namespace) -> Option<Fault> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, fault) = refused.get(&(kind, namespace.clone()))?;
        (since.elapsed() < self.refusal_lasts).then(|| fault.clone())
    }

    fn note_refusal(&self, kind: ObjectKind, namespace: &Namespace, fault: &Fault) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert((kind, namespace.clone()), (Instant::now(), fault.clone()));
    }
}

#[derive(Deserialize)]
struct Typed {
    kind: String,
    metadata: Option<Versioned>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    resource_version: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    kind: String,
    reason: String,
    #[serde(default)]
    message: String,
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: String,
}

fn read(kind: ObjectKind, key: &Key, path: &str, answer: Answer) -> Result<Option<Found>, Fault> {
    if answer.status == 404 && is_not_found(kind, key, &answer.body) {
        return Ok(None);
    }
    let body = success(path, answer)?;
    let malformed = |error: &str| {
        Fault::new(
            FaultKind::Malformed,
            format!("{path}: not what Kubernetes answers: {error}"),
        )
    };
    let text = std::str::from_utf8(&body).map_err(|error| malformed(&error.to_string()))?;
    let typed: Typed = json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
    let wanted = Collection::of(kind).object_kind();
    if typed.kind != wanted {
        return Err(malformed(&format!("a {}, not a {wanted}", typed.kind)));
    }
    let object = decode::object(kind, text).map_err(|error| malformed(&error))?;
    if object.namespaced_name() != (&key.0, key.1.as_str()) {
        return Err(malformed("an object of another name"));
    }
    let version = typed.metadata.and_then(|metadata| metadata.resource_version);
    Ok(Some(Found {
        object,
        version: version.and_then(|version| ResourceVersion::read(&version)),
    }))
}

/// Whether a 404 is the API server's word about that very object.
fn is_not_found(kind: ObjectKind, key: &Key, body: &[u8]) -> bool {
    json::from_slice::<Status>(body).is_ok_and(|status| {
        status.kind == "Status" && status.reason == "NotFound" && status.names(Collection::of(kind).plural(), &key.1)
    })
}

impl Status {
    /// Whether it is about that object.
    fn names(&self, plural: &str, name: &str) -> bool {
        match &self.details {
            Some(details) => details.name == name && details.kind == plural,
            // `deployments.apps "orders" not found`: k8s.io/apimachinery, `errors.NewNotFound`.
            None => self.message.split_once(' ').is_some_and(|(resource, rest)| {
                let resource = resource.split_once('.').map_or(resource, |(resource, _group)| resource);
                resource == plural && rest == format!("\"{name}\" not found")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says_gone(body: &str) -> bool {
        let key = (Namespace::new("default"), "orders".to_owned());
        is_not_found(ObjectKind::Deployment, &key, body.as_bytes())
    }

    #[test]
    fn only_a_status_that_names_the_object_says_that_there_is_none() {
        let status =
            |rest: &str| format!(r#"{{"kind":"Status","status":"Failure","reason":"NotFound","code":404{rest}}}"#);
        for rest in [
            r#","message":"deployments.apps \"orders\" not found","details":{"name":"orders","group":"apps","kind":"deployments"}"#,
            r#","message":"deployments.apps \"orders\" not found""#,
            r#","message":"deployments \"orders\" not found""#,
        ] {
            assert!(says_gone(&status(rest)), "{rest}");
        }
        for rest in [
            "",
            r#","message":"the server could not find the requested resource""#,
            r#","message":"the server could not find the requested resource","details":{}"#,
            r#","message":"deployments.apps \"other\" not found""#,
            r#","message":"pods \"orders\" not found""#,
            r#","message":"namespaces \"default\" not found","details":{"name":"default","kind":"namespaces"}"#,
            r#","message":"deployments.apps \"orders\" not found","details":{"name":"other","kind":"deployments"}"#,
        ] {
            assert!(!says_gone(&status(rest)), "{rest}");
        }
        assert!(!says_gone("404 page not found\n"));
    }
}
