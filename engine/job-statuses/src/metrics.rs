//! What is counted.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The name of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    cluster: String,
}

/// What the keepers of all clusters count. A clone counts the same.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    writes: Family<Label, Counter>,
    failures: Family<Label, Counter>,
    waiting: Family<Label, Gauge>,
}

/// What one keeper counts.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// Requests that write, whatever came of them.
    pub(crate) writes: Counter,
    pub(crate) failures: Counter,
    pub(crate) waiting: Gauge,
}

impl Metrics {
    /// Makes them known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_job_status_writes",
            "Requests to an API server that write a JobStatus, failed ones included",
            self.writes.clone(),
        );
        registry.register(
            "steadfast_job_status_failures",
            "Requests about JobStatuses that failed",
            self.failures.clone(),
        );
        registry.register(
            "steadfast_job_status_waiting",
            "JobStatuses that differ from their records and wait to be written",
            self.waiting.clone(),
        );
    }

    pub(crate) fn of(&self, cluster: &str) -> Counts {
        let label = Label {
            cluster: cluster.to_owned(),
        };
        Counts {
            writes: self.writes.get_or_create_owned(&label),
            failures: self.failures.get_or_create_owned(&label),
            waiting: self.waiting.get_or_create_owned(&label),
        }
    }
}
