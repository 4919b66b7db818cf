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
//! Where a scope selects by labels, neither of the two says that an object is gone before a GET by its name does: see
//! [`super::selection`].
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

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::time::Duration;

use futures::FutureExt;
use steadfast_core::kube_update::{KubeChange, KubeUpdate, Object, ObjectKind, ResourceVersion};
use tokio::time::Instant;

use super::by_name::Key;
use super::list::{List, Path};
use super::selection::{Selection, key};
use super::update_sender::{Learned, UpdateSender};
use super::watch::{self, Ended, Watch, WatchEvent};

/// The newest event of each object: its resource version, and the object; `None`: deleted.
type Buffered = BTreeMap<Key, (ResourceVersion, Option<Object>)>;

/// The watch of a scope, open or not, and how far it was read.
pub(super) struct WatchSession {
    watch: Option<Watch>,
    /// What is asked for by name before it counts as gone; `None` where nothing is selected by labels.
    selection: Option<Selection>,
    /// The resource version from which the next watch goes on.
    version: String,
    /// Learned, not sent yet: a full channel must not lose an event.
    unsent: VecDeque<KubeUpdate>,
    /// The events since the list that is under way began; `None` between lists.
    buffered: Option<Buffered>,
}

impl WatchSession {
    /// No watch is open yet.
    pub(super) fn new(selection: Option<Selection>) -> Self {
        Self {
            watch: None,
            selection,
            version: String::new(),
            unsent: VecDeque::new(),
            buffered: None,
        }
    }

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

    /// Sends what is learned as it comes until the watch ends; without an open watch it does not end. Dropped before it is
    /// done, it loses nothing.
    pub(super) async fn follow(&mut self, updates: &UpdateSender) -> Ended {
        loop {
            if let Some(ended) = self.step(updates).await {
                return ended;
            }
        }
    }

    /// Sends what is learned already, and takes in what comes next: an event of the watch, or an answer about an object that
    /// is no longer selected. Returns how the watch ended, if it did. Dropped before it is done, it loses nothing.
    async fn step(&mut self, updates: &UpdateSender) -> Option<Ended> {
        self.send_unsent(updates).await;
        let Self { watch, selection, .. } = self;
        let answer = async {
            match selection {
                Some(selection) => selection.answered().await,
                None => pending().await,
            }
        };
        let event = async {
            match watch {
                Some(watch) => watch.next().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            learned = answer => learned.into_iter().for_each(|learned| self.tell(learned, updates)),
            event = event => match event {
                Ok(event) => self.accept(event, updates),
                Err(ended) => {
                    self.watch = None;
                    return Some(ended);
                }
            },
        }
        None
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
        while !self.unsent.is_empty() {
            // The event leaves `unsent` only once there is room for it: this wait may be dropped at any time, since a
            // list or its due date ends it, and an event that was already taken out would be lost with it.
            let permit = updates.reserve().await;
            if let Some((permit, update)) = permit.zip(self.unsent.pop_front()) {
                permit.send(update);
            }
        }
    }

    /// Something is known from now on.
    fn tell(&mut self, learned: Learned, updates: &UpdateSender) {
        self.unsent.push_back(updates.compose(learned));
    }

    /// The watch told something, with that version; `None`: what it told before is known to be so now.
    fn tell_event(&mut self, change: KubeChange, version: Option<ResourceVersion>, updates: &UpdateSender) {
        let learned = Learned {
            change,
            asked_at: None,
            version,
        };
        self.tell(learned, updates);
    }

    fn accept(&mut self, event: WatchEvent, updates: &UpdateSender) {
        let (version, change) = match event {
            WatchEvent::Bookmark(version) | WatchEvent::Unnamed(version) => {
                self.version = version;
                return;
            }
            WatchEvent::Changed(object, version) => (version, KubeChange::Applied(object)),
            WatchEvent::Deleted(object, version) => (version, KubeChange::Deleted(object)),
        };
        let comparable = ResourceVersion::read(&version);
        if let (Some(buffered), Some(version)) = (&mut self.buffered, comparable) {
            match &change {
                KubeChange::Applied(object) => buffered.insert(key(object), (version, Some(object.clone()))),
                KubeChange::Deleted(object) => buffered.insert(key(object), (version, None)),
                KubeChange::Relisted(..) | KubeChange::PodsOf(..) | KubeChange::NotFound(_) | KubeChange::Failed(_) => {
                    None
                }
            };
        }
        self.version = version;
        let Some(selection) = &mut self.selection else {
            return self.tell_event(change, comparable, updates);
        };
        match change {
            KubeChange::Deleted(object) => {
                if let Some(object) = selection.lost(object) {
                    self.tell_event(KubeChange::Deleted(object), comparable, updates);
                }
            }
            KubeChange::Applied(object) => {
                if let Some(deleted) = selection.shows(&object) {
                    self.tell_event(KubeChange::Deleted(deleted), None, updates);
                }
                self.tell_event(KubeChange::Applied(object), comparable, updates);
            }
            KubeChange::Relisted(..) | KubeChange::PodsOf(..) | KubeChange::NotFound(_) | KubeChange::Failed(_) => {}
        }
    }

    /// A list begins. Where versions cannot be compared, the watch ends here, since nobody could say which of the two is
    /// newer.
    pub(super) fn begin_list(&mut self) {
        if ResourceVersion::read(&self.version).is_none() {
            self.watch = None;
        }
        self.buffered = Some(Buffered::default());
    }

    /// A list was answered. Makes it say what is known now: what the watch told meanwhile is laid over it, and what it lacks
    /// because it selects by labels is asked for by name, at most for as long as `patience`. What is not answered by then is
    /// unknown. The next watch goes on from the list, or from the later events.
    pub(super) async fn complete(&mut self, list: &mut List, updates: &UpdateSender, patience: Duration) {
        self.drain(updates).await;
        self.lay_over(list);
        if let Some(selection) = &mut self.selection {
            selection.ask_for_missing(&list.objects);
            let end = Instant::now() + patience;
            while self.selection.as_ref().is_some_and(Selection::is_awaited) {
                // That the watch ends is no matter: its place is known.
                if tokio::time::timeout_at(end, self.step(updates)).await.is_err() {
                    break;
                }
            }
            self.drain(updates).await;
            self.lay_over(list);
        }
        self.end_list(list);
        let deleted = self
            .selection
            .as_mut()
            .map(|selection| selection.complete(&mut list.objects));
        for object in deleted.into_iter().flatten() {
            self.tell_event(KubeChange::Deleted(object), None, updates);
        }
        self.send_unsent(updates).await;
    }

    /// Events of later versions replace what a list says of their objects.
    fn lay_over(&self, list: &mut List) {
        let (Some(buffered), Some(listed_at)) = (&self.buffered, ResourceVersion::read(&list.version)) else {
            return;
        };
        // An event of the list's own version is in the list already.
        let newer = |key: &Key| buffered.get(key).filter(|(version, _)| *version > listed_at);
        // A deleted object leaves the list, a changed one takes the place of its older self, a new one joins.
        list.objects.retain(|object| newer(&key(object)).is_none());
        let changed = buffered.values().filter(|(version, _)| *version > listed_at);
        list.objects.extend(changed.filter_map(|(_, object)| object.clone()));
    }

    /// The next watch goes on from the list or from the latest event, whichever is later.
    fn end_list(&mut self, list: &List) {
        let events = self.buffered.take().unwrap_or_default();
        let listed_at = ResourceVersion::read(&list.version);
        // Begun at the list's version, the next watch would repeat the later events, which were sent already: the board
        // would see their objects change back before they change again.
        let latest = events.values().map(|(version, _)| *version).max();
        self.version = match latest.filter(|latest| listed_at.is_some_and(|listed_at| *latest > listed_at)) {
            Some(latest) => latest.to_string(),
            None => list.version.clone(),
        };
    }
}
