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
#[cfg(test)]
mod schema;
mod start;

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
pub use start::Start;

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
    /// When it begins, if its hours and days matter.
    pub start: Option<Start>,
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
    /// The labels that its Deployments carry beside Flink's own, unless a step says others.
    pub labels: BTreeMap<String, String>,
}

/// How the engine comes to know of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// From then on the world is so. What a step does not name stays as it was; a table or a list that it names is replaced
    /// whole.
    at: Moment,
    /// The step comes again each time so much has passed, together with `until`.
    every: Option<Moment>,
    /// The last moment at which it comes again.
    until: Option<Moment>,
    /// Which target it is about (of a counted one all, or `a-3`); every one, if not said.
    pub target: Option<String>,
    /// How the API servers answer. `drop`: not at all, and connections that are caught in it stay dead; `403:long`: with a message
    /// of 5,000 bytes; `429:20`: with a `Retry-After` in seconds; `array`: with the members of an empty list; `410`: each version
    /// that was handed out is too old, and watches end with an ERROR event or a plain 410, by turns; `get:403`: only a GET of one
    /// object by its name; `bad-object`: a list has a pod that does not decode; `operator:404`: only for the operator's kinds.
    pub kubernetes: Option<KubernetesFault>,
    /// Only that cluster's API server answers so; beside `kubernetes`.
    pub cluster: Option<String>,
    /// Only for that namespace is it answered so; beside `kubernetes`.
    pub namespace: Option<String>,
    /// How Flink's REST server answers. `array`: `[[]]`; `slow:2s`: late, and of the moment of asking.
    pub flink: Option<FlinkFault>,
    /// What the Flink that answers calls its cluster (`kubernetes.cluster-id`), if not by the target's name: it is another one.
    pub cluster_id: Option<String>,
    /// The Deployment.
    pub deployment: Option<DeploymentSpec>,
    /// The JobManager's pods: several, where others stand by.
    pub pods: Option<Vec<PodSpec>>,
    /// The TaskManagers' pods; their names are `TARGET-taskmanager-NAME`, and NAME is `1-N` by their place if not said.
    pub task_managers: Option<Vec<PodSpec>>,
    /// The FlinkDeployment. Until a step says so, there is one exactly while `deployment` has an owner.
    pub resource: Option<ResourceSpec>,
    /// The FlinkSessionJobs of a session cluster.
    pub session_jobs: Option<Vec<SessionJobSpec>>,
    /// Kubernetes events.
    pub events: Option<Vec<EventSpec>>,
    /// What Flink lists.
    pub jobs: Option<Vec<JobSpec>>,
    /// Ends that Flink's archive tells.
    pub archive: Option<Vec<EndedJob>>,
    /// Ends that the HistoryServer tells, of the first target.
    pub history: Option<Vec<EndedJob>>,
    /// Ends that the JobResultStore tells.
    pub job_results: Option<Vec<EndedJob>>,
    /// How the files of archive and JobResultStore can be read, whatever the target. `drop`: a lost mount; `missing`: no such
    /// folder; `garbage`: half of each file.
    pub files: Option<FilesFault>,
    /// Whether Flink's HA ConfigMaps exist.
    pub ha: Option<bool>,
    /// What somebody posts to the engine then.
    #[cfg_attr(test, schemars(with = "Option<schema::IntentWord>"))]
    pub intent: Option<Intent>,
    /// How far ahead of the truth the clock of the engine's host is from then on; `"-1h"`: behind, `"0s"`: right.
    pub host_clock: Option<Moment>,
    /// What happens to the engine itself. `kill`: killed without a warning and started again; `stop-for:30s`: stopped, and started
    /// again after that time; `remove-target`: started again without the step's `target` in its configuration.
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    #[cfg_attr(test, schemars(with = "OneOrMany<schema::StateWord>"))]
    pub state: OneOrMany<JobState>,
    /// The allowed confidences; any, if none is named.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "OneOrMany<schema::ConfidenceWord>"))]
    pub confidence: OneOrMany<Confidence>,
    /// Conditions that must stand, each with its alternatives.
    #[serde(default)]
    pub condition: OneOrMany<Alternatives>,
    /// Conditions that must not stand.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "OneOrMany<schema::ConditionWord>"))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Verdict {
    /// States that may never be recorded.
    #[cfg_attr(test, schemars(with = "Vec<schema::StateWord>"))]
    pub never: Vec<JobState>,
    /// The recorded states in order: `A|B` is either, a trailing `?` makes one optional, a trailing `*` allows any number of
    /// times; as a table, by `target` or `target/job`. UNKNOWN, STARTING, CREATED and INITIALIZING before the first one need
    /// not be listed.
    pub transitions: Transitions,
    /// The alerts that begin: how many, or all of them, each by its name or as `{ name, target, raised, resolved }`.
    pub alerts: Option<Alerts>,
    /// The most alerts that may begin, whichever they are.
    pub max_alerts: Option<usize>,
    /// Status requests that one Flink cluster may get in a poll, on average.
    pub max_requests_per_poll: Option<f64>,
    /// Requests that an API server may get in any minute.
    pub max_kubernetes_requests_per_minute: Option<usize>,
    /// Whether no metric may be below zero.
    pub metrics_not_negative: bool,
}

/// The recorded states, of all targets alike or by record.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

/// The condition of this name.
fn condition(name: &str) -> Result<ConditionType, String> {
    ConditionType::parse(name).ok_or_else(|| {
        let known: Vec<&str> = ConditionType::ALL.iter().map(|one| one.as_str()).collect();
        format!("`{name}` is no condition; there are {}", known.join(", "))
    })
}

impl TryFrom<String> for Alternatives {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.split('|').map(condition).collect::<Result<_, _>>().map(Self)
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
