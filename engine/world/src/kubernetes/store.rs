//! What the API server holds: objects, and the log of all that happened to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use steadfast_core::time::Clock;

use super::answers::status;
use super::scope::{Query, Scope};
use crate::clock::{WorldClock, whole_seconds};
use crate::identity::uid;
use crate::objects::{Key, Kind, Objects};
use crate::reply::{self, Reply};
use crate::story::KubernetesFault;

/// What is wrong, for all and for single namespaces.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    wide: KubernetesFault,
    narrow: BTreeMap<String, KubernetesFault>,
}

impl Faults {
    /// What is wrong for a request: one over all namespaces suffers from each one's faults.
    pub(super) fn of(&self, scope: Option<&Scope>) -> KubernetesFault {
        if self.wide != KubernetesFault::Ok {
            return self.wide;
        }
        let narrow = match scope.map(|scope| scope.namespace.as_ref()) {
            None => None,
            Some(Some(namespace)) => self.narrow.get(namespace),
            Some(None) => self.narrow.values().find(|fault| **fault != KubernetesFault::Ok),
        };
        narrow.copied().unwrap_or_default()
    }
}

/// Something that happened, for watches.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// Something happened to an object.
    Change(Change),
    /// Something happened to the server itself.
    Fault { faults: Arc<Faults>, ending: Ending },
}

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) what: &'static str,
    pub(super) key: Key,
    pub(super) object: Arc<Value>,
    /// The object as it was: a watch that selects by labels tells one that comes or goes.
    pub(super) before: Option<Arc<Value>>,
    /// What was wrong then: a silent watch never sends it.
    pub(super) faults: Arc<Faults>,
}

/// How a fault ends a watch that it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Not at all.
    None,
    /// It is closed.
    Closed,
    /// An ERROR event says that its version is too old, then it is closed.
    Expired,
}

/// Objects, their versions and their history.
pub(super) struct Store {
    pub(super) objects: BTreeMap<Key, Arc<Value>>,
    pub(super) log: Vec<Entry>,
    pub(super) version: u64,
    /// Versions below it are too old to watch from.
    pub(super) oldest: u64,
    /// How often all versions became too old.
    pub(super) expiries: u64,
    pub(super) faults: Arc<Faults>,
    namespaces: BTreeMap<Key, Value>,
    logs: BTreeMap<(String, String), String>,
}

impl Store {
    pub(super) fn new(clock: WorldClock, namespaces: &[String]) -> Self {
        let namespace = |name: &String| {
            let object = json!({
                "kind": "Namespace", "apiVersion": "v1", "status": { "phase": "Active" },
                "metadata": { "name": name, "uid": uid(&[name]), "creationTimestamp": whole_seconds(clock.now()), "labels": {} },
            });
            (
                Key {
                    kind: Kind::Namespace,
                    namespace: String::new(),
                    name: name.clone(),
                },
                object,
            )
        };
        let mut store = Self {
            objects: BTreeMap::new(),
            log: Vec::new(),
            version: 1000,
            oldest: 0,
            expiries: 0,
            faults: Arc::default(),
            namespaces: namespaces.iter().map(namespace).collect(),
            logs: BTreeMap::new(),
        };
        store.hold(Objects::default());
        store
    }

    pub(super) fn hold(&mut self, objects: Objects) {
        self.logs = objects.logs;
        let mut wanted = objects.objects;
        wanted.extend(self.namespaces.clone());
        let gone: Vec<Key> = self
            .objects
            .keys()
            .filter(|key| !wanted.contains_key(key))
            .cloned()
            .collect();
        for (key, object) in wanted {
            match self.objects.get(&key).map(Arc::clone) {
                None => self.record("ADDED", key, object),
                Some(old) if is_same(&old, &object) => {}
                Some(old) if old["metadata"]["uid"] == object["metadata"]["uid"] => {
                    self.record("MODIFIED", key, object)
                }
                Some(old) => {
                    self.record("DELETED", key.clone(), Value::clone(&old));
                    self.record("ADDED", key, object);
                }
            }
        }
        for key in gone {
            if let Some(old) = self.objects.get(&key).map(|old| Value::clone(old)) {
                self.record("DELETED", key, old);
            }
        }
    }

    fn record(&mut self, what: &'static str, key: Key, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        let before = if what == "DELETED" {
            self.objects.remove(&key)
        } else {
            self.objects.insert(key.clone(), Arc::clone(&object))
        };
        let faults = Arc::clone(&self.faults);
        self.log.push(Entry::Change(Change {
            version: self.version,
            what,
            key,
            object,
            before,
            faults,
        }));
    }

    pub(super) fn set_fault(&mut self, fault: KubernetesFault, namespace: Option<&str>) {
        let mut faults = Faults::clone(&self.faults);
        match namespace {
            Some(namespace) => drop(faults.narrow.insert(namespace.to_owned(), fault)),
            None => faults.wide = fault,
        }
        self.faults = Arc::new(faults);
        let ending = match fault {
            KubernetesFault::Expired => {
                self.version += 1000;
                self.oldest = self.version;
                self.expiries += 1;
                // Servers do both: here by turns.
                if self.expiries.is_multiple_of(2) {
                    Ending::Expired
                } else {
                    Ending::Closed
                }
            }
            KubernetesFault::Slow(_) | KubernetesFault::Get(_) | KubernetesFault::Operator(_) => Ending::None,
            KubernetesFault::Ok
            | KubernetesFault::Drop
            | KubernetesFault::Refuse
            | KubernetesFault::Status(..)
            | KubernetesFault::Wordy
            | KubernetesFault::Html
            | KubernetesFault::Garbage
            | KubernetesFault::Array
            | KubernetesFault::WatchSilent
            | KubernetesFault::WatchClose
            | KubernetesFault::ListFails
            | KubernetesFault::BadObject => Ending::Closed,
        };
        self.log.push(Entry::Fault {
            faults: Arc::clone(&self.faults),
            ending,
        });
    }

    pub(super) fn get(&self, scope: &Scope) -> Reply {
        let name = scope.name.clone().unwrap_or_default();
        let key = Key {
            kind: scope.kind,
            namespace: scope.namespace.clone().unwrap_or_default(),
            name,
        };
        match self.objects.get(&key) {
            Some(found) => reply::json(200, found),
            None => {
                let plural = scope.kind.plural();
                let mut body = status(404, &format!("{plural} \"{}\" not found", key.name));
                body["details"] = json!({ "name": key.name, "kind": plural });
                reply::json(404, &body)
            }
        }
    }

    pub(super) fn list(&self, scope: &Scope, query: &Query, fault: KubernetesFault) -> Reply {
        let (mut version, mut start) = (self.version, 0);
        if let Some((at, from)) = query.get("continue").split_once('-') {
            version = at.parse().unwrap_or(0);
            start = from.parse().unwrap_or(0);
            if version < self.oldest {
                return reply::json(410, &status(410, "The provided continue parameter is too old"));
            }
        }
        let foreign =
            (fault == KubernetesFault::BadObject && scope.kind == Kind::Pod).then(|| Arc::new(undecodable(scope)));
        let held = self.objects.iter().filter(|(key, object)| scope.holds(key, object));
        let items: Vec<Arc<Value>> = foreign
            .into_iter()
            .chain(held.map(|(_, object)| Arc::clone(object)))
            .collect();
        let limit = query
            .number("limit")
            .filter(|limit| *limit > 0)
            .unwrap_or(items.len().max(1));
        let page: Vec<Value> = items
            .iter()
            .skip(start)
            .take(limit)
            .map(|item| listed(scope.kind, item))
            .collect();
        let mut metadata = json!({ "resourceVersion": version.to_string() });
        let left = items.len().saturating_sub(start + limit);
        if left > 0 {
            metadata["continue"] = json!(format!("{version}-{}", start + limit));
            metadata["remainingItemCount"] = json!(left);
        }
        let kind = format!("{}List", scope.kind.name());
        reply::json(
            200,
            &json!({ "kind": kind, "apiVersion": scope.kind.group_version(), "metadata": metadata, "items": page }),
        )
    }

    pub(super) fn log(&self, namespace: &str, name: &str, query: &Query) -> Reply {
        let Some(log) = self.logs.get(&(namespace.to_owned(), name.to_owned())) else {
            return reply::json(404, &status(404, &format!("pods \"{name}\" not found")));
        };
        if query.is_set("previous") {
            let message = format!("previous terminated container \"main\" in pod \"{name}\" not found");
            return reply::json(400, &status(400, &message));
        }
        let lines: Vec<&str> = log.split_inclusive('\n').collect();
        let asked = query.number("tailLines").unwrap_or(lines.len());
        let tail: String = lines.iter().skip(lines.len().saturating_sub(asked)).copied().collect();
        reply::text(200, "text/plain", tail)
    }
}

fn is_same(held: &Value, wanted: &Value) -> bool {
    let mut wanted = wanted.clone();
    wanted["metadata"]["resourceVersion"] = held["metadata"]["resourceVersion"].clone();
    *held == wanted
}

fn listed(kind: Kind, item: &Arc<Value>) -> Value {
    let mut item = Value::clone(item);
    if let (true, Some(fields)) = (kind.is_builtin(), item.as_object_mut()) {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    item
}

/// A pod of somebody else's, in a shape that no client knows.
fn undecodable(scope: &Scope) -> Value {
    json!({
        "metadata": {
            "name": "foreign-0", "namespace": scope.namespace.as_deref().unwrap_or("default"), "uid": uid(&["foreign"]),
            "labels": { "app": "foreign", "type": "flink-native-kubernetes", "component": "jobmanager" },
        },
        "spec": { "containers": "none of your business" }, "status": 7,
    })
}
