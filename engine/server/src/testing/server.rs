//! The API with what it reads from.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use serde_json::Value;
use steadfast_core::journal::{Change, Entry, Event, Journal as _, Sequence, Store};
use steadfast_core::projection::{JobView, Projection, WatchStatus};
use steadfast_core::record::JobRecord;
use steadfast_core::shadow::ShadowBoard;
use steadfast_core::state::JobState;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_store::MemoryStore;
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::closeup::TestCloseup;
use super::control::TestControl;
use super::damaged::DamagedStore;
use super::engine::{TestHealth, TestPolicies};
use super::{AT, moved, read, record, request};
use crate::{Access, Api, LinkTemplate, router};

pub(crate) struct TestServer {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) jobs: Arc<Projection>,
    pub(crate) entries: watch::Sender<Sequence>,
    pub(crate) health: Arc<TestHealth>,
    pub(crate) shadows: ShadowBoard,
    pub(crate) policies: Arc<TestPolicies>,
    pub(crate) router: Router,
}

impl TestServer {
    pub(crate) fn new() -> Self {
        Self::with(Access::loopback(), MemoryStore::default())
    }

    /// On a store of which these entries do not read.
    pub(crate) fn damaged(entries: &[u64]) -> Self {
        let damaged = entries.iter().copied().map(Sequence).collect();
        Self::reading(Access::loopback(), MemoryStore::default(), Vec::new(), |store| {
            Arc::new(DamagedStore { store, damaged })
        })
    }

    pub(crate) fn guarded(access: Access) -> Self {
        Self::with(access, MemoryStore::default())
    }

    /// On another store than every other one.
    pub(crate) fn on(store: &str) -> Self {
        Self::with(Access::loopback(), MemoryStore::new(store))
    }

    /// Whose jobs have these links.
    pub(crate) fn linked(links: Vec<LinkTemplate>) -> Self {
        let store = MemoryStore::default();
        Self::reading(Access::loopback(), store, links, |store| store)
    }

    fn with(access: Access, store: MemoryStore) -> Self {
        Self::reading(access, store, Vec::new(), |store| store)
    }

    /// `journal` is the store as the API reads it.
    fn reading(
        access: Access,
        store: MemoryStore,
        links: Vec<LinkTemplate>,
        journal: impl FnOnce(Arc<MemoryStore>) -> Arc<dyn Store>,
    ) -> Self {
        let (store, jobs) = (Arc::new(store), Arc::new(Projection::default()));
        let (entries, receiver) = watch::channel(Sequence(0));
        let mut registry = Registry::default();
        registry.register("steadfast_things", "Things", Counter::<u64>::default());
        let (health, policies) = (Arc::new(TestHealth::default()), Arc::new(TestPolicies::default()));
        let shadows = ShadowBoard::default();
        let router = router(Api {
            jobs: Arc::clone(&jobs),
            journal: journal(store.clone()),
            entries: receiver,
            shadows: shadows.clone(),
            policies: policies.clone(),
            control: Arc::new(TestControl(Arc::clone(&jobs), store.clone())),
            closeup: Arc::new(TestCloseup(Arc::clone(&jobs))),
            health: health.clone(),
            metrics: Arc::new(registry),
            clock: Arc::new(Stopped),
            links: links.into(),
            access,
        });
        Self {
            store,
            jobs,
            entries,
            health,
            shadows,
            policies,
            router,
        }
    }

    /// Commits and shows, as the loop does.
    pub(crate) async fn commit(&self, record: JobRecord, events: Vec<Event>) -> Vec<Entry> {
        let entries = self.commit_unseen(record.clone(), events).await;
        self.jobs.show(JobView {
            record: Arc::new(record),
            watch: WatchStatus::default(),
        });
        if let Some(last) = entries.last() {
            self.entries.send_replace(last.sequence);
        }
        entries
    }

    /// Commits without showing it yet.
    pub(crate) async fn commit_unseen(&self, record: JobRecord, events: Vec<Event>) -> Vec<Entry> {
        let changes = vec![Change {
            record: record.into(),
            events,
        }];
        self.store.commit(AT, changes.into()).await.unwrap()
    }

    pub(crate) async fn add(&self, id: &str, state: JobState) {
        self.commit(record(id, state), vec![moved(JobState::Unknown, state)])
            .await;
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, "").await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let request = request(method, path).header("content-type", "application/json");
        let request = request.body(Body::from(body.to_owned())).unwrap();
        read(self.send(request).await).await
    }
}

/// A clock that always shows [`AT`].
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        AT
    }
}
