use std::time::Duration;

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::testing::TestServer;

/// Far longer than anything here takes: a hang fails, a slow machine does not.
const PATIENCE: Duration = Duration::from_secs(30);

fn serving(limits: Limits) -> Serving {
    Serving {
        limits,
        access: Access::loopback(),
        tls: None,
        metrics: ListenerMetrics::default(),
    }
}

/// A listener with its metrics, ended with the test.
struct Listening {
    address: std::net::SocketAddr,
    metrics: ListenerMetrics,
    _cancel: tokio_util::sync::DropGuard,
}

impl Listening {
    async fn start(router: Router, serving: Serving) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cancel = CancellationToken::new();
        let metrics = serving.metrics.clone();
        drop(tokio::spawn(serve(listener, router, serving, cancel.clone())));
        Self {
            address,
            metrics,
            _cancel: cancel.drop_guard(),
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// The status line of an answer over a connection of its own.
    async fn get(&self, path: &str, headers: &str) -> String {
        let mut client = self.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{headers}\r\n");
        // It may be refused before it is read.
        drop(client.write_all(request.as_bytes()).await);
        let mut answer = Vec::new();
        drop(timeout(PATIENCE, client.read_to_end(&mut answer)).await.unwrap());
        String::from_utf8_lossy(&answer)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    }
}

/// Waits until the other side has closed.
async fn until_closed(client: &mut TcpStream) {
    let mut rest = Vec::new();
    drop(
        timeout(PATIENCE, client.read_to_end(&mut rest))
            .await
            .expect("it is not closed"),
    );
}

/// Waits until a client that does nothing any more was cut off.
async fn until_cut_off(listening: &Listening) {
    let cut_off = async {
        while listening.metrics.cut_off.get() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, cut_off).await.expect("it is not cut off");
}

/// Limits of which one is short.
fn short(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits {
        connections: 2,
        kept: 1,
        ..Limits::of(64)
    };
    change(&mut limits);
    limits
}

const SOON: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_client_that_asks_nothing_or_half_a_question_is_closed() {
    let listening = Listening::start(Router::new(), serving(short(|limits| limits.first = SOON))).await;
    let mut silent = listening.connect().await;
    let mut dripping = listening.connect().await;
    dripping.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    until_closed(&mut silent).await;
    until_closed(&mut dripping).await;
    assert_eq!(listening.metrics.cut_off.get(), 2);
}

#[tokio::test]
async fn a_request_whose_body_does_not_come_is_answered_and_its_connection_closed() {
    let api = TestServer::new();
    api.add("local/default/orders", steadfast_core::state::JobState::Running)
        .await;
    let listening = Listening::start(api.router.clone(), serving(short(|limits| limits.first = SOON))).await;
    let head = "/api/v1/jobs/local/default/orders/intent HTTP/1.1\r\nhost: localhost\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    // The handler of the second is never reached, so that nobody asks for its body.
    for (method, status) in [("PUT", "HTTP/1.1 408"), ("POST", "HTTP/1.1 405")] {
        let mut client = listening.connect().await;
        client.write_all(format!("{method} {head}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, client.read_to_end(&mut answer)).await;
        drop(read.expect("it is not closed"));
        assert!(
            answer.starts_with(status.as_bytes()),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert_eq!(listening.metrics.cut_off.get(), 1);
}

#[tokio::test]
async fn a_connection_that_stands_idle_is_closed() {
    let router = Router::new().route("/", get(async || "fine"));
    let listening = Listening::start(router, serving(short(|limits| limits.idle = SOON))).await;
    let mut client = listening.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut answer))
        .await
        .expect("it is not closed")
        .unwrap();
    assert!(answer.ends_with(b"fine"));
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_dropped() {
    let router = Router::new()
        .route("/", get(async || vec![b'x'; 32 << 20]))
        .layer(axum::middleware::from_fn_with_state(AnswerBudget::default(), hold));
    let listening = Listening::start(router, serving(short(|limits| limits.answer = SOON))).await;
    let mut client = listening.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until_cut_off(&listening).await;
}

#[tokio::test]
async fn a_follower_that_does_not_read_is_dropped() {
    let endless = async || {
        let chunk = || Ok::<_, std::io::Error>(axum::body::Bytes::from_static(&[b'x'; 1 << 16]));
        axum::body::Body::from_stream(futures::stream::repeat_with(chunk))
    };
    let router = Router::new().route("/", get(endless));
    let listening = Listening::start(router, serving(short(|limits| limits.unread = SOON))).await;
    let mut client = listening.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut beginning = [0; 12];
    client.read_exact(&mut beginning).await.unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200");
    until_cut_off(&listening).await;
}

#[tokio::test]
async fn idle_connections_make_room_and_busy_ones_leave_what_is_kept() {
    let started = Arc::new(tokio::sync::Semaphore::new(0));
    let starts = Arc::clone(&started);
    let slow = move || {
        let starts = Arc::clone(&starts);
        async move {
            starts.add_permits(1);
            std::future::pending::<()>().await;
        }
    };
    let router = Router::new()
        .route("/slow", get(slow))
        .route("/livez", get(async || "alive"))
        .route("/api", get(async || "jobs"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "0123456789abcdef").unwrap();
    let access = Access::guarded(crate::Keys {
        shared: Some(crate::Token::read(&path).unwrap()),
        ..crate::Keys::default()
    });
    let serving = Serving {
        access,
        ..serving(short(|_| {}))
    };
    let listening = Listening::start(router, serving).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(listening.connect().await);
    }
    assert_eq!(
        listening.get("/livez", "").await,
        "HTTP/1.1 200 OK",
        "whoever is idle makes room"
    );
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut client = listening.connect().await;
        client
            .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        started.acquire().await.unwrap().forget();
        busy.push(client);
    }
    assert_eq!(
        listening.get("/livez", "").await,
        "HTTP/1.1 200 OK",
        "a probe finds a place"
    );
    assert!(listening.get("/api", "").await.contains("503"), "a stranger does not");
    let shown = "authorization: Bearer 0123456789abcdef\r\n";
    assert_eq!(
        listening.get("/api", shown).await,
        "HTTP/1.1 200 OK",
        "nor one with the token"
    );
}

#[tokio::test]
async fn stopping_ends_event_streams_and_returns() {
    let api = TestServer::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let server = tokio::spawn(serve(
        listener,
        api.router.clone(),
        serving(Limits::of(64)),
        cancel.clone(),
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    client.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    cancel.cancel();
    let mut rest = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream was cut off, not ended");
    timeout(PATIENCE, server).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_that_never_ends_does_not_hold_the_stop_up() {
    let router = Router::new().route("/", get(std::future::pending::<()>));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let server = tokio::spawn(serve(listener, router, serving(Limits::of(64)), cancel.clone()));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    cancel.cancel();
    timeout(PATIENCE, server).await.unwrap().unwrap().unwrap();
}
