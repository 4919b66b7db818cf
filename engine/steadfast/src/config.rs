//! `config.toml`: read, checked, and turned into plain values. A mistake names the line, the rule and the fix.

mod check;
pub(crate) mod effective;
mod environment;
mod exposed;
mod file;
pub(crate) mod keys;
mod mask;
mod mistake;
pub(crate) mod overrides;
mod read;
pub(crate) mod schema;
mod values;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use steadfast_core::id::FlinkJobId;
use steadfast_core::secret_url::SecretUrl;
use steadfast_core::state::Mode;
use steadfast_core::timing::Timing;
use steadfast_modules::{ModuleRef, RegistryHost, Trust};
use steadfast_reconcile::{Discover, Fraction, JobSeries, Keeping, Recording, Select, Share};
use steadfast_server::sinks::{Receiver, Selection};
use steadfast_server::{LinkTemplate, Scopes, TlsFiles};
use steadfast_sources::authorized::FlinkAccess;
use steadfast_sources::job_results::Location;
use steadfast_sources::last_words::Pattern;
use steadfast_telemetry::Collector;

pub use exposed::ExposedFile;
pub use mistake::{ConfigError, Mistake};
#[cfg(feature = "author")]
pub(crate) use values::parse_size;

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[store] url`: `sqlite://` and a path, which is absolute or starts at the process's folder.
    pub store: String,
    /// `[server]`: the API's address and who may call.
    pub server: Server,
    /// `[timing]`; no duration but `startup_grace` is shorter than 10 ms.
    pub timing: Timing,
    /// `[recording]`; `None` if nothing is to be kept.
    pub recording: Option<Recording>,
    /// `[retention]`: how long the store keeps what is over.
    pub keeping: Keeping,
    /// `[metrics] per_job`: whether each job has series of its own.
    pub series: JobSeries,
    /// `[[kubernetes]]`; no two have the same name.
    pub clusters: Vec<Cluster>,
    /// `[[job]]`: targets beside those that are discovered; no two in a namespace have the same name.
    pub jobs: Vec<Job>,
    /// `[[policy]]`, in the order in which their selections are tried; at least one decides.
    pub policies: Vec<Policy>,
    /// `[[registry]]`: how OCI registries are reached and who we are there; at most one for each host.
    pub registries: Vec<RegistryHost>,
    /// `[[sink]]`: who is told of transitions and alerts.
    pub sinks: Vec<Sink>,
    /// `[[link]]`: what else shows a job; no two have the same name.
    pub links: Vec<LinkTemplate>,
    /// `[telemetry]`: where traces of decisions are sent; `None`: nowhere.
    pub telemetry: Option<Telemetry>,
}

/// Where the API listens, and to whom it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The IP address and the port, 0 for any that is free.
    pub listen: SocketAddr,
    /// A file with a bearer token that opens everything.
    pub token_file: Option<PathBuf>,
    /// A file with the digests of tokens, each with a name and scopes.
    pub tokens_file: Option<PathBuf>,
    /// What encrypts connections; `None`: nothing does.
    pub tls: Option<ServerTls>,
    /// Who says whose the tokens of Kubernetes' are.
    pub kubernetes_auth: Option<KubernetesAuth>,
}

/// `[server.tls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// Its files.
    pub files: TlsFiles,
    /// What client certificates open; `None` where none is asked for.
    pub client_scopes: Option<Scopes>,
}

/// `[server.kubernetes_auth]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesAuth {
    /// The `[[kubernetes]]` entry whose API server is asked.
    pub cluster: String,
    /// For whom tokens are made that count; at least one.
    pub audiences: Vec<String>,
}

/// A Kubernetes cluster to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The first part of its jobs' ids: not empty, without a slash.
    pub name: String,
    /// Its kubeconfig; without one: in-cluster, then `KUBECONFIG`, then `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The namespaces to watch; none: all.
    pub namespaces: Vec<String>,
    /// Which kinds of deployment are taken up without a `[[job]]`; none: only those with one.
    pub discover: Vec<Discover>,
    /// How the REST endpoints of its Flinks are reached, where a job says nothing else.
    pub flink_rest: FlinkRest,
    /// What its Flinks are shown, and who vouches for them, where a job says nothing else.
    pub flink_access: FlinkAccess,
    /// What tells how its jobs ended when their Flink is gone.
    pub ended_jobs: EndedJobs,
    /// Whether each of its jobs is shown in it as a JobStatus.
    pub job_statuses: bool,
}

/// What tells how a cluster's jobs ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndedJobs {
    /// `archive`: directories of Flink's job archive (`jobmanager.archive.fs.dir`).
    pub archive: Vec<Location>,
    /// `history_server`, without a slash at its end.
    pub history_server: Option<SecretUrl>,
    /// `job_result_store`: the directory of Flink's JobResultStore.
    pub job_result_store: Option<Location>,
    /// `last_words`: how the JobManager's log tells of an end, if not in Flink's own words.
    pub last_words: Option<Pattern>,
}

/// `flink_rest`: how the REST endpoint of a Flink is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlinkRest {
    /// The Service inside the cluster, the API server's proxy outside.
    Auto,
    /// The Service in cluster DNS.
    Service,
    /// The API server's proxy.
    Proxy,
    /// The address of the JobManager's pod.
    Pod,
    /// A URL in which `{namespace}`, `{name}`, `{pod_ip}` and `{rest_port}` stand for those of the job.
    Url(SecretUrl),
}

/// A target that is watched whether it is discovered or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The last part of its id: not empty, without a slash.
    pub name: String,
    /// The `[[kubernetes]]` entry it runs in; `None` for standalone.
    pub kubernetes: Option<String>,
    /// Its namespace; `-` for standalone.
    pub namespace: String,
    /// Its Deployment's name.
    pub deployment: String,
    /// Whether its Flink runs one application, or the jobs of a session, or stands outside of Kubernetes.
    pub mode: Mode,
    /// How its Flink is reached; `None`: as the cluster says.
    pub flink_rest: Option<FlinkRest>,
    /// What its Flink is shown, and who vouches for it; if plain, as the cluster says.
    pub flink_access: FlinkAccess,
    /// The job the record is about.
    pub flink_job_id: Option<FlinkJobId>,
}

/// A policy, and which jobs it decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name, which no other has: records say by it who decided.
    pub name: String,
    /// Where its module is: built in, a file, or an artifact in an OCI registry.
    pub module: ModuleRef,
    /// What the module must show before it may run.
    pub trust: Trust,
    /// Which jobs it is for: the first policy that selects a job decides it.
    pub select: Select,
    /// Which share of those, in whole percent; the rest goes to the next policy that selects them.
    pub rollout: Share,
    /// Its parameters, as JSON.
    pub params: String,
    /// How long one decision may take.
    pub deadline: Duration,
    /// How much memory it may use, in bytes.
    pub memory: u64,
    /// Whether its decisions count.
    pub shadow: bool,
}

/// Who is told of transitions and alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// Its name, which no other has: its place in the journal is kept under it. Where the file gives a webhook none it is derived
    /// from the URL.
    pub name: String,
    /// How long an event is offered to a receiver that does not take it.
    pub max_age: Duration,
    /// Which events it is told of.
    pub selection: Selection,
    /// How long the first event waits for others that are told with it.
    pub batch_wait: Duration,
    /// Where to, and how.
    pub receiver: Receiver,
}

/// Where traces of decisions are sent, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// Where to.
    pub collector: Collector,
    /// The share of decisions that change nothing; those that do are all traced.
    pub sample: Fraction,
    /// How the engine is called in traces.
    pub service_name: String,
    /// More that is said of the engine.
    pub resource: BTreeMap<String, String>,
}

impl Cluster {
    /// Whether its Flinks want access of their own, and are reached through the API server from outside of the cluster.
    pub(crate) fn is_proxied_with_access(&self) -> bool {
        !self.flink_access.is_plain() && matches!(self.flink_rest, FlinkRest::Auto | FlinkRest::Proxy)
    }
}

impl Config {
    /// Reads and checks a file. Paths in it are relative to its folder. Nothing is created or changed.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(path, &read_text(path)?)
    }

    /// The same for an engine that is to go on: whether the modules' files are there is found out when they are read, and is
    /// each policy's own affair.
    pub fn load_without_modules(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path)?;
        Self::checked(path, &text, Modules::MayBeGone)
    }

    /// Checks the text of a file.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::checked(path, text, Modules::MustBeThere)
    }

    fn checked(path: &Path, text: &str, modules: Modules) -> Result<Self, ConfigError> {
        let mistakes = |mistakes| ConfigError::mistakes(path, text, mistakes);
        let file = read::read(text).map_err(mistakes)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        check::check(file, folder, modules).map_err(mistakes)
    }
}

/// Whether a module whose file is not there is a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modules {
    MustBeThere,
    MayBeGone,
}

/// The most a text may hold that a person writes, in bytes: a configuration, a story, laws.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// No more of it than it may hold, whatever has taken the file's place.
fn read_text(path: &Path) -> Result<String, ConfigError> {
    steadfast_files::read_text(path, MAX_TEXT).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
