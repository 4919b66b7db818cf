use std::fs;

use axum::body::Body;
use http::{Method, StatusCode};
use steadfast_core::state::JobState;

use super::*;
use crate::testing::{TestServer, read};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn by_token(token: Token) -> Access {
    Access::guarded(Keys {
        shared: Some(token),
        ..Keys::default()
    })
}

async fn ask(server: &TestServer, method: Method, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).unwrap()).await.status()
}

#[tokio::test]
async fn a_token_guards_all_but_probes_and_the_dashboards_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::guarded(by_token(Token::of(&folder, SECRET)));
    let host = ("host", "steadfast.example:8080");
    for path in ["/livez", "/readyz", "/", "/dashboard/app.js"] {
        assert_eq!(ask(&server, Method::GET, path, &[host]).await, StatusCode::OK, "{path}");
    }
    for path in [
        "/api/v1/jobs",
        "/api/v1/events",
        "/metrics",
        "/openapi.json",
        "/api/v1/nothing",
        "/livez/",
    ] {
        assert_eq!(
            ask(&server, Method::GET, path, &[host]).await,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
    let good = format!("Bearer {SECRET}");
    for header in [good.as_str(), &good.replace("Bearer", "bearer")] {
        let status = ask(&server, Method::GET, "/api/v1/jobs", &[host, ("authorization", header)]).await;
        assert_eq!(status, StatusCode::OK, "{header}");
    }
    let (long, short) = (format!("{good}0"), good.replace("def", ""));
    for header in [SECRET, "Bearer", "Bearer ", "Basic 0123", &long, &short] {
        let status = ask(&server, Method::GET, "/api/v1/jobs", &[host, ("authorization", header)]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{header}");
    }
}

#[tokio::test]
async fn a_refusal_names_the_scheme() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::guarded(by_token(Token::of(&folder, SECRET)));
    let request = http::Request::builder().uri("/metrics").body(Body::empty()).unwrap();
    let response = server.send(request).await;
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    let (_, problem) = read(response).await;
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("Authorization: Bearer TOKEN")
    );
}

#[tokio::test]
async fn on_loopback_no_foreign_name_is_served() {
    let server = TestServer::new();
    for host in [
        "127.0.0.1:8080",
        "localhost",
        "LOCALHOST:1",
        "[::1]:8080",
        "10.0.0.7:8080",
    ] {
        assert_eq!(
            ask(&server, Method::GET, "/api/v1/jobs", &[("host", host)]).await,
            StatusCode::OK,
            "{host}"
        );
    }
    for host in [
        "evil.example",
        "localhost.evil.example:8080",
        "127.0.0.1.evil.example",
        "",
    ] {
        let status = ask(&server, Method::GET, "/api/v1/jobs", &[("host", host)]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{host}");
    }
    let open = TestServer::guarded(Access::insecure());
    assert_eq!(
        ask(&open, Method::GET, "/api/v1/jobs", &[("host", "steadfast.svc")]).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_foreign_page_changes_nothing() {
    let server = TestServer::new();
    server.add("local/default/orders", JobState::Running).await;
    let (job, host) = ("/api/v1/jobs/local/default/orders", ("host", "127.0.0.1:8080"));
    for origin in ["http://evil.example", "null", "http://127.0.0.1:9999", "nonsense"] {
        let status = ask(&server, Method::DELETE, job, &[host, ("origin", origin)]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{origin}");
    }
    let own = ("origin", "http://127.0.0.1:8080");
    assert_eq!(
        ask(&server, Method::DELETE, job, &[host, own]).await,
        StatusCode::NO_CONTENT
    );
}

async fn with_token(server: &TestServer, token: &str) -> StatusCode {
    let header = format!("Bearer {token}");
    ask(
        server,
        Method::GET,
        "/api/v1/jobs",
        &[("host", "x"), ("authorization", &header)],
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn a_token_file_that_changes_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let token = Token::of(&folder, SECRET);
    let access = by_token(token);
    let server = TestServer::guarded(access.clone());
    assert_eq!(with_token(&server, SECRET).await, StatusCode::OK);
    let second = "fedcba9876543210";
    fs::write(folder.path().join("token"), format!("{second}\n")).unwrap();
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    assert_eq!(
        with_token(&server, SECRET).await,
        StatusCode::UNAUTHORIZED,
        "the old one"
    );
    assert_eq!(with_token(&server, second).await, StatusCode::OK);
    for unfit in ["short", ""] {
        fs::write(folder.path().join("token"), unfit).unwrap();
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        assert_eq!(with_token(&server, unfit).await, StatusCode::UNAUTHORIZED, "{unfit}");
        assert_eq!(
            with_token(&server, second).await,
            StatusCode::OK,
            "the token of before goes on"
        );
    }
    let Kind::Guarded(guard) = access.kind else {
        panic!("it is guarded");
    };
    assert_eq!(guard.wrong(), 3);
}

#[tokio::test]
async fn a_token_file_holds_a_token_and_nothing_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, format!("  {SECRET}\n")).unwrap();
    let token = Token::read(&path).unwrap();
    assert!(token.is(SECRET).await);
    for part in [&SECRET[1..], &SECRET[..SECRET.len() - 1], ""] {
        assert!(!token.is(part).await, "{part}");
    }
    assert!(!format!("{:?}", by_token(token)).contains("0123"));
    for content in ["", "short", "0123456789abcdef\n0123456789abcdef", "äääääääääääääääääää"] {
        fs::write(&path, content).unwrap();
        let error = Token::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("openssl rand -hex 32") && error.contains("token"),
            "{error}"
        );
    }
    let missing = Token::read(&folder.path().join("nowhere")).unwrap_err().to_string();
    assert!(missing.contains("nowhere"), "{missing}");
}

fn scopes(scopes: &[Scope]) -> Scopes {
    scopes.iter().copied().collect()
}

#[tokio::test]
async fn each_scope_opens_its_routes_and_a_refusal_names_the_one_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let made = |name, held: &[Scope]| NewToken::make(name, scopes(held)).unwrap();
    let tokens = [
        made("eye", &[Scope::Read]),
        made("bot", &[Scope::Intent]),
        made("boss", &[Scope::Admin]),
    ];
    let entries: String = tokens.iter().map(|token| token.entry.as_str()).collect();
    fs::write(&path, entries).unwrap();
    let server = TestServer::guarded(Access::guarded(Keys {
        named: Some(NamedTokens::read(&path).unwrap()),
        ..Keys::default()
    }));
    server.add("local/default/orders", JobState::Running).await;
    let job = "/api/v1/jobs/local/default/orders";
    let calls = [
        (Method::GET, job.to_owned(), Scope::Read),
        (Method::GET, "/metrics".to_owned(), Scope::Read),
        (Method::PUT, format!("{job}/intent"), Scope::Intent),
        (Method::POST, "/api/v1/reload".to_owned(), Scope::Admin),
        (Method::DELETE, job.to_owned(), Scope::Admin),
    ];
    for (held, token) in Scope::ALL.into_iter().zip(&tokens) {
        let bearer = format!("Bearer {}", secrecy::ExposeSecret::expose_secret(&token.token));
        for (method, path, needed) in &calls {
            let request = http::Request::builder().method(method).uri(path).header("host", "x");
            let request = request
                .header("authorization", &bearer)
                .header("content-type", "application/json");
            let body = Body::from(r#"{"intent":"cancel","author":"ann"}"#);
            let (status, answer) = read(server.send(request.body(body).unwrap()).await).await;
            if held == *needed {
                assert!(status.is_success(), "{held:?} {method} {path}: {answer}");
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{held:?} {method} {path}");
                let detail = answer["detail"].as_str().unwrap();
                assert!(
                    detail.contains(&format!("lacks the scope `{}`", needed.as_str())),
                    "{detail}"
                );
            }
            if held == Scope::Intent && *needed == Scope::Intent {
                assert_eq!(
                    answer["intent"]["author"], "bot for ann",
                    "who it is, and for whom they say it is"
                );
            }
        }
    }
}

/// A Kubernetes that cannot be reached, unless it knows the user.
#[derive(Debug)]
struct Cluster(Option<&'static str>);

#[async_trait::async_trait]
impl TokenReviewer for Cluster {
    async fn who(&self, token: &str) -> Result<Option<KubernetesUser>, String> {
        let name = self.0.ok_or("connection refused")?;
        let user = KubernetesUser {
            name: name.to_owned(),
            uid: String::new(),
            groups: Vec::new(),
            extra: std::collections::BTreeMap::new(),
        };
        Ok((token == "ann's").then_some(user))
    }

    async fn may(&self, _: &KubernetesUser, scope: Scope) -> Result<bool, String> {
        Ok(scope == Scope::Read)
    }
}

fn by_cluster(cluster: Cluster, folder: &tempfile::TempDir) -> TestServer {
    TestServer::guarded(Access::guarded(Keys {
        shared: Some(Token::of(folder, SECRET)),
        kubernetes: Some(KubernetesAuth::new(Arc::new(cluster))),
        ..Keys::default()
    }))
}

#[tokio::test]
async fn kubernetes_says_who_somebody_is_and_what_they_may_do() {
    let folder = tempfile::tempdir().unwrap();
    let server = by_cluster(Cluster(Some("ann@example")), &folder);
    server.add("local/default/orders", JobState::Running).await;
    assert_eq!(with_token(&server, "ann's").await, StatusCode::OK);
    assert_eq!(with_token(&server, "nobody's").await, StatusCode::UNAUTHORIZED);
    let request = http::Request::delete("/api/v1/jobs/local/default/orders").header("host", "x");
    let request = request
        .header("authorization", "Bearer ann's")
        .body(Body::empty())
        .unwrap();
    let (status, problem) = read(server.send(request).await).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("`ann@example` lacks the scope `admin`") && detail.contains("verb `admin` on `jobs`"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_cluster_that_cannot_be_asked_is_neither_a_yes_nor_a_no_and_costs_the_engines_own_tokens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = by_cluster(Cluster(None), &folder);
    assert_eq!(with_token(&server, "ann's").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(with_token(&server, SECRET).await, StatusCode::OK);
    let unknown = format!("sft_{}", "0".repeat(64));
    assert_eq!(
        with_token(&server, &unknown).await,
        StatusCode::UNAUTHORIZED,
        "no cluster is asked about ours"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_guesses_is_slowed_down_and_locks_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::guarded(by_token(Token::of(&folder, SECRET)));
    let mut refused = Vec::new();
    for guess in 0..40 {
        refused.push(with_token(&server, &format!("a-guess-of-somebody-{guess}")).await);
    }
    let slowed = refused
        .iter()
        .position(|status| *status == StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(slowed, Some(30));
    assert!(refused[..30].iter().all(|status| *status == StatusCode::UNAUTHORIZED));
    assert_eq!(
        with_token(&server, SECRET).await,
        StatusCode::OK,
        "from the same address"
    );
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    assert_eq!(
        with_token(&server, "another-guess-at-it").await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_writes_too_often_is_told_when_to_go_on() {
    let server = TestServer::new();
    let host = ("host", "localhost");
    for _ in 0..1_000 {
        assert_eq!(
            ask(&server, Method::POST, "/api/v1/reload", &[host]).await,
            StatusCode::OK
        );
    }
    let request = http::Request::post("/api/v1/reload")
        .header("host", "localhost")
        .body(Body::empty())
        .unwrap();
    let response = server.send(request).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(read(response).await.1["code"], "too-many-writes");
    assert_eq!(
        ask(&server, Method::GET, "/api/v1/jobs", &[host]).await,
        StatusCode::OK,
        "reading goes on"
    );
}
