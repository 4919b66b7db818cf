//! A record as a look at the engine shows it.

use steadfast_core::projection::JobView;
use steadfast_core::record::AlertScope;
use steadfast_core::state::{ConditionType, Confidence, JobState, Mode};
use steadfast_world::story::TargetSpec;

/// The parts of a record that stories speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key of the record.
    pub key: String,
    /// The cluster; `-` for standalone jobs.
    pub cluster: String,
    /// The namespace; `-` for standalone jobs.
    pub namespace: String,
    /// The name of the target.
    pub name: String,
    /// The FlinkSessionJob that it goes by.
    pub session_job: Option<String>,
    /// The job's id in Flink, once it is known.
    pub flink_job_id: Option<String>,
    /// The state.
    pub state: JobState,
    /// How sure the engine is of it.
    pub confidence: Confidence,
    /// `code: message`.
    pub reason: String,
    /// The attempt, as the record counts: the first one seen is 1.
    pub attempt: u32,
    /// The conditions that stand, by type.
    pub conditions: Vec<ConditionType>,
    /// The alerts that stand, by name and what they are about.
    pub alerts: Vec<(String, AlertScope)>,
}

impl Shown {
    /// Whether it is a record of that target.
    pub fn is_of(&self, target: &TargetSpec) -> bool {
        let is_there =
            target.mode == Mode::Standalone || (self.namespace == target.namespace && self.cluster == target.cluster);
        self.name == target.name && is_there
    }
}

impl From<&JobView> for Shown {
    fn from(view: &JobView) -> Self {
        let record = &view.record;
        let target = &record.key.target;
        Self {
            key: record.key.to_string(),
            cluster: target.cluster.to_string(),
            namespace: target.namespace.to_string(),
            name: target.name.to_string(),
            session_job: record.key.flink_session_job().map(str::to_owned),
            flink_job_id: record.incarnation.flink_job_id.map(|id| id.to_string()),
            state: record.state,
            confidence: record.confidence,
            reason: format!("{}: {}", record.reason.code, record.reason.message),
            attempt: record.incarnation.attempt,
            conditions: record.conditions.iter().map(|condition| condition.kind).collect(),
            alerts: record
                .alerts
                .iter()
                .map(|alert| (alert.name.clone(), alert.scope))
                .collect(),
        }
    }
}
