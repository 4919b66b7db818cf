//! Against a server on loopback that speaks the two S3 calls that are made.

use std::time::Duration;

use super::*;

#[allow(dead_code, reason = "the sockets' tests use the rest of it")]
#[path = "../../../tests/server/mod.rs"]
mod server;

use server::{Server, response};

const JOB: &str = "000000006412c0d00000000000000000";
const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(60),
    max_bytes: 1 << 20,
};

/// The bucket's name says how it behaves.
fn answer(path: &str) -> Vec<u8> {
    let xml = |status: &str, body: &str| response(status, "Content-Type: application/xml\r\n", body.as_bytes());
    let error = |code: &str| format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path.trim_matches('/'), ""));
    match bucket {
        "forbidden" => return xml("403 Forbidden", &error("AccessDenied")),
        "unknown-key" => return xml("401 Unauthorized", &error("InvalidAccessKeyId")),
        "broken" => return xml("500 Internal Server Error", &error("InternalError")),
        "busy" => return xml("503 Service Unavailable", &error("SlowDown")),
        "missing" => return xml("404 Not Found", &error("NoSuchBucket")),
        "garbage" => return xml("200 OK", "<html>"),
        _ => {}
    }
    if query.contains("list-type=2") {
        let files = "<Contents><Key>jobs/c/applications/a/jobs/b</Key><LastModified>2026-11-25T00:00:00.000Z</LastModified>\
                     <ETag>\"e\"</ETag><Size>2</Size></Contents>";
        let held = if query.contains("applications") { files } else { "" };
        return xml("200 OK", &format!("<ListBucketResult>{held}</ListBucketResult>"));
    }
    if key == format!("jobs/{JOB}") {
        let headers = "ETag: \"e\"\r\nLast-Modified: Wed, 25 Nov 2026 00:00:00 GMT\r\n";
        return response("200 OK", headers, b"{}");
    }
    xml("404 Not Found", &error("NoSuchKey"))
}

fn bucket(server: &Server, name: &str) -> Bucket {
    let builder = AmazonS3Builder::new()
        .with_endpoint(server.url())
        .with_allow_http(true)
        .with_access_key_id("key")
        .with_secret_access_key("secret");
    Bucket::of(builder, name, "jobs").unwrap()
}

#[tokio::test]
async fn an_object_is_read_and_a_missing_one_is_absent() {
    let server = Server::start(answer).await;
    let bucket = bucket(&server, "flink");
    assert_eq!(bucket.read(&[JOB], LIMITS).await.unwrap().as_deref(), Some(&b"{}"[..]));
    assert_eq!(bucket.read(&["other"], LIMITS).await, Ok(None));
    let listed = bucket.list(&["c", "applications"], LIMITS).await.unwrap();
    assert_eq!(listed, [["a", "jobs", "b"]]);
    assert_eq!(bucket.list(&["d"], LIMITS).await, Ok(vec![]));
    assert_eq!(bucket.shown(&[JOB]), format!("s3://flink/jobs/{JOB}"));
}

#[tokio::test]
async fn every_refusal_is_a_fault_and_none_an_absence() {
    let server = Server::start(answer).await;
    for (name, kind) in [
        ("forbidden", FaultKind::Forbidden),
        ("unknown-key", FaultKind::Unauthorized),
        ("broken", FaultKind::Status),
        ("busy", FaultKind::Status),
        ("missing", FaultKind::NotFound),
    ] {
        let asked = server.requests();
        let fault = bucket(&server, name).read(&["other"], LIMITS).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{name}: {fault}");
        assert!(fault.message.starts_with(&format!("s3://{name}/jobs")), "{fault}");
        assert!(
            server.requests() <= asked + 2,
            "{name}: nothing is tried again behind the engine's back"
        );
        assert_eq!(
            bucket(&server, name).list(&["c"], LIMITS).await.unwrap_err().kind,
            kind,
            "{name}"
        );
    }
    let fault = bucket(&server, "garbage").list(&["c"], LIMITS).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed, "{fault}");
}

#[tokio::test]
async fn silence_and_refused_connections_are_faults() {
    let server = Server::start(answer).await;
    let bucket = bucket(&server, "flink");
    server.fall_silent();
    let short = Limits {
        deadline: Duration::from_millis(100),
        ..LIMITS
    };
    assert_eq!(bucket.read(&[JOB], short).await.unwrap_err().kind, FaultKind::Timeout);
    server.heal();
    let small = Limits { max_bytes: 1, ..LIMITS };
    assert_eq!(bucket.read(&[JOB], small).await.unwrap_err().kind, FaultKind::TooLarge);
    server.close_after_each();
    assert!(bucket.read(&[JOB], LIMITS).await.unwrap().is_some());
    server.stop().await;
    assert_eq!(bucket.read(&[JOB], LIMITS).await.unwrap_err().kind, FaultKind::Refused);
}
