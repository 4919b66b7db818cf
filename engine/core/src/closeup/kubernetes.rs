//! What Kubernetes says of a job's objects.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::foreign_lines::ForeignLines;
use crate::foreign_text::ForeignText;
use crate::state::word;
use crate::time::Timestamp;

/// How many pods are shown.
pub const MOST_PODS: usize = 200;
/// How many containers of a pod are shown.
pub const MOST_CONTAINERS: usize = 20;
/// How many events are shown.
pub const MOST_EVENTS: usize = 50;
/// How many lines of a log may be asked for.
pub const MOST_LOG_LINES: u32 = 2000;
/// How much of a log is shown, in bytes.
pub const LOG_TEXT: usize = 1 << 20;

/// What a pod of a Flink cluster is for: its label `component`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum PodRole {
    /// It runs the JobManager.
    JobManager,
    /// It runs a TaskManager.
    TaskManager,
}

word!(PodRole);

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodDetail {
    /// `metadata.name`.
    pub name: String,
    /// What it is for.
    pub role: PodRole,
    /// `status.phase`.
    pub phase: ForeignText,
    /// Whether it is ready.
    pub ready: bool,
    /// `spec.nodeName`, once it has one.
    pub node: Option<ForeignText>,
    /// Those of all its containers together.
    pub restarts: u32,
    /// `metadata.creationTimestamp`.
    pub created_at: Option<Timestamp>,
    /// `status.startTime`.
    pub started_at: Option<Timestamp>,
    /// Why it is as it is: that it is being deleted, cannot be scheduled, was evicted.
    pub reason: Option<ForeignText>,
    /// Those that start before the others first; at most [`MOST_CONTAINERS`].
    pub containers: Vec<ContainerDetail>,
    /// The container that Flink runs in.
    pub main_container: Option<String>,
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum ContainerState {
    /// It has not started, or waits to start again.
    Waiting,
    /// It runs.
    Running,
    /// It has ended.
    Terminated,
}

word!(ContainerState);

/// A container of a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerDetail {
    /// Its name.
    pub name: ForeignText,
    /// How often it began anew.
    pub restarts: u32,
    /// What it does.
    pub state: ContainerState,
    /// Why it waits or has ended; of one that runs, why it ended before.
    pub reason: Option<ForeignText>,
    /// The same in a sentence.
    pub message: Option<ForeignText>,
    /// With what it ended, now or before.
    pub exit_code: Option<i32>,
}

/// An event about one of the job's objects.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDetail {
    /// `Kind/name`.
    pub object: ForeignText,
    /// `reason`.
    pub reason: ForeignText,
    /// `message`.
    pub message: ForeignText,
    /// When it was last seen.
    pub at: Option<Timestamp>,
    /// How often.
    pub count: Option<u32>,
    /// `type`: Normal or Warning.
    pub kind: Option<ForeignText>,
}

/// Which log is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuestion {
    /// The pod; `None`: the JobManager's, the newest if there are several.
    pub pod: Option<String>,
    /// How many lines, from 1 to [`MOST_LOG_LINES`].
    pub lines: u32,
    /// That of the container's run before the present one.
    pub previous: bool,
}

/// The end of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogTail {
    /// The pod.
    pub pod: String,
    /// Its container.
    pub container: String,
    /// The last lines, at most [`LOG_TEXT`] bytes.
    pub text: ForeignLines,
}
