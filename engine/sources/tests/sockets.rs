//! The real clients over real sockets: what a peer does below and beside HTTP becomes the right kind of fault, and
//! no broken connection outlives the request that met it.

// Tests read what they have written, and ask servers of their own.
#![allow(clippy::disallowed_methods)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "credentials.rs uses the rest of it")]
mod server;

use std::path::Path;
use std::time::Duration;

use server::{Server, response};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::timing::Timing;
use steadfast_sources::flink::overview;
use steadfast_sources::kubernetes::{Location, connect};
use steadfast_sources::transport::{Answer, HttpTransport, Limits, ProxyTransport, Transport};

/// Long enough for a loaded machine where an answer comes.
const PATIENT: Limits = Limits {
    deadline: Duration::from_secs(60),
    max_bytes: 1 << 20,
};
/// Short where none comes.
const SHORT: Limits = Limits {
    deadline: Duration::from_millis(300),
    max_bytes: 1 << 20,
};

/// A client of the server's, by way of a kubeconfig.
async fn kube(server: &Server) -> ProxyTransport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig.json");
    let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/ca.pem");
    std::fs::copy(authority, folder.path().join("ca.pem")).unwrap();
    let cluster = match server.url().starts_with("https") {
        true => serde_json::json!({"server": server.url(), "certificate-authority": "ca.pem"}),
        false => serde_json::json!({"server": server.url()}),
    };
    let kubeconfig = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    std::fs::write(&path, kubeconfig.to_string()).unwrap();
    let connected = connect(Some(&path), Timing::default().backoff()).await.unwrap();
    assert_eq!(connected.location, Location::Outside);
    ProxyTransport::new(connected.client)
}

/// A transport, and what its URLs begin with.
type Way = (Box<dyn Transport>, String);

/// Every transport there is, each with a server of its own that is behind it.
async fn every_way(answer: fn(&str) -> Vec<u8>) -> Vec<(Server, Way)> {
    let plain = Server::start(answer).await;
    let http: Way = (Box::new(HttpTransport::new().unwrap()), plain.url());
    let loopback = Server::start(answer).await;
    let proxied: Way = (Box::new(kube(&loopback).await), String::new());
    let tls = Server::start_tls(answer).await;
    let secure: Way = (Box::new(kube(&tls).await), String::new());
    vec![(plain, http), (loopback, proxied), (tls, secure)]
}

async fn get(way: &Way, limits: Limits) -> Result<Answer, Fault> {
    way.0.get(&format!("{}/x", way.1), limits).await
}

fn kind(answer: Result<Answer, Fault>) -> FaultKind {
    answer.expect_err("no usable answer").kind
}

#[tokio::test]
async fn an_answer_of_any_status_is_reported_once_as_it_came() {
    let refusal = |_: &str| response("503 Service Unavailable", "Retry-After: 7\r\n", b"no");
    for (server, way) in every_way(refusal).await {
        let answer = get(&way, PATIENT).await.unwrap();
        assert_eq!((answer.status, answer.body.as_ref()), (503, b"no".as_ref()));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(server.requests(), 1, "retries are the engine's business");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let redirect = |_: &str| response("302 Found", "Location: /login\r\n", b"");
    for (server, way) in every_way(redirect).await {
        assert_eq!(get(&way, PATIENT).await.unwrap().status, 302);
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn a_peer_that_falls_silent_and_heals_is_reached_at_the_next_request() {
    for (server, way) in every_way(|_| response("200 OK", "", b"well")).await {
        assert_eq!(get(&way, PATIENT).await.unwrap().body.as_ref(), b"well");
        server.fall_silent();
        for _ in 0..3 {
            assert_eq!(kind(get(&way, SHORT).await), FaultKind::Timeout);
        }
        // Connections from before stay dead, as after a lost packet that is not sent again for long.
        server.heal();
        assert_eq!(get(&way, PATIENT).await.unwrap().body.as_ref(), b"well");
    }
}

#[tokio::test]
async fn no_peer_is_spoken_to_in_http_2() {
    let server = Server::start_tls(|_| response("200 OK", "", b"")).await;
    get(&(Box::new(kube(&server).await), String::new()), PATIENT)
        .await
        .unwrap();
    assert_ne!(server.protocol().as_deref(), Some(b"h2".as_ref()));
}

#[tokio::test]
async fn a_body_beyond_its_limit_is_cut_off() {
    let large = |_: &str| response("200 OK", "", &vec![b'x'; 2 << 20]);
    for (_server, way) in every_way(large).await {
        assert_eq!(kind(get(&way, PATIENT).await), FaultKind::TooLarge);
    }
}

#[tokio::test]
async fn a_list_of_fifty_thousand_jobs_is_read_as_it_arrives() {
    const JOBS: usize = 50_000;
    let list = |_: &str| {
        let name = "n".repeat(300);
        let row = |n: usize| format!(r#"{{"jid":"{n:032x}","name":"{name}","state":"RUNNING","start-time":{n}}}"#);
        let rows: Vec<String> = (0..JOBS).map(row).collect();
        response("200 OK", "", format!(r#"{{"jobs":[{}]}}"#, rows.join(",")).as_bytes())
    };
    for (_server, (way, base)) in every_way(list).await {
        // More than is kept of a body.
        let told = overview(way.as_ref(), &base, PATIENT).await.unwrap();
        assert_eq!((told.jobs.len(), told.unreadable.len()), (JOBS, 0));
        assert_eq!(told.jobs[JOBS - 1].started_at.as_millis(), 49_999);
    }
}

#[tokio::test]
async fn a_list_that_does_not_arrive_whole_is_no_list() {
    let half = |_: &str| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"jobs\":[]}".to_vec();
    for (server, (way, base)) in every_way(half).await {
        let fault = overview(way.as_ref(), &base, SHORT).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Timeout);
        server.close_after_each();
        let fault = overview(way.as_ref(), &base, PATIENT).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Connection);
    }
    let large = |_: &str| response("503 Service Unavailable", "", &vec![b'x'; 2 << 20]);
    for (_server, (way, base)) in every_way(large).await {
        let fault = overview(way.as_ref(), &base, PATIENT).await.unwrap_err();
        assert_eq!(
            fault.kind,
            FaultKind::TooLarge,
            "only a list may be larger than is kept"
        );
    }
}

#[tokio::test]
async fn a_body_that_stops_half_way_is_no_answer() {
    let half = |_: &str| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"jobs\":[]}".to_vec();
    for (server, way) in every_way(half).await {
        server.close_after_each();
        assert_eq!(kind(get(&way, PATIENT).await), FaultKind::Connection);
    }
}

#[tokio::test]
async fn headers_without_a_body_run_into_the_deadline() {
    let headers = |_: &str| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".to_vec();
    for (_server, way) in every_way(headers).await {
        assert_eq!(kind(get(&way, SHORT).await), FaultKind::Timeout);
    }
}

#[tokio::test]
async fn a_closed_port_refuses() {
    for (server, way) in every_way(|_| response("200 OK", "", b"")).await {
        server.stop().await;
        assert_eq!(kind(get(&way, PATIENT).await), FaultKind::Refused);
    }
}

#[tokio::test]
async fn a_certificate_nobody_knows_is_a_fault_of_tls() {
    let server = Server::start_tls(|_| response("200 OK", "", b"")).await;
    let way: Way = (Box::new(HttpTransport::new().unwrap()), server.url());
    assert_eq!(kind(get(&way, PATIENT).await), FaultKind::Tls);
}

#[tokio::test]
async fn what_is_not_http_is_a_fault_of_the_connection() {
    for (_server, way) in every_way(|_| b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()).await {
        assert_eq!(kind(get(&way, PATIENT).await), FaultKind::Connection);
    }
}
