//! The Flinks: each at an address of its own, with the bodies that a real one sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::world::{World, address, locked, millis};

const OVERVIEW: &str = include_str!("../../../fixtures/flink-2.2.0/running/jobs-overview.json");
const CHECKPOINTS: &str = include_str!("../../../fixtures/flink-2.2.0/running/job-checkpoints.json");
const CONFIG: &str = include_str!("../../../fixtures/flink-2.2.0/running/jobmanager-config.json");
const UNKNOWN_JOB: &str = include_str!("../../../fixtures/flink-2.2.0/errors/404-unknown-job.json");
/// The job that the recorded Flink did not know.
const RECORDED_UNKNOWN: &str = "ffffffffffffffffffffffffffffffff";
/// The cluster of the recordings.
const CLUSTER: &str = "run-ha";
/// Where its JobManager was.
const RECORDED_AT: &str = "10.212.0.2";
/// Its job.
const RECORDED: &str = "ffffffffc92beb7b0000000000000000";

/// Listens as the n-th Flink.
pub async fn listen(world: &Arc<World>, n: usize, address: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let world = Arc::clone(world);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(Arc::clone(&world), n, stream));
        }
    });
    Ok(())
}

async fn answer(world: Arc<World>, n: usize, stream: TcpStream) {
    if world.is_down(n) {
        // As near to a refusal as one comes who listens.
        drop(stream.set_zero_linger());
        return;
    }
    drop(stream.set_nodelay(true));
    world.connections.fetch_add(1, Relaxed);
    let service = hyper::service::service_fn(|request| respond(&world, n, request));
    let served = hyper::server::conn::http1::Builder::new()
        .max_buf_size(8192)
        .serve_connection(TokioIo::new(stream), service);
    drop(served.await);
    world.connections.fetch_sub(1, Relaxed);
}

/// An error ends the connection without an answer.
async fn respond(
    world: &World,
    n: usize,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let path = request.uri().path();
    if path == "/jobs/overview" {
        world.note_poll();
    }
    let hanging = world.hanging.load(Relaxed);
    if hanging > 0 && n.is_multiple_of(hanging) {
        std::future::pending::<Infallible>().await;
    }
    if !world.is_light().await || world.is_down(n) {
        return Err(std::io::ErrorKind::ConnectionReset.into());
    }
    let Some((job, started)) = world.run_of(n) else {
        return Err(std::io::ErrorKind::ConnectionReset.into());
    };
    let recorded = |text: &str| {
        text.replace(RECORDED, &job)
            .replace("1795396409838", &started.to_string())
            .replace("8601", &millis().saturating_sub(started).to_string())
    };
    let (status, body) = if path == "/jobs/overview" {
        (StatusCode::OK, recorded(OVERVIEW))
    } else if path == "/jobmanager/config" {
        // Whose Flink it is.
        (
            StatusCode::OK,
            CONFIG
                .replace(CLUSTER, &format!("job-{n:05}"))
                .replace(RECORDED_AT, &address(n).to_string()),
        )
    } else if path == format!("/jobs/{job}/checkpoints") {
        (StatusCode::OK, recorded(CHECKPOINTS))
    } else {
        let asked = path.strip_prefix("/jobs/").unwrap_or_default();
        (StatusCode::NOT_FOUND, UNKNOWN_JOB.replace(RECORDED_UNKNOWN, asked))
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}

impl World {
    fn is_down(&self, n: usize) -> bool {
        locked(&self.jobs).get(n).is_none_or(|job| job.down.is_some())
    }

    /// The job's id, and when its run began.
    fn run_of(&self, n: usize) -> Option<(String, u64)> {
        let jobs = locked(&self.jobs);
        let job = jobs.get(n)?;
        Some((format!("{:016x}{n:016x}", job.incarnation), job.started))
    }
}
