//! The routes, and what they read from.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use axum::{Extension, Router};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use prometheus_client::registry::Registry;
use steadfast_core::journal::{Journal, Sequence};
use steadfast_core::projection::Projection;
use steadfast_core::shadow::ShadowBoard;
use tokio::sync::watch;

use crate::access::{Access, guard};
use crate::control::Control;
use crate::health::{self, Health};
use crate::policies::{self, Policies};
use crate::problem::{no_such_method, no_such_path};
use crate::{dashboard, events, jobs, metrics, one_job, openapi, shadows};

/// The largest request body that is read.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
/// How many clients may follow the event stream at a time.
pub(crate) const STREAMS: usize = 256;

/// What the API reads from and asks.
#[derive(Clone)]
pub struct Api {
    /// The present.
    pub jobs: Arc<Projection>,
    /// The past.
    pub journal: Arc<dyn Journal>,
    /// The newest sequence that `jobs` shows. It starts at [`Journal::newest`], since events behind it are held
    /// back; when its sender is dropped the event streams end.
    pub entries: watch::Receiver<Sequence>,
    /// What shadow policies would show.
    pub shadows: ShadowBoard,
    /// The policies, and the way to others.
    pub policies: Arc<dyn Policies>,
    /// The reconcile loop.
    pub control: Arc<dyn Control>,
    /// The loop's word on itself.
    pub health: Arc<dyn Health>,
    /// What the engine counts.
    pub metrics: Arc<Registry>,
    /// Who may ask.
    pub access: Access,
}

/// Every path with what serves it.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<Api>)> {
    vec![
        ("/", get(dashboard::page)),
        ("/dashboard/app.js", get(dashboard::script)),
        ("/dashboard/shadows.js", get(dashboard::shadows)),
        ("/dashboard/style.css", get(dashboard::style)),
        ("/dashboard/icon.svg", get(dashboard::icon)),
        ("/livez", get(health::livez)),
        ("/readyz", get(health::readyz)),
        ("/metrics", get(metrics::metrics)),
        ("/openapi.json", get(openapi::document)),
        ("/api/v1/events", get(events::events)),
        ("/api/v1/jobs", get(jobs::list)),
        ("/api/v1/shadows", get(shadows::list)),
        ("/api/v1/policies", get(policies::list)),
        ("/api/v1/reload", post(policies::reload)),
        (one_job::APPLICATION, get(one_job::show).delete(one_job::forget)),
        (one_job::SESSION_JOB, get(one_job::show).delete(one_job::forget)),
        (one_job::APPLICATION_TRANSITIONS, get(one_job::transitions)),
        (one_job::SESSION_JOB_TRANSITIONS, get(one_job::transitions)),
        (one_job::APPLICATION_EXPLAIN, get(one_job::explain)),
        (one_job::SESSION_JOB_EXPLAIN, get(one_job::explain)),
        (one_job::APPLICATION_INTENT, put(one_job::intend)),
        (one_job::SESSION_JOB_INTENT, put(one_job::intend)),
    ]
}

/// The router that serves the API to those whom its access admits.
pub fn router(api: Api) -> Router {
    let routes = routes().into_iter();
    let router = routes.fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(Extension(Arc::new(events::Seats::new(STREAMS))))
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
