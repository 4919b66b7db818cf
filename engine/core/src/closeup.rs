//! What Flink and Kubernetes say of a job at this moment, for a person who asks.
//!
//! It is no evidence: it enters no board and no record, and nothing is decided by it. So it may be larger than what is kept, and
//! the same law holds for it: an error is unknown, with the words of the fault, and only a complete answer is absent.

mod flink;
mod kubernetes;

pub use flink::{
    Checkpoint, CheckpointCounts, CheckpointDetail, FailedCheckpoint, Failure, Failures, JobDetail, MOST_CHECKPOINTS,
    MOST_FAILURES, MOST_VERTICES, STACK_TRACE, Vertex,
};
pub use kubernetes::{
    ContainerDetail, ContainerState, EventDetail, LOG_TEXT, LogQuestion, LogTail, MOST_CONTAINERS, MOST_EVENTS,
    MOST_LOG_LINES, MOST_PODS, PodDetail, PodRole,
};

use crate::evidence::Observed;
use crate::time::Timestamp;

/// A job as its Flink shows it. Each part was asked for by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct FlinkCloseup {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Absent: Flink says that it does not know the job.
    pub job: Observed<JobDetail>,
    /// Absent: the same, or the job takes no checkpoints.
    pub checkpoints: Observed<CheckpointDetail>,
    /// Absent: Flink says that it does not know the job. Without a failure there is an empty history.
    pub exceptions: Observed<Failures>,
}

/// A job's pods, and what Kubernetes tells of its objects.
#[derive(Clone, Debug, PartialEq)]
pub struct PodsCloseup {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// At most [`MOST_PODS`], those of JobManagers first. Absent: there are none.
    pub pods: Observed<Vec<PodDetail>>,
    /// How many pods there are besides.
    pub pods_omitted: usize,
    /// At most [`MOST_EVENTS`], the newest first. Absent: there are none.
    pub events: Observed<Vec<EventDetail>>,
}

impl PodsCloseup {
    /// With as many of the pods as are shown.
    pub fn new(asked_at: Timestamp, pods: Observed<Vec<PodDetail>>, events: Observed<Vec<EventDetail>>) -> Self {
        let (pods, pods_omitted) = match pods {
            Observed::Present(mut pods) => {
                let omitted = pods.len().saturating_sub(MOST_PODS);
                pods.truncate(MOST_PODS);
                (Observed::Present(pods), omitted)
            }
            none @ (Observed::Absent | Observed::Unknown(_)) => (none, 0),
        };
        Self {
            asked_at,
            pods,
            pods_omitted,
            events,
        }
    }
}

/// The end of a pod's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogCloseup {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Absent: the job has no such pod, or its container has not begun anew yet.
    pub log: Observed<LogTail>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Fault, FaultKind};
    use crate::testing::at;

    #[test]
    fn pods_that_are_not_shown_are_counted() {
        let pod = |number: usize| PodDetail {
            name: format!("p{number}"),
            role: PodRole::TaskManager,
            phase: "Running".into(),
            ready: true,
            node: None,
            restarts: 0,
            created_at: None,
            started_at: None,
            reason: None,
            containers: Vec::new(),
            main_container: None,
        };
        let shown = |count| {
            let pods = Observed::Present((0..count).map(pod).collect());
            let closeup = PodsCloseup::new(at(0), pods, Observed::Absent);
            (closeup.pods.present().map(Vec::len), closeup.pods_omitted)
        };
        assert_eq!(shown(MOST_PODS), (Some(MOST_PODS), 0));
        assert_eq!(shown(MOST_PODS + 3), (Some(MOST_PODS), 3));
        let unknown = Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer"));
        let closeup = PodsCloseup::new(at(0), unknown.clone(), Observed::Absent);
        assert_eq!((closeup.pods, closeup.pods_omitted), (unknown, 0));
    }
}
