//! Credentials that change while they are in use, over real sockets.

// Tests read what they have written, and ask servers of their own.
#![allow(clippy::disallowed_methods)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]
#![allow(dead_code, reason = "the server misbehaves for other tests too")]

mod server;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use server::{Server, response};
use steadfast_core::backoff::Backoff;
use steadfast_core::evidence::FaultKind;
use steadfast_sources::authorized::{AuthorizedTransport, FlinkAccess, FlinkAuth};
use steadfast_sources::kubernetes::connect;
use steadfast_sources::transport::{HttpTransport, Limits, ProxyTransport, Transport};

const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(60),
    max_bytes: 1 << 20,
};
/// Between two renewals.
const EVERY: Duration = Duration::from_millis(300);
const RETRY: Backoff = Backoff {
    initial: Duration::from_millis(20),
    max: EVERY,
};

/// What a server accepts in `Authorization`.
type Accepted = Arc<Mutex<String>>;

async fn guarded(accepted: &Accepted) -> Server {
    let accepted = Arc::clone(accepted);
    Server::start_with(move |head| {
        let shown = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
        });
        if shown.as_deref() == Some(accepted.lock().unwrap().as_str()) {
            response("200 OK", "", b"welcome")
        } else {
            response("401 Unauthorized", "", b"{}")
        }
    })
    .await
}

fn accepts(text: &str) -> Accepted {
    Arc::new(Mutex::new(text.to_owned()))
}

fn write_kubeconfig(path: &Path, server: &Server, user: &Value) {
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server.url()}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    std::fs::write(path, kubeconfig.to_string()).unwrap();
}

/// A plugin that notes each run in a file and answers the token that stands in another.
fn plugin(folder: &Path) -> Value {
    let folder = folder.display();
    let script = format!(
        "echo run >> {folder}/runs; test -e {folder}/hang && exec sleep 600; printf \
         '{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"%s\"}}}}' \"$(cat {folder}/token)\""
    );
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script]}})
}

fn runs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("runs")).unwrap().lines().count()
}

async fn status(way: &dyn Transport, url: &str) -> u16 {
    way.get(url, LIMITS).await.unwrap().status
}

async fn until_welcome(way: &dyn Transport, url: &str) {
    let welcome = async {
        while !way.get(url, LIMITS).await.is_ok_and(|answer| answer.status == 200) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMITS.deadline, welcome).await.expect("taken up");
}

#[tokio::test]
async fn a_token_that_was_rewritten_in_the_kubeconfig_is_taken_up_after_a_401() {
    let accepted = accepts("Bearer one");
    let server = guarded(&accepted).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    write_kubeconfig(&path, &server, &json!({"token": "one"}));
    let connected = connect(Some(&path), RETRY).await.unwrap();
    let renewing = tokio::spawn(connected.credentials.renew(StdRng::seed_from_u64(1)));
    let way = ProxyTransport::new(connected.client);
    assert_eq!(status(&way, "/x").await, 200);
    *accepted.lock().unwrap() = "Bearer two".to_owned();
    assert_eq!(status(&way, "/x").await, 401, "the engine hears of it");
    write_kubeconfig(&path, &server, &json!({"token": "two"}));
    until_welcome(&way, "/x").await;
    renewing.abort();
}

#[tokio::test]
async fn a_plugin_is_run_again_after_a_401_and_a_storm_of_them_runs_it_no_oftener_than_allowed() {
    let accepted = accepts("Bearer one");
    let server = guarded(&accepted).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(folder.path().join("token"), "one").unwrap();
    write_kubeconfig(&path, &server, &plugin(folder.path()));
    let connected = connect(Some(&path), RETRY).await.unwrap();
    let renewing = tokio::spawn(connected.credentials.renew(StdRng::seed_from_u64(1)));
    let way = ProxyTransport::new(connected.client);
    until_welcome(&way, "/x").await;
    assert_eq!(runs(folder.path()), 1);
    *accepted.lock().unwrap() = "Bearer two".to_owned();
    let began = tokio::time::Instant::now();
    for _ in 0..200 {
        assert_eq!(status(&way, "/x").await, 401);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let allowed = 2 + began.elapsed().as_millis() / EVERY.as_millis();
    let runs = u128::try_from(runs(folder.path())).unwrap();
    assert!((2..=allowed).contains(&runs), "{runs} runs, {allowed} allowed");
    std::fs::write(folder.path().join("token"), "two").unwrap();
    until_welcome(&way, "/x").await;
    renewing.abort();
}

#[tokio::test]
async fn a_plugin_that_hangs_holds_up_no_request_and_is_not_run_twice() {
    let accepted = accepts("Bearer one");
    let server = guarded(&accepted).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(folder.path().join("token"), "one").unwrap();
    write_kubeconfig(&path, &server, &plugin(folder.path()));
    let connected = connect(Some(&path), RETRY).await.unwrap();
    let renewing = tokio::spawn(connected.credentials.renew(StdRng::seed_from_u64(1)));
    let way = ProxyTransport::new(connected.client);
    until_welcome(&way, "/x").await;
    std::fs::write(folder.path().join("hang"), "").unwrap();
    *accepted.lock().unwrap() = "Bearer two".to_owned();
    for _ in 0..100 {
        assert_eq!(status(&way, "/x").await, 401);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(runs(folder.path()), 2, "the second one hangs");
    *accepted.lock().unwrap() = "Bearer one".to_owned();
    assert_eq!(status(&way, "/x").await, 200, "what was shown before is shown on");
    renewing.abort();
}

#[tokio::test]
async fn a_plugin_that_has_given_nothing_yet_keeps_nobody_waiting_and_is_tried_again() {
    let server = guarded(&accepts("Bearer one")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let failing = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
        "args": ["-c", format!("echo run >> {0}/runs; exit 3", folder.path().display())],
    }});
    write_kubeconfig(&path, &server, &failing);
    let connected = connect(Some(&path), RETRY).await.unwrap();
    let way = ProxyTransport::new(connected.client);
    let fault = way.get("/x", LIMITS).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    assert!(fault.message.contains("has not answered yet"), "{fault}");
    let renewing = tokio::spawn(connected.credentials.renew(StdRng::seed_from_u64(1)));
    let told = async {
        loop {
            let fault = way.get("/x", LIMITS).await.unwrap_err();
            if fault
                .message
                .contains("the credential plugin sh failed (exit status: 3)")
            {
                return fault;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let fault = tokio::time::timeout(LIMITS.deadline, told).await.expect("the reason");
    assert!(fault.message.starts_with("/x: no credentials yet: "), "{fault}");
    while runs(folder.path()) < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::fs::write(folder.path().join("token"), "one").unwrap();
    write_kubeconfig(&path, &server, &plugin(folder.path()));
    until_welcome(&way, "/x").await;
    renewing.abort();
}

#[tokio::test]
async fn a_plugin_that_may_never_be_run_is_a_mistake_at_the_start() {
    let server = guarded(&accepts("Bearer one")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    for exec in [
        json!({"apiVersion": "client.authentication.k8s.io/v1"}),
        json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "interactiveMode": "Always"}),
    ] {
        write_kubeconfig(&path, &server, &json!({ "exec": exec }));
        assert!(connect(Some(&path), RETRY).await.is_err(), "{exec}");
    }
}

fn bearer(file: &Path) -> FlinkAccess {
    FlinkAccess {
        auth: Some(FlinkAuth::Bearer {
            token_file: file.to_owned(),
        }),
        ca_file: None,
    }
}

#[tokio::test]
async fn a_flink_is_shown_the_token_that_stands_in_its_file_now() {
    let accepted = accepts("Bearer one");
    let server = guarded(&accepted).await;
    let url = format!("{}/jobs/overview", server.url());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "one\n").unwrap();
    let way = AuthorizedTransport::open(bearer(&file)).await.unwrap();
    assert_eq!(status(&way, &url).await, 200);
    *accepted.lock().unwrap() = "Bearer two".to_owned();
    std::fs::write(&file, "two\n").unwrap();
    until_welcome(&way, &url).await;
    // A file that cannot be read for a moment takes nothing away.
    std::fs::remove_file(&file).unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(status(&way, &url).await, 200);
}

#[tokio::test]
async fn a_user_and_a_password_are_shown_and_never_told() {
    let accepted = accepts("Basic Zmxpbms6c2VjcmV0");
    let server = guarded(&accepted).await;
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, "secret").unwrap();
    let access = FlinkAccess {
        auth: Some(FlinkAuth::Basic {
            user: "flink".to_owned(),
            password_file,
        }),
        ca_file: None,
    };
    let way = AuthorizedTransport::open(access.clone()).await.unwrap();
    assert_eq!(status(&way, &server.url()).await, 200);
    server.stop().await;
    let fault = AuthorizedTransport::open(access.clone())
        .await
        .unwrap()
        .get("http://127.0.0.1:1/", LIMITS)
        .await
        .unwrap_err();
    let shown = format!("{fault} {access:?}");
    assert!(!shown.contains("secret") && !shown.contains("Zmxpbms6"), "{shown}");
}

#[tokio::test]
async fn a_file_that_is_missing_or_empty_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    for content in [None, Some(" \n")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let fault = AuthorizedTransport::open(bearer(&file)).await.err().unwrap();
        assert_eq!(fault.kind, FaultKind::Unauthorized);
        assert!(fault.message.contains("token"), "{fault}");
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_vouches_and_a_wrong_one_does_not() {
    let server = Server::start_tls(|_| response("200 OK", "", b"well")).await;
    let right = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/ca.pem");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::copy(&right, &file).unwrap();
    let access = FlinkAccess {
        auth: None,
        ca_file: Some(file.clone()),
    };
    let way = AuthorizedTransport::open(access.clone()).await.unwrap();
    assert_eq!(status(&way, &server.url()).await, 200);
    let without = HttpTransport::new().unwrap().get(&server.url(), LIMITS).await;
    assert_eq!(without.unwrap_err().kind, FaultKind::Tls);
    std::fs::write(&file, "no certificate").unwrap();
    let fault = AuthorizedTransport::open(access).await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Tls);
    assert!(fault.message.contains("ca.pem holds no certificates"), "{fault}");
}
