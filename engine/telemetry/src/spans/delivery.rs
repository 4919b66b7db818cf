//! The span of a try to deliver a message.
//!
//! A message may tell of many decisions, and a span has one parent. So it stands in the trace of the oldest of them, below its
//! commit, and has a link to the commit of each other.

use steadfast_core::journal::Sequence;
use steadfast_core::trace::{DeliveryTrace, Durable};

use super::attributes as names;
use super::decision::named;
use super::{FLAGS, Spans, Within, bounded, failed, span};
use crate::ids::Ids;
use crate::otlp::{KeyValue, Kind, Link, Span};

/// How many links a span has: as many as OpenTelemetry allows where nobody says otherwise.
const LINKS: usize = 128;

impl Spans {
    /// The span of a try; `None` if the message tells of nothing that was decided.
    pub(crate) fn of_delivery(&self, delivery: &DeliveryTrace) -> Option<Span> {
        let oldest = delivery.told.first()?;
        let ids = self.ids_of(oldest);
        let id = ids.span(&name(delivery, oldest), delivery.began.as_millis().cast_unsigned());
        let within = Within::lasting(delivery.began, delivery.took);
        let mut span = span("deliver", &ids, id, Some(ids.commit), Kind::Client, within);
        let others = self.others(&ids, &delivery.told);
        // Of those that are not named each may be of a decision of its own.
        let unnamed = delivery.events.saturating_sub(delivery.told.len());
        let dropped = others.len().saturating_sub(LINKS) + unnamed;
        span.dropped_links_count = u32::try_from(dropped).unwrap_or(u32::MAX);
        span.links = others.iter().take(LINKS).map(link).collect();
        let events = i64::try_from(delivery.events).unwrap_or(i64::MAX);
        let sequences: Vec<Sequence> = delivery.told.iter().map(|told| told.sequence).collect();
        span.attributes = vec![
            KeyValue::new(names::SINK, bounded(&delivery.sink)),
            KeyValue::new(names::JOB, bounded(&oldest.key.to_string())),
            KeyValue::new(names::EVENTS, events),
            KeyValue::new(names::FAILED_TRIES, i64::from(delivery.failures)),
        ];
        span.attributes.extend(named(&sequences));
        if let Err(undelivered) = &delivery.outcome {
            failed(&mut span, undelivered.kind, &undelivered.message);
        }
        Some(span)
    }

    fn ids_of(&self, told: &Durable) -> Ids {
        Ids::durable(&self.identity.store, &told.key, told.revision, told.at)
    }

    /// The decisions beside the one in whose trace it stands.
    fn others(&self, own: &Ids, told: &[Durable]) -> Vec<Ids> {
        let mut others: Vec<Ids> = Vec::new();
        for ids in told.iter().map(|told| self.ids_of(told)) {
            // Entries of one commit follow each other.
            if ids != *own && others.last() != Some(&ids) {
                others.push(ids);
            }
        }
        others
    }
}

/// What tells a try from others that begin in the same millisecond and in the same trace: when a message is refused, its first
/// half is offered at once.
fn name(delivery: &DeliveryTrace, oldest: &Durable) -> String {
    let last = delivery.told.last().unwrap_or(oldest);
    format!(
        "deliver {} {}-{} {} {}",
        delivery.sink, oldest.sequence.0, last.sequence.0, delivery.events, delivery.failures
    )
}

fn link(ids: &Ids) -> Link {
    Link {
        trace_id: ids.trace.bytes(),
        span_id: ids.commit.bytes(),
        flags: FLAGS,
    }
}
