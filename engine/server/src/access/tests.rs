use std::fs;

use axum::body::Body;
use http::{Method, StatusCode};
use steadfast_core::state::JobState;

use super::*;
use crate::testing::{TestServer, read};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

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
    let server = TestServer::guarded(Access::Token(Token::of(&folder, SECRET)));
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
    let server = TestServer::guarded(Access::Token(Token::of(&folder, SECRET)));
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
    let open = TestServer::guarded(Access::Insecure);
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
    let server = TestServer::guarded(Access::Token(token.clone()));
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
    assert_eq!(token.wrong(), 3);
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
    assert!(!format!("{:?}", Access::Token(token)).contains("0123"));
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
