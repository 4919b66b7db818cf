//! What the engine is started with. Nothing here is read from the environment: time, randomness,
//! network and disk all come in through these values.

mod fraction;
mod keeping;
mod share;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use steadfast_core::board::ObjectRef;
use steadfast_core::decision::{Decide, Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::facts::Deployment;
use steadfast_core::glob::glob_matches;
use steadfast_core::id::{FlinkJobId, PolicyName, TargetId};
use steadfast_core::journal::Journal;
use steadfast_core::recording::Retention;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::Mode;
use steadfast_core::time::Clock;
use steadfast_core::timing::Timing;
use steadfast_core::trace::Tracer;
use steadfast_sources::job_results::ResultSources;
use steadfast_sources::kubernetes::{Credentials, KubeSettings};
use steadfast_sources::last_words::Pattern;
use steadfast_sources::route::FlinkRoute;
use steadfast_sources::transport::Transport;

pub use fraction::Fraction;
pub use keeping::{KeepJournal, Keeping};
pub use share::Share;

use crate::judging::Judging;

/// Everything the engine needs.
pub struct Setup {
    /// Intervals, deadlines and retry delays.
    pub timing: Timing,
    /// Kubernetes clusters to watch.
    pub clusters: Vec<ClusterSetup>,
    /// The targets of the `[[job]]` entries.
    pub targets: Vec<TargetSetup>,
    /// Policies, in the order in which their selection is tried.
    pub policies: Vec<PolicySetup>,
    /// Where they decide.
    pub judging: Judging,
    /// Which snapshots are kept behind decisions; `None`: none are.
    pub recording: Option<Recording>,
    /// How long the store keeps what is over.
    pub keeping: Keeping,
    /// Which series metrics have of single jobs.
    pub series: JobSeries,
    /// Where records are committed before anybody sees them.
    pub journal: Arc<dyn Journal>,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// One seed replays one run.
    pub seed: u64,
    /// The network to Flink, where it is reached directly.
    pub http: Arc<dyn Transport>,
    /// Who is told of decisions; `None`: nobody is.
    pub tracing: Option<Tracing>,
    /// The ways to the Flinks of `[[job]]` entries that need another: one with credentials, or with a certificate authority.
    pub http_of_targets: BTreeMap<TargetId, Arc<dyn Transport>>,
}

/// Who is told of decisions.
#[derive(Clone)]
pub struct Tracing {
    /// The one who is told.
    pub tracer: Arc<dyn Tracer>,
    /// Of all that change something it is told, and of this share of the others.
    pub share: Fraction,
}

/// Which series metrics have of single jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobSeries {
    /// None: how many series there are does not depend on how many jobs there are.
    #[default]
    None,
    /// Some 25 of each job.
    Each,
}

/// Which snapshots are kept behind decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// While nothing changes, one of a job in this time.
    pub every: Duration,
    /// How many stay.
    pub keep: Retention,
}

impl Default for Recording {
    /// One a minute, for a week, within 256 MiB.
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            keep: Retention {
                max_age: Duration::from_secs(7 * 24 * 60 * 60),
                max_bytes: 256 * 1024 * 1024,
            },
        }
    }
}

impl Recording {
    /// Nothing that was kept is dropped again: for plays, which end.
    pub fn endless(every: Duration) -> Self {
        Self {
            every,
            keep: Retention {
                // A fraction of all time that milliseconds can count, so that no sum overflows.
                max_age: Duration::from_secs(u64::MAX >> 20),
                max_bytes: i64::MAX as u64,
            },
        }
    }
}

/// One Kubernetes cluster.
pub struct ClusterSetup {
    /// How its lists and watches are run.
    pub settings: KubeSettings,
    /// The way to its API server.
    pub client: kube::Client,
    /// The address of the API server, for people.
    pub server: String,
    /// What renews the client's credentials while the engine runs; `None`: they last.
    pub credentials: Option<Credentials>,
    /// The way to its Flinks where they are reached directly; `None`: as everybody's.
    pub http: Option<Arc<dyn Transport>>,
    /// What is taken up without a `[[job]]` entry.
    pub discover: Vec<Discover>,
    /// How Flink is reached where a target does not say.
    pub flink_rest: FlinkRoute,
    /// The sources that say how its jobs ended when their Flink clusters are gone.
    pub job_results: ResultSources,
    /// How the JobManagers' logs say it, if not in Flink's own words alone.
    pub last_words: Option<Pattern>,
}

/// What is discovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discover {
    /// Deployments of Flink's native integration that no FlinkDeployment owns.
    Native,
    /// FlinkDeployments, with or without their Deployment. The operator's resources are watched for it.
    FlinkDeployment,
}

impl Discover {
    /// As what a Deployment is discovered.
    pub fn of(deployment: &Deployment) -> Self {
        match deployment.owner.as_deref() {
            Some("FlinkDeployment") => Self::FlinkDeployment,
            Some(_) | None => Self::Native,
        }
    }
}

/// One explicit target.
#[derive(Clone, Debug)]
pub struct TargetSetup {
    /// Cluster, namespace and name.
    pub id: TargetId,
    /// How it is deployed.
    pub mode: Mode,
    /// Its Deployment; `None` for standalone ones.
    pub object: Option<ObjectRef>,
    /// How its Flink is reached; `None`: as the cluster says.
    pub flink_rest: Option<FlinkRoute>,
    /// The job the record is about, where the operator says so.
    pub pinned: Option<FlinkJobId>,
}

/// A loaded policy, and the jobs it is for.
pub struct PolicySetup {
    /// Its name, unique in the configuration.
    pub name: PolicyName,
    /// Which jobs it is for.
    pub select: Select,
    /// Which share of those.
    pub rollout: Share,
    /// Whether its decisions count.
    pub role: Role,
    /// Which module it is.
    pub identity: Identity,
    /// Whether that is what the configuration asks for.
    pub standing: Standing,
    /// The policy itself.
    pub decide: Box<dyn Decide>,
}

/// Whether a policy is what the configuration asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    #[default]
    AsConfigured,
    /// What the configuration asks for cannot be used, for this reason, and the last good module decides in its place. The
    /// records of its jobs say so.
    Outdated(String),
    /// Nothing can be used, for this reason: each decision fails.
    Unusable(String),
}

impl PolicySetup {
    /// A policy that decides every job, made of something without a module.
    pub fn deciding(name: &str, decide: Box<dyn Decide>) -> Self {
        Self {
            name: PolicyName::new(name),
            select: Select::all(),
            rollout: Share::ALL,
            role: Role::Decides,
            identity: Identity::default(),
            standing: Standing::AsConfigured,
            decide,
        }
    }

    /// Nothing can decide in the place of that policy: each decision fails and says why, so that its jobs are stale and the
    /// others are not concerned.
    pub fn unusable(name: &str, why: String) -> Self {
        Self {
            standing: Standing::Unusable(why.clone()),
            ..Self::deciding(name, Box::new(Unusable { why }))
        }
    }

    /// Whether it is for this target's jobs.
    pub fn is_for(&self, target: &TargetId) -> bool {
        self.select.matches(target) && self.rollout.covers(target)
    }
}

/// In the place of a policy without a module.
struct Unusable {
    why: String,
}

impl Decide for Unusable {
    fn decide(&mut self, _: &Snapshot) -> Result<Decision, PolicyFailure> {
        Err(PolicyFailure {
            kind: PolicyFailureKind::Error,
            message: format!("the policy cannot be used: {}", self.why).into(),
        })
    }
}

impl fmt::Debug for PolicySetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySetup")
            .field("name", &self.name)
            .field("select", &self.select)
            .field("rollout", &self.rollout)
            .field("role", &self.role)
            .field("identity", &self.identity)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// Which module a policy is, and how it was configured: what distinguishes two policies of the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The module as the configuration names it.
    pub module: String,
    /// The sha256 of its bytes, in hex.
    pub sha256: String,
    /// The version of the contract it was built for.
    pub contract: String,
    /// What it says it is: name, version and a sentence.
    pub description: String,
    /// Its parameters, as JSON.
    pub params: String,
}

impl Identity {
    /// The module and its parameters as one digest in hex, half as long as theirs; `None`: there is no module. Of one digest,
    /// the same decisions come of the same snapshots, but for deadlines.
    pub fn build(&self) -> Option<String> {
        if self.sha256.is_empty() {
            return None;
        }
        let digest = Sha256::digest(format!("{} {}", self.sha256, self.params).as_bytes());
        let half = digest.iter().take(digest.len() / 2);
        Some(half.map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Whether a policy's decisions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The first one that selects a job decides it.
    Decides,
    /// It decides beside the real one; differences are shown, nothing else.
    Shadow,
}

/// Which jobs a policy is for: globs in which `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// Any of these must match the namespace.
    pub namespace: Vec<String>,
    /// Any of these must match the name.
    pub name: Vec<String>,
}

impl Select {
    /// Selects every job.
    pub fn all() -> Self {
        Self {
            namespace: vec!["*".into()],
            name: vec!["*".into()],
        }
    }

    /// Whether it selects this target.
    pub fn matches(&self, target: &TargetId) -> bool {
        self.namespace
            .iter()
            .any(|glob| glob_matches(glob, target.namespace.as_str()))
            && self.name.iter().any(|glob| glob_matches(glob, &target.name))
    }
}
