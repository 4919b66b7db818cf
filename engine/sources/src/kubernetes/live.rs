//! A watch that is read while lists come and go, so that neither overrides what the other knows better.
//!
//! A deletion that nobody reads is a deletion that was not seen, so the watch is read on while its scope is listed
//! afresh. A list tells the state at its resource version: what the watch told of later versions meanwhile is newer,
//! and is laid over it.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use futures::FutureExt;
use steadfast_core::id::Namespace;
use steadfast_core::news::{KubeNews, Object, ObjectKind, What};

use super::list::{List, Path};
use super::telling::Telling;
use super::watch::{self, Ended, Watch, WatchEvent};

/// A resource version that can be compared. All of Kubernetes' own kinds have such versions.
type Comparable = u64;

/// What the watch told of one object: as of which version, and what it is; `None`: deleted.
type Noted = BTreeMap<(Namespace, String), (Comparable, Option<Object>)>;

/// The watch of a scope, open or not, and how far it has told.
#[derive(Default)]
pub(super) struct Live {
    watch: Option<Watch>,
    version: String,
    /// Read from the stream, not told yet: a full channel must not lose an event.
    unsent: Option<KubeNews>,
    /// Since the list that is under way began.
    noted: Option<Noted>,
}

impl Live {
    /// Opens the watch that goes on from where this one is. The old one is closed.
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

    /// Tells what the watch tells until it ends; without an open watch, waits for ever. Dropped before it is done,
    /// it loses nothing.
    pub(super) async fn follow(&mut self, telling: &Telling) -> Ended {
        loop {
            self.send_unsent(telling).await;
            let Some(watch) = &mut self.watch else {
                return pending().await;
            };
            match watch.next().await {
                Ok(event) => self.take(event, telling),
                Err(ended) => {
                    self.watch = None;
                    return ended;
                }
            }
        }
    }

    /// Tells what has arrived already, so that a list does not overtake it.
    pub(super) async fn drain(&mut self, telling: &Telling) {
        loop {
            self.send_unsent(telling).await;
            let Some(watch) = &mut self.watch else { return };
            match watch.next().now_or_never() {
                Some(Ok(event)) => self.take(event, telling),
                Some(Err(_)) => self.watch = None,
                None => return,
            }
        }
    }

    async fn send_unsent(&mut self, telling: &Telling) {
        if self.unsent.is_some() {
            let room = telling.room().await;
            if let Some((room, news)) = room.zip(self.unsent.take()) {
                room.send(news);
            }
        }
    }

    fn take(&mut self, event: WatchEvent, telling: &Telling) {
        let now = telling.clock.now();
        let (version, what) = match event {
            WatchEvent::Bookmark(version) => {
                self.version = version;
                return;
            }
            WatchEvent::Changed(object, version) => (version, What::Changed(object)),
            WatchEvent::Deleted(object, version) => (version, What::Deleted(object)),
        };
        if let (Some(noted), Ok(version)) = (&mut self.noted, version.parse()) {
            match &what {
                What::Changed(object) => noted.insert(key(object), (version, Some(object.clone()))),
                What::Deleted(object) => noted.insert(key(object), (version, None)),
                What::Listed(..) | What::Failed(_) => None,
            };
        }
        self.version = version;
        self.unsent = Some(telling.compose(now, what));
    }

    /// A list begins. Where versions cannot be compared, the watch ends here, since it could not be told which of the
    /// two is newer.
    pub(super) fn list_begins(&mut self) {
        if self.version.parse::<Comparable>().is_err() {
            self.watch = None;
        }
        self.noted = Some(Noted::default());
    }

    /// A list was answered: what the watch told of later versions replaces what the list says, and the next watch
    /// goes on from the later of the two.
    pub(super) fn reconcile(&mut self, list: &mut List) {
        let noted = self.noted.take().unwrap_or_default();
        let Ok(listed_at) = list.version.parse::<Comparable>() else {
            self.version.clone_from(&list.version);
            return;
        };
        let newer: Noted = noted
            .into_iter()
            .filter(|(_, (version, _))| *version > listed_at)
            .collect();
        let latest = newer.values().map(|(version, _)| *version).max();
        self.version = latest.map_or_else(|| list.version.clone(), |version| version.to_string());
        if newer.is_empty() {
            return;
        }
        list.objects.retain(|object| !newer.contains_key(&key(object)));
        list.objects
            .extend(newer.into_values().filter_map(|(_, object)| object));
    }
}

fn key(object: &Object) -> (Namespace, String) {
    let (namespace, name) = object.place();
    (namespace.clone(), name.to_owned())
}
