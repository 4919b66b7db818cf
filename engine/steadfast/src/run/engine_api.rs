//! The reconcile loop, as the server wants to see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use steadfast_core::call::Call;
use steadfast_core::closeup::{FlinkCloseup, LogCloseup, LogQuestion, PodsCloseup};
use steadfast_core::error_chain::error_chain;
use steadfast_core::explanation::Explanation;
use steadfast_core::id::{ClusterName, JobKey};
use steadfast_core::projection::{JobView, Projection};
use steadfast_core::state::{Force, Intent};
use steadfast_core::time::Clock;
use steadfast_core::timing::Timing;
use steadfast_reconcile::{
    Closeups, ClusterStatus, Control, Engine, PolicyStatus, RequestError, Role, Says, Standing, StatusBoard,
};
use steadfast_server::sinks::SinkBoard;
use steadfast_server::{
    AskedSilence, CloseupError, ClusterHealth, ClusterReading, ControlError, FlinkCounts, Health, Liveness, Looked,
    PolicyList, PolicyRole, PolicyStanding, QuarantinedRecord, Reach, Readiness, RecordFaults, ReloadError, Reloaded,
    RunningPolicy, SinkHealth, UnwrittenJob,
};
use steadfast_tasks::Tasks;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::particulars::Particulars;
use super::reload::Reloader;

pub(super) struct EngineApi {
    pub(super) engine: Parts,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) reloader: Arc<Reloader>,
    pub(super) limits: CallLimits,
    /// Do what must not end with the caller who asked for it.
    pub(super) tasks: Tasks,
    /// How the sinks stand.
    pub(super) sinks: SinkBoard,
    /// How the keepers of JobStatuses stand, by name.
    pub(super) job_statuses: Vec<(String, steadfast_job_statuses::Standing)>,
}

/// What of the engine is asked.
pub(super) struct Parts {
    control: Control,
    /// Look at single jobs for people.
    closeups: Closeups,
    status: StatusBoard,
    projection: Arc<Projection>,
}

impl Parts {
    pub(super) fn of(engine: &Engine) -> Self {
        Self {
            control: engine.control.clone(),
            closeups: engine.closeups.clone(),
            status: engine.status.clone(),
            projection: Arc::clone(&engine.projection),
        }
    }
}

/// How long something may take.
pub(super) struct CallLimits {
    /// The loop may stand still before it counts as dead.
    liveness: Duration,
    /// Somebody waits for a look that they asked for: for an answer, and for it to be judged.
    look: Duration,
}

impl CallLimits {
    pub(super) fn of(timing: Timing) -> Self {
        Self {
            liveness: timing.poll * 10,
            look: timing.timeout + Duration::from_secs(1),
        }
    }
}

#[async_trait]
impl steadfast_server::Control for EngineApi {
    async fn intend(
        &self,
        job: &JobKey,
        intent: Intent,
        author: Option<Arc<str>>,
        call: Call,
    ) -> Result<JobView, ControlError> {
        self.engine
            .control
            .intend(job.clone(), intent, author, Some(call))
            .await
            .map_err(refusal)
    }

    async fn silence(&self, job: &JobKey, silence: AskedSilence, call: Call) -> Result<JobView, ControlError> {
        let AskedSilence {
            alert,
            until,
            by,
            comment,
        } = silence;
        let says = Says { by, comment };
        let noted = self.engine.control.silence(job.clone(), alert, until, says, Some(call));
        noted.await.map_err(refusal)
    }

    async fn unsilence(&self, job: &JobKey, alert: &str, call: Call) -> Result<JobView, ControlError> {
        let taken_back = self.engine.control.unsilence(job.clone(), alert.to_owned(), Some(call));
        taken_back.await.map_err(refusal)
    }

    async fn look(&self, job: &JobKey) -> Result<Looked, ControlError> {
        match timeout(self.limits.look, self.engine.control.look(job.clone())).await {
            Ok(judged) => judged.map(Looked::Judged).map_err(refusal),
            Err(_) => {
                let view = self.engine.projection.get(job).ok_or(ControlError::NoSuchJob)?;
                Ok(Looked::UnderWay(view))
            }
        }
    }

    async fn explain(&self, job: &JobKey) -> Result<Explanation, ControlError> {
        self.engine.control.explain(job.clone()).await.map_err(refusal)
    }

    async fn forget(&self, job: &JobKey, force: Force, call: Call) -> Result<(), ControlError> {
        self.engine
            .control
            .forget(job.clone(), force, Some(call))
            .await
            .map_err(refusal)
    }
}

fn refusal(error: RequestError) -> ControlError {
    match error {
        RequestError::NoSuchJob => ControlError::NoSuchJob,
        RequestError::Configured => ControlError::Configured,
        RequestError::SeenAlive(seen) => ControlError::SeenAlive(seen.to_string()),
        RequestError::TooOften { wait } => ControlError::TooOften {
            why: error_chain(&error),
            wait,
        },
        RequestError::Silence(refused) => ControlError::Silence(refused),
        RequestError::Store(_) | RequestError::Busy | RequestError::Stopping => {
            ControlError::Unavailable(error_chain(&error))
        }
    }
}

#[async_trait]
impl steadfast_server::Closeup for EngineApi {
    async fn flink(&self, job: &JobKey) -> Result<FlinkCloseup, CloseupError> {
        self.engine.closeups.flink(job).await.map_err(|error| unasked(&error))
    }

    async fn pods(&self, job: &JobKey) -> Result<PodsCloseup, CloseupError> {
        self.engine.closeups.pods(job).await.map_err(|error| unasked(&error))
    }

    async fn log(&self, job: &JobKey, question: &LogQuestion) -> Result<LogCloseup, CloseupError> {
        self.engine
            .closeups
            .log(job, question)
            .await
            .map_err(|error| unasked(&error))
    }
}

fn unasked(error: &steadfast_reconcile::CloseupError) -> CloseupError {
    use steadfast_reconcile::CloseupError as Engines;
    match error {
        Engines::NoSuchJob => CloseupError::NoSuchJob,
        Engines::Busy | Engines::Silent | Engines::Stopping => CloseupError::Unavailable(error.to_string()),
    }
}

impl EngineApi {
    /// As sinks of their own.
    fn job_statuses(&self) -> impl Iterator<Item = SinkHealth> {
        self.job_statuses.iter().map(|(name, standing)| SinkHealth {
            failing_since: standing.failing().map(|(since, _)| since.to_string()),
            ..SinkHealth::new(name)
        })
    }
}

impl Health for EngineApi {
    fn live(&self) -> Liveness {
        let stands = self.clock.now().since(self.engine.status.read().turned_at);
        Liveness {
            live: stands <= self.limits.liveness,
            turned_seconds_ago: stands.as_secs_f64(),
        }
    }

    fn ready(&self) -> Readiness {
        let status = self.engine.status.read();
        let readings = readings(status.clusters);
        let clusters: Vec<ClusterHealth> = readings.iter().map(ClusterHealth::of).collect();
        let usable = status.policies.iter().filter(|policy| is_usable(policy));
        let policies: Vec<String> = usable.map(|policy| policy.name.to_string()).collect();
        let decides = |policy: &PolicyStatus| policy.role == Role::Decides && is_usable(policy);
        let asked = clusters.iter().all(|cluster| cluster.state != Reach::Pending);
        Readiness {
            ready: asked && status.store_error.is_none() && status.policies.iter().any(decides),
            store: status.store_error,
            policies,
            clusters,
            sinks: self.sinks.read().into_iter().chain(self.job_statuses()).collect(),
            quarantined_records: status.quarantined.len(),
            unwritten_jobs: status.unwritten.len(),
        }
    }

    fn records(&self) -> RecordFaults {
        let status = self.engine.status.read();
        let quarantined = status.quarantined.iter().map(|row| QuarantinedRecord {
            job: row.job.clone(),
            at: row.at.to_string(),
            why: row.why.clone(),
        });
        let unwritten = status.unwritten.into_iter().map(|(key, why)| UnwrittenJob {
            job: key.to_string(),
            why,
        });
        RecordFaults {
            quarantined: quarantined.collect(),
            unwritten: unwritten.collect(),
        }
    }

    fn clusters(&self) -> Vec<ClusterReading> {
        readings(self.engine.status.read().clusters)
    }

    fn flinks(&self) -> BTreeMap<ClusterName, FlinkCounts> {
        let counts = self.engine.status.flinks(|flink| self.engine.projection.expects(flink));
        let counts = counts.into_iter().map(|(cluster, counts)| {
            let steadfast_reconcile::FlinkCounts { watched, silent, .. } = counts;
            (cluster, FlinkCounts { watched, silent })
        });
        counts.collect()
    }
}

fn readings(clusters: BTreeMap<ClusterName, ClusterStatus>) -> Vec<ClusterReading> {
    let readings = clusters.into_iter().map(|(name, status)| {
        let ClusterStatus {
            server,
            lists,
            tells_of_ends,
            unwatched,
        } = status;
        ClusterReading {
            name,
            server,
            lists,
            tells_of_ends,
            unwatched: unwatched.into_values().flatten().collect(),
        }
    });
    readings.collect()
}

#[async_trait]
impl steadfast_server::Policies for EngineApi {
    fn running(&self) -> PolicyList {
        let policies = self.engine.status.read().policies;
        let items = policies.iter().map(|policy| {
            let (name, identity) = (policy.name.as_str(), &policy.identity);
            running(
                policy,
                self.reloader.particulars(name, &identity.sha256).unwrap_or_default(),
            )
        });
        PolicyList {
            items: items.collect(),
            last_reload: self.reloader.last(),
        }
    }

    async fn reload(&self) -> Result<Reloaded, ReloadError> {
        // A caller that goes away must not leave a reload half done.
        let reloader = Arc::clone(&self.reloader);
        let (report, reported) = oneshot::channel();
        self.tasks.spawn("reload asked for by a caller", async move {
            // The caller may be gone by then.
            drop(report.send(reloader.reload().await));
        });
        reported
            .await
            .unwrap_or_else(|_| Err(ReloadError::Unavailable("the reload was broken off".into())))
    }
}

/// Whether there is something that decides in its place.
fn is_usable(policy: &PolicyStatus) -> bool {
    !matches!(policy.standing, Standing::Unusable(_))
}

fn running(policy: &PolicyStatus, particulars: Particulars) -> RunningPolicy {
    let (standing, note) = match &policy.standing {
        Standing::AsConfigured => (PolicyStanding::AsConfigured, None),
        Standing::Outdated(why) => (PolicyStanding::Outdated, Some(why.clone())),
        Standing::Unusable(why) => (PolicyStanding::Unusable, Some(why.clone())),
    };
    RunningPolicy {
        standing,
        note,
        suspended_since: policy.suspended_since.map(|since| since.to_string()),
        name: policy.name.to_string(),
        role: match policy.role {
            Role::Decides => PolicyRole::Decides,
            Role::Shadow => PolicyRole::Shadow,
        },
        rollout: policy.rollout.to_string(),
        module: policy.identity.module.clone(),
        sha256: policy.identity.sha256.clone(),
        contract: policy.identity.contract.clone(),
        description: policy.identity.description.clone(),
        since: policy.since.to_string(),
        params: particulars.params,
        signed_by: particulars.signed_by,
    }
}
