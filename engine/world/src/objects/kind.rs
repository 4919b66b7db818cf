//! The kinds of objects, as paths and bodies name them.

use strum::VariantArray;

/// A kind of object that the API server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[expect(missing_docs, reason = "the kinds' own names")]
pub enum Kind {
    Namespace,
    Pod,
    Service,
    ConfigMap,
    Event,
    /// The same events under `events.k8s.io`.
    #[strum(serialize = "Event")]
    NewEvent,
    Deployment,
    ReplicaSet,
    FlinkDeployment,
    FlinkSessionJob,
}

impl Kind {
    /// `v1`, `apps/v1`, ...
    pub const fn group_version(self) -> &'static str {
        match self {
            Self::Namespace | Self::Pod | Self::Service | Self::ConfigMap | Self::Event => "v1",
            Self::NewEvent => "events.k8s.io/v1",
            Self::Deployment | Self::ReplicaSet => "apps/v1",
            Self::FlinkDeployment | Self::FlinkSessionJob => "flink.apache.org/v1beta1",
        }
    }

    /// As it stands in paths.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::Pod => "pods",
            Self::Service => "services",
            Self::ConfigMap => "configmaps",
            Self::Event | Self::NewEvent => "events",
            Self::Deployment => "deployments",
            Self::ReplicaSet => "replicasets",
            Self::FlinkDeployment => "flinkdeployments",
            Self::FlinkSessionJob => "flinksessionjobs",
        }
    }

    /// As it stands in objects.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether its objects carry a generation: those whose spec somebody carries out.
    pub(super) const fn counts_generations(self) -> bool {
        match self {
            Self::Pod | Self::Deployment | Self::ReplicaSet | Self::FlinkDeployment | Self::FlinkSessionJob => true,
            Self::Namespace | Self::Service | Self::ConfigMap | Self::Event | Self::NewEvent => false,
        }
    }

    /// The kind behind a path.
    pub fn find(group_version: &str, plural: &str) -> Option<Self> {
        let of_path = |kind: &&Self| kind.group_version() == group_version && kind.plural() == plural;
        Self::VARIANTS.iter().find(of_path).copied()
    }

    /// Whether lists leave `kind` and `apiVersion` out of their items, as those of Kubernetes' own kinds do.
    pub const fn is_builtin(self) -> bool {
        !matches!(self, Self::FlinkDeployment | Self::FlinkSessionJob)
    }
}
