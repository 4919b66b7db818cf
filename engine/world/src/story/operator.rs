//! Resources of the Flink Kubernetes Operator, as a story's file writes them.

use serde::Deserialize;

/// A FlinkDeployment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ResourceSpec {
    /// Whether it exists.
    pub present: bool,
    /// Whether it asks for a suspended job.
    pub suspended: bool,
    /// Whether it carries a deletionTimestamp.
    pub deleting: bool,
    /// What the operator could not do.
    pub error: Option<String>,
    /// `status.lifecycleState`.
    pub lifecycle: String,
    /// `status.jobManagerDeploymentStatus`; as the Deployment is, if not said.
    pub status: Option<String>,
    /// `metadata.generation`, which the operator has seen.
    pub generation: u32,
    /// The FlinkBlueGreenDeployment that owns it.
    pub blue_green: Option<String>,
}

impl Default for ResourceSpec {
    fn default() -> Self {
        Self {
            present: true,
            suspended: false,
            deleting: false,
            error: None,
            lifecycle: "STABLE".into(),
            status: None,
            generation: 1,
            blue_green: None,
        }
    }
}

/// A FlinkSessionJob of a session cluster.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionJobSpec {
    /// Its name.
    pub name: String,
    /// What tells it from another one under its name: its UID is made of both.
    #[serde(default)]
    pub uid: String,
    /// The story's name for the job that its status names, if it names one yet.
    pub job: Option<String>,
    /// Whether it asks for a suspended job.
    #[serde(default)]
    pub suspended: bool,
    /// Whether it carries a deletionTimestamp.
    #[serde(default)]
    pub deleting: bool,
    /// What the operator could not do.
    pub error: Option<String>,
    /// `status.lifecycleState`.
    #[serde(default = "stable")]
    pub lifecycle: String,
}

fn stable() -> String {
    "STABLE".into()
}
