//! Requests to the HTTP API: method, path with query, headers and a body; the events with their resume among them.

mod engine;

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;
use steadfast_core::id::JobKey;
use tower::ServiceExt as _;

use crate::fakes::play;
use crate::{Target, hold};

pub(super) const TARGET: Target = Target {
    name: "api",
    words: &[
        "GET ",
        "PUT ",
        "POST ",
        "DELETE ",
        "HEAD ",
        "/api/v1/jobs",
        "/api/v1/events",
        "/api/v1/clusters",
        "/api/v1/shadows",
        "/api/v1/policies",
        "/api/v1/store",
        "/api/v1/reload",
        "/local/default/orders",
        "/transitions",
        "/explain",
        "/intent",
        "?state=",
        "&namespace=",
        "&limit=",
        "&cursor=",
        "?after=",
        "&store=",
        "&at=",
        "?force=true",
        "RUNNING",
        "FAILED",
        "Last-Event-ID: ",
        "Host: ",
        "Authorization: Bearer ",
        "Origin: http://",
        "Content-Type: application/json",
        "{\"intent\":\"cancel\"}",
        "savepoint",
        "%2F",
        "%00",
        "%ff",
        "+",
        "18446744073709551615",
        "2026-11-23T01:13:29.838Z",
    ],
    seeds,
    check,
};

fn seeds() -> Vec<Vec<u8>> {
    let requests = [
        "GET /api/v1/jobs?state=RUNNING,FAILED&namespace=default&limit=1",
        "GET /api/v1/jobs?limit=2&cursor=7b22746172676574223a7b7d7d",
        "GET /api/v1/jobs/local/default/orders",
        "GET /api/v1/jobs/local/default/s/ffffffffa021a4190000000000000000/transitions?limit=1",
        "GET /api/v1/jobs/local/default/orders/transitions?cursor=1",
        "GET /api/v1/jobs/local/default/orders/explain",
        "PUT /api/v1/jobs/local/default/orders/intent\nContent-Type: application/json\n\n{\"intent\":\"cancel\"}",
        "DELETE /api/v1/jobs/local/default/orders?force=true",
        "GET /api/v1/events?after=1&store=memory&at=2026-11-23T01:13:29.838Z",
        "GET /api/v1/events\nLast-Event-ID: 2\n",
        "GET /api/v1/shadows?limit=1",
        "GET /api/v1/clusters",
        "GET /api/v1/policies\nAuthorization: Bearer s3cret",
        "POST /api/v1/reload\nOrigin: http://example.org\nHost: example.org\n",
        "GET /readyz",
        "GET /metrics",
        "GET /",
    ];
    requests.map(|request| request.as_bytes().to_vec()).to_vec()
}

fn check(input: &[u8]) {
    let Some(request) = request(input) else { return };
    play(async {
        let router = engine::router().await;
        let is_of_events = request.uri().path() == "/api/v1/events";
        let is_list = request.uri().path() == "/api/v1/jobs" && request.method() == Method::GET;
        let query = request.uri().query().unwrap_or_default().to_owned();
        let response = router.clone().oneshot(request).await.expect("a router answers");
        let answer = answered(response).await;
        if is_of_events && answer.status == 200 {
            follows(&answer.body);
        }
        let cursor = answer.json.as_ref().and_then(|page| page["cursor"].as_str());
        if let (true, Some(cursor)) = (is_list, cursor) {
            let next = next_page(&query, cursor);
            let next = Request::get(next)
                .header("host", "localhost")
                .body(Body::empty())
                .unwrap();
            let next = answered(router.oneshot(next).await.unwrap()).await;
            assert_eq!(next.status, 200, "a cursor that was given leads on");
        }
    });
}

/// The page behind one, in the same order and with the same filters.
fn next_page(query: &str, cursor: &str) -> String {
    let asked = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor");
    let mut next = form_urlencoded::Serializer::for_suffix("/api/v1/jobs?".to_owned(), "/api/v1/jobs?".len());
    next.extend_pairs(asked).append_pair("cursor", cursor);
    next.finish()
}

/// A request as it is written: its line, headers, an empty line, the body. `None` if HTTP has no such request.
fn request(input: &[u8]) -> Option<Request<Body>> {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((input, &[][..]), |at| (&input[..at], &input[at + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.next()?;
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (method, path) = (&line[..space], &line[space + 1..]);
    let mut request = Request::builder().method(method).uri(path);
    let mut has_host = false;
    for header in lines.filter(|line| !line.is_empty()) {
        let colon = header.iter().position(|byte| *byte == b':')?;
        has_host |= header[..colon].eq_ignore_ascii_case(b"host");
        request = request.header(&header[..colon], header[colon + 1..].trim_ascii());
    }
    if !has_host {
        request = request.header("host", "127.0.0.1:8080");
    }
    request.body(Body::from(body.to_vec())).ok()
}

struct Answered {
    status: u16,
    json: Option<Value>,
    body: Bytes,
}

/// Reads an answer to its end, or as far as a stream has come.
async fn answered(response: Response<Body>) -> Answered {
    let status = response.status().as_u16();
    let kind = response
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned());
    assert!(status < 500 || status == 503, "HTTP {status}");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let mut body = Vec::new();
    let mut frames = response.into_body();
    while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_secs(1), frames.frame()).await {
        body.extend(frame.expect("a body without errors").into_data().unwrap_or_default());
    }
    assert!(body.len() < 1 << 20, "{} bytes", body.len());
    let is_json = kind.as_deref().is_some_and(|kind| kind.ends_with("json"));
    let json = is_json.then(|| serde_json::from_slice(&body).unwrap_or(Value::Null));
    if let Some(problem) = json.as_ref().filter(|_| status >= 400) {
        assert_eq!(kind.as_deref(), Some("application/problem+json"));
        assert_eq!(problem["status"], status);
        assert!(
            problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{problem}"
        );
    }
    assert!(
        status < 400 || json.is_some() || body.is_empty(),
        "HTTP {status} says what is wrong"
    );
    Answered {
        status,
        json,
        body: body.into(),
    }
}

/// The ids of a stream rise, and each of its events is of the journal.
fn follows(body: &[u8]) {
    let text = std::str::from_utf8(body).expect("a stream is text");
    let mut last = None;
    for line in text.lines() {
        if let Some(id) = line.strip_prefix("id: ") {
            let id: u64 = id.parse().expect("an id is a sequence");
            assert!(id <= engine::ENTRIES && last.is_none_or(|last| last <= id), "{text}");
            last = Some(id);
        } else if let Some(data) = line.strip_prefix("data: ") {
            let data: Value = serde_json::from_str(data).expect("an event's data is JSON");
            assert!(
                data.get("newest").is_some() || data["job"].as_str().and_then(JobKey::parse).is_some(),
                "{data}"
            );
            hold::harmless(line);
        }
    }
}
