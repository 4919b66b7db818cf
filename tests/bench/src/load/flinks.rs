//! The Flinks: each at an address of its own, with the bodies that a real one sent.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::baseline::BASELINE;
use super::world::{PORT, World, address, at_address, locked, millis};

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

/// The Flink of a session cluster.
#[derive(Debug)]
pub struct Session {
    overview: Bytes,
}

impl Session {
    #[expect(
        clippy::indexing_slicing,
        reason = "members of a JSON object, which are made where they lack"
    )]
    /// It lists so many jobs, of which so many run and the others have ended.
    pub fn new(listed: usize, running: usize, started: u64) -> anyhow::Result<Self> {
        let mut row: Value = serde_json::from_str::<Value>(OVERVIEW)?
            .pointer("/jobs/0")
            .cloned()
            .unwrap_or_default();
        let mut rows = Vec::with_capacity(listed);
        for n in 0..listed {
            row["jid"] = format!("{:032x}", n + 1).into();
            row["name"] = format!("job {n}").into();
            row["start-time"] = started.into();
            if n == running {
                row["state"] = "FINISHED".into();
                row["end-time"] = (started + 60_000).into();
            }
            rows.push(row.to_string());
        }
        let overview = format!("{{\"jobs\":[{}]}}", rows.join(",")).into();
        Ok(Self { overview })
    }
}

/// Files that the world needs beside its listening sockets: connections, for the most part.
const CONNECTIONS: usize = 6_000;

/// So many sockets listen where each Flink cannot have one: who connects to one of 30,000 must not wait for the others.
const SHARED: usize = 64;

/// Listens as each Flink, at its own address and with a socket of its own. Where that is more than this process may open, they
/// share some, at the same addresses.
pub async fn listen(world: &Arc<World>, jobs: usize) -> anyhow::Result<()> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let files = limit
        .current
        .map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    if jobs + CONNECTIONS > files {
        for _ in 0..SHARED {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseport(true)?;
            socket.bind((Ipv4Addr::UNSPECIFIED, PORT).into())?;
            accept(world, socket.listen(4096)?);
        }
        return Ok(());
    }
    for n in 0..jobs {
        accept(world, TcpListener::bind((address(n), PORT)).await?);
    }
    Ok(())
}

fn accept(world: &Arc<World>, listener: TcpListener) {
    let world = Arc::clone(world);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asked = stream.local_addr().ok().and_then(|at| match at.ip() {
                IpAddr::V4(at) => at_address(at),
                IpAddr::V6(_) => None,
            });
            if let Some(n) = asked {
                tokio::spawn(answer(Arc::clone(&world), n, stream));
            }
        }
    });
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
        let asks = request.headers().get(hyper::header::USER_AGENT);
        world.note_poll(asks.is_some_and(|name| name == BASELINE));
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
        // Member by member: what one is given may have the digits of another.
        let duration = format!("\"duration\": {}", millis().saturating_sub(started));
        text.replace(RECORDED, &job)
            .replace("\"duration\": 8601", &duration)
            .replace("\"start-time\": 1795396409838", &format!("\"start-time\": {started}"))
    };
    if let Some(session) = &world.session
        && path == "/jobs/overview"
    {
        return Ok(json(StatusCode::OK, session.overview.clone()));
    }
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
    } else if path == format!("/jobs/{job}/checkpoints") || world.session.is_some() && path.ends_with("/checkpoints") {
        (StatusCode::OK, recorded(CHECKPOINTS))
    } else {
        let asked = path.strip_prefix("/jobs/").unwrap_or_default();
        (StatusCode::NOT_FOUND, UNKNOWN_JOB.replace(RECORDED_UNKNOWN, asked))
    };
    Ok(json(status, body.into()))
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
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
