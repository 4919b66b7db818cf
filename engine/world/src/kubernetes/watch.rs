//! WATCH: reads the store's log from a version on, as a stream of lines.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Shared;
use super::answers::status;
use super::scope::{Query, Scope};
use super::store::{Change, Ending, Entry};
use crate::reply::{self, Reply};
use crate::story::KubernetesFault;

/// How often a bookmark comes while nothing else does.
const BOOKMARK_PAUSE: Duration = Duration::from_secs(60);
/// How long a watch lasts that does not say.
const LONGEST: u64 = 1800;

/// An open watch.
struct Watch {
    shared: Arc<Shared>,
    scope: Scope,
    /// Lines that wait to be sent.
    ready: VecDeque<Bytes>,
    /// How far the log was read.
    read: usize,
    until: Instant,
    bookmarks: Bookmarks,
    ended: Progress,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bookmarks {
    Sent,
    NotAsked,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    Ended,
}

pub(super) fn open(shared: Arc<Shared>, scope: Scope, query: &Query, fault: KubernetesFault) -> Reply {
    let store = shared.store();
    let asked = query.get("resourceVersion");
    let is_initial = query.is_set("sendInitialEvents");
    let from: u64 = asked.parse().unwrap_or(0);
    if from > 0 && from < store.oldest && !is_initial {
        let expired = status(410, &format!("too old resource version: {asked} ({})", store.oldest));
        // Servers do both, a plain HTTP 410 and 200 with an ERROR event: here by turns.
        if store.expiries % 2 == 1 {
            return reply::json(410, &expired);
        }
        let line = line("ERROR", &expired);
        return Reply::Lines(stream::once(async { line }).boxed());
    }
    let mut watch = Watch {
        ready: VecDeque::new(),
        read: store.log.len(),
        until: Instant::now() + Duration::from_secs(query.number("timeoutSeconds").unwrap_or(LONGEST)),
        bookmarks: if query.is_set("allowWatchBookmarks") {
            Bookmarks::Sent
        } else {
            Bookmarks::NotAsked
        },
        ended: Progress::Open,
        shared: Arc::clone(&shared),
        scope,
    };
    if fault != KubernetesFault::WatchSilent {
        if from == 0 || is_initial {
            let held = store
                .objects
                .iter()
                .filter(|(key, object)| watch.scope.holds(key, object));
            watch.ready.extend(held.map(|(_, object)| line("ADDED", object)));
            if is_initial {
                let annotations = json!({ "k8s.io/initial-events-end": "true" });
                watch.ready.push_back(watch.bookmark(store.version, Some(annotations)));
            }
        } else {
            for entry in &store.log {
                if let Entry::Change(change) = entry
                    && change.version > from
                {
                    watch.send(change);
                }
            }
        }
    }
    if fault == KubernetesFault::WatchClose {
        watch.ended = Progress::Ended;
    }
    drop(store);
    Reply::Lines(stream::unfold(watch, next).boxed())
}

async fn next(mut watch: Watch) -> Option<(Bytes, Watch)> {
    let shared = Arc::clone(&watch.shared);
    loop {
        if let Some(line) = watch.ready.pop_front() {
            return Some((line, watch));
        }
        if watch.ended == Progress::Ended {
            return None;
        }
        if watch.read_log() {
            continue;
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(watch.until) => return None,
            _ = shared.grown.wait_for(|entries| entries != watch.read) => {}
            () = tokio::time::sleep(BOOKMARK_PAUSE) => watch.remind(),
        }
    }
}

impl Watch {
    /// Reads on in the log. Says whether there was anything to read.
    fn read_log(&mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        let store = shared.store();
        let new = store.log.get(self.read..).unwrap_or_default();
        self.read = store.log.len();
        for entry in new {
            match entry {
                Entry::Change(change) => {
                    if change.faults.of(Some(&self.scope)) != KubernetesFault::WatchSilent {
                        self.send(change);
                    }
                }
                Entry::Fault { faults, ending } => {
                    let concerned = !leaves_watches_open(faults.of(Some(&self.scope)));
                    match ending {
                        Ending::Expired if concerned => {
                            let expired = status(410, "The resourceVersion for the provided watch is too old.");
                            self.ready.push_back(line("ERROR", &expired));
                            self.ended = Progress::Ended;
                        }
                        Ending::Closed if concerned => self.ended = Progress::Ended,
                        Ending::None | Ending::Closed | Ending::Expired => {}
                    }
                }
            }
            if self.ended == Progress::Ended {
                return true;
            }
        }
        !new.is_empty()
    }

    fn send(&mut self, change: &Change) {
        let is_held = |object: &Arc<Value>| self.scope.holds(&change.key, object);
        let (was_held, is_held) = (change.before.as_ref().is_some_and(is_held), is_held(&change.object));
        match (change.what, &change.before) {
            ("MODIFIED", Some(before)) if was_held && !is_held => {
                // As it was when it was last held, with the version of its leaving.
                let mut left = Value::clone(before);
                left["metadata"]["resourceVersion"] = change.object["metadata"]["resourceVersion"].clone();
                self.ready.push_back(line("DELETED", &left));
            }
            ("MODIFIED", _) if is_held && !was_held => self.ready.push_back(line("ADDED", &change.object)),
            (what, _) if is_held => self.ready.push_back(line(what, &change.object)),
            _ => {}
        }
    }

    fn remind(&mut self) {
        let (version, fault) = {
            let store = self.shared.store();
            (store.version, store.faults.of(Some(&self.scope)))
        };
        if self.bookmarks == Bookmarks::Sent && fault != KubernetesFault::WatchSilent {
            self.ready.push_back(self.bookmark(version, None));
        }
    }

    fn bookmark(&self, version: u64, annotations: Option<Value>) -> Bytes {
        let kind = self.scope.kind;
        let mut metadata = json!({ "resourceVersion": version.to_string() });
        if let Some(annotations) = annotations {
            metadata["annotations"] = annotations;
        }
        line(
            "BOOKMARK",
            &json!({ "kind": kind.name(), "apiVersion": kind.group_version(), "metadata": metadata }),
        )
    }
}

fn leaves_watches_open(fault: KubernetesFault) -> bool {
    match fault {
        KubernetesFault::Ok
        | KubernetesFault::Slow(_)
        | KubernetesFault::WatchSilent
        | KubernetesFault::ListFails
        | KubernetesFault::Get(_)
        | KubernetesFault::BadObject
        | KubernetesFault::Operator(_) => true,
        KubernetesFault::Drop
        | KubernetesFault::Refuse
        | KubernetesFault::Status(..)
        | KubernetesFault::Wordy
        | KubernetesFault::Html
        | KubernetesFault::Garbage
        | KubernetesFault::Array
        | KubernetesFault::Expired
        | KubernetesFault::WatchClose => false,
    }
}

fn line(what: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({ "type": what, "object": object })))
}
