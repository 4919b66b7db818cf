//! What is told of deliveries to who traces them.

use steadfast_core::time::Timestamp;
use steadfast_core::trace::{DeliveryTrace, Undelivered};
use tokio::time::Instant;

use super::Courier;
use crate::sinks::deliver::DeliveryError;
use crate::sinks::message::Message;

impl Courier {
    /// Tells of a try.
    pub(super) fn trace(
        &self,
        message: &Message,
        refused: Option<&DeliveryError>,
        (at, began): (Timestamp, Instant),
        failures: u32,
    ) {
        // What was told before and comes again by itself is nobody's decision.
        let Some(tracer) = self.tracer.as_ref().filter(|_| !message.tells_of.is_empty()) else {
            return;
        };
        tracer.delivered(DeliveryTrace {
            sink: self.sink.name.clone(),
            events: message.tells_of.len(),
            told: message
                .tells_of
                .iter()
                .take(DeliveryTrace::MOST_TOLD)
                .cloned()
                .collect(),
            began: at,
            took: began.elapsed(),
            failures,
            outcome: refused.map_or(Ok(()), |refused| {
                Err(Undelivered {
                    kind: refused.refusal.as_str(),
                    message: refused.message.clone(),
                })
            }),
        });
    }
}
