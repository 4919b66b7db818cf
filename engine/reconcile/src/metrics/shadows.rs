//! How shadow policies compare with those that decide.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use steadfast_core::id::PolicyName;
use steadfast_core::shadow::ShadowCounts;
use steadfast_core::shown::Aspects;

use super::PolicyLabel;

/// What is counted of shadow policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shadows {
    differences: Family<PolicyLabel, Counter>,
    jobs_differing: Family<PolicyLabel, Gauge>,
    aspect_differences: Family<AspectLabels, Counter>,
    aspect_jobs_differing: Family<AspectLabels, Gauge>,
    skipped: Family<PolicyLabel, Counter>,
}

/// In what which shadow policy differs.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AspectLabels {
    policy: String,
    aspect: &'static str,
}

impl Shadows {
    /// A shadow policy was compared, and differs in these.
    pub(crate) fn compared(&self, policy: &PolicyName, aspects: &Aspects) {
        if aspects.are_of_state() {
            let policy = policy.to_string();
            self.differences.get_or_create(&PolicyLabel { policy }).inc();
        }
        for aspect in aspects.iter() {
            let labels = AspectLabels {
                policy: policy.to_string(),
                aspect: aspect.as_str(),
            };
            self.aspect_differences.get_or_create(&labels).inc();
        }
    }

    /// So many comparisons were passed over.
    pub(crate) fn skipped(&self, label: &PolicyLabel, count: u64) {
        self.skipped.get_or_create(label).inc_by(count);
    }

    /// Shows how each shadow policy stands.
    pub(crate) fn show(&self, counts: &[(PolicyName, ShadowCounts)]) {
        let gauge = |count| i64::try_from(count).unwrap_or(i64::MAX);
        for (policy, counts) in counts {
            let policy = policy.to_string();
            for (aspect, count) in counts.by_aspect() {
                let labels = AspectLabels {
                    policy: policy.clone(),
                    aspect: aspect.as_str(),
                };
                self.aspect_jobs_differing.get_or_create(&labels).set(gauge(count.jobs));
            }
            let differing = self.jobs_differing.get_or_create(&PolicyLabel { policy });
            differing.set(gauge(counts.differing));
        }
    }

    /// Those that are no shadows, or not there, any more have no jobs that differ.
    pub(crate) fn begin(&self) {
        self.jobs_differing.clear();
        self.aspect_jobs_differing.clear();
    }

    /// Makes them known to a registry.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_shadow_differences",
            "Decisions in which a shadow policy differed in state or attempt",
            self.differences.clone(),
        );
        registry.register(
            "steadfast_shadow_jobs_differing",
            "Jobs of which a shadow policy would now show another state or attempt",
            self.jobs_differing.clone(),
        );
        registry.register(
            "steadfast_shadow_aspect_differences",
            "Decisions in which a shadow policy differed, by what differed: state, alerts, conditions, pace and so on",
            self.aspect_differences.clone(),
        );
        registry.register(
            "steadfast_shadow_aspect_jobs_differing",
            "Jobs of which a shadow policy would now show something else, by what differs",
            self.aspect_jobs_differing.clone(),
        );
        registry.register(
            "steadfast_shadow_skipped",
            "Comparisons that a shadow passed over: newer ones came first, or it is suspended",
            self.skipped.clone(),
        );
    }
}
