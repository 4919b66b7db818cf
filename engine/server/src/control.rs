//! What the API asks of the reconcile loop.

use async_trait::async_trait;
use steadfast_core::explanation::Explanation;
use steadfast_core::id::JobKey;
use steadfast_core::projection::JobView;
use steadfast_core::state::Intent;

use crate::problem::Problem;

/// The loop, as far as the API may reach into it.
#[async_trait]
pub trait Control: Send + Sync {
    /// Notes what somebody wants of a job. The record is committed when this returns.
    async fn intend(&self, job: &JobKey, intent: Intent) -> Result<JobView, ControlError>;

    /// Judges a job now, to show what was seen and decided; nothing is carried out.
    async fn explain(&self, job: &JobKey) -> Result<Explanation, ControlError>;

    /// Removes a job's record. Its removal is committed when this returns.
    async fn forget(&self, job: &JobKey) -> Result<(), ControlError>;
}

/// Why the loop did not do it. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no record of that job.
    #[error("no such job")]
    NoSuchJob,
    /// A `[[job]]` of the configuration names it: forgotten, it would be back at once.
    #[error("the configuration names this job; remove its [[job]] entry and restart instead")]
    Configured,
    /// The store or the loop cannot do it now.
    #[error("{0}")]
    Unavailable(String),
}

impl ControlError {
    pub(crate) fn problem(self, job: &JobKey) -> Problem {
        match self {
            Self::NoSuchJob => Problem::not_found(format!("there is no job {job}; GET /api/v1/jobs lists all")),
            Self::Configured => Problem::new(http::StatusCode::CONFLICT, self.to_string()),
            Self::Unavailable(why) => Problem::unavailable(format!("{why}; nothing has changed, try again")),
        }
    }
}
