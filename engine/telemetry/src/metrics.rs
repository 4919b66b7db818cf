//! What is counted.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    result: &'static str,
}

/// What becomes of spans. A clone counts the same.
#[derive(Clone, Debug)]
pub struct Metrics {
    spans: Family<Label, Counter>,
    /// The collector has taken them.
    pub(crate) exported: Counter,
    /// It was reached, and will not have them.
    pub(crate) rejected: Counter,
    /// There was no place for them, or no time at the end.
    pub(crate) dropped: Counter,
    /// Requests that failed, whether they are made again or not.
    pub(crate) failures: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let spans = Family::<Label, Counter>::default();
        let counter = |result| spans.get_or_create_owned(&Label { result });
        Self {
            exported: counter("exported"),
            rejected: counter("rejected"),
            dropped: counter("dropped"),
            failures: Counter::default(),
            spans,
        }
    }
}

impl Metrics {
    /// Makes them known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_telemetry_spans",
            "Spans of decisions, by what became of them",
            self.spans.clone(),
        );
        registry.register(
            "steadfast_telemetry_failures",
            "Requests to the collector of traces that failed",
            self.failures.clone(),
        );
    }
}
