use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::json;

use super::*;
use crate::testing::{TestServer, read, request};

#[tokio::test]
async fn a_reload_tells_what_changed_and_what_did_not() {
    let (status, told) = TestServer::new().call(Method::POST, "/api/v1/reload", "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        told,
        json!({ "reloaded": true, "policies": [{ "name": "default", "sha256": "00ff", "changed": true }], "restartNeeded": ["server.listen"] })
    );
}

#[tokio::test]
async fn a_refusal_says_why_in_the_shape_of_every_error() {
    let server = TestServer::new();
    for (error, expected, code) in [
        (ReloadError::NoFile, StatusCode::CONFLICT, "no-configuration-file"),
        (
            ReloadError::Refused("no such module".to_owned()),
            StatusCode::UNPROCESSABLE_ENTITY,
            "reload-refused",
        ),
        (
            ReloadError::Unavailable("the store is full".to_owned()),
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
        ),
    ] {
        let why = error.to_string();
        *server.policies.0.lock().unwrap() = Err(error);
        let (status, problem) = server.call(Method::POST, "/api/v1/reload", "").await;
        assert_eq!((status, &problem["code"]), (expected, &json!(code)));
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(&why), "{detail}");
    }
}

#[tokio::test]
async fn a_foreign_page_cannot_reload() {
    let request = request(Method::POST, "/api/v1/reload")
        .header("origin", "http://elsewhere.example")
        .body(Body::empty())
        .unwrap();
    let (status, _) = read(TestServer::new().send(request).await).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_running_policies_are_listed() {
    let (status, list) = TestServer::new().get("/api/v1/policies").await;
    assert_eq!(
        (status, list),
        (StatusCode::OK, json!({ "items": [], "lastReload": null }))
    );
}
