//! What the loop counts. Base units, few labels; a job's name is never one.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use steadfast_core::id::PolicyName;
use steadfast_core::shadow::ShadowCounts;

/// The loop's own metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) polls: Family<ResultLabel, Counter>,
    pub(crate) decisions: Counter,
    pub(crate) policy_failures: Family<KindLabel, Counter>,
    pub(crate) transitions: Family<StateLabel, Counter>,
    pub(crate) commits: Family<ResultLabel, Counter>,
    pub(crate) drift: Counter,
    pub(crate) jobs: Gauge,
    pub(crate) shadow_differences: Family<PolicyLabel, Counter>,
    pub(crate) shadow_jobs_differing: Family<PolicyLabel, Gauge>,
    pub(crate) list_repairs: Gauge,
}

/// How something went.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct ResultLabel {
    pub(crate) result: &'static str,
}

/// Which kind of failure.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct KindLabel {
    pub(crate) kind: &'static str,
}

/// Into which state.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct StateLabel {
    pub(crate) to: &'static str,
}

/// Of which policy.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct PolicyLabel {
    pub(crate) policy: String,
}

impl Metrics {
    /// Shows how each shadow policy stands.
    pub(crate) fn show_shadows(&self, counts: &[(PolicyName, ShadowCounts)]) {
        for (policy, counts) in counts {
            let policy = policy.to_string();
            let gauge = self.shadow_jobs_differing.get_or_create(&PolicyLabel { policy });
            gauge.set(i64::try_from(counts.differing).unwrap_or(i64::MAX));
        }
    }

    /// Makes them known to a registry.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_polls",
            "Polls of Flink's /jobs/overview, by result",
            self.polls.clone(),
        );
        registry.register(
            "steadfast_decisions",
            "Decisions asked of policies, one for each snapshot",
            self.decisions.clone(),
        );
        registry.register(
            "steadfast_policy_failures",
            "Decisions that failed, by kind of failure",
            self.policy_failures.clone(),
        );
        registry.register(
            "steadfast_transitions",
            "Recorded transitions, by new state",
            self.transitions.clone(),
        );
        registry.register("steadfast_commits", "Journal commits, by result", self.commits.clone());
        registry.register(
            "steadfast_drift",
            "Records in memory that differed from the store and were repaired",
            self.drift.clone(),
        );
        registry.register("steadfast_jobs", "Jobs on record", self.jobs.clone());
        registry.register(
            "steadfast_shadow_differences",
            "Decisions in which a shadow policy differed",
            self.shadow_differences.clone(),
        );
        registry.register(
            "steadfast_shadow_jobs_differing",
            "Jobs of which a shadow policy would now show something else",
            self.shadow_jobs_differing.clone(),
        );
        registry.register(
            "steadfast_list_repairs",
            "Differences that a list found and no watch event had shown",
            self.list_repairs.clone(),
        );
    }
}
