//! The things a story's world is made of, as its file writes them.

use serde::Deserialize;
use std::collections::BTreeMap;
use steadfast_core::state::JobState;

use super::moment::Moment;

/// A Deployment of Flink's native integration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DeploymentSpec {
    /// Whether it exists.
    pub present: bool,
    /// What its UID is made from: another word is another Deployment.
    pub uid: String,
    /// Wanted replicas.
    pub replicas: u32,
    /// Ready replicas.
    pub ready: u32,
    /// Whether it carries a deletionTimestamp.
    pub deleting: bool,
    /// Who owns it: `FlinkDeployment`, or nobody.
    pub owner: Option<String>,
    /// Whether it and its pods carry the label `type`, by which Flink's own objects are selected: without it they leave that
    /// selection.
    pub type_label: bool,
    /// Its labels beside Flink's own, such as `{ team = "payments" }`; those of the target, if not said.
    pub labels: Option<BTreeMap<String, String>>,
}

impl Default for DeploymentSpec {
    fn default() -> Self {
        Self {
            present: true,
            uid: "u1".into(),
            replicas: 1,
            ready: 1,
            deleting: false,
            owner: None,
            type_label: true,
            labels: None,
        }
    }
}

/// A JobManager's pod.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PodSpec {
    /// What the story calls it, which its name ends with; a JobManager's is `jm-N` by its place, if not said.
    pub name: Option<String>,
    /// `status.phase`.
    pub phase: String,
    /// Whether it is ready.
    pub ready: bool,
    /// How often its container began again, each time at the moment of the step that says so.
    pub restarts: u32,
    /// Why its container waits.
    pub waiting: Option<String>,
    /// The message beside that.
    pub message: String,
    /// Why its container ended: before the present one, while the phase is `Running`.
    pub terminated: Option<String>,
    /// With which exit code.
    pub exit_code: i32,
    /// When it was created, if not when it was first there.
    pub created: Option<Moment>,
    /// Why the pod itself is in its phase, such as `Evicted`.
    pub reason: Option<String>,
    /// Whether it carries a deletionTimestamp.
    pub deleting: bool,
    /// Claims of volumes that it names and waits for: no node has it yet.
    pub claims: Vec<String>,
    /// Ends that its log names.
    pub log: Vec<LogEntry>,
}

impl Default for PodSpec {
    fn default() -> Self {
        Self {
            name: None,
            phase: "Running".into(),
            ready: true,
            restarts: 0,
            waiting: None,
            message: String::new(),
            terminated: None,
            exit_code: 1,
            created: None,
            reason: None,
            deleting: false,
            claims: Vec::new(),
            log: Vec::new(),
        }
    }
}

/// An end that a JobManager's log names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LogEntry {
    /// The story's name for the job.
    pub job: String,
    /// FINISHED, FAILED or CANCELED.
    pub state: JobState,
}

impl TryFrom<String> for LogEntry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let entry = text.split_once(' ').and_then(|(job, state)| {
            let state = JobState::parse(state).filter(|state| is_final(*state))?;
            Some(Self { job: job.into(), state })
        });
        entry.ok_or_else(|| {
            format!(
                "`{text}` is no end in a log; write a job and FINISHED, FAILED or CANCELED, such as \"j1 FINISHED\""
            )
        })
    }
}

/// Whether Flink calls the state globally terminal.
pub fn is_final(state: JobState) -> bool {
    matches!(state, JobState::Finished | JobState::Failed | JobState::Canceled)
}

/// A Kubernetes event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    /// Its reason.
    pub reason: String,
    /// Its message.
    pub message: String,
    /// The kind of object it is about, with its name where that is not the target's: `PersistentVolumeClaim/checkpoints`, or
    /// `Pod/jm-2` by the story's name for one of its pods.
    #[serde(default = "pod")]
    pub object: String,
}

fn pod() -> String {
    "Pod".into()
}

/// A job that Flink lists.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// The story's name for it.
    pub id: String,
    /// What Flink says of it. When it last came into each state is Flink's to tell, too: each restart has a time of its own.
    #[serde(default = "running")]
    #[cfg_attr(test, schemars(with = "super::schema::StateWord"))]
    pub state: JobState,
    /// What stands where its state is to stand, and is none of Flink's: nobody can read such a row.
    pub written_state: Option<String>,
    /// The name that its owner gave it; `TARGET job`, if not said.
    pub name: Option<String>,
    /// When it started; another start is another run.
    #[serde(default)]
    pub start: Moment,
    /// When it ended; if not said, when it came into a final state.
    pub end: Option<Moment>,
    /// How many tasks are in each state, such as `{ running = 4 }`; one in the state that goes with the job's, if not said.
    /// `total` is their sum, if not said.
    pub tasks: Option<BTreeMap<String, u32>>,
    /// The stack trace or message of its failure.
    pub root_exception: Option<String>,
    /// When it failed so; if not said, when it last came into RESTARTING, FAILING or FAILED, or when the exception became
    /// another. Another time is another failure.
    pub exception_at: Option<Moment>,
    /// Its checkpoint counters.
    #[serde(default)]
    pub checkpoints: CheckpointsSpec,
    /// That many jobs, numbered from 0, instead of one.
    pub count: Option<u32>,
    /// Whether lists have it. Flink leaves a job out of a list that answers 200 when its JobMaster does not answer.
    #[serde(default = "yes")]
    pub listed: bool,
    /// What is answered instead of what `/jobs/<id>` and the paths below it would say.
    pub asked: Option<AskedFault>,
}

/// A fault of the answers about one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum AskedFault {
    /// The JobMaster does not answer the REST server.
    #[serde(rename = "500")]
    ServerError,
    /// Flink's own word that it does not have the job.
    #[serde(rename = "404")]
    NotFound,
}

fn yes() -> bool {
    true
}

fn running() -> JobState {
    JobState::Running
}

/// A job's checkpoint counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointsSpec {
    /// Completed since the last failover.
    pub completed: u32,
    /// Failed since the last failover.
    pub failed: u32,
    /// Savepoints that were completed; each has the next number.
    pub savepoints: u32,
    /// Whether another savepoint is in progress.
    pub savepoint_in_progress: bool,
}

/// A job's end as archive, HistoryServer or JobResultStore keep it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndedJob {
    /// The story's name for it.
    pub id: String,
    /// When that run of it started.
    #[serde(default)]
    pub start: Moment,
    /// FINISHED, FAILED or CANCELED.
    #[cfg_attr(test, schemars(with = "super::schema::EndWord"))]
    pub state: JobState,
    /// When it ended, which a JobResultStore does not know.
    pub end: Option<Moment>,
    /// The stack trace or message of its failure.
    pub root_exception: Option<String>,
}

impl EndedJob {
    /// As Flink would list it.
    pub fn as_job(&self) -> JobSpec {
        JobSpec {
            id: self.id.clone(),
            state: self.state,
            written_state: None,
            name: None,
            start: self.start,
            end: self.end,
            tasks: None,
            root_exception: self.root_exception.clone(),
            exception_at: None,
            checkpoints: CheckpointsSpec::default(),
            count: None,
            listed: true,
            asked: None,
        }
    }
}
