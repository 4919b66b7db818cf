//! Sinks: the journal, delivered to others.

mod cloud_event;
mod deliver;
mod webhook;

pub use deliver::{Deliver, DeliveryError, HttpPost};
pub use webhook::{DELIVERY_DEADLINE, SinkMetrics, Webhook, cursor_name};
