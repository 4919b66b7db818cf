//! GET: one object by its name.
//!
//! It names no resource version, so the API server reads it from a quorum of its store, and its answer is complete about that one
//! object, whatever its labels are. That there is none is believed in the API server's own words alone: a Status with the
//! reason NotFound that names the object. Any other 404 may be a proxy's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::Namespace;
use steadfast_core::kube_update::{Object, ObjectKind};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::decode;
use super::list::{Collection, success};
use crate::transport::{Answer, MAX_BODY, fetch, within};

/// How many objects of a cluster are asked for at once.
const AT_ONCE: usize = 16;

/// An object's namespace and name.
pub(super) type Key = (Namespace, String);

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
    pub(super) async fn get(&self, kind: ObjectKind, key: &Key) -> Result<Option<Object>, Fault> {
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
                message: format!("get {}: {}", collection.resource(), fault.message),
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
}

#[derive(Deserialize)]
struct Status {
    kind: String,
    reason: String,
    details: Details,
}

#[derive(Deserialize)]
struct Details {
    name: String,
    kind: String,
}

fn read(kind: ObjectKind, key: &Key, path: &str, answer: Answer) -> Result<Option<Object>, Fault> {
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
    let typed: Typed = serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
    let wanted = Collection::of(kind).object_kind();
    if typed.kind != wanted {
        return Err(malformed(&format!("a {}, not a {wanted}", typed.kind)));
    }
    let object = decode::object(kind, text).map_err(|error| malformed(&error))?;
    if object.namespaced_name() != (&key.0, key.1.as_str()) {
        return Err(malformed("an object of another name"));
    }
    Ok(Some(object))
}

/// Whether a 404 is the API server's word about that very object.
fn is_not_found(kind: ObjectKind, key: &Key, body: &[u8]) -> bool {
    serde_json::from_slice::<Status>(body).is_ok_and(|status| {
        status.kind == "Status"
            && status.reason == "NotFound"
            && status.details.name == key.1
            && status.details.kind == Collection::of(kind).plural()
    })
}
