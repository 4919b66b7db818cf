//! What the API may ask of the loop. Requests wait their turn in it, so that nothing changes a record beside it.

use std::sync::Arc;
use std::time::Duration;

use steadfast_core::call::Call;
use steadfast_core::explanation::Explanation;
use steadfast_core::id::JobKey;
use steadfast_core::journal::JournalError;
use steadfast_core::planner::{AT_ONCE, EACH_POLL};
use steadfast_core::projection::JobView;
use steadfast_core::silences::Refused;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Force, Intent, JobState};
use steadfast_core::time::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::closeup::Whereabouts;
use crate::setup::PolicySetup;

/// What somebody says of a silence.
#[derive(Clone, Debug, Default)]
pub struct Says {
    /// Who it is by.
    pub by: Option<Arc<str>>,
    /// Why.
    pub comment: Option<Arc<str>>,
}

/// A request with the way back.
#[derive(Debug)]
pub(crate) enum Request {
    Intend {
        key: JobKey,
        intent: Intent,
        author: Option<Arc<str>>,
        call: Option<Call>,
        reply: oneshot::Sender<Result<JobView, RequestError>>,
    },
    Explain {
        key: JobKey,
        reply: oneshot::Sender<Result<Explanation, RequestError>>,
    },
    Silence {
        key: JobKey,
        alert: String,
        until: Timestamp,
        says: Says,
        call: Option<Call>,
        reply: oneshot::Sender<Result<JobView, RequestError>>,
    },
    Unsilence {
        key: JobKey,
        alert: String,
        call: Option<Call>,
        reply: oneshot::Sender<Result<JobView, RequestError>>,
    },
    Look {
        key: JobKey,
        reply: oneshot::Sender<Result<JobView, RequestError>>,
    },
    Locate {
        key: JobKey,
        reply: oneshot::Sender<Result<Whereabouts, RequestError>>,
    },
    Forget {
        key: JobKey,
        force: Force,
        call: Option<Call>,
        reply: oneshot::Sender<Result<(), RequestError>>,
    },
    Snapshots {
        limit: usize,
        reply: oneshot::Sender<Result<Vec<Snapshot>, RequestError>>,
    },
    ReplacePolicies {
        policies: Vec<PolicySetup>,
        reply: oneshot::Sender<Result<(), RequestError>>,
    },
}

/// By what a job is seen alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeenAlive {
    /// The newest answer of its Flink lists it, in this state.
    #[error("Flink lists the job as {}", .0.as_str())]
    Listed(JobState),
    /// Its Deployment, or the operator's resource for it, is there, and is of a kind that is discovered.
    #[error("its Deployment or FlinkDeployment is there")]
    Deployed,
    /// The FlinkSessionJob that asks for it is there.
    #[error("its FlinkSessionJob is there")]
    Requested,
}

/// Why a request was not carried out. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is no record under that key.
    #[error("no such job")]
    NoSuchJob,
    /// A `[[job]]` of the configuration names it: forgotten, it would be back at the next start.
    #[error("the configuration names this job")]
    Configured,
    /// It is seen alive: forgotten, it would be back at once.
    #[error("the job is seen alive")]
    SeenAlive(#[source] SeenAlive),
    /// Calls about this job have written as much into its history of late as they may.
    #[error(
        "calls about this job have made as many entries in its history as they may: {AT_ONCE} at once, and {EACH_POLL} more \
         for each [timing] poll"
    )]
    TooOften {
        /// How long it takes until there is room for another one.
        wait: Duration,
    },
    /// It is no silence that may be noted.
    #[error(transparent)]
    Silence(Refused),
    /// The store did not take it.
    #[error("the store did not take it")]
    Store(#[from] JournalError),
    /// Its policy has many other questions to answer.
    #[error("the job's policy has other questions to answer first; ask again later")]
    Busy,
    /// The engine is stopping.
    #[error("the engine is stopping")]
    Stopping,
}

/// The way to ask the loop.
#[derive(Clone, Debug)]
pub struct Control {
    pub(crate) requests: mpsc::Sender<Request>,
}

impl Control {
    /// Notes what somebody intends with a job, and who says so; its history says by which call. The record is committed when this returns.
    ///
    /// Fails with [`RequestError::NoSuchJob`], [`RequestError::TooOften`] and [`RequestError::Store`].
    pub async fn intend(
        &self,
        key: JobKey,
        intent: Intent,
        author: Option<Arc<str>>,
        call: Option<Call>,
    ) -> Result<JobView, RequestError> {
        self.ask(|reply| Request::Intend {
            key,
            intent,
            author,
            call,
            reply,
        })
        .await
    }

    /// Runs a job's policy now, and shows what was seen and what it decided. Nothing is carried out.
    ///
    /// Fails with [`RequestError::NoSuchJob`] and [`RequestError::Busy`]; the failure of a policy is part of the explanation.
    pub async fn explain(&self, key: JobKey) -> Result<Explanation, RequestError> {
        self.ask(|reply| Request::Explain { key, reply }).await
    }

    /// Nobody is told of that alert of a job until then; its history says by which call. The record is committed when this returns.
    ///
    /// Fails with [`RequestError::NoSuchJob`], [`RequestError::Silence`], [`RequestError::TooOften`] and
    /// [`RequestError::Store`].
    pub async fn silence(
        &self,
        key: JobKey,
        alert: String,
        until: Timestamp,
        says: Says,
        call: Option<Call>,
    ) -> Result<JobView, RequestError> {
        self.ask(|reply| Request::Silence {
            key,
            alert,
            until,
            says,
            call,
            reply,
        })
        .await
    }

    /// Takes such a silence back; what stands of the alert is told by then. The record is committed when this returns.
    ///
    /// Fails with [`RequestError::NoSuchJob`], [`RequestError::TooOften`] and [`RequestError::Store`].
    pub async fn unsilence(&self, key: JobKey, alert: String, call: Option<Call>) -> Result<JobView, RequestError> {
        self.ask(|reply| Request::Unsilence {
            key,
            alert,
            call,
            reply,
        })
        .await
    }

    /// Asks Flink and Kubernetes of a job now, and returns the job as it is once what came of it has been judged, be it an answer or
    /// none. That may take longer than anybody waits: who waits no longer drops this.
    ///
    /// Fails with [`RequestError::NoSuchJob`] and [`RequestError::TooOften`].
    pub async fn look(&self, key: JobKey) -> Result<JobView, RequestError> {
        self.ask(|reply| Request::Look { key, reply }).await
    }

    /// Where a job can be asked for, as far as the loop knows.
    ///
    /// Fails with [`RequestError::NoSuchJob`].
    pub(crate) async fn locate(&self, key: JobKey) -> Result<Whereabouts, RequestError> {
        self.ask(|reply| Request::Locate { key, reply }).await
    }

    /// Removes a job's record for good; a discovered one that is seen again begins anew.
    ///
    /// Fails with [`RequestError::NoSuchJob`], [`RequestError::Configured`], [`RequestError::SeenAlive`] without
    /// [`Force::Yes`], [`RequestError::TooOften`] and [`RequestError::Store`].
    pub async fn forget(&self, key: JobKey, force: Force, call: Option<Call>) -> Result<(), RequestError> {
        self.ask(|reply| Request::Forget {
            key,
            force,
            call,
            reply,
        })
        .await
    }

    /// Up to about `limit` snapshots as they are now, of every policy's jobs.
    ///
    /// Fails only while the engine stops.
    pub async fn snapshots(&self, limit: usize) -> Result<Vec<Snapshot>, RequestError> {
        self.ask(|reply| Request::Snapshots { limit, reply }).await
    }

    /// Lets other policies decide from the next batch on. Jobs that another one decides now are handed over in one
    /// commit, without the memory of the one before; then every job is judged anew.
    ///
    /// Fails with [`RequestError::Store`] if the store does not take the commit; the policies stay as they were.
    pub async fn replace_policies(&self, policies: Vec<PolicySetup>) -> Result<(), RequestError> {
        self.ask(|reply| Request::ReplacePolicies { policies, reply }).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, RequestError>>) -> Request,
    ) -> Result<T, RequestError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(request(reply))
            .await
            .map_err(|_| RequestError::Stopping)?;
        answer.await.map_err(|_| RequestError::Stopping)?
    }
}
