//! A Kubernetes API server for reading: discovery, LIST with pages and selectors, GET, pod logs, and WATCH with
//! bookmarks and expired versions.

mod answers;
mod discovery;
mod scope;
mod store;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request};

use crate::clock::WorldClock;
use crate::link::{Link, Mode};
use crate::objects::Objects;
use crate::reply::{Reply, Serve, json, text};
use crate::story::{KubernetesFault, Moment};
use crate::watched::Watched;

use answers::status;
use scope::{Query, Scope, Subject};
use store::Store;

/// One API server.
pub struct Kubernetes {
    shared: Arc<Shared>,
}

/// What its requests and watches share.
struct Shared {
    clock: WorldClock,
    link: Link,
    store: Mutex<Store>,
    /// Tells watches that the store's log has grown.
    grown: Watched<usize>,
    asked: Mutex<Vec<Moment>>,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kubernetes {
    /// An API server that has these namespaces and nothing in them.
    pub fn new(clock: WorldClock, namespaces: &[String]) -> Self {
        let shared = Shared {
            clock,
            link: Link::default(),
            store: Mutex::new(Store::new(clock, namespaces)),
            grown: Watched::default(),
            asked: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Makes it hold exactly these objects; each difference is one event.
    pub fn hold(&self, objects: Objects) {
        let mut store = self.shared.store();
        store.hold(objects);
        self.shared.grown.modify(|entries| *entries = store.log.len());
    }

    /// Breaks or heals it, for all or for one namespace.
    pub fn set_fault(&self, fault: KubernetesFault, namespace: Option<&str>) {
        // First the link: a watch must not see its server's end over a connection that is dead.
        if namespace.is_none() {
            self.shared.link.set(match fault {
                KubernetesFault::Drop => Mode::Drop,
                KubernetesFault::Refuse => Mode::Refuse,
                KubernetesFault::Ok
                | KubernetesFault::Status(..)
                | KubernetesFault::Wordy
                | KubernetesFault::Html
                | KubernetesFault::Garbage
                | KubernetesFault::Array
                | KubernetesFault::Slow(_)
                | KubernetesFault::Expired
                | KubernetesFault::WatchSilent
                | KubernetesFault::WatchClose
                | KubernetesFault::ListFails
                | KubernetesFault::Get(_)
                | KubernetesFault::BadObject
                | KubernetesFault::Operator(_) => Mode::Carry,
            });
        }
        let mut store = self.shared.store();
        store.set_fault(fault, namespace);
        self.shared.grown.modify(|entries| *entries = store.log.len());
    }

    /// When it was asked for something, in order.
    pub fn asked(&self) -> Vec<Moment> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Serve for Kubernetes {
    fn link(&self) -> &Link {
        &self.shared.link
    }

    fn handle(&self, request: Request<()>) -> BoxFuture<'static, Reply> {
        handle(Arc::clone(&self.shared), request).boxed()
    }
}

async fn handle(shared: Arc<Shared>, request: Request<()>) -> Reply {
    shared
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(shared.clock.story_now());
    let query = Query::of(request.uri().query());
    let subject = Subject::of(request.uri().path());
    let scope = Scope::of(&subject, &query);
    let fault = shared.store().faults.of(scope.as_ref());
    match fault {
        KubernetesFault::Slow(wait) => tokio::time::sleep(shared.clock.shorten(wait)).await,
        // A refusal for one namespace alone cannot be told from a connection that is cut.
        KubernetesFault::Drop | KubernetesFault::Refuse => return Reply::Silence,
        KubernetesFault::Html => return text(200, "text/html", "<html><body>Please sign in</body></html>"),
        KubernetesFault::Garbage => {
            return text(
                200,
                "application/json",
                "{\"kind\":\"DeploymentList\",\"items\":[{\"meta",
            );
        }
        KubernetesFault::Status(code, wait) => {
            let message = format!("{}: cannot list resource", answers::reason(code));
            return json(code, &status(code, &message)).retry_after(wait);
        }
        KubernetesFault::Wordy => {
            let message = format!("cannot list resource\n\u{1b}[2Jmissing: {}", "é verb, ".repeat(560));
            return json(403, &status(403, &message));
        }
        KubernetesFault::Array => return text(200, "application/json", answers::array(scope.as_ref())),
        KubernetesFault::Operator(code) if scope.as_ref().is_some_and(|scope| !scope.kind.is_builtin()) => {
            return json(code, &status(code, "the server does not show this resource"));
        }
        KubernetesFault::Get(answer) if scope.as_ref().is_some_and(|scope| scope.name.is_some()) => {
            let Some(code) = answer else { return Reply::Silence };
            return json(
                code,
                &status(code, &format!("{}: cannot get resource", answers::reason(code))),
            );
        }
        KubernetesFault::Ok
        | KubernetesFault::Expired
        | KubernetesFault::WatchSilent
        | KubernetesFault::WatchClose
        | KubernetesFault::ListFails
        | KubernetesFault::Get(_)
        | KubernetesFault::BadObject
        | KubernetesFault::Operator(_) => {}
    }
    if request.method() != Method::GET {
        return json(405, &status(405, "this server is for reading"));
    }
    match (scope, subject) {
        (Some(scope), _) if query.is_set("watch") => watch::open(shared, scope, &query, fault),
        (Some(_), _) if fault == KubernetesFault::ListFails => json(500, &status(500, "etcdserver: request timed out")),
        (Some(scope), _) if scope.name.is_some() => shared.store().get(&scope),
        (Some(scope), _) => shared.store().list(&scope, &query, fault),
        (None, Subject::Log { namespace, name }) => shared.store().log(&namespace, &name, &query),
        (None, Subject::Other(path)) => discovery::answer(&path).map_or_else(
            || json(404, &status(404, "the server could not find the requested resource")),
            |found| json(200, &found),
        ),
        (None, Subject::Objects { .. }) => json(404, &status(404, "the server could not find the requested resource")),
    }
}
