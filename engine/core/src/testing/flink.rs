use crate::facts::{FlinkJob, Tasks};
use crate::id::FlinkJobId;
use crate::state::JobState;
use crate::time::Timestamp;

/// The job id whose 32 hex digits are this number.
pub fn flink_job_id(number: u128) -> FlinkJobId {
    FlinkJobId::parse(&format!("{number:032x}")).unwrap_or_else(|| unreachable!("32 hex digits are a job id"))
}

/// A row of `/jobs/overview`, without tasks.
pub fn flink_job(id: FlinkJobId, state: JobState, started_at: Timestamp) -> FlinkJob {
    FlinkJob {
        id,
        state,
        started_at,
        ended_at: None,
        tasks: Tasks::default(),
    }
}
