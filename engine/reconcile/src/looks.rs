//! Looks at the world that the engine has decided to take, and their answers.

use steadfast_core::board::Place;
use steadfast_core::decision::WantedSource;
use steadfast_core::evidence::{Fault, Observed};
use steadfast_core::facts::{Checkpoints, FlinkOverview, HaData, JobEnd, KubeEvent, Pod, RootException};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, TargetId};
use steadfast_core::time::Timestamp;
use steadfast_sources::job_results::ResultQuery;
use steadfast_sources::kubernetes::LogOf;
use steadfast_sources::route::FlinkRoute;

/// Where a target's Flink is, resolved as far as the board knows.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) route: FlinkRoute,
    pub(crate) target: TargetId,
    /// The Deployment's name, which Flink's Service is named after.
    pub(crate) deployment: String,
    pub(crate) pod_ip: Option<String>,
    /// Runs that the records know, where an answer must show whose it is.
    pub(crate) runs: Vec<(FlinkJobId, Timestamp)>,
}

/// One look to take.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// `/jobs/overview` of a target.
    Overview {
        endpoint: Endpoint,
        /// Targets that fail must not take the places of those that answer.
        class: Class,
    },
    /// Something a policy asked for, or that must be read before it is gone.
    Wanted { key: JobKey, what: Wanted },
    /// A complete list of a cluster, begun after a moment.
    Lists { cluster: ClusterName, after: Timestamp },
}

/// Which share of the in-flight places a poll may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Answering,
    Failing,
}

/// A look on request.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Exceptions {
        endpoint: Endpoint,
        job: FlinkJobId,
    },
    Checkpoints {
        endpoint: Endpoint,
        job: FlinkJobId,
    },
    HaData {
        cluster: ClusterName,
        place: Place,
    },
    Events {
        cluster: ClusterName,
        place: Place,
    },
    LastWords {
        cluster: ClusterName,
        place: Place,
        /// Pods, and which of their containers' logs; the first that tells an end is believed.
        logs: Vec<(String, LogOf)>,
        job: FlinkJobId,
    },
    TaskManagers {
        cluster: ClusterName,
        place: Place,
    },
    /// Archive, HistoryServer and JobResultStore, those of them that are configured.
    Archive {
        cluster: ClusterName,
        sought: ResultQuery,
    },
}

impl Wanted {
    pub(crate) fn source(&self) -> WantedSource {
        match self {
            Self::Exceptions { .. } => WantedSource::Exceptions,
            Self::Checkpoints { .. } => WantedSource::Checkpoints,
            Self::HaData { .. } => WantedSource::HaData,
            Self::Events { .. } => WantedSource::Events,
            Self::LastWords { .. } => WantedSource::LastWords,
            Self::TaskManagers { .. } => WantedSource::TaskManagers,
            Self::Archive { .. } => WantedSource::Archive,
        }
    }
}

/// What came of a look.
#[derive(Debug)]
pub(crate) enum Answer {
    Overview {
        target: TargetId,
        asked: Timestamp,
        at: Timestamp,
        answer: Observed<FlinkOverview>,
    },
    Wanted {
        key: JobKey,
        asked: Timestamp,
        at: Timestamp,
        answer: WantedAnswer,
    },
}

/// What came of a look on request.
#[derive(Debug)]
pub(crate) enum WantedAnswer {
    Exceptions(Observed<RootException>),
    Checkpoints(Observed<Checkpoints>),
    HaData(Observed<HaData>),
    Events(Observed<Vec<KubeEvent>>),
    LastWords(Observed<JobEnd>),
    Archive(Observed<JobEnd>),
    TaskManagers(Observed<Vec<Pod>>),
}

impl WantedAnswer {
    pub(crate) fn source(&self) -> WantedSource {
        match self {
            Self::Exceptions(_) => WantedSource::Exceptions,
            Self::Checkpoints(_) => WantedSource::Checkpoints,
            Self::HaData(_) => WantedSource::HaData,
            Self::Events(_) => WantedSource::Events,
            Self::LastWords(_) => WantedSource::LastWords,
            Self::Archive(_) => WantedSource::Archive,
            Self::TaskManagers(_) => WantedSource::TaskManagers,
        }
    }

    /// Whether it is about a run of the job, and not about what the runs share.
    pub(crate) fn is_of_one_attempt(&self) -> bool {
        match self {
            Self::Exceptions(_) | Self::Checkpoints(_) | Self::LastWords(_) | Self::Archive(_) => true,
            Self::HaData(_) | Self::Events(_) | Self::TaskManagers(_) => false,
        }
    }

    /// The fault, if there was no answer.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        fn of<T>(answer: &Observed<T>) -> Option<&Fault> {
            match answer {
                Observed::Unknown(fault) => Some(fault),
                Observed::Present(_) | Observed::Absent => None,
            }
        }
        match self {
            Self::Exceptions(answer) => of(answer),
            Self::Checkpoints(answer) => of(answer),
            Self::HaData(answer) => of(answer),
            Self::Events(answer) => of(answer),
            Self::LastWords(answer) | Self::Archive(answer) => of(answer),
            Self::TaskManagers(answer) => of(answer),
        }
    }
}
