//! From what the engine tells to spans.

mod attributes;
mod decision;
mod delivery;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::foreign_text::harmless;
use steadfast_core::time::Timestamp;

use crate::ids::{Ids, SpanId};
use crate::otlp::{Code, KeyValue, Kind, Request, Resource, ResourceSpans, Scope, ScopeSpans, Span, Status};

/// W3C's `sampled`, and OTLP's word that the parent is known to be of this process.
const FLAGS: u32 = 0x101;
/// The longest text that an attribute has, in bytes.
const TEXT: usize = 1024;

/// Who the spans are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `service.name`.
    pub service: String,
    /// `service.version`.
    pub version: &'static str,
    /// The store's identity: `service.instance.id`, as no two engines have one store.
    pub store: String,
    /// What keeps the record, as `db.system.name` has it.
    pub database: &'static str,
    /// More attributes of the resource.
    pub resource: BTreeMap<String, String>,
}

/// Makes spans for one engine.
#[derive(Clone, Debug)]
pub struct Spans {
    identity: Identity,
}

impl Spans {
    /// Of that engine.
    pub fn new(identity: Identity) -> Self {
        Self { identity }
    }

    /// The request that sends these.
    pub(crate) fn request(&self, spans: Vec<Span>) -> Request {
        let scope = Scope {
            name: "steadfast".to_owned(),
            version: self.identity.version.to_owned(),
        };
        Request {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope),
                    spans,
                }],
            }],
        }
    }

    /// What is said of the engine, once for all spans. Nothing is taken from the environment.
    fn resource(&self) -> Resource {
        let Identity {
            service,
            version,
            store,
            database: _,
            resource,
        } = &self.identity;
        let mut attributes = vec![
            KeyValue::new("service.name", service.as_str()),
            KeyValue::new("service.version", *version),
            KeyValue::new("service.instance.id", store.as_str()),
        ];
        attributes.extend(
            resource
                .iter()
                .map(|(key, value)| KeyValue::new(key.as_str(), value.as_str())),
        );
        Resource { attributes }
    }
}

/// A span of which the rest is still to be said; `None`: nothing is above it.
fn span(name: &str, ids: &Ids, id: SpanId, parent: Option<SpanId>, kind: Kind, within: Within) -> Span {
    Span {
        trace_id: ids.trace.bytes(),
        span_id: id.bytes(),
        parent_span_id: parent.map(SpanId::bytes).unwrap_or_default(),
        name: name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: within.start,
        end_time_unix_nano: within.end.max(within.start),
        flags: FLAGS,
        ..Span::default()
    }
}

/// From when to when, in nanoseconds since the Unix epoch. What ends before it began, as by a clock that was set, ends when it began.
#[derive(Clone, Copy, Debug)]
struct Within {
    start: u64,
    end: u64,
}

impl Within {
    fn between(start: Timestamp, end: Timestamp) -> Self {
        Self {
            start: nanos(start),
            end: nanos(end),
        }
    }

    fn lasting(start: Timestamp, span: Duration) -> Self {
        let start = nanos(start);
        let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self {
            start,
            end: start.saturating_add(span),
        }
    }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(0).saturating_mul(1_000_000)
}

/// A text that may come from anywhere.
fn bounded(text: &str) -> String {
    harmless(text, TEXT).into_owned()
}

/// That something failed, and how.
fn failed(span: &mut Span, kind: &'static str, message: &str) {
    span.attributes.push(KeyValue::new(attributes::ERROR_TYPE, kind));
    span.status = Some(Status {
        message: bounded(message),
        code: Code::Error.into(),
    });
}
