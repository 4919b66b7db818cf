//! Which run of a job the record is about, so that two are never mixed.

use serde::{Deserialize, Serialize};

use crate::id::{FlinkJobId, Uid};
use crate::time::Timestamp;

/// The identity of one attempt. What is `None` has not been seen yet; it is filled in, and only a
/// value that contradicts a known one begins a new attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incarnation {
    /// 1 for the first one seen; 0 while nothing has been seen.
    pub attempt: u32,
    /// The Deployment's UID.
    pub deployment_uid: Option<Uid>,
    /// The job's id.
    pub flink_job_id: Option<FlinkJobId>,
    /// The job's start-time.
    pub started_at: Option<Timestamp>,
    /// When the attempt was first seen.
    pub since: Option<Timestamp>,
    /// Job and start-time of the attempt before: an answer that names them comes from the old JobManager.
    pub previous: Option<(FlinkJobId, Timestamp)>,
}

impl Incarnation {
    /// Nothing has been seen. A session job is known by its id from the start.
    pub fn unseen(flink_job_id: Option<FlinkJobId>) -> Self {
        Self { attempt: 0, deployment_uid: None, flink_job_id, started_at: None, since: None, previous: None }
    }
}
