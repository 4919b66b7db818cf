//! Against a collector on loopback that answers as the test says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use prost::Message as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use steadfast_core::decision::{PolicyFailure, PolicyFailureKind};
use steadfast_core::id::PolicyName;
use steadfast_core::journal::Sequence;
use steadfast_core::state::Mode;
use steadfast_core::testing::{at, job_key};
use steadfast_core::trace::{DecisionTrace, DeliveryTrace, Durable, Judged, Tracer as _};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::collector::Collector;
use crate::otlp::{PartialSuccess, Response};
use crate::queue::QUEUE;
use crate::spans::Identity;

/// Longer than anything here takes on the slowest machine; then the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the collector answers one request.
enum Reply {
    /// With this head, and no body.
    Head(String),
    /// It took all, and says this.
    Says(String),
    /// Not at all.
    Hang,
}

fn status(status: u16) -> Reply {
    Reply::Head(format!("HTTP/1.1 {status} -\r\n"))
}

/// A collector. When it has given the replies that it was told to give, it takes what comes.
#[derive(Clone, Default)]
struct Fake {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    got: Arc<Mutex<Vec<Request>>>,
    heads: Arc<Mutex<String>>,
}

impl Fake {
    async fn start(replies: impl IntoIterator<Item = Reply>) -> (Self, SocketAddr) {
        let fake = Self::default();
        fake.replies.lock().unwrap().extend(replies);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = serving.clone();
                tokio::spawn(async move { drop(fake.serve(stream).await) });
            }
        });
        (fake, address)
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while stream.read_line(&mut line).await? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            self.heads.lock().unwrap().push_str(&line);
            line.clear();
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let reply = self.replies.lock().unwrap().pop_front();
        let head = match reply {
            Some(Reply::Hang) => std::future::pending().await,
            Some(Reply::Head(head)) => head,
            Some(Reply::Says(said)) => {
                let partial_success = Some(PartialSuccess {
                    rejected_spans: 0,
                    error_message: said,
                });
                let body = Response { partial_success }.encode_to_vec();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await?;
                return stream.write_all(&body).await;
            }
            None => {
                let request = Request::decode(body.as_slice()).unwrap();
                self.got.lock().unwrap().push(request);
                "HTTP/1.1 200 OK\r\n".to_owned()
            }
        };
        let head = format!("{head}connection: close\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).await
    }

    /// The names of the spans that it took, in order.
    fn names(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        let resources = got.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes
            .flat_map(|scope| &scope.spans)
            .map(|span| span.name.clone())
            .collect()
    }
}

/// An exporter at work, and the engine's end.
struct Rig {
    telemetry: Telemetry,
    metrics: Metrics,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

fn collector(address: SocketAddr, timeout: Duration) -> Collector {
    Collector {
        endpoint: format!("http://{address}").into(),
        headers: Vec::new(),
        token_file: None,
        ca_file: None,
        proxy: None,
        timeout,
    }
}

fn exporter(collector: Collector) -> (Telemetry, Exporter, Metrics) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let spans = Spans::new(Identity {
        service: "engine-1".to_owned(),
        version: "1.2.3",
        store: "store".to_owned(),
        database: "sqlite",
        resource: std::collections::BTreeMap::new(),
    });
    let retry = Backoff {
        initial: Duration::from_millis(10),
        max: Duration::from_millis(20),
    };
    let metrics = Metrics::default();
    let (telemetry, exporter) = Exporter::new(spans, Way::to(collector).unwrap(), retry, &metrics);
    (telemetry, exporter, metrics)
}

impl Rig {
    fn start(collector: Collector) -> Self {
        let (telemetry, exporter, metrics) = exporter(collector);
        let cancel = CancellationToken::new();
        let task = tokio::spawn(exporter.run(cancel.clone(), StdRng::seed_from_u64(7)));
        Self {
            telemetry,
            metrics,
            cancel,
            task,
        }
    }

    /// Waits until so many spans have met their end.
    async fn until(&self, ended: u64) {
        let ends = || self.metrics.exported.get() + self.metrics.rejected.get() + self.metrics.dropped.get();
        let waiting = async {
            while ends() < ended {
                sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
            "{:?}",
            self.metrics
        );
    }

    async fn stop(self) -> Metrics {
        self.cancel.cancel();
        assert!(
            tokio::time::timeout(PATIENCE, self.task).await.is_ok(),
            "it does not end"
        );
        self.metrics
    }
}

/// Two spans: of a policy that failed.
fn decision() -> DecisionTrace {
    let failure = PolicyFailure {
        kind: PolicyFailureKind::Trap,
        message: "unreachable".into(),
    };
    DecisionTrace {
        number: 1,
        key: job_key("orders"),
        mode: Mode::Application,
        flink_job: None,
        attempt: 1,
        policy: PolicyName::new("p"),
        looks: Vec::new(),
        judged: Judged {
            shown_at: at(1),
            at: at(1),
            took: None,
            outcome: Err(failure),
            wanted: Vec::new(),
        },
        commit: None,
    }
}

fn delivery() -> DeliveryTrace {
    DeliveryTrace {
        sink: "hook".to_owned(),
        events: 1,
        told: vec![Durable {
            sequence: Sequence(1),
            at: at(1),
            key: job_key("orders"),
            revision: 1,
        }],
        began: at(2),
        took: Duration::ZERO,
        failures: 0,
        outcome: Ok(()),
    }
}

#[tokio::test]
async fn what_is_told_arrives_as_otlp() {
    let (fake, address) = Fake::start([]).await;
    let folder = std::env::temp_dir();
    let mut collector = collector(address, PATIENCE);
    let mut value = http::HeaderValue::from_static("team");
    value.set_sensitive(true);
    collector.headers = vec![(http::HeaderName::from_static("x-scope-orgid"), value)];
    let token = folder.join(format!("steadfast-telemetry-token-{}", std::process::id()));
    std::fs::write(&token, "t0ken\n").unwrap();
    collector.token_file = Some(token.clone());
    let rig = Rig::start(collector);
    rig.telemetry.decided(decision());
    rig.telemetry.delivered(delivery());
    rig.until(3).await;
    assert_eq!(fake.names(), ["decision", "decide", "deliver"]);
    let metrics = rig.stop().await;
    std::fs::remove_file(token).unwrap();
    assert_eq!((metrics.exported.get(), metrics.failures.get()), (3, 0));
    let heads = fake.heads.lock().unwrap().to_ascii_lowercase();
    for expected in [
        "post /v1/traces http/1.1",
        "content-type: application/x-protobuf",
        "authorization: bearer t0ken",
        "x-scope-orgid: team",
    ] {
        assert!(heads.contains(expected), "{expected}: {heads}");
    }
    let got = fake.got.lock().unwrap();
    let resource = got[0].resource_spans[0].resource.as_ref().unwrap();
    assert!(
        resource
            .attributes
            .iter()
            .any(|attribute| attribute.key == "service.name"),
        "{resource:?}"
    );
}

#[tokio::test]
async fn a_collector_that_hangs_or_is_busy_gets_the_same_spans_again() {
    let (fake, address) = Fake::start([Reply::Hang, status(503), status(429)]).await;
    let rig = Rig::start(collector(address, Duration::from_millis(200)));
    rig.telemetry.decided(decision());
    rig.until(2).await;
    assert_eq!(fake.names(), ["decision", "decide"]);
    let metrics = rig.stop().await;
    assert_eq!((metrics.exported.get(), metrics.failures.get()), (2, 3));
}

#[tokio::test]
async fn a_collector_that_names_a_time_is_left_alone_until_then() {
    let head =
        "HTTP/1.1 503 -\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\nretry-after: Tue, 24 Nov 2026 10:00:20 GMT\r\n";
    let (_, address) = Fake::start([Reply::Head(head.to_owned())]).await;
    drop(rustls::crypto::ring::default_provider().install_default());
    let way = Way::to(collector(address, PATIENCE)).unwrap();
    let answer = way.post(&Request::default()).await;
    assert!(
        matches!(answer, Answer::NotNow(_, Some(asked)) if asked == Duration::from_secs(20)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn what_a_collector_quotes_of_our_secrets_is_not_told() {
    let said = "no tenant for 'header-canary' (Bearer token-canary) at /path-canary/v1/traces?key=query-canary";
    let (_, address) = Fake::start([Reply::Says(said.to_owned())]).await;
    drop(rustls::crypto::ring::default_provider().install_default());
    let token_file =
        std::env::temp_dir().join(format!("steadfast-telemetry-{}-{}", std::process::id(), address.port()));
    std::fs::write(&token_file, "token-canary\n").unwrap();
    let way = Way::to(Collector {
        endpoint: format!("http://{address}/path-canary?key=query-canary").into(),
        headers: vec![(
            http::HeaderName::from_static("x-key"),
            http::HeaderValue::from_static("header-canary"),
        )],
        token_file: Some(token_file.clone()),
        ..collector(address, PATIENCE)
    });
    let answer = way.unwrap().post(&Request::default()).await;
    std::fs::remove_file(token_file).unwrap();
    // The header's whole value is a secret, its scheme included.
    let told = "no tenant for '(not shown)' ((not shown)) at /(not shown)/v1/traces?key=(not shown)";
    assert!(
        matches!(&answer, Answer::Taken { said, .. } if said == told),
        "{answer:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_collector_says_that_takes_all_is_told_now_and_then() {
    let (_, mut exporter, metrics) = exporter(collector(([127, 0, 0, 1], 9).into(), PATIENCE));
    let taken = |said: &str| Answer::Taken {
        rejected: 0,
        said: said.to_owned(),
    };
    exporter.note(taken(""), 1);
    assert_eq!(exporter.warned, None, "there is nothing to tell");
    let first = Instant::now();
    exporter.note(taken("attributes were cut"), 1);
    assert_eq!(exporter.warned, Some(first));
    tokio::time::advance(WARNED_AGAIN / 2).await;
    exporter.note(taken("attributes were cut"), 1);
    assert_eq!(exporter.warned, Some(first));
    tokio::time::advance(WARNED_AGAIN / 2).await;
    exporter.note(taken("attributes were cut"), 1);
    assert_eq!(exporter.warned, Some(Instant::now()));
    assert_eq!((metrics.exported.get(), metrics.failures.get()), (4, 0));
}

#[tokio::test]
async fn what_a_collector_will_not_have_is_not_sent_again_and_the_next_goes_on() {
    for refusal in [400, 401, 500] {
        let (fake, address) = Fake::start([status(refusal)]).await;
        let rig = Rig::start(collector(address, PATIENCE));
        rig.telemetry.decided(decision());
        rig.until(2).await;
        rig.telemetry.delivered(delivery());
        rig.until(3).await;
        assert_eq!(fake.names(), ["deliver"], "{refusal}");
        let metrics = rig.stop().await;
        let counts = (metrics.rejected.get(), metrics.exported.get(), metrics.failures.get());
        assert_eq!(counts, (2, 1, 1), "{refusal}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (elsewhere, other) = Fake::start([]).await;
    let moved = format!("HTTP/1.1 307 -\r\nlocation: http://{other}/v1/traces\r\n");
    let (_, address) = Fake::start([Reply::Head(moved)]).await;
    let rig = Rig::start(collector(address, PATIENCE));
    rig.telemetry.decided(decision());
    rig.until(2).await;
    assert_eq!(rig.stop().await.rejected.get(), 2);
    assert!(elsewhere.heads.lock().unwrap().is_empty(), "somebody else was asked");
}

#[tokio::test]
async fn a_full_queue_loses_what_comes_last_and_counts_it() {
    let (_, address) = Fake::start([]).await;
    let (telemetry, exporter, metrics) = exporter(collector(address, PATIENCE));
    for _ in 0..QUEUE + 5 {
        telemetry.decided(decision());
    }
    assert_eq!(metrics.dropped.get(), 10, "two spans of each");
    drop(exporter);
    telemetry.delivered(delivery());
    assert_eq!(metrics.dropped.get(), 11, "nobody will ever send it");
}

#[tokio::test]
async fn what_is_left_at_the_stop_is_sent() {
    let (fake, address) = Fake::start([]).await;
    let (telemetry, exporter, metrics) = exporter(collector(address, PATIENCE));
    for _ in 0..600 {
        telemetry.decided(decision());
    }
    let stopped = CancellationToken::new();
    stopped.cancel();
    exporter.run(stopped, StdRng::seed_from_u64(7)).await;
    assert_eq!((metrics.exported.get(), metrics.dropped.get()), (1200, 0));
    assert!(fake.got.lock().unwrap().len() > 1, "in requests of a bounded size");
}

#[tokio::test]
async fn a_collector_that_hangs_does_not_hold_up_a_stop() {
    let (_, address) = Fake::start([Reply::Hang, Reply::Hang, Reply::Hang]).await;
    let rig = Rig::start(collector(address, PATIENCE * 10));
    for _ in 0..600 {
        rig.telemetry.decided(decision());
    }
    assert_eq!(rig.stop().await.dropped.get(), 1200);
}
