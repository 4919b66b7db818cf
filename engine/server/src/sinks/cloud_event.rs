//! Journal entries as CloudEvents 1.0 (structured mode, JSON).

use serde::Serialize;
use steadfast_core::journal::{Entry, Event};
use steadfast_core::time::Timestamp;

use super::message;
use crate::view::{AlertChange, Transition};

/// The media type of one event.
pub(super) const FORMAT: &str = "application/cloudevents+json; charset=utf-8";

#[derive(Debug, Serialize)]
struct CloudEvent<T> {
    specversion: &'static str,
    /// Store and sequence: the same however often the entry is delivered, and no other's.
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: &'static str,
    /// The job's id.
    subject: String,
    time: String,
    datacontenttype: &'static str,
    /// An extension on alerts, so that receivers can tell them apart without reading the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    data: T,
}

/// The event that tells of an entry; `None` for entries that sinks are not told of.
pub(super) fn write(store_id: &str, entry: &Entry) -> Result<Option<String>, serde_json::Error> {
    match &entry.event {
        Event::Transition(transition) => {
            let data = Transition::new(entry, transition);
            envelope(store_id, entry, "dev.steadfast.transition", None, data).map(Some)
        }
        Event::Alert(alert) => {
            let data = AlertChange::new(entry, alert);
            envelope(
                store_id,
                entry,
                "dev.steadfast.alert",
                Some(alert.status.as_str()),
                data,
            )
            .map(Some)
        }
        Event::Update(_) | Event::Called(_) | Event::Forgotten => Ok(None),
    }
}

fn envelope(
    store_id: &str,
    entry: &Entry,
    kind: &'static str,
    status: Option<&'static str>,
    data: impl Serialize,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&CloudEvent {
        specversion: "1.0",
        id: message::id(store_id, entry.sequence),
        source: format!("/steadfast/{store_id}"),
        kind,
        subject: entry.key.to_string(),
        time: entry.at.to_string(),
        datacontenttype: "application/json",
        status,
        data,
    })
}

/// An event that tells of nothing but that it came.
pub(super) fn test(id: &str, sink: &str, now: Timestamp) -> String {
    message::json(&CloudEvent {
        specversion: "1.0",
        id: id.to_owned(),
        source: "/steadfast".to_owned(),
        kind: "dev.steadfast.test",
        subject: sink.to_owned(),
        time: now.to_string(),
        datacontenttype: "application/json",
        status: None,
        data: serde_json::json!({"message": "a test of this sink: nothing has happened"}),
    })
}
