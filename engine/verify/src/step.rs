//! What may happen between two looks, one thing at a time.

use std::fmt;
use std::time::Duration;

use steadfast_core::evidence::FaultKind;
use steadfast_core::state::{Intent, JobState};

/// One thing that happens. What it changes is seen at once, and the policy decides; after a wait everything is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Nothing but time; the same evidence is found again.
    Wait(Duration),
    /// Flink answers otherwise.
    Flink(FlinkStep),
    /// Kubernetes answers otherwise.
    Kubernetes(KubernetesStep),
    /// What the policy asked for about the job's end is answered.
    Ends(EndsStep),
    /// What the policy asked for that explains is answered: exceptions, checkpoints, events, TaskManagers.
    Explained(Explanation),
    /// The policy's memory is not what it left.
    Memory(MemoryStep),
    /// The other targets of the cluster fall silent, or are seen again.
    Neighbours(Visibility),
    /// Somebody posts an intent.
    Intent(Intent),
    /// The engine is killed and starts again: the record stays, all evidence is gone.
    Restart,
    /// The call into the policy traps; everything stands as before.
    PolicyFails,
    /// Everything answers, and the job runs. No part of what is explored: it is how a law asks for recovery.
    Heal,
}

/// What Flink turns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlinkStep {
    /// No usable answer.
    Silent(FaultKind),
    /// A complete answer without any job; asked for the job by its id, it does not know it.
    Lacks,
    /// A complete answer without any job; asked for the job by its id, it gives no usable answer.
    LeavesOut,
    /// It lists the run in that state.
    Says(JobState),
    /// It lists the job RUNNING with a new start-time.
    NewStart,
    /// It lists another job, RUNNING.
    NewJob,
}

/// What Kubernetes turns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KubernetesStep {
    /// Every list fails.
    Silent(FaultKind),
    /// Lists work again and show what is there.
    Answers,
    /// The JobManager's container has begun anew.
    PodRestarts,
    /// It is in CrashLoopBackOff.
    PodCrashes,
    /// Its pod is ready again.
    PodRecovers,
    /// Deployment and pod carry a deletionTimestamp; the JobManager's log names an end, or none.
    Going(Option<JobState>),
    /// The watch says DELETED.
    Deleted,
    /// A complete list lacks the Deployment; no deletion was seen.
    Missing,
    /// There is one under a new UID, with a new pod.
    Replaced,
    /// A second JobManager's pod is there beside the first, as with HA or while a rollout goes on.
    PodJoins,
    /// The older of two pods is gone.
    PodLeaves,
    /// The Deployment is there, and no pod of it.
    PodsGone,
    /// It asks for no replica, and no pod is left.
    ScaledToZero,
    /// It asks for one again, and a new pod is ready.
    PodsBack,
}

/// How the look-ups of the job's end are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndsStep {
    /// All were read, and none names an end.
    Nothing,
    /// None can be read.
    Unreadable,
    /// The archive names the end of this job.
    Archive(JobState),
    /// The archive names the end of another job.
    OfAnotherJob(JobState),
    /// Flink's recovery data is still there; no source names an end.
    RecoveryData,
}

/// How the look-ups that explain are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Explanation {
    /// All is well: checkpoints complete; an exception is named where there is a failure; no event, no TaskManager in trouble.
    Calm,
    /// Each checkpoint fails.
    CheckpointsFail,
}

/// What becomes of a policy's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryStep {
    /// It is emptied, as when the job is handed to a `[[policy]]` of another name.
    Emptied,
    /// The module under the policy's name is replaced, and finds what another module remembered.
    OfAnother,
}

/// What another module may have left: neither a text nor any policy's own form.
pub(crate) const OF_ANOTHER: [u8; 12] = [0xff, 0xfe, 0, 1, 2, 3, 0x80, 0x7f, b'{', b'"', 0xc3, 0x28];

/// Whether the other targets are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Some source has a fresh answer for each.
    Seen,
    /// No source has a fresh answer for them.
    Dark,
}

impl Step {
    /// How much time passes with it. What happens at one moment is shown to the policy one piece after the other.
    pub(crate) fn takes(self, poll: Duration) -> Duration {
        match self {
            Self::Wait(span) => span,
            Self::Restart | Self::Heal => poll,
            Self::Flink(_)
            | Self::Kubernetes(_)
            | Self::Ends(_)
            | Self::Explained(_)
            | Self::Memory(_)
            | Self::Neighbours(_)
            | Self::Intent(_)
            | Self::PolicyFails => Duration::ZERO,
        }
    }

    /// How much of a sequence's depth it takes: what is common weighs 1, so that it can happen most often.
    pub(crate) fn weighs(self) -> u32 {
        match self {
            Self::Wait(span) if span > USUAL => 3,
            Self::Wait(span) if span > LONG => 2,
            Self::Wait(_) => 1,
            Self::Flink(step) => step.weighs(),
            Self::Kubernetes(step) => step.weighs(),
            Self::Ends(EndsStep::Nothing | EndsStep::Archive(JobState::Failed)) => 1,
            Self::Ends(_) => 2,
            Self::Explained(_)
            | Self::Memory(_)
            | Self::Neighbours(_)
            | Self::Intent(_)
            | Self::Restart
            | Self::PolicyFails => 3,
            Self::Heal => 0,
        }
    }
}

/// A wait beyond this is made of shorter ones, and weighs more.
const LONG: Duration = Duration::from_secs(60);
/// What goes beyond the usual spans is there for a threshold of one policy.
const USUAL: Duration = Duration::from_secs(600);

impl FlinkStep {
    fn weighs(self) -> u32 {
        match self {
            Self::Silent(_) | Self::Lacks => 1,
            Self::NewStart | Self::NewJob | Self::LeavesOut => 2,
            Self::Says(state) => match state {
                JobState::Running | JobState::Finished => 1,
                JobState::Failed
                | JobState::Canceled
                | JobState::Restarting
                | JobState::Failing
                | JobState::Cancelling => 2,
                JobState::Created
                | JobState::Initializing
                | JobState::Suspended
                | JobState::Reconciling
                | JobState::Unknown
                | JobState::Starting
                | JobState::Savepointing
                | JobState::Lost
                | JobState::Terminated => 3,
            },
        }
    }
}

impl KubernetesStep {
    fn weighs(self) -> u32 {
        match self {
            Self::Silent(_) | Self::Answers | Self::Deleted | Self::Missing => 1,
            Self::PodRestarts | Self::PodCrashes | Self::PodRecovers | Self::Going(_) | Self::Replaced => 2,
            Self::PodsGone | Self::PodsBack | Self::PodJoins | Self::PodLeaves | Self::ScaledToZero => 3,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait(_) => f.write_str("nothing changes"),
            Self::Flink(step) => step.fmt(f),
            Self::Kubernetes(step) => step.fmt(f),
            Self::Ends(step) => step.fmt(f),
            Self::Explained(Explanation::Calm) => {
                f.write_str("what explains was read, and tells no trouble but the job's own")
            }
            Self::Explained(Explanation::CheckpointsFail) => f.write_str("Flink says that each checkpoint fails"),
            Self::Memory(MemoryStep::Emptied) => f.write_str("the policy's memory is emptied"),
            Self::Memory(MemoryStep::OfAnother) => {
                f.write_str("the module is replaced, and finds what another one remembered")
            }
            Self::Neighbours(Visibility::Dark) => f.write_str("the other jobs of the cluster fall silent"),
            Self::Neighbours(Visibility::Seen) => f.write_str("the other jobs of the cluster are seen again"),
            Self::Intent(intent) => write!(f, "somebody posts the intent `{intent}`"),
            Self::Restart => f.write_str("the engine is killed and starts again"),
            Self::PolicyFails => f.write_str("the call into the policy fails"),
            Self::Heal => f.write_str("everything answers, and Flink lists the job RUNNING"),
        }
    }
}

impl fmt::Display for FlinkStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(kind) => write!(f, "Flink gives no usable answer ({})", kind.as_str()),
            Self::Lacks => f.write_str("Flink answers and lists no job"),
            Self::LeavesOut => f.write_str("Flink's list leaves the job out"),
            Self::Says(state) => write!(f, "Flink lists the job {state}"),
            Self::NewStart => f.write_str("Flink lists the job RUNNING with a new start-time"),
            Self::NewJob => f.write_str("Flink lists another job, RUNNING"),
        }
    }
}

impl fmt::Display for KubernetesStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(kind) => write!(f, "Kubernetes gives no usable answer ({})", kind.as_str()),
            Self::Answers => f.write_str("Kubernetes answers again"),
            Self::PodRestarts => f.write_str("the JobManager's container has begun anew"),
            Self::PodCrashes => f.write_str("the JobManager's container is in CrashLoopBackOff"),
            Self::PodRecovers => f.write_str("the JobManager's pod is ready again"),
            Self::Going(None) => f.write_str("the Deployment and its pod are being deleted"),
            Self::Going(Some(state)) => {
                write!(f, "the Deployment and its pod are being deleted; the log says {state}")
            }
            Self::Deleted => f.write_str("the watch says that the Deployment was deleted"),
            Self::Missing => f.write_str("a complete list lacks the Deployment"),
            Self::Replaced => f.write_str("the Deployment is there under a new UID"),
            Self::PodJoins => f.write_str("a second JobManager's pod is ready"),
            Self::PodLeaves => f.write_str("the older of the two pods is gone"),
            Self::PodsGone => f.write_str("the Deployment has no pod"),
            Self::ScaledToZero => f.write_str("the Deployment is scaled to zero, and no pod is left"),
            Self::PodsBack => f.write_str("the Deployment has a pod again, which is ready"),
        }
    }
}

impl fmt::Display for EndsStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("archive, logs and recovery data were read and tell nothing"),
            Self::Unreadable => f.write_str("archive, logs and recovery data cannot be read"),
            Self::Archive(state) => write!(f, "the archive says that the job reached {state}"),
            Self::OfAnotherJob(state) => write!(f, "the archive says that another job reached {state}"),
            Self::RecoveryData => f.write_str("nothing tells an end, and Flink's recovery data is there"),
        }
    }
}
