//! Events of Kubernetes, posted to a cluster.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use steadfast_core::evidence::FaultKind;
use steadfast_server::sinks::{Deliver, DeliveryError, Message, Refusal};
use steadfast_sources::kubernetes::{Refused, Writer};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Between two Events: a cluster gets no more than ten a second, however much happens.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the API server may take for one. It gives an admission webhook that hangs ten seconds, and then says so: who is gone by
/// then does not hear that the trouble is of one namespace.
const ANSWER: Duration = Duration::from_secs(15);
/// How long it may be until there is an answer, or none: a turn comes before.
const DEADLINE: Duration = ANSWER.saturating_add(Duration::from_secs(5));

/// Posts Events, one at a time.
pub(crate) struct EventPost {
    writer: Writer,
    /// When the next one may be.
    next: Mutex<Instant>,
}

/// The part of an Event that says where it goes.
#[derive(Deserialize)]
struct Placed {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    namespace: String,
}

impl EventPost {
    pub(crate) fn new(writer: Writer) -> Self {
        Self {
            writer: writer.with_deadline(ANSWER),
            next: Mutex::new(Instant::now()),
        }
    }

    async fn take_turn(&self) {
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        *next = Instant::now() + PAUSE;
    }
}

#[async_trait]
impl Deliver for EventPost {
    fn deadline(&self) -> Duration {
        DEADLINE
    }

    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let placed: Placed = serde_json::from_str(&message.body)
            .map_err(|error| DeliveryError::for_now(format!("the Event does not say where it goes: {error}")))?;
        self.take_turn().await;
        let path = format!("/api/v1/namespaces/{}/events", placed.metadata.namespace);
        match self.writer.create(&path, message.body.clone().into_bytes()).await {
            Ok(answer) => taken(&answer),
            Err(refused) => verdict(refused),
        }
    }
}

fn verdict(refused: Refused) -> Result<(), DeliveryError> {
    // Who looks for the Events of a namespace that goes, or is gone, finds none: there is nobody to tell.
    let is_going = refused.status == Some(403) && refused.fault.message.contains("being terminated");
    let is_gone = refused.status == Some(404) && refused.about == "namespaces";
    if is_going || is_gone {
        tracing::debug!(error = %refused, "the namespace is gone, and its Events with it");
        return Ok(());
    }
    // It was sent before, and taken.
    if refused.reason == "AlreadyExists" {
        return Ok(());
    }
    Err(DeliveryError {
        message: refused.fault.message.to_string(),
        retry_after: refused.fault.retry_after,
        refusal: match refused.status {
            Some(400 | 413 | 415 | 422) => Refusal::OfTheEvent,
            // By the API server's own word: a quota, a right or an admission that counts in that namespace, or an object there.
            Some(403 | 404 | 409 | 500) if !refused.reason.is_empty() => Refusal::OfThePlace,
            Some(504) => Refusal::Unanswered,
            None if refused.fault.kind == FaultKind::Timeout => Refusal::Unanswered,
            Some(_) | None => Refusal::ForNow,
        },
        fix: match refused.status {
            Some(403) => {
                "grant the engine's user `create` on events there, or room in the namespace's quota; `steadfast doctor` has the line"
            }
            Some(_) | None => "",
        },
    })
}

/// What an API server answers with is the Event.
fn taken(answer: &[u8]) -> Result<(), DeliveryError> {
    #[derive(Deserialize)]
    struct Made {
        kind: String,
    }
    let made: Option<Made> = serde_json::from_slice(answer).ok();
    if made.is_some_and(|made| made.kind == "Event") {
        return Ok(());
    }
    Err(DeliveryError {
        fix: "correct the address of the cluster: somebody else answers there",
        ..DeliveryError::for_now("the answer is a success without the Event that was made")
    })
}

#[cfg(test)]
mod tests {
    use steadfast_core::evidence::Fault;

    use super::*;

    fn refused(status: u16, about: &str, reason: &str, message: &str) -> Refused {
        Refused {
            status: Some(status),
            about: about.to_owned(),
            reason: reason.to_owned(),
            fault: Fault::new(FaultKind::Status, message),
        }
    }

    #[test]
    fn what_is_there_already_or_nobody_can_read_any_more_is_done_with() {
        assert!(verdict(refused(409, "events", "AlreadyExists", "already exists")).is_ok());
        assert!(verdict(refused(404, "namespaces", "NotFound", "namespaces \"x\" not found")).is_ok());
        let going = "unable to create new content in namespace x because it is being terminated";
        assert!(verdict(refused(403, "events", "Forbidden", going)).is_ok());
    }

    #[test]
    fn all_else_is_tried_again_or_refused_by_its_own_word() {
        for (status, reason, refusal) in [
            (403, "Forbidden", Refusal::OfThePlace),
            (403, "", Refusal::ForNow),
            (404, "NotFound", Refusal::OfThePlace),
            (404, "", Refusal::ForNow),
            (409, "Conflict", Refusal::OfThePlace),
            (409, "", Refusal::ForNow),
            (422, "Invalid", Refusal::OfTheEvent),
            (429, "TooManyRequests", Refusal::ForNow),
            (500, "InternalError", Refusal::OfThePlace),
            (500, "", Refusal::ForNow),
            (503, "ServiceUnavailable", Refusal::ForNow),
            (504, "Timeout", Refusal::Unanswered),
            (504, "", Refusal::Unanswered),
        ] {
            assert_eq!(
                verdict(refused(status, "events", reason, "no")).unwrap_err().refusal,
                refusal,
                "{status} {reason}"
            );
        }
    }

    #[test]
    fn no_answer_in_time_is_told_from_no_connection() {
        for (kind, refusal) in [
            (FaultKind::Timeout, Refusal::Unanswered),
            (FaultKind::Refused, Refusal::ForNow),
            (FaultKind::Connection, Refusal::ForNow),
        ] {
            let silent = Refused {
                status: None,
                fault: Fault::new(kind, "no"),
                ..refused(0, "", "", "")
            };
            assert_eq!(verdict(silent).unwrap_err().refusal, refusal, "{kind:?}");
        }
    }

    /// What its API server answers once an admission webhook has hung is heard, whatever `timing.timeout` is.
    #[tokio::test]
    async fn an_api_server_that_waits_for_a_webhook_is_waited_for() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let answer = br#"{"kind":"Status","reason":"InternalError","message":"no","code":500}"#;
            let answer = kube::client::Body::from(answer.to_vec());
            Ok::<_, std::convert::Infallible>(http::Response::builder().status(500).body(answer).unwrap())
        });
        let impatient = Writer::new(kube::Client::new(service, "default"), Duration::from_millis(20));
        let post = EventPost::new(impatient);
        let message = Message {
            id: "store-1".to_owned(),
            title: String::new(),
            body: r#"{"metadata":{"namespace":"bad"}}"#.to_owned(),
            place: Some("bad".to_owned()),
            tells_of: Vec::new(),
        };
        let refused = post.deliver(&message).await.unwrap_err();
        assert_eq!(refused.refusal, Refusal::OfThePlace, "{refused:?}");
        let webhooks_may_take = Duration::from_secs(10);
        assert!(ANSWER > webhooks_may_take && post.deadline() > ANSWER + PAUSE);
    }

    #[test]
    fn only_the_event_itself_says_that_it_was_made() {
        assert!(taken(br#"{"kind":"Event","apiVersion":"v1"}"#).is_ok());
        for answer in [&b"<html>"[..], b"", b"{}", br#"{"kind":"Status"}"#] {
            assert_eq!(taken(answer).unwrap_err().refusal, Refusal::ForNow);
        }
    }
}
