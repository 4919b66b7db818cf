//! Every path with what serves it, behind the guard.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use axum::{Extension, Router};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};

use crate::access::guard;
use crate::events::{Followers, MAX_FOLLOWERS};
use crate::job::BODY_LIMIT;
use crate::problem::{no_such_method, no_such_path};
use crate::serve::{AnswerBudget, hold, wait_for_turn};
use crate::state::Api;
use crate::{clusters, dashboard, events, health, job, jobs, metrics, openapi, policies, shadows, store};

/// Every path with what serves it. Those whose answers may be large wait for their turn.
fn routes(budget: &AnswerBudget) -> Vec<(&'static str, MethodRouter<Api>)> {
    let large = |methods: MethodRouter<Api>| methods.layer(from_fn_with_state(budget.clone(), wait_for_turn));
    let mut routes = vec![
        ("/livez", get(health::livez)),
        ("/readyz", get(health::readyz)),
        ("/metrics", large(get(metrics::metrics))),
        ("/openapi.json", get(openapi::document)),
        ("/api/v1/events", get(events::events)),
        ("/api/v1/clusters", get(clusters::list)),
        ("/api/v1/jobs", large(get(jobs::list))),
        ("/api/v1/shadows", large(get(shadows::list))),
        ("/api/v1/policies", get(policies::list)),
        ("/api/v1/store", get(store::show)),
        ("/api/v1/reload", post(policies::reload)),
        (job::APPLICATION, get(job::show).delete(job::forget)),
        (job::SESSION_JOB, get(job::show).delete(job::forget)),
        (job::APPLICATION_TRANSITIONS, large(get(job::transitions))),
        (job::SESSION_JOB_TRANSITIONS, large(get(job::transitions))),
        (job::APPLICATION_EXPLAIN, large(get(job::explain))),
        (job::SESSION_JOB_EXPLAIN, large(get(job::explain))),
        (job::APPLICATION_INTENT, put(job::intend)),
        (job::SESSION_JOB_INTENT, put(job::intend)),
    ];
    routes.extend(dashboard::ASSETS.iter().map(|asset| (asset.path, asset.route())));
    routes
}

/// The router that serves the API to those whom its access admits.
pub fn router(api: Api) -> Router {
    let budget = AnswerBudget::default();
    let routes = routes(&budget).into_iter();
    let router = routes.fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(Extension(Arc::new(Followers::new(MAX_FOLLOWERS))))
        .layer(from_fn_with_state(budget, hold))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(api.access.clone(), guard))
        .layer(map_response(never_stored))
        .with_state(api)
}

/// What is true now may be false in a moment, and no answer is to be read as anything but what it says it is.
async fn never_stored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document = openapi::described().unwrap();
        let described: BTreeSet<&str> = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let routed: BTreeSet<&str> = routes(&AnswerBudget::default()).iter().map(|(path, _)| *path).collect();
        assert_eq!(described, routed);
    }
}
