//! The watch session of a scope: one watch that is read on while lists come and go.
//!
//! Two requests are about the same objects, and both are needed. The watch is prompt and sees deletions happen, but it
//! may fall silent without an error (a lost network path does that), and then it proves nothing. The list is slow, but
//! what a complete list lacks is not there. A scope is therefore watched all the time and listed from time to time, and
//! each of the two must not undo what the other knows better.
//!
//! While a list is under way
//!
//! 1. the watch is read on, and each event goes to the board at once: a pod's log can be read for less than a second
//!    after its deletion was announced, so no event may wait for a list that takes several;
//! 2. each event is also buffered here, by object, with its resource version;
//! 3. when the list is answered, the buffered events of later versions are laid over it, since the list shows the state
//!    at its own version, however late it arrives. The others are dropped: the list has seen them.
//!
//! The buffer holds one entry for each object that changed during one list, so it needs no other bound.
//!
//! Rejected:
//!
//! - *Closing the watch for the list, and watching on from the list's version.* No change would be lost, but a deletion
//!   in between would show only as an object that the list lacks. A deletion that was seen proves more than an object
//!   that is missing, and the conservative policy waits for a second list before it believes the latter.
//! - *Believing whichever arrives later.* An object that was deleted while a list was under way would come back.
//! - *Holding events back until the list is answered.* Correct, and too late for a pod's last words.
//! - *kube-runtime's watcher.* It decides all of this itself, and hides which request failed and when each began.
//!
//! Resource versions are compared as numbers. API servers make them of etcd's revision for all kinds of Kubernetes and
//! all custom resources; where one is no number, the watch is closed when a list begins, which is the first of the
//! rejected ways, and still loses no object.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use futures::FutureExt;
use steadfast_core::id::Namespace;
use steadfast_core::kube_update::{KubeChange, KubeUpdate, Object, ObjectKind};

use super::list::{List, Path};
use super::update_sender::UpdateSender;
use super::watch::{self, Ended, Watch, WatchEvent};

/// A resource version that can be compared.
type Comparable = u64;

/// The newest event of each object: its resource version, and the object; `None`: deleted.
type Buffered = BTreeMap<(Namespace, String), (Comparable, Option<Object>)>;

/// The watch of a scope, open or not, and how far it was read.
#[derive(Default)]
pub(super) struct WatchSession {
    watch: Option<Watch>,
    /// The resource version from which the next watch goes on.
    version: String,
    /// Read from the stream, not sent yet: a full channel must not lose an event.
    unsent: Option<KubeUpdate>,
    /// The events since the list that is under way began; `None` between lists.
    buffered: Option<Buffered>,
}

impl WatchSession {
    /// Opens the watch that goes on from where this one is. The old one is closed. Fails if the server does not begin to
    /// answer within the deadline, or answers with anything but a stream.
    pub(super) async fn open(
        &mut self,
        client: &kube::Client,
        path: &Path,
        kind: ObjectKind,
        deadline: Duration,
    ) -> Result<(), Ended> {
        self.watch = None;
        self.watch = Some(watch::open(client, &path.watch(&self.version), kind, deadline).await?);
        Ok(())
    }

    /// Sends events as they come until the watch ends; without an open watch, waits for ever. Dropped before it is done,
    /// it loses nothing.
    pub(super) async fn follow(&mut self, updates: &UpdateSender) -> Ended {
        loop {
            self.send_unsent(updates).await;
            let Some(watch) = &mut self.watch else {
                return pending().await;
            };
            match watch.next().await {
                Ok(event) => self.accept(event, updates),
                Err(ended) => {
                    self.watch = None;
                    return ended;
                }
            }
        }
    }

    /// Sends what has arrived already, so that a list does not overtake it.
    pub(super) async fn drain(&mut self, updates: &UpdateSender) {
        loop {
            self.send_unsent(updates).await;
            let Some(watch) = &mut self.watch else { return };
            match watch.next().now_or_never() {
                Some(Ok(event)) => self.accept(event, updates),
                Some(Err(_)) => self.watch = None,
                None => return,
            }
        }
    }

    async fn send_unsent(&mut self, updates: &UpdateSender) {
        if self.unsent.is_some() {
            // The event leaves `unsent` only once there is room for it: this wait may be dropped at any time, since a
            // list or its due date ends it, and an event that was already taken out would be lost with it.
            let permit = updates.reserve().await;
            if let Some((permit, update)) = permit.zip(self.unsent.take()) {
                permit.send(update);
            }
        }
    }

    fn accept(&mut self, event: WatchEvent, updates: &UpdateSender) {
        let now = updates.clock.now();
        let (version, change) = match event {
            WatchEvent::Bookmark(version) => {
                self.version = version;
                return;
            }
            WatchEvent::Changed(object, version) => (version, KubeChange::Applied(object)),
            WatchEvent::Deleted(object, version) => (version, KubeChange::Deleted(object)),
        };
        if let (Some(buffered), Ok(version)) = (&mut self.buffered, version.parse()) {
            match &change {
                KubeChange::Applied(object) => buffered.insert(key(object), (version, Some(object.clone()))),
                KubeChange::Deleted(object) => buffered.insert(key(object), (version, None)),
                KubeChange::Relisted(..) | KubeChange::Failed(_) => None,
            };
        }
        self.version = version;
        self.unsent = Some(updates.compose(now, change));
    }

    /// A list begins. Where versions cannot be compared, the watch ends here, since nobody could say which of the two is
    /// newer.
    pub(super) fn begin_list(&mut self) {
        if self.version.parse::<Comparable>().is_err() {
            self.watch = None;
        }
        self.buffered = Some(Buffered::default());
    }

    /// A list was answered: events of later versions replace what it says of their objects, and the next watch goes on
    /// from the later of the two.
    pub(super) fn lay_over(&mut self, list: &mut List) {
        let buffered = self.buffered.take().unwrap_or_default();
        let Ok(listed_at) = list.version.parse::<Comparable>() else {
            self.version.clone_from(&list.version);
            return;
        };
        // An event of the list's own version is in the list already.
        let newer: Buffered = buffered
            .into_iter()
            .filter(|(_, (version, _))| *version > listed_at)
            .collect();
        // Begun at the list's version, the next watch would repeat the later events, which were sent already: the board
        // would see their objects change back before they change again.
        let latest = newer.values().map(|(version, _)| *version).max();
        self.version = latest.map_or_else(|| list.version.clone(), |version| version.to_string());
        if newer.is_empty() {
            return;
        }
        // A deleted object leaves the list, a changed one takes the place of its older self, a new one joins.
        list.objects.retain(|object| !newer.contains_key(&key(object)));
        list.objects
            .extend(newer.into_values().filter_map(|(_, object)| object));
    }
}

fn key(object: &Object) -> (Namespace, String) {
    let (namespace, name) = object.namespaced_name();
    (namespace.clone(), name.to_owned())
}
