//! What is written to an API server: objects of ours, and nothing that somebody else has made.
//!
//! Each call has the deadline and the size limit that reading has. What came of it the answer alone says: without one, it may
//! have been written or not, so whoever writes sends the same again. Server-side apply and objects with names of their own bear that.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use kube::client::Body as Sent;
use serde::Deserialize;
use steadfast_core::evidence::Fault;

use super::list::status_fault;
use crate::json;
use crate::transport::{Answer, Body, MAX_BODY, deliver, fetch, received, within};

/// The field manager under which we apply: what it has set, and no longer sets, the API server takes away.
pub const FIELD_MANAGER: &str = "steadfast";
/// JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";
const JSON: &str = "application/json";

/// Writes to an API server. Clones share its connections and credentials.
#[derive(Clone)]
pub struct Writer {
    client: kube::Client,
    deadline: Duration,
}

/// What was not written, or not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Refused {
    /// The status of the answer; `None`: there was none, and it may have been done.
    pub status: Option<u16>,
    /// By the answer's own word, the plural of the kind that it is about, such as `namespaces`; empty where it says none.
    pub about: String,
    /// The API server's own word for why, such as `Forbidden`; empty where somebody else answered.
    pub reason: String,
    /// For people.
    pub fault: Fault,
}

impl Writer {
    /// With that client, and this time for each call.
    pub fn new(client: kube::Client, deadline: Duration) -> Self {
        Self { client, deadline }
    }

    /// The same client with another time for each call.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Server-side apply of an object, as JSON, in the name of [`FIELD_MANAGER`]; conflicts are ours to win. Returns the object as it
    /// is now.
    pub async fn apply(&self, path: &str, object: Vec<u8>) -> Result<Bytes, Refused> {
        let url = format!("{path}?fieldManager={FIELD_MANAGER}&force=true");
        self.send(Method::PATCH, &url, APPLY, object).await
    }

    /// Creates an object, as JSON, in a collection. 409: there is one of that name.
    pub async fn create(&self, path: &str, object: Vec<u8>) -> Result<Bytes, Refused> {
        let url = format!("{path}?fieldManager={FIELD_MANAGER}");
        self.send(Method::POST, &url, JSON, object).await
    }

    /// Deletes an object. 404: there is none.
    pub async fn delete(&self, path: &str) -> Result<(), Refused> {
        self.send(Method::DELETE, path, JSON, Vec::new()).await.map(drop)
    }

    /// Reads what we have written.
    pub async fn read(&self, path: &str) -> Result<Bytes, Refused> {
        let answered = within(self.deadline, path, fetch(&self.client, path, MAX_BODY)).await;
        taken(path, answered)
    }

    async fn send(&self, method: Method, url: &str, format: &str, body: Vec<u8>) -> Result<Bytes, Refused> {
        let verb = method.to_string();
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header(http::header::ACCEPT, JSON)
            .header(CONTENT_TYPE, format)
            .body(Sent::from(body));
        let answered = within(self.deadline, url, async {
            let response = deliver(&self.client, url, request).await?;
            received(url, response, MAX_BODY, Body::Whole).await
        });
        let path = url.split('?').next().unwrap_or(url);
        taken(&format!("{verb} {path}"), answered.await)
    }
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    reason: String,
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    kind: String,
}

fn taken(what: &str, answered: Result<Answer, Fault>) -> Result<Bytes, Refused> {
    let answer = answered.map_err(|fault| Refused {
        status: None,
        about: String::new(),
        reason: String::new(),
        fault,
    })?;
    if (200..300).contains(&answer.status) {
        return Ok(answer.body);
    }
    let status: Status = json::from_slice(&answer.body).unwrap_or_default();
    let is_its_own = status.kind == "Status";
    Err(Refused {
        status: Some(answer.status),
        about: status.details.unwrap_or_default().kind,
        reason: if is_its_own { status.reason } else { String::new() },
        fault: Fault {
            retry_after: answer.retry_after,
            ..status_fault(what, answer.status, &answer.body)
        },
    })
}

#[cfg(test)]
mod tests {
    use steadfast_core::evidence::FaultKind;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Result<Answer, Fault> {
        Ok(Answer {
            status,
            retry_after: Some(Duration::from_secs(7)),
            body: Bytes::from_static(body.as_bytes()),
        })
    }

    #[test]
    fn a_refusal_names_the_verb_and_says_what_it_is_about() {
        let body =
            r#"{"kind":"Status","message":"namespaces \"x\" not found","details":{"name":"x","kind":"namespaces"}}"#;
        let refused = taken("PATCH /apis/x", answer(404, body)).unwrap_err();
        assert_eq!((refused.status, refused.about.as_str()), (Some(404), "namespaces"));
        assert_eq!(refused.fault.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(
            refused.to_string(),
            "not-found: PATCH /apis/x: HTTP 404: namespaces \"x\" not found"
        );
        let forbidden = r#"{"kind":"Status","reason":"Forbidden","message":"no"}"#;
        assert_eq!(
            taken("POST /x", answer(403, forbidden)).unwrap_err().reason,
            "Forbidden"
        );
        let stranger = taken("POST /x", answer(403, r#"{"reason":"Forbidden"}"#)).unwrap_err();
        assert_eq!(stranger.reason, "", "a proxy is no API server");
        let page = taken("PATCH /apis/x", answer(404, "404 page not found\n")).unwrap_err();
        assert_eq!((page.status, page.about.as_str()), (Some(404), ""));
    }

    #[test]
    fn only_an_answer_says_that_it_was_written() {
        assert!(taken("POST /x", answer(201, "{}")).is_ok());
        assert!(taken("POST /x", answer(302, "")).is_err());
        let silent = taken("POST /x", Err(Fault::new(FaultKind::Timeout, "no answer"))).unwrap_err();
        assert_eq!(silent.status, None);
    }
}
