//! What the loop asks of the world, and what comes back.

use steadfast_core::evidence::{Fault, Observation};
use steadfast_core::facts::FlinkOverview;
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::kube_update::KubeUpdate;
use steadfast_core::lookup::{Finding, ObjectQuestion, Query};
use steadfast_core::time::Timestamp;
use steadfast_sources::flink::Expected;
use steadfast_sources::route::FlinkRoute;

/// One request to make. What is asked is decided here; how, is the fetcher's business.
#[derive(Clone, Debug)]
pub enum Fetch {
    /// `/jobs/overview` of a target.
    Overview {
        /// Where the target's Flink is.
        endpoint: Endpoint,
        /// Whose answer is expected, and what it must tell of.
        expected: Expected,
    },
    /// Something a policy asked for, or that must be read before it is gone.
    Lookup {
        /// For which job.
        key: JobKey,
        /// What is asked.
        query: Query,
        /// Where the job's Flink is, for what only Flink can say.
        endpoint: Endpoint,
    },
    /// Objects of Kubernetes, each asked for by its name.
    Objects {
        /// Whose objects they are.
        target: TargetId,
        /// Which.
        questions: Vec<ObjectQuestion>,
        /// For what is not answered, a list begun sooner will not do.
        after: Timestamp,
    },
    /// A complete list of a cluster, begun after a moment. It arrives as an update, like every list.
    Relist {
        /// The Kubernetes cluster to list.
        cluster: ClusterName,
        /// A list begun sooner will not do.
        after: Timestamp,
    },
}

/// Where a target's Flink is, resolved as far as the board knows.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// How its REST endpoint is reached.
    pub route: FlinkRoute,
    /// Whose Flink.
    pub target: TargetId,
    /// The Deployment's name, which Flink's Service is named after.
    pub deployment: String,
    /// The address of its JobManager's pod, as last seen.
    pub pod_ip: Option<String>,
    /// The port that this pod names `rest`; `None`: Flink's default.
    pub rest_port: Option<u16>,
}

impl Fetched {
    /// What came of a poll whose answer shows whose it is, or that had none.
    pub fn overview(target: TargetId, observation: Observation<FlinkOverview>) -> Self {
        Self::Overview {
            target,
            provenance: if observation.answer.is_known() {
                Provenance::Vouched
            } else {
                Provenance::Silent
            },
            observation,
            deployment: None,
        }
    }
}

/// Whether an answer shows whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It does.
    Vouched,
    /// It does not. It is believed once this lasts, so it is asked again soon.
    Open,
    /// There was no answer.
    Silent,
}

/// What came of a request.
#[derive(Debug)]
pub enum Fetched {
    /// Of a poll.
    Overview {
        /// Of which target.
        target: TargetId,
        /// The answer, or the fault, with its times.
        observation: Observation<FlinkOverview>,
        /// Whether it shows whose answer it is.
        provenance: Provenance,
        /// The Deployment whose Flink was asked; `None`: whichever the target has.
        deployment: Option<String>,
    },
    /// Of objects that were asked for by name.
    Objects {
        /// Whose they are.
        target: TargetId,
        /// As it was asked.
        after: Timestamp,
        /// What was said of each: that it is there, or that it is not. A fault says nothing of it.
        answers: Vec<Result<KubeUpdate, Fault>>,
    },
    /// Of a look-up.
    Lookup {
        /// For which job.
        key: JobKey,
        /// The answer, or the fault, of its source.
        finding: Finding,
    },
}
