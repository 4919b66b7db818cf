//! Looks at a job for a person: asked live, kept nowhere, judged by nobody.
//!
//! They share the clients of the loop and nothing else with it. Where a job's Flink is, the loop says; the asking is done beside it,
//! by the caller's own task, so that a slow Flink holds up none but the caller. How many there are at a time is bounded for all, and
//! for the jobs of one cluster: one that hangs must not take all the places.

mod turns;

use std::sync::Arc;
use std::time::Duration;

use steadfast_core::board::ObjectRef;
use steadfast_core::closeup::{FlinkCloseup, LogCloseup, LogQuestion, PodsCloseup};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey};
use tokio::time::timeout;

use crate::control::{Control, RequestError};
use crate::fetch::Endpoint;
use crate::fetcher::Fetcher;
use turns::{Turn, Turns};

/// Where a job can be asked for.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    /// The Kubernetes cluster.
    pub(crate) cluster: ClusterName,
    /// Where its Flink is; `None` of a job on record that nothing stands for any more.
    pub(crate) endpoint: Option<Endpoint>,
    /// Its cluster's objects; `None` outside of Kubernetes.
    pub(crate) object: Option<ObjectRef>,
    /// Its id in Flink, once that is known.
    pub(crate) job: Option<FlinkJobId>,
}

/// Why nobody was asked.
#[derive(Debug, thiserror::Error)]
pub enum CloseupError {
    /// There is no record of that job.
    #[error("no such job")]
    NoSuchJob,
    /// As many looks as may be are under way, of all jobs or of those of this cluster.
    #[error("as many looks at jobs are under way as may be at a time")]
    Busy,
    /// The loop does not say where the job is.
    #[error("the engine does not say where the job is")]
    Silent,
    /// The engine is stopping.
    #[error("the engine is stopping")]
    Stopping,
}

/// The way to look closely. A clone is the same one.
#[derive(Clone)]
pub struct Closeups {
    fetcher: Arc<Fetcher>,
    control: Control,
    /// `timing.timeout`.
    deadline: Duration,
    turns: Arc<Turns>,
}

impl Closeups {
    pub(crate) fn new(fetcher: Arc<Fetcher>, control: Control, deadline: Duration) -> Self {
        Self {
            fetcher,
            control,
            deadline,
            turns: Arc::default(),
        }
    }

    /// What Flink says of a job, its checkpoints and its failures, each within one deadline and asked at the same time.
    pub async fn flink(&self, key: &JobKey) -> Result<FlinkCloseup, CloseupError> {
        let (at, _turn) = self.locate(key).await?;
        let asked_at = self.fetcher.now();
        let (job, checkpoints, exceptions) = self.fetcher.closeup(&at).await;
        Ok(FlinkCloseup {
            asked_at,
            job,
            checkpoints,
            exceptions,
        })
    }

    /// A job's pods and what was told of them, each within one deadline and asked at the same time.
    pub async fn pods(&self, key: &JobKey) -> Result<PodsCloseup, CloseupError> {
        let (at, _turn) = self.locate(key).await?;
        let asked_at = self.fetcher.now();
        let (pods, events) = self.fetcher.pods_closeup(&at).await;
        Ok(PodsCloseup::new(asked_at, pods, events))
    }

    /// The end of the log of one of a job's pods. Two questions follow each other, each within one deadline.
    pub async fn log(&self, key: &JobKey, question: &LogQuestion) -> Result<LogCloseup, CloseupError> {
        let (at, _turn) = self.locate(key).await?;
        let asked_at = self.fetcher.now();
        let log = self.fetcher.log_closeup(&at, question).await;
        Ok(LogCloseup { asked_at, log })
    }

    /// Where a job is, with a turn to ask for it.
    async fn locate(&self, key: &JobKey) -> Result<(Whereabouts, Turn), CloseupError> {
        let turn = self.turns.take(&key.target.cluster).ok_or(CloseupError::Busy)?;
        let located = timeout(self.deadline, self.control.locate(key.clone())).await;
        let located = located.map_err(|_| CloseupError::Silent)?;
        let at = located.map_err(|error| match error {
            RequestError::NoSuchJob => CloseupError::NoSuchJob,
            RequestError::Stopping => CloseupError::Stopping,
            RequestError::Configured
            | RequestError::SeenAlive(_)
            | RequestError::TooOften { .. }
            | RequestError::Silence(_)
            | RequestError::Store(_)
            | RequestError::Busy => CloseupError::Silent,
        })?;
        Ok((at, turn))
    }
}

#[cfg(test)]
mod tests;
