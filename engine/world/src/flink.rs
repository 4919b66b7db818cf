//! Flink's REST API for one cluster, its HistoryServer, and the files Flink leaves, with the shapes and error bodies
//! of the real ones (Flink 1.20).

mod files;
mod shapes;

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Request;
use serde_json::json;

use crate::link::{Link, Mode};
use crate::model::{Model, Target};
use crate::reply::{Reply, Serve, json, text};
use crate::story::{EndedJob, FlinkFault, JobSpec, Moment};

pub use files::{archive_file, job_result_file};

const ELECTION: &str = "Service temporarily unavailable due to an ongoing leader election. Please refresh.";

/// Which of Flink's REST servers it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestServer {
    /// The cluster's own: what it lists.
    JobManager,
    /// A HistoryServer: those that ended. It has no faults.
    HistoryServer,
}

/// One REST server.
pub struct Flink {
    shared: Arc<Shared>,
}

struct Shared {
    model: Arc<Mutex<Model>>,
    target: String,
    kind: RestServer,
    link: Link,
    asked: Mutex<Vec<(Moment, String)>>,
}

impl Flink {
    /// The server of a target of the model.
    pub fn new(model: Arc<Mutex<Model>>, target: &str, kind: RestServer) -> Self {
        let target = target.to_owned();
        let shared = Shared {
            model,
            target,
            kind,
            link: Link::default(),
            asked: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Breaks or heals its network, as the fault says.
    pub fn set_fault(&self, fault: FlinkFault) {
        self.shared.link.set(match fault {
            FlinkFault::Drop => Mode::Drop,
            FlinkFault::Refuse => Mode::Refuse,
            FlinkFault::Ok
            | FlinkFault::Unauthorized
            | FlinkFault::Forbidden
            | FlinkFault::ProxyNotFound
            | FlinkFault::TooManyRequests(_)
            | FlinkFault::ServerError
            | FlinkFault::BadGateway
            | FlinkFault::LoginPage
            | FlinkFault::LeaderElection
            | FlinkFault::Garbage
            | FlinkFault::Array
            | FlinkFault::Slow(_) => Mode::Carry,
        });
    }

    /// What it was asked for, and when, in order.
    pub fn asked(&self) -> Vec<(Moment, String)> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Serve for Flink {
    fn link(&self) -> &Link {
        &self.shared.link
    }

    fn handle(&self, request: Request<()>) -> BoxFuture<'static, Reply> {
        handle(Arc::clone(&self.shared), request).boxed()
    }
}

async fn handle(shared: Arc<Shared>, request: Request<()>) -> Reply {
    // What is true now, even if it arrives late.
    let (answer, fault, clock) = {
        let mut model = shared.model.lock().unwrap_or_else(PoisonError::into_inner);
        let Model { targets, births, .. } = &mut *model;
        let Some(target) = targets.get(&shared.target) else {
            return Reply::Hangup;
        };
        let prefix = format!("/{}/{}", target.namespace, target.name);
        let path = request.uri().path();
        let path = path
            .strip_prefix(&prefix)
            .unwrap_or(path)
            .trim_end_matches('/')
            .to_owned();
        let jobs = jobs_of(target, shared.kind);
        let answer = shapes::Shapes { target, births }.answer(&path, &jobs);
        let fault = if shared.kind == RestServer::HistoryServer {
            FlinkFault::Ok
        } else {
            target.flink
        };
        let clock = births.clock;
        shared
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((clock.story_now(), path));
        (answer, fault, clock)
    };
    match fault {
        FlinkFault::Ok => {}
        FlinkFault::Slow(wait) => tokio::time::sleep(clock.shorten(wait)).await,
        FlinkFault::Drop | FlinkFault::Refuse => return Reply::Silence,
        FlinkFault::Unauthorized => return text(401, "text/plain", "Unauthorized"),
        FlinkFault::Forbidden => return text(403, "text/plain", "Forbidden"),
        FlinkFault::ProxyNotFound => return text(404, "text/plain", "404 page not found\n"),
        FlinkFault::TooManyRequests(wait) => return html(429, "429 Too Many Requests").retry_after(wait),
        FlinkFault::ServerError => {
            let (status, body) = shapes::server_error();
            return json(status, &body);
        }
        FlinkFault::BadGateway => return html(502, "502 Bad Gateway"),
        FlinkFault::LoginPage => return html(200, "Please sign in"),
        FlinkFault::LeaderElection => return json(503, &json!({ "errors": [ELECTION] })),
        FlinkFault::Array => return text(200, "application/json", "[[]]"),
        FlinkFault::Garbage => return text(200, "application/json", "{\"jobs\":[{\"jid\":\""),
    }
    let (status, body) = answer;
    text(status, "application/json; charset=UTF-8", body.to_string())
}

fn jobs_of(target: &Target, kind: RestServer) -> Vec<JobSpec> {
    match kind {
        RestServer::JobManager => target.jobs.clone(),
        RestServer::HistoryServer => target.history.iter().map(EndedJob::as_job).collect(),
    }
}

fn html(status: u16, title: &str) -> Reply {
    let page = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1><hr>nginx</body></html>");
    text(status, "text/html", page)
}
