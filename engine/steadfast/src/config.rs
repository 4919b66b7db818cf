//! `config.toml`: read, checked, and turned into plain values. A mistake names the line, the rule and the fix.

mod check;
mod file;
mod mistake;
mod read;
mod values;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use steadfast_core::id::FlinkJobId;
use steadfast_core::snapshot::Timing;
use steadfast_core::state::Mode;
use steadfast_host::LoadError;
use steadfast_modules::{ModuleRef, RegistryHost, Trust};
use steadfast_reconcile::{Discover, Recording, Select, Share};
use steadfast_sources::job_results::Location;
use steadfast_sources::last_words::Pattern;

use crate::run::RefusedModule;

pub use mistake::{ConfigError, Mistake};

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[store] url`.
    pub store: String,
    /// `[server]`.
    pub server: Server,
    /// `[timing]`.
    pub timing: Timing,
    /// `[recording]`; `None` if nothing is to be kept.
    pub recording: Option<Recording>,
    /// `[[kubernetes]]`.
    pub clusters: Vec<Cluster>,
    /// `[[job]]`.
    pub jobs: Vec<Job>,
    /// `[[policy]]`.
    pub policies: Vec<Policy>,
    /// `[[registry]]`.
    pub registries: Vec<RegistryHost>,
    /// `[[sink]]`.
    pub sinks: Vec<Sink>,
}

/// Where the API listens, and to whom it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// A file with the bearer token that callers must show.
    pub token_file: Option<PathBuf>,
}

/// A Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its kubeconfig; without one: in-cluster, then `KUBECONFIG`, then `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The namespaces to watch; none: all.
    pub namespaces: Vec<String>,
    /// What is discovered.
    pub discover: Vec<Discover>,
    /// How Flink is reached.
    pub flink_rest: FlinkRest,
    /// What tells how its jobs ended when their Flink is gone.
    pub ended_jobs: EndedJobs,
}

/// What tells how a cluster's jobs ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndedJobs {
    /// `archive`.
    pub archive: Vec<Location>,
    /// `history_server`, without a slash at its end.
    pub history_server: Option<String>,
    /// `job_result_store`.
    pub job_result_store: Option<Location>,
    /// `last_words`.
    pub last_words: Option<Pattern>,
}

/// `flink_rest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlinkRest {
    /// The Service inside the cluster, the API server's proxy outside.
    Auto,
    /// The Service in cluster DNS.
    Service,
    /// The API server's proxy.
    Proxy,
    /// The pod's address.
    Pod,
    /// A URL with placeholders.
    Url(String),
}

/// An explicit job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// The `[[kubernetes]]` entry it runs in; `None` for standalone.
    pub kubernetes: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its Deployment's name.
    pub deployment: String,
    /// How it is deployed.
    pub mode: Mode,
    /// How its Flink is reached; `None`: as the cluster says.
    pub flink_rest: Option<FlinkRest>,
    /// The job the record is about.
    pub flink_job_id: Option<FlinkJobId>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Where its module is.
    pub module: ModuleRef,
    /// What the module must show before it may run.
    pub trust: Trust,
    /// Which jobs it is for.
    pub select: Select,
    /// Which share of those.
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

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Where to.
    pub url: String,
}

impl Config {
    /// Reads and checks a file. Paths in it are relative to its folder. Nothing is created or changed.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// Checks the text of a file.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mistakes = |mistakes| ConfigError::mistakes(path, text, mistakes);
        let file = read::read(text).map_err(mistakes)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        check::check(file, folder).map_err(mistakes)
    }

    /// The mistake behind policies that could not be loaded; `None` if it is none of the configuration, such as a
    /// registry that does not answer.
    pub fn blamed(path: &Path, error: &anyhow::Error) -> Option<ConfigError> {
        if let Some(refusal) = error.downcast_ref() {
            return Some(Self::refused_policy(path, refusal));
        }
        let refused = error.downcast_ref::<RefusedModule>();
        refused
            .filter(|refused| !refused.source.is_passing())
            .map(|refused| Self::refused_module(path, refused))
    }

    /// The mistake of a policy whose module refused to be loaded, or refused its parameters.
    pub fn refused_policy(path: &Path, refusal: &LoadError) -> ConfigError {
        let (policy, key, fix) = match refusal {
            LoadError::Params { policy, .. } => (
                policy,
                "params",
                "`steadfast policies` lists each parameter with its type and default",
            ),
            LoadError::NotWebAssembly { policy }
            | LoadError::Import { policy, .. }
            | LoadError::Export { policy, .. }
            | LoadError::Untyped { policy }
            | LoadError::Version { policy, .. }
            | LoadError::Contract { policy, .. }
            | LoadError::Malformed { policy, .. }
            | LoadError::Failed { policy, .. } => (
                policy,
                "module",
                "build the module as policies/README.md says, or name another",
            ),
        };
        Self::refused(path, policy, key, refusal.to_string(), fix)
    }

    /// The mistake of a policy whose module is not there, or is not what was asked for.
    pub fn refused_module(path: &Path, refused: &RefusedModule) -> ConfigError {
        let RefusedModule { policy, source } = refused;
        let mut rule = format!("policy `{policy}`: {source}");
        let mut cause = source.source();
        while let Some(because) = cause {
            rule.push_str(&format!(": {because}"));
            cause = because.source();
        }
        Self::refused(path, policy, source.key(), rule, source.fix())
    }

    fn refused(path: &Path, policy: &str, key: &str, rule: String, fix: &str) -> ConfigError {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let place = read::place_in_policy(&text, policy, key).unwrap_or(0..0);
        ConfigError::mistakes(path, &text, vec![Mistake::new(place, rule, fix)])
    }
}

#[cfg(test)]
mod tests;
