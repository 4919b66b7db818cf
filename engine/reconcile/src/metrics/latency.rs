//! How long things take.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use steadfast_core::evidence::Observation;
use steadfast_core::facts::FlinkOverview;
use steadfast_core::id::ClusterName;

use super::PolicyLabel;

/// What waits for a network: up to `timeout`, which is 3 s where nothing is said.
const NETWORK: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// What waits for a disk, and turns, which may.
const DISK: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];
/// What a policy takes: some microseconds, and its deadline at most.
const POLICY: [f64; 11] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0,
];

/// Which polls.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PollLabels {
    cluster: String,
    result: &'static str,
}

/// The loop's histograms.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    polls: Family<PollLabels, Histogram>,
    policies: Family<PolicyLabel, Histogram>,
    commits: Histogram,
    turns: Histogram,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            polls: Family::new_with_constructor(|| Histogram::new(NETWORK)),
            policies: Family::new_with_constructor(|| Histogram::new(POLICY)),
            commits: Histogram::new(DISK),
            turns: Histogram::new(DISK),
        }
    }
}

impl Latencies {
    /// A poll has ended, with or without an answer.
    pub(crate) fn polled(&self, cluster: &ClusterName, poll: &Observation<FlinkOverview>, result: &'static str) {
        let labels = PollLabels {
            cluster: cluster.to_string(),
            result,
        };
        let took = poll.observed_at.since(poll.asked_at);
        self.polls.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A policy has decided so often.
    pub(super) fn decided(&self, policy: &PolicyLabel, took: &[Duration]) {
        if took.is_empty() {
            return;
        }
        let histogram = self.policies.get_or_create_owned(policy);
        took.iter().for_each(|took| histogram.observe(took.as_secs_f64()));
    }

    /// The store has answered a commit.
    pub(crate) fn committed(&self, took: Duration) {
        self.commits.observe(took.as_secs_f64());
    }

    /// The loop has turned.
    pub(crate) fn turned(&self, took: Duration) {
        self.turns.observe(took.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "steadfast_poll_duration",
            "How long polls of Flink's /jobs/overview took, by cluster and result",
            Unit::Seconds,
            self.polls.clone(),
        );
        registry.register_with_unit(
            "steadfast_policy_decision_duration",
            "How long policies took for a decision, shadows among them",
            Unit::Seconds,
            self.policies.clone(),
        );
        registry.register_with_unit(
            "steadfast_commit_duration",
            "How long the store took for a commit, whether it took it or not",
            Unit::Seconds,
            self.commits.clone(),
        );
        registry.register_with_unit(
            "steadfast_turn_duration",
            "How long the loop took for a turn, its commits among it",
            Unit::Seconds,
            self.turns.clone(),
        );
    }
}
