//! What a source answers, and the looks behind it.

use super::World;
use crate::bindings::steadfast::policy::types as wit;
use crate::{
    Checkpoints, Deployment, Fault, FaultKind, FlinkJob, FlinkResource, JobEnd, JobState, KubeEvent, Looks, Pod,
    RootException, Timestamp,
};

/// What a source answers when it is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Says<T> {
    /// It is there.
    Present(T),
    /// A complete answer lacks it.
    Absent,
    /// No usable answer.
    Unknown(FaultKind),
}

pub(super) fn fault(kind: FaultKind) -> Fault {
    Fault {
        kind,
        message: format!("{kind:?}"),
    }
}

/// A look at `now`, after those before it.
pub(super) fn looked(now: Timestamp, before: Option<&Looks>, is_usable: bool) -> Looks {
    if is_usable {
        return Looks {
            asked_at: now,
            observed_at: now,
            known_at: Some(now),
            unknown_since: None,
            failures: 0,
        };
    }
    Looks {
        asked_at: now,
        observed_at: now,
        known_at: before.and_then(|looks| looks.known_at),
        unknown_since: before.and_then(|looks| looks.unknown_since).or(Some(now)),
        failures: before.map_or(0, |looks| looks.failures).saturating_add(1),
    }
}

macro_rules! slots {
    ($($(#[$doc:meta])* $slot:ident: $evidence:ident, $answer:ident($value:ty);)+) => {
        impl World {
            $($(#[$doc])*
            pub fn $slot(&mut self, says: Says<$value>) -> &mut Self {
                let answer = match says {
                    Says::Present(value) => wit::$answer::Present(value),
                    Says::Absent => wit::$answer::Absent,
                    Says::Unknown(kind) => wit::$answer::Unknown(fault(kind)),
                };
                let before = self.snapshot.$slot.as_ref().map(|evidence| &evidence.looks);
                let looks = looked(self.snapshot.now, before, !matches!(answer, wit::$answer::Unknown(_)));
                self.snapshot.$slot = Some(wit::$evidence { looks, answer });
                self.follow();
                self
            })+
        }
    };
}

slots! {
    /// Flink is asked for the job.
    flink: FlinkEvidence, FlinkAnswer(FlinkJob);
    /// Flink is asked for its root exception.
    exceptions: ExceptionsEvidence, ExceptionsAnswer(RootException);
    /// Flink is asked for its checkpoint counters.
    checkpoints: CheckpointsEvidence, CheckpointsAnswer(Checkpoints);
    /// Kubernetes is asked for the Deployment.
    deployment: DeploymentEvidence, DeploymentAnswer(Deployment);
    /// Kubernetes is asked for the JobManager's pods.
    pods: PodsEvidence, PodsAnswer(Vec<Pod>);
    /// Kubernetes is asked for events.
    events: EventsEvidence, EventsAnswer(Vec<KubeEvent>);
    /// Kubernetes is asked for Flink's HA ConfigMaps, by name.
    ha_data: HaDataEvidence, HaDataAnswer(Vec<String>);
    /// The JobManager's log is read.
    last_words: JobEndEvidence, JobEndAnswer(JobEnd);
    /// The archives are read.
    archive: JobEndEvidence, JobEndAnswer(JobEnd);
    /// Kubernetes is asked for the operator's resource.
    flink_resource: FlinkResourceEvidence, FlinkResourceAnswer(FlinkResource);
    /// Kubernetes is asked for the TaskManagers' pods.
    task_managers: PodsEvidence, PodsAnswer(Vec<Pod>);
}

impl World {
    /// Flink lists the job in that state.
    pub fn flink_reports(&mut self, state: JobState) -> &mut Self {
        self.flink(Says::Present(super::flink_job(state)))
    }

    /// Flink gives no usable answer.
    pub fn flink_unknown(&mut self, kind: FaultKind) -> &mut Self {
        self.flink(Says::Unknown(kind))
    }

    /// The engine lacks what it takes to ask Flink.
    pub fn flink_not_asked(&mut self) -> &mut Self {
        self.flink_unknown(FaultKind::Other);
        if let Some(wit::FlinkEvidence {
            answer: wit::FlinkAnswer::Unknown(fault),
            ..
        }) = &mut self.snapshot.flink
        {
            fault.message = "the engine itself has no file left to open".to_owned();
        }
        self
    }

    /// A complete list of Deployments has the job's.
    pub fn deployment_there(&mut self) -> &mut Self {
        self.deployment(Says::Present(super::deployment()))
    }

    /// A complete list of Deployments lacks the job's.
    pub fn deployment_missing(&mut self) -> &mut Self {
        self.deployment(Says::Absent)
    }

    /// Neither Flink nor Kubernetes gives a usable answer.
    pub fn dark(&mut self, kind: FaultKind) -> &mut Self {
        self.flink_unknown(kind)
            .deployment(Says::Unknown(kind))
            .pods(Says::Unknown(kind))
    }

    /// What is looked at with each poll is looked at again, and answers as it last did.
    pub(super) fn look_again(&mut self) {
        let now = self.snapshot.now;
        let s = &mut self.snapshot;
        let regular = [
            s.flink.as_mut().map(|evidence| &mut evidence.looks),
            s.deployment.as_mut().map(|evidence| &mut evidence.looks),
            s.pods.as_mut().map(|evidence| &mut evidence.looks),
            s.flink_resource.as_mut().map(|evidence| &mut evidence.looks),
        ];
        for looks in regular.into_iter().flatten() {
            *looks = looked(now, Some(looks), looks.unknown_since.is_none());
        }
    }
}
