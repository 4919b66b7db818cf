//! A record as a look at the engine shows it.

use steadfast_core::projection::JobView;
use steadfast_core::state::{ConditionType, Confidence, JobState, Mode};
use steadfast_world::story::TargetSpec;

/// The parts of a record that stories speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The cluster; `-` for standalone jobs.
    pub cluster: String,
    /// The namespace; `-` for standalone jobs.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The job's id in Flink, once it is known.
    pub flink_job_id: Option<String>,
    /// The state.
    pub state: JobState,
    /// How sure.
    pub confidence: Confidence,
    /// Code and message.
    pub reason: String,
    /// The attempt.
    pub attempt: u32,
    /// What stands beside the state.
    pub conditions: Vec<ConditionType>,
}

impl Shown {
    /// Whether it is a record of that target.
    pub fn is_of(&self, target: &TargetSpec) -> bool {
        let in_place =
            target.mode == Mode::Standalone || (self.namespace == target.namespace && self.cluster == target.cluster);
        self.name == target.name && in_place
    }
}

impl From<&JobView> for Shown {
    fn from(view: &JobView) -> Self {
        let record = &view.record;
        let target = &record.key.target;
        Self {
            cluster: target.cluster.to_string(),
            namespace: target.namespace.to_string(),
            name: target.name.to_string(),
            flink_job_id: record.incarnation.flink_job_id.map(|id| id.to_string()),
            state: record.state,
            confidence: record.confidence,
            reason: format!("{}: {}", record.reason.code, record.reason.message),
            attempt: record.incarnation.attempt,
            conditions: record.conditions.iter().map(|condition| condition.kind).collect(),
        }
    }
}
