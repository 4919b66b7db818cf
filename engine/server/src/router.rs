//! Every path with what serves it and what it asks of its callers.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post, put};
use axum::{Extension, Router};
use http::{HeaderValue, Method};
use prometheus_client::registry::Registry;

use crate::access::{Door, Gate, Scope, enter};
use crate::events::{Followers, MAX_FOLLOWERS};
use crate::headers::{StoreName, protect};
use crate::job::BODY_LIMIT;
use crate::metrics::OwnMetrics;
use crate::packing::{pack, tag, whole};
use crate::problem::{no_such_method, no_such_path};
use crate::serve::{AnswerBudget, hold, wait_for_turn};
use crate::state::Api;
use crate::{
    alerts, audit, closeup, clusters, compat, dashboard, events, health, history, job, jobs, metrics, openapi,
    policies, shadows, silences, store, summary,
};

/// The one path whose answer has no end.
const EVENTS: &str = "/api/v1/events";

/// A path, and what serves each of its methods. There is no way to add one without saying what it asks for.
struct Route {
    path: &'static str,
    methods: Vec<Served>,
}

/// What serves a method of a path.
struct Served {
    method: Method,
    door: Door,
    size: Size,
    handler: MethodRouter<Api>,
}

/// How large an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// It has a bound of its own.
    Small,
    /// It has not: a few are made at a time.
    Large,
}

impl Route {
    const fn at(path: &'static str) -> Self {
        Self {
            path,
            methods: Vec::new(),
        }
    }

    fn get<H: Handler<T, Api>, T: 'static>(self, door: Door, size: Size, handler: H) -> Self {
        self.serving(Method::GET, door, size, get(handler))
    }

    fn write<H: Handler<T, Api>, T: 'static>(self, method: Method, scope: Scope, handler: H) -> Self {
        let serving = match method {
            Method::PUT => put(handler),
            Method::DELETE => delete(handler),
            _ => post(handler),
        };
        self.serving(method, Door::Needs(scope), Size::Small, serving)
    }

    fn serving(mut self, method: Method, door: Door, size: Size, handler: MethodRouter<Api>) -> Self {
        self.methods.push(Served {
            method,
            door,
            size,
            handler,
        });
        self
    }

    /// All its methods, each behind its door.
    fn behind(self, api: &Api, budget: &AnswerBudget) -> MethodRouter<Api> {
        let path = self.path;
        self.methods.into_iter().fold(MethodRouter::new(), |all, served| {
            let handler = if is_tagged(path, &served.method) {
                served.handler.layer(from_fn(tag))
            } else {
                served.handler
            };
            let handler = match served.method {
                Method::GET => handler.layer(pack()).layer(from_fn(whole)),
                _ => handler,
            };
            let handler = match served.size {
                Size::Large => handler.layer(from_fn_with_state(budget.clone(), wait_for_turn)),
                Size::Small => handler,
            };
            all.merge(handler.layer(from_fn_with_state(gate(api, served.door), enter)))
        })
    }
}

/// Whether an answer has a tag: those that are read again and again. Events have no end.
pub(crate) fn is_tagged(path: &str, method: &Method) -> bool {
    *method == Method::GET && path.starts_with("/api/v1/") && path != EVENTS
}

fn gate(api: &Api, door: Door) -> Gate {
    Gate {
        access: api.access.clone(),
        door,
    }
}

fn routes() -> Vec<Route> {
    use Size::{Large, Small};
    const READ: Door = Door::Needs(Scope::Read);
    /// What may show more than a job's owner means to.
    const ADMIN: Door = Door::Needs(Scope::Admin);
    let job = |path| {
        Route::at(path)
            .get(READ, Small, job::show)
            .write(Method::DELETE, Scope::Admin, job::forget)
    };
    let intent = |path| Route::at(path).write(Method::PUT, Scope::Intent, job::intend);
    let silence = |path| {
        Route::at(path)
            .write(Method::PUT, Scope::Intent, silences::silence)
            .write(Method::DELETE, Scope::Intent, silences::unsilence)
    };
    let mut routes = vec![
        Route::at("/livez").get(Door::Open, Small, health::livez),
        Route::at("/readyz").get(Door::Open, Small, health::readyz),
        Route::at("/metrics").get(READ, Large, metrics::metrics),
        Route::at("/openapi.json").get(READ, Small, openapi::document),
        Route::at(EVENTS).get(READ, Small, events::events),
        Route::at("/api/v1/clusters").get(READ, Small, clusters::list),
        Route::at("/api/v1/jobs").get(READ, Large, jobs::list),
        Route::at("/api/v1/summary").get(READ, Large, summary::show),
        Route::at("/api/v1/alerts").get(READ, Large, alerts::list),
        Route::at("/api/v1/compat/streampark").get(READ, Large, compat::streampark),
        Route::at("/api/v1/history").get(READ, Large, history::list),
        Route::at("/api/v1/shadows").get(READ, Large, shadows::list),
        Route::at("/api/v1/policies").get(READ, Small, policies::list),
        Route::at("/api/v1/store").get(READ, Small, store::show),
        Route::at("/api/v1/reload").write(Method::POST, Scope::Admin, policies::reload),
        job(job::APPLICATION),
        job(job::SESSION_JOB),
        Route::at(job::APPLICATION_TRANSITIONS).get(READ, Large, job::transitions),
        Route::at(job::SESSION_JOB_TRANSITIONS).get(READ, Large, job::transitions),
        Route::at(job::APPLICATION_EXPLAIN).get(READ, Large, job::explain),
        Route::at(job::SESSION_JOB_EXPLAIN).get(READ, Large, job::explain),
        Route::at(job::APPLICATION_AUDIT).get(READ, Large, audit::list),
        Route::at(job::SESSION_JOB_AUDIT).get(READ, Large, audit::list),
        // They wait for others, and must not take the turns of the large ones: a few are asked for at a time by themselves.
        Route::at(closeup::APPLICATION_FLINK).get(READ, Small, closeup::flink),
        Route::at(closeup::SESSION_JOB_FLINK).get(READ, Small, closeup::flink),
        Route::at(closeup::APPLICATION_PODS).get(READ, Small, closeup::pods),
        Route::at(closeup::SESSION_JOB_PODS).get(READ, Small, closeup::pods),
        Route::at(closeup::APPLICATION_LOG).get(ADMIN, Small, closeup::log),
        Route::at(closeup::SESSION_JOB_LOG).get(ADMIN, Small, closeup::log),
        Route::at(job::APPLICATION_LOOK).write(Method::POST, Scope::Intent, job::look),
        Route::at(job::SESSION_JOB_LOOK).write(Method::POST, Scope::Intent, job::look),
        silence(silences::APPLICATION_SILENCE),
        silence(silences::SESSION_JOB_SILENCE),
        intent(job::APPLICATION_INTENT),
        intent(job::SESSION_JOB_INTENT),
    ];
    let files = dashboard::ASSETS
        .iter()
        .map(|asset| Route::at(asset.path).serving(Method::GET, Door::Open, Small, asset.route()));
    routes.extend(files);
    routes
}

/// What each method of each path asks for.
pub(crate) fn doors() -> Vec<(&'static str, Method, Door)> {
    let routes = routes().into_iter();
    let doors = routes.flat_map(|route| {
        let path = route.path;
        route
            .methods
            .into_iter()
            .map(move |served| (path, served.method, served.door))
    });
    doors.collect()
}

/// The router that serves the API to those whom its access admits.
pub fn router(api: Api) -> Router {
    let budget = AnswerBudget::default();
    let routes = routes().into_iter();
    let router = routes.fold(Router::new(), |router, route| {
        router.route(route.path, route.behind(&api, &budget))
    });
    let known = || from_fn_with_state(gate(&api, Door::Known), enter);
    let store: StoreName = HeaderValue::from_str(api.journal.store_id()).ok();
    let followers = Arc::new(Followers::new(MAX_FOLLOWERS));
    let mut own = Registry::default();
    own.register_collector(Box::new(Arc::clone(&followers)));
    router
        .fallback(no_such_path.layer(known()))
        .method_not_allowed_fallback(no_such_method.layer(known()))
        .layer(Extension(followers))
        .layer(Extension(OwnMetrics(Arc::new(own))))
        .layer(from_fn_with_state(budget, hold))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(store, protect))
        .with_state(api)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document = openapi::described().unwrap();
        let paths = document["paths"].as_object().unwrap();
        let described: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
        let doors = doors();
        let routed = doors.iter().map(|(path, ..)| *path);
        // The dashboard's files are for browsers, and no part of the API.
        let is_file = |path: &&str| dashboard::ASSETS.iter().any(|asset| asset.path == *path);
        assert_eq!(described, routed.filter(|path| !is_file(path)).collect());
    }

    #[test]
    fn what_changes_something_asks_for_more_than_to_read() {
        for (path, method, door) in doors() {
            // A log may hold what its job read and wrote.
            let is_write = method != Method::GET || path.ends_with("/log");
            let may_write = matches!(door, Door::Needs(Scope::Intent | Scope::Admin));
            assert_eq!(is_write, may_write, "{method} {path}");
            let tells_nothing = matches!(path, "/livez" | "/readyz" | "/") || path.starts_with("/dashboard/");
            assert_eq!(door == Door::Open, tells_nothing, "{method} {path}");
        }
    }
}
