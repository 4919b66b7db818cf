use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

use crate::testing::{TestServer, request};

async fn asked(accept: Option<&str>) -> (String, String) {
    let server = TestServer::new();
    let mut asking = request(Method::GET, "/metrics");
    if let Some(accept) = accept {
        asking = asking.header(ACCEPT, accept);
    }
    let response = server.send(asking.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[VARY], "Accept");
    let kind = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (kind, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn who_accepts_open_metrics_gets_it() {
    let (kind, text) = asked(Some("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")).await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.contains("# TYPE steadfast_things counter\n"), "{text}");
    assert!(
        text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1,
        "{text}"
    );
}

#[tokio::test]
async fn everybody_else_gets_prometheus_text() {
    for accept in [None, Some("*/*"), Some("text/html")] {
        let (kind, text) = asked(accept).await;
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(text.contains("# TYPE steadfast_things_total counter\n"), "{text}");
        assert!(
            !text.contains("EOF") && text.contains("steadfast_event_subscribers 0\n"),
            "{text}"
        );
    }
}
