//! What a list or a watch that selects by labels no longer shows is asked for by name.
//!
//! Such a list is complete about labels, not about objects: it says nothing of a UID whose label was taken away. The watch says
//! DELETED of it, with the object as it was when it was last selected, and nobody could tell that from a real deletion. So
//! before such an object counts as gone, one GET by its name answers:
//!
//! - there is none of that name, or one with another UID: it is gone, and what the watch said holds;
//! - the same UID is there: it merely left the selection. It stays known with what the GET said, and since no watch tells of it
//!   any more, it is asked for anew with each list;
//! - anything else: whether it is there is unknown, and neither DELETED nor the list proves anything about it. It is asked for
//!   again after a pause that grows, and with each list.
//!
//! An ordinary deletion of a pod costs no GET: its `deletionTimestamp` was set before it went, or it had ended.
//!
//! What has to be asked after is held here by name and UID. After a restart the first list would be all that was ever seen, so
//! the engine names the Deployments that its records count on ([`super::KnownDeployment`]).

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{AbortHandle, Abortable, Aborted, BoxFuture};
use futures::stream::FuturesUnordered;
use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::Uid;
use steadfast_core::kube_update::{KubeChange, Object, ObjectKind};
use steadfast_core::time::{Clock, Timestamp};

use super::by_name::{Found, Getter, Key};
use super::update_sender::Learned;

/// The objects that a selecting scope has shown, and what became of those that it no longer shows.
pub(super) struct Selection {
    kind: ObjectKind,
    asker: Asker,
    backoff: Backoff,
    rng: StdRng,
    /// What is selected and would have to be asked after, with its UID if that could be read.
    shown: BTreeMap<Key, Option<Uid>>,
    /// What was selected, and is not any more.
    departed: BTreeMap<Key, Departed>,
    /// The departed for whose answers a list waits.
    awaited: BTreeSet<Key>,
    asking: FuturesUnordered<Abortable<BoxFuture<'static, Word>>>,
}

/// By what objects are asked for.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) getter: Getter,
    /// Which dates the questions.
    pub(super) clock: Arc<dyn Clock>,
}

/// What came of one GET.
struct Word {
    key: Key,
    asked_at: Timestamp,
    said: Result<Option<Found>, Fault>,
}

/// An object that the selection no longer shows.
struct Departed {
    uid: Option<Uid>,
    /// What the watch said was deleted, until it is known what that meant.
    deleted: Option<Object>,
    standing: Standing,
    /// How many GETs in a row gave no answer.
    failures: u32,
    question: Option<Question>,
}

/// How it stands with an object that the selection no longer shows.
enum Standing {
    Asked(AskedBy),
    There(Box<Object>),
    Unanswered(Fault),
    /// Known to a list that waited, which is to say it.
    Gone,
}

/// Who waits for the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AskedBy {
    /// The board: it is told at once.
    Board,
    /// A list that is about to be told.
    List,
}

/// A GET under way. It ends with this value.
struct Question(AbortHandle);

impl Drop for Question {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Selection {
    /// A selection of which only `known` was seen.
    pub(super) fn new(
        kind: ObjectKind,
        asker: Asker,
        backoff: Backoff,
        rng: StdRng,
        known: impl Iterator<Item = (Key, Option<Uid>)>,
    ) -> Self {
        Self {
            kind,
            asker,
            backoff,
            rng,
            shown: known.collect(),
            departed: BTreeMap::new(),
            awaited: BTreeSet::new(),
            asking: FuturesUnordered::new(),
        }
    }

    /// A list or the watch shows an object. Returns the one that thereby is known to have been deleted: the watch said so, and
    /// its name is another's now.
    pub(super) fn shows(&mut self, object: &Object) -> Option<Object> {
        let key = key(object);
        let uid = uid(object).cloned();
        let before = self.departed.remove(&key);
        self.awaited.remove(&key);
        if has_to_be_asked_after(object) {
            self.shown.insert(key, uid.clone());
        } else {
            self.shown.remove(&key);
        }
        before?
            .deleted
            .filter(|deleted| self::uid(deleted).zip(uid.as_ref()).is_some_and(|(was, is)| was != is))
    }

    /// The watch says DELETED. Returns the object if that needs no question; else it is asked for.
    pub(super) fn lost(&mut self, object: Object) -> Option<Object> {
        let key = key(&object);
        let before = self.shown.remove(&key).flatten();
        if !has_to_be_asked_after(&object) {
            self.departed.remove(&key);
            self.awaited.remove(&key);
            return Some(object);
        }
        let question = self.ask(&key, Duration::ZERO);
        let departed = Departed {
            uid: uid(&object).cloned().or(before),
            deleted: Some(object),
            standing: Standing::Asked(AskedBy::Board),
            failures: 0,
            question: Some(question),
        };
        self.awaited.remove(&key);
        self.departed.insert(key, departed);
        None
    }

    /// Takes in the next answer, and returns what the board is to be told of it. Without an open question, waits for ever.
    /// Dropped before it is done, it loses nothing.
    pub(super) async fn answered(&mut self) -> Option<Learned> {
        match self.asking.next().await {
            Some(Ok(word)) => self.take(word),
            // A question that nobody has any more.
            Some(Err(Aborted)) => None,
            None => pending().await,
        }
    }

    fn take(&mut self, Word { key, asked_at, said }: Word) -> Option<Learned> {
        let departed = self.departed.get_mut(&key)?;
        departed.question = None;
        let asked_by = match departed.standing {
            Standing::Asked(by) => by,
            Standing::There(_) | Standing::Unanswered(_) | Standing::Gone => AskedBy::Board,
        };
        self.awaited.remove(&key);
        let by_name = |object, version| Learned {
            change: KubeChange::Applied(object),
            asked_at: Some(asked_at),
            version,
        };
        match said {
            Ok(found) => match found.filter(|found| departed.is_the_same(&found.object)) {
                Some(Found { object, version }) => {
                    (departed.failures, departed.deleted) = (0, None);
                    departed.standing = Standing::There(Box::new(object.clone()));
                    // Told at once, for whom a list waits too: it is of a later version than that list.
                    Some(by_name(object, version))
                }
                None if asked_by == AskedBy::List => {
                    departed.standing = Standing::Gone;
                    None
                }
                None => self.departed.remove(&key)?.deleted.map(|deleted| Learned {
                    change: KubeChange::Deleted(deleted),
                    asked_at: None,
                    version: None,
                }),
            },
            Err(fault) => {
                tracing::debug!("not answered: {fault}");
                departed.failures = departed.failures.saturating_add(1);
                departed.standing = Standing::Unanswered(fault.clone());
                if asked_by == AskedBy::List {
                    return None;
                }
                self.ask_again(&key);
                Some(by_name(unanswered(&key, fault), None))
            }
        }
    }

    /// Asks for everything that a list lacks: what was selected before, and what had left the selection already.
    pub(super) fn ask_for_missing(&mut self, listed: &[Object]) {
        let listed: BTreeSet<Key> = listed.iter().map(key).collect();
        let gone_from_view = self.shown.extract_if(.., |key, _| !listed.contains(key));
        let newly: Vec<(Key, Departed)> = gone_from_view.map(|(key, uid)| (key, Departed::of(uid))).collect();
        self.departed.extend(newly);
        let missing: Vec<Key> = self
            .departed
            .keys()
            .filter(|key| !listed.contains(*key))
            .cloned()
            .collect();
        for key in missing {
            let question = self.ask(&key, Duration::ZERO);
            if let Some(departed) = self.departed.get_mut(&key) {
                departed.standing = Standing::Asked(AskedBy::List);
                departed.question = Some(question);
            }
            self.awaited.insert(key);
        }
    }

    /// Whether a list still waits for answers.
    pub(super) fn is_awaited(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Adds to a list what is there without being selected, and what is not known to be gone. Returns the objects whose
    /// deletion, which the watch had told, is known now.
    pub(super) fn complete(&mut self, listed: &mut Vec<Object>) -> Vec<Object> {
        let mut deleted: Vec<Object> = listed.iter().filter_map(|object| self.shows(object)).collect();
        self.awaited.clear();
        let gone = self
            .departed
            .extract_if(.., |_, departed| matches!(departed.standing, Standing::Gone));
        deleted.extend(gone.filter_map(|(_, departed)| departed.deleted));
        let mut silent = Vec::new();
        for (key, departed) in &mut self.departed {
            listed.push(match &departed.standing {
                Standing::There(object) => Object::clone(object),
                Standing::Unanswered(fault) => {
                    silent.push(key.clone());
                    unanswered(key, fault.clone())
                }
                Standing::Asked(by) => match (&departed.deleted, by) {
                    // Told by the watch this moment; the list is older, and had it.
                    (Some(object), AskedBy::Board) => object.clone(),
                    (Some(_) | None, _) => {
                        departed.standing = Standing::Asked(AskedBy::Board);
                        let late = format!("get {}/{}: not answered yet", key.0, key.1);
                        unanswered(key, Fault::new(FaultKind::Timeout, late))
                    }
                },
                Standing::Gone => continue,
            });
        }
        silent.iter().for_each(|key| self.ask_again(key));
        deleted
    }

    fn ask_again(&mut self, key: &Key) {
        let Some(departed) = self.departed.get(key) else { return };
        let retry_after = match &departed.standing {
            Standing::Unanswered(fault) => fault.retry_after,
            Standing::Asked(_) | Standing::There(_) | Standing::Gone => None,
        };
        let pause = self.backoff.delay(departed.failures, retry_after, &mut self.rng);
        let question = self.ask(key, pause);
        if let Some(departed) = self.departed.get_mut(key) {
            departed.question = Some(question);
        }
    }

    fn ask(&self, key: &Key, pause: Duration) -> Question {
        let (handle, registration) = AbortHandle::new_pair();
        let (asker, kind, key) = (self.asker.clone(), self.kind, key.clone());
        let word: BoxFuture<'static, Word> = Box::pin(async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let asked_at = asker.clock.now();
            let said = asker.getter.get(kind, &key).await;
            Word { key, asked_at, said }
        });
        self.asking.push(Abortable::new(word, registration));
        Question(handle)
    }
}

impl Departed {
    fn of(uid: Option<Uid>) -> Self {
        Self {
            uid,
            deleted: None,
            standing: Standing::Asked(AskedBy::List),
            failures: 0,
            question: None,
        }
    }

    /// Whether what was found under its name is it. Where a UID cannot be read, nothing says that it is another.
    fn is_the_same(&self, found: &Object) -> bool {
        self.uid.as_ref().zip(uid(found)).is_none_or(|(was, is)| was == is)
    }
}

/// Whether the absence of an object has to be asked about: what was being deleted, or had ended, goes of itself.
fn has_to_be_asked_after(object: &Object) -> bool {
    match object {
        Object::Pod(pod) => pod.deleting_since.is_none() && !pod.has_ended(),
        // A Deployment's deletion may wait on finalizers for as long as it likes, and its label may go meanwhile.
        Object::Deployment(_)
        | Object::FlinkResource(_)
        | Object::StateSnapshot(_)
        | Object::Undecodable { .. }
        | Object::Unanswered { .. } => true,
    }
}

fn unanswered((namespace, name): &Key, fault: Fault) -> Object {
    Object::Unanswered {
        namespace: namespace.clone(),
        name: name.clone(),
        fault,
    }
}

pub(super) fn key(object: &Object) -> Key {
    let (namespace, name) = object.namespaced_name();
    (namespace.clone(), name.to_owned())
}

pub(super) fn uid(object: &Object) -> Option<&Uid> {
    match object {
        Object::Deployment(deployment) => Some(&deployment.uid),
        Object::Pod(pod) => Some(&pod.uid),
        Object::FlinkResource(resource) => Some(&resource.uid),
        Object::StateSnapshot(snapshot) => Some(&snapshot.uid),
        Object::Undecodable { .. } | Object::Unanswered { .. } => None,
    }
}
