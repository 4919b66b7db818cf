//! Each piece of evidence in one shape, which must be matched: no error can pass for an absence.

use crate::bindings::steadfast::policy::types as wit;
use crate::{
    Checkpoints, Deployment, Fault, FlinkJob, FlinkResource, JobEnd, KubeEvent, Looks, Pod, RootException, Snapshot,
    Timestamp, WantedSource,
};

/// What one source says. Four cases, because they mean four different things:
///
/// ```
/// use steadfast_policy::{Seen, Snapshot};
///
/// fn told(snapshot: &Snapshot) -> String {
///     match snapshot.flink() {
///         Seen::Present { value, .. } => format!("{} of {} tasks run", value.tasks.running, value.tasks.total),
///         Seen::Absent { .. } => "Flink answers, and does not know the job".into(),
///         Seen::Unknown { fault, .. } => format!("no usable answer: {}", fault.message),
///         Seen::Never => "nobody has asked".into(),
///     }
/// }
/// ```
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Seen<'a, T: ?Sized> {
    /// The source was never asked.
    Never,
    /// A complete answer has it.
    Present {
        /// It.
        value: &'a T,
        /// The looks behind it.
        looks: &'a Looks,
    },
    /// A complete, successful answer lacks it. The only case that may say so.
    Absent {
        /// The looks behind it.
        looks: &'a Looks,
    },
    /// No usable answer: every error is this, and none is an absence.
    Unknown {
        /// What went wrong.
        fault: &'a Fault,
        /// The looks behind it.
        looks: &'a Looks,
    },
}

impl<T: ?Sized> Clone for Seen<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Seen<'_, T> {}

impl<'a, T: ?Sized> Seen<'a, T> {
    /// What is there. `None` hides whether it is absent, unknown or was never asked for: only for places where these
    /// three mean the same, such as "there is nothing to add to the message".
    pub fn present(self) -> Option<&'a T> {
        match self {
            Self::Present { value, .. } => Some(value),
            Self::Absent { .. } | Self::Unknown { .. } | Self::Never => None,
        }
    }

    /// What went wrong, if it is unknown.
    pub fn fault(self) -> Option<&'a Fault> {
        match self {
            Self::Unknown { fault, .. } => Some(fault),
            Self::Present { .. } | Self::Absent { .. } | Self::Never => None,
        }
    }

    /// The looks behind it, if there were any.
    pub fn looks(self) -> Option<&'a Looks> {
        match self {
            Self::Present { looks, .. } | Self::Absent { looks } | Self::Unknown { looks, .. } => Some(looks),
            Self::Never => None,
        }
    }

    /// When the last look began, if there was one.
    pub fn asked_at(self) -> Option<Timestamp> {
        self.looks().map(|looks| looks.asked_at)
    }

    /// Whether a complete answer has it.
    pub fn is_present(self) -> bool {
        matches!(self, Self::Present { .. })
    }

    /// Whether a complete, successful answer lacks it. `false` is no presence: it may be unknown.
    pub fn is_absent(self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Whether the source has said nothing usable: an error, or no look at all.
    pub fn is_unanswered(self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Never)
    }

    /// The same, unless the look began before `moment`: then it is as if nobody had asked. For evidence that is looked
    /// up on request, and may be about an earlier problem.
    pub fn asked_since(self, moment: Timestamp) -> Self {
        match self.asked_at() {
            Some(asked) if asked >= moment => self,
            Some(_) | None => Self::Never,
        }
    }
}

macro_rules! evidence {
    ($($(#[$doc:meta])* $slot:ident: $answer:ident => $value:ty;)+) => {
        impl Snapshot {
            $($(#[$doc])*
            pub fn $slot(&self) -> Seen<'_, $value> {
                match &self.$slot {
                    None => Seen::Never,
                    Some(evidence) => match &evidence.answer {
                        wit::$answer::Present(value) => Seen::Present { value, looks: &evidence.looks },
                        wit::$answer::Absent => Seen::Absent { looks: &evidence.looks },
                        wit::$answer::Unknown(fault) => Seen::Unknown { fault, looks: &evidence.looks },
                    },
                }
            })+
        }
    };
}

evidence! {
    /// What Flink's REST endpoint says of the tracked job. Absent: it answers, and does not list the job.
    flink: FlinkAnswer => FlinkJob;
    /// Flink's root exception; looked up on request.
    exceptions: ExceptionsAnswer => RootException;
    /// Checkpoint counters since the last failover; looked up on request.
    checkpoints: CheckpointsAnswer => Checkpoints;
    /// The job's Deployment.
    deployment: DeploymentAnswer => Deployment;
    /// The JobManager's pods, newest first. Absent: a complete list has none.
    pods: PodsAnswer => [Pod];
    /// Kubernetes' events about the job; looked up on request.
    events: EventsAnswer => [KubeEvent];
    /// The names of Flink's HA ConfigMaps; looked up on request.
    ha_data: HaDataAnswer => [String];
    /// What the JobManager's log tells of the end.
    last_words: JobEndAnswer => JobEnd;
    /// What an archive, a HistoryServer or a JobResultStore tells of the end; looked up on request.
    archive: JobEndAnswer => JobEnd;
    /// The Flink Kubernetes Operator's resource for the job.
    flink_resource: FlinkResourceAnswer => FlinkResource;
    /// The TaskManagers' pods; looked up on request.
    task_managers: PodsAnswer => [Pod];
}

impl Snapshot {
    /// When the last look began that answers such a want, if there was one.
    pub fn asked_at(&self, source: WantedSource) -> Option<Timestamp> {
        match source {
            WantedSource::Exceptions => self.exceptions().asked_at(),
            WantedSource::Checkpoints => self.checkpoints().asked_at(),
            WantedSource::Kubernetes => self.deployment().asked_at(),
            WantedSource::HaData => self.ha_data().asked_at(),
            WantedSource::Events => self.events().asked_at(),
            WantedSource::LastWords => self.last_words().asked_at(),
            WantedSource::Archive => self.archive().asked_at(),
            WantedSource::TaskManagers => self.task_managers().asked_at(),
        }
    }
}
