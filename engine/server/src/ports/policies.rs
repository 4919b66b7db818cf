//! What the API asks of whoever loads policies.

use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

/// The policies of the engine, and the way to others.
#[async_trait]
pub trait Policies: Send + Sync {
    /// Those that run, and how the last reload went.
    fn running(&self) -> PolicyList;

    /// Reads the configuration and the modules anew; what can be used decides when this returns.
    ///
    /// Fails with one of [`ReloadError`], and then the policies of before go on.
    async fn reload(&self) -> Result<Reloaded, ReloadError>;
}

/// The policies of the running engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyList {
    /// In the order in which their selection is tried.
    pub items: Vec<RunningPolicy>,
    /// The last attempt to reload; null if there was none.
    #[schema(required)]
    pub last_reload: Option<LastReload>,
}

/// A policy of the running engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunningPolicy {
    /// Its name in the configuration.
    pub name: String,
    /// Whether it keeps records.
    pub role: PolicyRole,
    /// The share of the jobs it selects.
    #[schema(example = "100%")]
    pub rollout: String,
    /// Its module as the configuration names it.
    pub module: String,
    /// The sha256 of the module's bytes, in hex.
    pub sha256: String,
    /// The version of the policy contract it was built for.
    pub contract: String,
    /// What it says it is.
    pub description: String,
    /// Its parameters in force: as the configuration gives them, and else their defaults. What has the name of a secret is hidden.
    #[schema(value_type = Object, example = json!({"absence_window": "50s"}))]
    pub params: serde_json::Map<String, serde_json::Value>,
    /// The fingerprint of the key that its signature was verified with; absent if none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")]
    pub signed_by: Option<String>,
    /// Since when this module has this role.
    #[schema(format = DateTime)]
    pub since: String,
    /// Whether its module is the configuration's.
    pub standing: PolicyStanding,
    /// Why it is not as configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Since when it is asked about one job at a time, as it ran out of time again and again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub suspended_since: Option<String>,
}

/// Whether a policy keeps records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyRole {
    /// It decides: the records of its jobs are as it says.
    Decides,
    /// It is asked beside the policy that decides, and only compared.
    Shadow,
}

/// How a policy's module stands to the configuration's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyStanding {
    /// It is the same.
    AsConfigured,
    /// The configuration's cannot be used, and the last good one decides.
    Outdated,
    /// Nothing can decide, and its jobs are stale.
    Unusable,
}

/// What came of an attempt to reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReloadResult {
    /// The new configuration is in force.
    Reloaded,
    /// That of before goes on.
    Refused,
}

impl ReloadResult {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reloaded => "reloaded",
            Self::Refused => "refused",
        }
    }
}

/// How an attempt to reload went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastReload {
    /// When it ended.
    #[schema(format = DateTime)]
    pub at: String,
    /// What came of it.
    pub result: ReloadResult,
    /// What changed, or why it was refused.
    pub message: String,
}

/// What a reload changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reloaded {
    /// Always true; a refused reload is an error.
    pub reloaded: bool,
    /// The policies that run now.
    pub policies: Vec<ReloadedPolicy>,
    /// What else has changed in the file and takes effect only after a restart.
    #[schema(example = json!(["server.listen"]))]
    pub restart_needed: Vec<String>,
}

/// A policy after a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReloadedPolicy {
    /// Its name in the configuration.
    pub name: String,
    /// The sha256 of its module's bytes, in hex.
    pub sha256: String,
    /// Whether its entry or its module is another than before.
    pub changed: bool,
}

/// Why nothing was reloaded. The policies are those of before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// The engine has no file to read.
    #[error("this engine was not started from a configuration file; there is nothing to reload")]
    NoFile,
    /// The configuration, a module or its parameters cannot be used, or a policy failed when it was tried.
    #[error("{0}")]
    Refused(String),
    /// The store or the loop cannot do it now.
    #[error("{0}")]
    Unavailable(String),
}
