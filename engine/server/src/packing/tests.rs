use std::io::Read as _;

use flate2::read::GzDecoder;
use http::{Method, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use steadfast_core::state::JobState;

use super::*;
use crate::testing::{TestServer, request};

async fn fleet() -> TestServer {
    let server = TestServer::new();
    for number in 0..100 {
        server
            .add(&format!("local/default/job-{number}"), JobState::Running)
            .await;
    }
    server
}

async fn ask(server: &TestServer, path: &str, header: &str, value: &str) -> Response<Body> {
    let asked = request(Method::GET, path).header(header, value);
    server.send(asked.body(Body::empty()).unwrap()).await
}

async fn bytes(response: Response<Body>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn who_takes_gzip_is_given_the_same_answer_packed_and_of_a_known_length() {
    let server = fleet().await;
    for path in [
        "/api/v1/jobs",
        "/api/v1/history?format=csv",
        "/openapi.json",
        "/dashboard/app.js",
    ] {
        let plain = bytes(ask(&server, path, "accept-encoding", "identity").await).await;
        let packed = ask(&server, path, "accept-encoding", "gzip, deflate, br").await;
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        let mut vary = packed.headers().get_all("vary").iter();
        assert!(vary.any(|vary| vary == "accept-encoding"), "{path}");
        let length = packed.body().size_hint().exact();
        assert!(
            length.is_some_and(|length| length < plain.len() as u64 / 2),
            "{path}: {length:?}"
        );
        let mut unpacked = Vec::new();
        GzDecoder::new(bytes(packed).await.as_slice())
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, plain, "{path}");
    }
}

#[tokio::test]
async fn what_is_small_or_has_no_end_and_metrics_go_as_they_are() {
    let server = fleet().await;
    for path in [
        "/livez",
        "/metrics",
        "/api/v1/events",
        "/api/v1/jobs?limit=1",
        "/api/v1/jobs?limit=x",
    ] {
        let response = ask(&server, path, "accept-encoding", "gzip").await;
        assert!(!response.headers().contains_key("content-encoding"), "{path}");
    }
    let unasked = request(Method::GET, "/api/v1/jobs").body(Body::empty()).unwrap();
    assert!(!server.send(unasked).await.headers().contains_key("content-encoding"));
    let refused = ask(&server, "/api/v1/jobs", "accept-encoding", "gzip;q=0").await;
    assert!(!refused.headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn who_has_the_answer_is_told_that_nothing_has_changed() {
    let server = fleet().await;
    for path in [
        "/api/v1/jobs",
        "/api/v1/summary?state=RUNNING",
        "/api/v1/jobs/local/default/job-1",
        "/api/v1/clusters",
    ] {
        let first = ask(&server, path, "accept-encoding", "gzip").await;
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        for shown in [
            tag.clone(),
            format!("\"x\", {tag}"),
            "*".to_owned(),
            tag.replace("W/", ""),
        ] {
            let again = ask(&server, path, "if-none-match", &shown).await;
            assert_eq!(
                (again.status(), &again.headers()["etag"]),
                (StatusCode::NOT_MODIFIED, &HeaderValue::from_str(&tag).unwrap()),
                "{path}: {shown}"
            );
            assert_eq!(again.headers()["cache-control"], "no-store");
            assert!(bytes(again).await.is_empty());
        }
        let other = ask(&server, path, "if-none-match", "W/\"0\"").await;
        assert_eq!(other.status(), StatusCode::OK);
    }
    let tag = ask(&server, "/api/v1/summary", "accept", "*/*").await.headers()["etag"].clone();
    server.add("local/default/new", JobState::Failed).await;
    let changed = ask(&server, "/api/v1/summary", "if-none-match", tag.to_str().unwrap()).await;
    assert_eq!(changed.status(), StatusCode::OK);
    assert_ne!(changed.headers()["etag"], tag);
}

#[tokio::test]
async fn what_is_refused_or_has_no_end_has_no_tag() {
    let server = fleet().await;
    for path in ["/api/v1/events", "/api/v1/jobs?limit=x", "/livez", "/metrics"] {
        let response = ask(&server, path, "if-none-match", "*").await;
        assert!(!response.headers().contains_key("etag"), "{path}");
        assert_ne!(response.status(), StatusCode::NOT_MODIFIED, "{path}");
    }
}
