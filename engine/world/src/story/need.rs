//! What a story asks of the engine that plays it.

use serde::Deserialize;

/// What an engine must support for a story beyond application-mode jobs of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the word the file uses")]
pub enum Need {
    Session,
    Standalone,
    Discovery,
    #[serde(rename = "flinkdeployment")]
    #[strum(serialize = "flinkdeployment")]
    FlinkDeployment,
    Archive,
    HistoryServer,
    JobResultStore,
    Intent,
    Restart,
    Fleet,
    Ha,
    Alerts,
    Checkpoints,
    Clusters,
    Namespaces,
    PodLog,
}

impl Need {
    /// The word that the file uses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
