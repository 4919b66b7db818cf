//! What the API asks of Flink and Kubernetes for a person, beside the loop.

use async_trait::async_trait;
use steadfast_core::closeup::{FlinkCloseup, LogCloseup, LogQuestion, PodsCloseup};
use steadfast_core::id::JobKey;

/// The way to look at one job as it is now. Nothing of it is kept, and nothing is decided by it. What cannot be read is unknown, with
/// the words of the fault; it is no error of the call.
#[async_trait]
pub trait Closeup: Send + Sync {
    /// What its Flink says of it.
    ///
    /// Fails with one of [`CloseupError`].
    async fn flink(&self, job: &JobKey) -> Result<FlinkCloseup, CloseupError>;

    /// Its pods, and what was told of them.
    ///
    /// Fails with one of [`CloseupError`].
    async fn pods(&self, job: &JobKey) -> Result<PodsCloseup, CloseupError>;

    /// The end of the log of one of its pods.
    ///
    /// Fails with one of [`CloseupError`].
    async fn log(&self, job: &JobKey, question: &LogQuestion) -> Result<LogCloseup, CloseupError>;
}

/// Why nobody was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseupError {
    /// There is no record of that job.
    #[error("no such job")]
    NoSuchJob,
    /// It cannot be asked now. Holds the reason.
    #[error("{0}")]
    Unavailable(String),
}
