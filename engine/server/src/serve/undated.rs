//! Connections while the machine's clock is where HTTP has no date for it.
//!
//! The HTTP library writes the date of each answer for itself, wanted or not, and panics where there is no form for it: before
//! 1970 and behind the year 9999. So it is not asked while the clock is there. The probes are answered all the same, since a
//! restart mends no clock; all else is told why not.

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tower::ServiceExt as _;

use crate::problem::{Code, Problem};

/// The most that is read of a request, in bytes.
const HEAD: u64 = 16 << 10;
/// The most that a probe's answer holds, in bytes.
const ANSWER: usize = 1 << 20;
/// What is asked for without a token.
const PROBES: [&str; 2] = ["/livez", "/readyz"];

/// Whether HTTP has a form for this time, and for those of the next minute.
pub(super) fn is_datable(now: SystemTime) -> bool {
    const LAST: Duration = Duration::from_secs(253_402_300_799 - 60);
    now.duration_since(SystemTime::UNIX_EPOCH)
        .is_ok_and(|since| since <= LAST)
}

/// The header of an answer that is made at a time, if there is a form for it.
pub(super) fn date(now: SystemTime) -> Option<HeaderValue> {
    let text = is_datable(now).then(|| httpdate::fmt_http_date(now))?;
    HeaderValue::try_from(text).ok()
}

/// Answers the one request of a connection.
pub(super) async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut request = (&mut stream).take(HEAD);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && request.read_buf(&mut head).await? > 0 {}
    let response = match probe(&head) {
        Some(path) => asked(router, path).await,
        None => {
            let refused = Problem::unavailable("this machine's clock is before 1970 or behind the year 9999; set it");
            refused.coded(Code::ClockUnusable).into_response()
        }
    };
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER).await.unwrap_or_default();
    let mut written = format!("HTTP/1.1 {}\r\nconnection: close\r\n", parts.status);
    written.push_str(&format!("{CONTENT_LENGTH}: {}\r\n", body.len()));
    if let Some(format) = parts.headers.get(CONTENT_TYPE).and_then(|format| format.to_str().ok()) {
        written.push_str(&format!("{CONTENT_TYPE}: {format}\r\n"));
    }
    written.push_str("\r\n");
    stream.write_all(written.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

/// The probe that a request asks for. Only its first line counts.
fn probe(head: &[u8]) -> Option<&'static str> {
    let head = std::str::from_utf8(head).ok()?;
    let (method, rest) = head.lines().next()?.split_once(' ')?;
    let (path, version) = rest.split_once(' ')?;
    let is_asked = method == "GET" && version.starts_with("HTTP/1.");
    PROBES.into_iter().find(|probe| is_asked && *probe == path)
}

async fn asked(router: Router, path: &'static str) -> Response {
    // Probes are for whoever is there, by whatever name the machine goes.
    let request = Request::get(path).header(HOST, "localhost").body(Body::empty());
    let Ok(request) = request else {
        return Problem::not_found("there is no such probe").into_response();
    };
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestServer;

    #[test]
    fn an_answer_has_a_date_as_long_as_there_is_a_form_for_it() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(date(at(784_111_777)).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(date(at(253_402_300_799 - 60)).is_some(), "the library has one too");
        assert!(date(at(253_402_300_799)).is_none() && date(at(1 << 40)).is_none());
        let before = SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(1));
        assert_eq!(before.and_then(date), None);
    }

    async fn told(request: &str) -> String {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        client.write_all(request.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        answer(server, TestServer::new().router).await.unwrap();
        let mut told = String::new();
        client.read_to_string(&mut told).await.unwrap();
        told
    }

    #[tokio::test]
    async fn the_probes_are_answered_and_all_else_is_told_why_not() {
        for probe in PROBES {
            let told = told(&format!("GET {probe} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
            assert!(told.starts_with("HTTP/1.1 200 OK\r\n"), "{told}");
        }
        for other in [
            "GET /api/v1/jobs HTTP/1.1\r\n\r\n",
            "DELETE /livez HTTP/1.1\r\n\r\n",
            "\u{1}\u{2}",
            "",
        ] {
            let told = told(other).await;
            assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
            assert!(told.contains("the year 9999; set it"), "{told}");
        }
    }
}
