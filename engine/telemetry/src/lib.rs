//! Traces of decisions for OpenTelemetry: what was looked at, what was decided, what was committed, and who was told of it.
//!
//! Three parts, of which only the last does I/O:
//!
//! 1. [`Spans`]: from what the engine tells ([`steadfast_core::trace`]) to spans. Pure: the same decision has the same ids
//!    whoever asks, so that a delivery, perhaps after a restart, finds the trace of its decision by the journal alone.
//! 2. [`Telemetry`]: the engine's end. A bounded queue that never waits; what finds no place in it is counted.
//! 3. [`Exporter`]: posts what is in the queue to a [`Collector`], as OTLP over HTTP in binary protobuf.
//!
//! OpenTelemetry's own SDK and exporter are not used: they take addresses and headers from the environment, count nothing of what
//! they lose, and have threads of their own (`docs/dependencies.md`). What is left of them here are OTLP's messages.

mod answer;
mod collector;
mod exporter;
mod ids;
mod metrics;
mod otlp;
mod queue;
mod spans;

pub use collector::{Collector, NoWay, Offered, Way};
pub use exporter::{Exporter, FLUSH};
pub use metrics::Metrics;
pub use queue::Telemetry;
pub use spans::{Identity, Spans};
