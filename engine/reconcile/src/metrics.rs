//! What the loop counts, and what its readers are shown in numbers. Base units, few labels; a job's name is one only if asked for.
//!
//! The loop counts as it goes ([`Metrics`]). What can be read off what it shows is read when somebody asks: of records
//! ([`jobs`], [`per_job`]) and of sources ([`sources`]). Nobody who asks is waited for. What is not known has no sample: a
//! cluster that was never read has no zero. docs/metrics.md has all of them, and a test holds it to what the program serves.

mod jobs;
mod latency;
mod per_job;
mod shadows;
mod sources;
mod write;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use steadfast_core::cluster_lists::{Collection, ListStatus, Reading, is_not_served};
use steadfast_core::id::{ClusterName, JobKey, Namespace, PolicyName};
use steadfast_core::journal::Sequence;
use steadfast_core::projection::Projection;
use steadfast_core::state::JobState;
use steadfast_core::time::Clock;
use tokio::sync::watch;

use crate::setup::JobSeries;
use crate::status::StatusBoard;
use crate::turn::Work;

pub(crate) use latency::Latencies;
use per_job::Restarts;
use shadows::Shadows;

/// The loop's own metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) polls: Family<ResultLabel, Counter>,
    pub(crate) decisions: Counter,
    pub(crate) policy_failures: Family<KindLabel, Counter>,
    pub(crate) decisions_trimmed: Family<TrimLabels, Counter>,
    pub(crate) rate_limited: Counter,
    pub(crate) transitions: Family<StateLabel, Counter>,
    pub(crate) commits: Family<ResultLabel, Counter>,
    pub(crate) drift: Counter,
    pub(crate) latencies: Latencies,
    /// How much waits for the loop, as of its last turn.
    queues: Family<QueueLabel, Gauge>,
    requests_under_way: Gauge,
    /// Of each job, how often it was recorded as RESTARTING.
    restarts: Restarts,
    pub(crate) quarantined: Gauge,
    pub(crate) unwritten: Gauge,
    pub(crate) shadows: Shadows,
    pub(crate) policy_suspended: Family<PolicyLabel, Gauge>,
    pub(crate) policy_waiting: Family<PolicyLabel, Gauge>,
    policy_time: Family<PolicyLabel, Counter<f64, AtomicU64>>,
    pub(crate) list_repairs: Gauge,
    pub(crate) unreadable_rows: Counter,
    list_reachable: Family<ListLabels, Gauge>,
    list_last_complete: Family<ListLabels, Gauge<f64, AtomicU64>>,
    list_objects: Family<ListLabels, Gauge>,
}

/// Which list of which cluster.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ListLabels {
    cluster: String,
    kind: &'static str,
    /// Empty: all namespaces at once.
    namespace: String,
}

/// Which queue.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QueueLabel {
    queue: &'static str,
}

/// What the readings are of.
pub(crate) struct Shown {
    pub(crate) projection: Arc<Projection>,
    pub(crate) status: StatusBoard,
    pub(crate) entries: watch::Receiver<Sequence>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) series: JobSeries,
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

/// Which part of which policy's decisions.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct TrimLabels {
    pub(crate) policy: String,
    pub(crate) part: &'static str,
}

impl Metrics {
    /// Shows how a list stands. One that was never complete has no time and no objects, and a kind of the operator's that is
    /// not served has nothing at all: an alert on what is not reachable would fire in each cluster without the operator.
    pub(crate) fn show_list(&self, cluster: &ClusterName, (kind, namespace): &Collection, list: &ListStatus) {
        let labels = ListLabels {
            cluster: cluster.to_string(),
            kind: kind.as_str(),
            namespace: namespace.as_ref().map_or_else(String::new, Namespace::to_string),
        };
        if list.fault().is_some_and(|fault| is_not_served(*kind, fault)) {
            self.list_reachable.remove(&labels);
            self.list_last_complete.remove(&labels);
            self.list_objects.remove(&labels);
            return;
        }
        let is_readable = matches!(list.reading, Reading::Readable { .. });
        self.list_reachable.get_or_create(&labels).set(i64::from(is_readable));
        if let Some(last) = list.last_complete {
            let seconds = Duration::from_millis(last.at.as_millis().try_into().unwrap_or_default()).as_secs_f64();
            self.list_last_complete.get_or_create(&labels).set(seconds);
            let objects = i64::try_from(last.objects).unwrap_or(i64::MAX);
            self.list_objects.get_or_create(&labels).set(objects);
        }
    }

    /// A policy has worked.
    pub(crate) fn worked(&self, policy: &PolicyName, work: &Work) {
        let label = PolicyLabel {
            policy: policy.to_string(),
        };
        self.latencies.decided(&label, &work.took);
        self.policy_time.get_or_create(&label).inc_by(work.spent.as_secs_f64());
        let waiting = i64::try_from(work.waiting).unwrap_or(i64::MAX);
        self.policy_waiting.get_or_create(&label).set(waiting);
        if work.skipped > 0 {
            self.shadows.skipped(&label, work.skipped);
        }
    }

    /// A job has changed into another state.
    pub(crate) fn moved(&self, job: &JobKey, to: JobState) {
        self.transitions.get_or_create(&StateLabel { to: to.as_str() }).inc();
        if to == JobState::Restarting {
            self.restarts.count(job);
        }
    }

    /// A job has no record any more.
    pub(crate) fn forget(&self, job: &JobKey) {
        self.restarts.forget(job);
    }

    /// How much waits for the loop, and how many requests are under way.
    pub(crate) fn load(&self, queues: [(&'static str, usize); 5], requests: usize) {
        let gauge = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        for (queue, length) in queues {
            self.queues.get_or_create(&QueueLabel { queue }).set(gauge(length));
        }
        self.requests_under_way.set(gauge(requests));
    }

    /// Makes known what is read off what the loop shows.
    pub(crate) fn register_readings(&self, shown: Shown, registry: &mut Registry) {
        let Shown {
            projection,
            status,
            entries,
            clock,
            series,
        } = shown;
        registry.register_collector(Box::new(jobs::Jobs(Arc::clone(&projection))));
        if series == JobSeries::Each {
            let of_each = per_job::PerJob {
                projection: Arc::clone(&projection),
                restarts: self.restarts.clone(),
                clock: Arc::clone(&clock),
            };
            registry.register_collector(Box::new(of_each));
        }
        registry.register_collector(Box::new(sources::Sources {
            status,
            projection,
            entries,
            clock,
        }));
    }

    /// What of the record could not be read or written.
    fn register_faults(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_records_quarantined",
            "Records that did not read and were set aside",
            self.quarantined.clone(),
        );
        registry.register(
            "steadfast_jobs_unwritten",
            "Jobs of which the store does not take what is decided",
            self.unwritten.clone(),
        );
    }

    /// Makes them known to a registry.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_polls",
            "Polls of Flink's /jobs/overview, by result",
            self.polls.clone(),
        );
        self.register_decisions(registry);
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
        self.register_faults(registry);
        self.register_load(registry);
        registry.register(
            "steadfast_flink_rows_unreadable",
            "Rows of Flink's /jobs/overview that could not be read, poll by poll",
            self.unreadable_rows.clone(),
        );
        self.shadows.register(registry);
        self.register_policies(registry);
        registry.register(
            "steadfast_list_repairs",
            "Differences that a list found and no watch event had shown",
            self.list_repairs.clone(),
        );
        registry.register(
            "steadfast_list_reachable",
            "Whether the last list of a kind was answered, by cluster, kind and namespace (empty: all); 0 also before the first",
            self.list_reachable.clone(),
        );
        registry.register_with_unit(
            "steadfast_list_last_complete_timestamp",
            "When the last complete list of a kind arrived, since the Unix epoch",
            Unit::Seconds,
            self.list_last_complete.clone(),
        );
        registry.register(
            "steadfast_list_objects",
            "Objects in the last complete list of a kind",
            self.list_objects.clone(),
        );
    }

    /// How the loop keeps up.
    fn register_load(&self, registry: &mut Registry) {
        self.latencies.register(registry);
        registry.register(
            "steadfast_queue_length",
            "What waits for the loop, by queue, as of its last turn",
            self.queues.clone(),
        );
        registry.register(
            "steadfast_requests_under_way",
            "Requests to Flinks, API servers and archives that are under way, as of the last turn",
            self.requests_under_way.clone(),
        );
    }

    /// What policies cost.
    fn register_policies(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "steadfast_policy_time",
            "How long policies have decided, shadows among them, beside the loop",
            Unit::Seconds,
            self.policy_time.clone(),
        );
        registry.register(
            "steadfast_policy_waiting",
            "Jobs that wait for their policy's decision, as of when it was last heard",
            self.policy_waiting.clone(),
        );
        registry.register(
            "steadfast_policy_suspended",
            "Whether a policy ran out of time again and again, and is asked about one job at a time",
            self.policy_suspended.clone(),
        );
    }

    /// Those about what policies answer.
    fn register_decisions(&self, registry: &mut Registry) {
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
            "steadfast_decisions_trimmed",
            "Decisions of which a part did not fit the contract and was cut or left out, by policy and part",
            self.decisions_trimmed.clone(),
        );
        registry.register(
            "steadfast_judgements_rate_limited",
            "Times that a job was not judged yet, as its record changes faster than its limit",
            self.rate_limited.clone(),
        );
    }
}
