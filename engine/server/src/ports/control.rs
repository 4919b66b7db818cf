//! What the API asks of the reconcile loop.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use steadfast_core::call::Call;
use steadfast_core::explanation::Explanation;
use steadfast_core::id::JobKey;
use steadfast_core::projection::JobView;
use steadfast_core::silences::Refused;
use steadfast_core::state::{Force, Intent};
use steadfast_core::time::Timestamp;

/// The loop, as far as the API may reach into it. Each call waits for its turn in the loop.
#[async_trait]
pub trait Control: Send + Sync {
    /// Notes what somebody intends with a job, and in its history who called. The record is committed when this returns.
    ///
    /// Fails with [`ControlError::NoSuchJob`], [`ControlError::TooOften`], and [`ControlError::Unavailable`] if the store did
    /// not take it.
    async fn intend(
        &self,
        job: &JobKey,
        intent: Intent,
        author: Option<Arc<str>>,
        call: Call,
    ) -> Result<JobView, ControlError>;

    /// Nobody is told of an alert of a job until a time, and its history says who called. The record is committed when this returns.
    ///
    /// Fails with [`ControlError::NoSuchJob`], [`ControlError::Silence`], [`ControlError::TooOften`], and
    /// [`ControlError::Unavailable`] if the store did not take it.
    async fn silence(&self, job: &JobKey, silence: AskedSilence, call: Call) -> Result<JobView, ControlError>;

    /// Takes such a silence back; an alert that stands is told then. Without one nothing changes.
    ///
    /// Fails as [`Control::silence`] does.
    async fn unsilence(&self, job: &JobKey, alert: &str, call: Call) -> Result<JobView, ControlError>;

    /// Asks Flink and Kubernetes of a job now. Waits until what came of it has been judged, but no longer than an answer may take.
    ///
    /// Fails with [`ControlError::NoSuchJob`] and [`ControlError::TooOften`].
    async fn look(&self, job: &JobKey) -> Result<Looked, ControlError>;

    /// Runs the job's policy on what is seen now, to show what it decides; nothing is carried out.
    ///
    /// Fails with [`ControlError::NoSuchJob`]. A policy that fails is part of the explanation, not an error.
    async fn explain(&self, job: &JobKey) -> Result<Explanation, ControlError>;

    /// Removes a job's record, and notes in its history who called. Its removal is committed when this returns.
    ///
    /// Fails with [`ControlError::NoSuchJob`], [`ControlError::Configured`], [`ControlError::SeenAlive`] without
    /// [`Force::Yes`], [`ControlError::TooOften`], and [`ControlError::Unavailable`] if the store did not take it.
    async fn forget(&self, job: &JobKey, force: Force, call: Call) -> Result<(), ControlError>;
}

/// A silence that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedSilence {
    /// The alert's name.
    pub alert: String,
    /// Until when.
    pub until: Timestamp,
    /// Who it is by.
    pub by: Option<Arc<str>>,
    /// Why, as they say.
    pub comment: Option<Arc<str>>,
}

/// What came of a look.
#[derive(Clone, Debug)]
pub enum Looked {
    /// The job as it is, now that what was seen has been judged.
    Judged(JobView),
    /// The job as it is; what is being looked for has not come, or not been judged yet.
    UnderWay(JobView),
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
    /// It is still there: forgotten, it would be back at once, without its history. Holds what is seen of it.
    #[error("{0}; forgotten now it would be back at once, without its history")]
    SeenAlive(String),
    /// It is no silence that may be noted.
    #[error("{0}")]
    Silence(Refused),
    /// Calls about the job have made as many entries as they may.
    #[error("{why}")]
    TooOften {
        /// Which limit there is.
        why: String,
        /// How long it takes until there is room for another one.
        wait: Duration,
    },
    /// The store or the loop cannot do it now. Holds the reason.
    #[error("{0}")]
    Unavailable(String),
}
