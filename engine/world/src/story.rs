//! Stories: a world that changes, and what the record must say. They are data, in TOML.

mod alerts;
mod check;
mod fault;
mod file;
mod moment;
mod need;
mod one_or_many;
mod operator;
mod parts;
mod read;

use std::collections::BTreeMap;

use serde::Deserialize;
use steadfast_core::state::{ConditionType, Confidence, Intent, JobState, Mode};

pub use alerts::{AlertName, Alerts, EitherAlert, Resolved, WantedAlert, Within};
pub use fault::{FilesFault, FlinkFault, KubernetesFault};
pub use moment::Moment;
pub use need::Need;
pub use operator::{ResourceSpec, SessionJobSpec};
pub use parts::{
    AskedFault, CheckpointsSpec, DeploymentSpec, EndedJob, EventSpec, JobSpec, LogEntry, PodSpec, is_final,
};
pub use read::{Mistake, StoryError};

use one_or_many::OneOrMany;

/// A story, read and checked.
#[derive(Clone, Debug)]
pub struct Story {
    /// Its name: lower-case letters, digits and hyphens.
    pub id: String,
    /// What happens, in a sentence.
    pub title: String,
    /// Where such a thing was seen.
    pub source: String,
    /// What an engine must support beyond application-mode jobs of the configuration.
    pub needs: Vec<Need>,
    /// Whether it takes an hour or more.
    pub slow: bool,
    /// Whether it has waits that no scale shortens (`Retry-After` has whole seconds).
    pub realtime: bool,
    /// The Flink clusters that it is about.
    pub targets: Vec<TargetSpec>,
    /// What happens, in order of time; repeated steps stand once for each time.
    pub steps: Vec<(Moment, Step)>,
    /// What the record must show, and when.
    pub expects: Vec<Expect>,
    /// What must hold over the whole.
    pub verdict: Verdict,
}

/// A Flink cluster of the story. Counted ones were made single.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// What the story calls it: no other target is called so.
    pub handle: String,
    /// Its Deployment's name, and Flink's cluster id: another cluster or namespace may have one of that name too.
    pub name: String,
    /// The handle it was counted from; its own otherwise.
    pub group: String,
    /// Application, session or standalone.
    pub mode: Mode,
    /// Its namespace.
    pub namespace: String,
    /// Its Kubernetes cluster.
    pub cluster: String,
    /// How the engine comes to know of it.
    pub found: Found,
    /// Flink's `rest.port`, which its pods and its Service name `rest`; Flink answers on no other.
    pub rest_port: u16,
}

/// How the engine comes to know of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Found {
    /// The configuration names it.
    #[default]
    Config,
    /// By the labels of Flink's native integration.
    Native,
    /// By its FlinkDeployment.
    FlinkDeployment,
}

/// A change of the world. What is `None` stays as it was.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    at: Moment,
    every: Option<Moment>,
    until: Option<Moment>,
    /// Which target or group; all of them, if not said.
    pub target: Option<String>,
    /// What is wrong with the API servers.
    pub kubernetes: Option<KubernetesFault>,
    /// Of this cluster only.
    pub cluster: Option<String>,
    /// For this namespace only.
    pub namespace: Option<String>,
    /// What is wrong with Flink.
    pub flink: Option<FlinkFault>,
    /// What the Flink that answers calls its cluster (`kubernetes.cluster-id`).
    pub cluster_id: Option<String>,
    /// The Deployment.
    pub deployment: Option<DeploymentSpec>,
    /// The JobManager's pods.
    pub pods: Option<Vec<PodSpec>>,
    /// The TaskManagers' pods.
    pub task_managers: Option<Vec<PodSpec>>,
    /// The FlinkDeployment; without a word, there is one if the Deployment says that it is owned by it.
    pub resource: Option<ResourceSpec>,
    /// The FlinkSessionJobs of a session cluster.
    pub session_jobs: Option<Vec<SessionJobSpec>>,
    /// Kubernetes events.
    pub events: Option<Vec<EventSpec>>,
    /// What Flink lists.
    pub jobs: Option<Vec<JobSpec>>,
    /// What the archive holds.
    pub archive: Option<Vec<EndedJob>>,
    /// What the HistoryServer knows.
    pub history: Option<Vec<EndedJob>>,
    /// What the JobResultStore holds.
    pub job_results: Option<Vec<EndedJob>>,
    /// What is wrong with the files of archive and JobResultStore, of all targets.
    pub files: Option<FilesFault>,
    /// Whether Flink's HA ConfigMaps exist.
    pub ha: Option<bool>,
    /// What somebody posts to the engine at that moment.
    pub intent: Option<Intent>,
    /// How far ahead of the truth the clock of the engine's host is from now on.
    pub host_clock: Option<Moment>,
    /// What happens to the engine itself.
    pub engine: Option<EngineStep>,
}

/// What happens to the engine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum EngineStep {
    /// Killed without a warning and started again.
    Kill,
    /// Stopped, and started again after that time.
    StopFor(Moment),
    /// Restarted without the step's target in its configuration.
    RemoveTarget,
}

impl TryFrom<String> for EngineStep {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "kill" => Ok(Self::Kill),
            None if text == "remove-target" => Ok(Self::RemoveTarget),
            Some(("stop-for", span)) => Ok(Self::StopFor(Moment::try_from(span.to_owned())?)),
            _ => Err(format!(
                "`{text}` cannot happen to an engine; choose kill, stop-for:TIME or remove-target"
            )),
        }
    }
}

/// What must be seen at every look within a span of time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The first moment at which it must hold.
    pub from: Moment,
    /// The last moment, at least 5 s after the first.
    pub until: Moment,
    /// Whose record: a target, a group, or `target/job` of a session cluster; all, if not said.
    pub target: Option<String>,
    /// The allowed states; any, if none is named.
    #[serde(default)]
    pub state: OneOrMany<JobState>,
    /// The allowed confidences; any, if none is named.
    #[serde(default)]
    pub confidence: OneOrMany<Confidence>,
    /// Conditions that must stand, each with its alternatives.
    #[serde(default)]
    pub condition: OneOrMany<Alternatives>,
    /// Conditions that must not stand.
    #[serde(default)]
    pub no_condition: OneOrMany<ConditionType>,
    /// Alerts that must stand, each with its alternatives.
    #[serde(default)]
    pub alert: OneOrMany<EitherAlert>,
    /// Alerts that must not stand.
    #[serde(default)]
    pub no_alert: OneOrMany<AlertName>,
    /// Words of which one must be in the reason, whatever the case.
    #[serde(default)]
    pub reason: OneOrMany<String>,
    /// The attempt, or its lowest and highest; that of the first RUNNING counts as 1.
    #[serde(default)]
    pub attempt: OneOrMany<u32>,
    /// `false`: it is no longer listed.
    pub tracked: Option<bool>,
}

/// What must hold over the whole story.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Verdict {
    /// States that may never be recorded.
    pub never: Vec<JobState>,
    /// The recorded states in order.
    pub transitions: Transitions,
    /// The alerts that begin: how many, or which.
    pub alerts: Option<Alerts>,
    /// Status requests that one Flink cluster may get in a poll, on average.
    pub max_requests_per_poll: Option<f64>,
    /// Requests that an API server may get in any minute.
    pub max_kubernetes_requests_per_minute: Option<usize>,
    /// Whether no metric may be below zero.
    pub metrics_not_negative: bool,
}

/// The recorded states, of all targets alike or by record.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a list of states, or a table of such lists by target")]
pub enum Transitions {
    /// Of every record.
    All(Vec<Pace>),
    /// By `target` or `target/job`.
    Of(BTreeMap<String, Vec<Pace>>),
}

impl Default for Transitions {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// One element of a list of states: `RUNNING`, `CREATED|STARTING*`, `CANCELLING?`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pace {
    /// Any of these fits.
    pub states: Vec<JobState>,
    /// How often it may come in a row.
    pub times: Times,
}

/// How often an element comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Once.
    Once,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Any,
}

impl TryFrom<String> for Pace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (names, times) = match (text.strip_suffix('?'), text.strip_suffix('*')) {
            (Some(names), _) => (names, Times::Optional),
            (_, Some(names)) => (names, Times::Any),
            (None, None) => (text.as_str(), Times::Once),
        };
        let states = names
            .split('|')
            .map(|name| JobState::parse(name).ok_or_else(|| format!("`{name}` is no state")))
            .collect::<Result<_, _>>()?;
        Ok(Self { states, times })
    }
}

/// Conditions of which either will do, written with `|` between them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Alternatives(pub Vec<ConditionType>);

impl TryFrom<String> for Alternatives {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.split('|')
            .map(|name| ConditionType::parse(name).ok_or_else(|| format!("`{name}` is no condition")))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Story {
    /// Reads a story and checks it; `file` names it in errors. Fails with every mistake that was found.
    pub fn parse(file: &str, text: &str) -> Result<Self, StoryError> {
        read::read(file, text)
    }

    /// When it is over: at its last step, or at the end of its last expectation.
    pub fn ends(&self) -> Moment {
        let steps = self.steps.iter().map(|(at, _)| *at);
        steps
            .chain(self.expects.iter().map(|e| e.until))
            .max()
            .unwrap_or_default()
    }

    /// The targets that a name means: its own, or a group's; all without one.
    pub fn select<'a>(&'a self, name: Option<&'a str>) -> impl Iterator<Item = &'a TargetSpec> {
        self.targets.iter().filter(move |target| target.is_called(name))
    }
}

impl TargetSpec {
    /// Whether a step or an expectation that says this name means it.
    pub fn is_called(&self, name: Option<&str>) -> bool {
        name.is_none_or(|name| name == self.handle || name == self.group)
    }

    /// The id that Flink gives a job of the story on this target: the same word gives the same id, as with HA it does to
    /// two clusters of one cluster id.
    pub fn flink_id(&self, job: &str) -> String {
        crate::identity::job_id(&[&self.name, job])
    }
}

impl JobSpec {
    /// The single jobs it stands for.
    pub fn each(&self) -> Vec<Self> {
        match self.count {
            None => vec![self.clone()],
            Some(count) => (0..count)
                .map(|n| Self {
                    id: format!("{}-{n}", self.id),
                    count: None,
                    ..self.clone()
                })
                .collect(),
        }
    }
}
