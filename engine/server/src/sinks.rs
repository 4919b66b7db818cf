//! Sinks: the journal, delivered to others.

mod board;
mod cloud_event;
mod deliver;
mod offering;
mod webhook;

pub use board::SinkBoard;
pub use deliver::{Deliver, DeliveryError, HttpPost, Refusal};
pub use offering::SinkMetrics;
pub use webhook::{DELIVERY_DEADLINE, Sink, SinkPorts, Webhook, cursor_name};
