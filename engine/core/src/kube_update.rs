//! What lists and watches of Kubernetes say, as the board takes it in: one [`KubeUpdate`] for each list, watch event or
//! failure.

use std::fmt;

use crate::board::ObjectRef;
use crate::evidence::Fault;
use crate::facts::{Deployment, FlinkResource, Pod, StateSnapshot};
use crate::foreign_text::ForeignText;
use crate::id::{ClusterName, Namespace};
use crate::time::Timestamp;

/// One LIST+WATCH: a kind, in one namespace or in all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The name of its `[[kubernetes]]` entry.
    pub cluster: ClusterName,
    /// The kind that is listed and watched.
    pub kind: ObjectKind,
    /// The namespace; `None`: all of them.
    pub namespace: Option<Namespace>,
}

/// The kinds that are listed and watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// `deployments.apps`.
    Deployment,
    /// JobManager pods.
    Pod,
    /// The operator's Flink clusters (`flinkdeployments.flink.apache.org`).
    FlinkDeployment,
    /// The operator's jobs of session clusters (`flinksessionjobs.flink.apache.org`).
    FlinkSessionJob,
    /// What somebody asks of the state of the operator's jobs (`flinkstatesnapshots.flink.apache.org`).
    FlinkStateSnapshot,
}

impl ObjectKind {
    /// The `kind` of its objects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::Pod => "Pod",
            Self::FlinkDeployment => "FlinkDeployment",
            Self::FlinkSessionJob => "FlinkSessionJob",
            Self::FlinkStateSnapshot => "FlinkStateSnapshot",
        }
    }

    /// Its objects, for people.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Deployment => "Deployments",
            Self::Pod => "Pods",
            Self::FlinkDeployment => "FlinkDeployments",
            Self::FlinkSessionJob => "FlinkSessionJobs",
            Self::FlinkStateSnapshot => "FlinkStateSnapshots",
        }
    }

    /// Whose kind it is.
    pub const fn origin(self) -> KindOrigin {
        match self {
            Self::Deployment | Self::Pod => KindOrigin::Kubernetes,
            Self::FlinkDeployment | Self::FlinkSessionJob | Self::FlinkStateSnapshot => KindOrigin::FlinkOperator,
        }
    }
}

/// Whose kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindOrigin {
    /// Kubernetes' own: every API server has it, and its lists say whether the server can be reached.
    Kubernetes,
    /// The Flink Kubernetes Operator's: a cluster without the operator lacks it, which is no fault of the cluster.
    FlinkOperator,
}

/// An object of a list or a watch event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A Deployment.
    Deployment(Deployment),
    /// A JobManager pod.
    Pod(Pod),
    /// A FlinkDeployment or FlinkSessionJob.
    FlinkResource(FlinkResource),
    /// A FlinkStateSnapshot.
    StateSnapshot(StateSnapshot),
    /// It is there, but its body does not decode: known to exist, otherwise unknown.
    Undecodable {
        /// `metadata.namespace`.
        namespace: Namespace,
        /// `metadata.name`.
        name: String,
        /// What does not decode.
        error: ForeignText,
    },
    /// The labels by which a list or a watch selects no longer show it, and a GET by its name was not answered: whether it is
    /// there is unknown.
    Unanswered {
        /// `metadata.namespace`.
        namespace: Namespace,
        /// `metadata.name`.
        name: String,
        /// What came of the GET.
        fault: Fault,
    },
}

impl Object {
    /// It, if it is a Deployment.
    pub fn deployment(&self) -> Option<&Deployment> {
        match self {
            Self::Deployment(deployment) => Some(deployment),
            Self::Pod(_)
            | Self::FlinkResource(_)
            | Self::StateSnapshot(_)
            | Self::Undecodable { .. }
            | Self::Unanswered { .. } => None,
        }
    }

    /// It, if it is a JobManager pod.
    pub fn pod(&self) -> Option<&Pod> {
        match self {
            Self::Pod(pod) => Some(pod),
            Self::Deployment(_)
            | Self::FlinkResource(_)
            | Self::StateSnapshot(_)
            | Self::Undecodable { .. }
            | Self::Unanswered { .. } => None,
        }
    }
}

impl Object {
    /// `metadata.namespace` and `metadata.name`.
    pub fn namespaced_name(&self) -> (&Namespace, &str) {
        match self {
            Self::Deployment(d) => (&d.namespace, &d.name),
            Self::Pod(p) => (&p.namespace, &p.name),
            Self::FlinkResource(r) => (&r.namespace, &r.name),
            Self::StateSnapshot(s) => (&s.namespace, &s.name),
            Self::Undecodable { namespace, name, .. } | Self::Unanswered { namespace, name, .. } => (namespace, name),
        }
    }
}

/// Whether a list may say that something is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Every object of the list is named: what it lacks is absent.
    Complete,
    /// At least one object has no readable name: what the list lacks may still be there.
    Incomplete,
}

/// A resource version that can be compared: of two lists or objects of one kind, the greater one is the newer (KEP-5504).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceVersion(u64);

impl ResourceVersion {
    /// As Kubernetes writes it, a whole number with neither a sign nor zeros before it. `None`: nobody can compare it.
    pub fn read(text: &str) -> Option<Self> {
        let is_written_so = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        is_written_so.then(|| text.parse().ok())?.map(Self)
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A list, a watch event or a failure of one scope.
#[derive(Clone, Debug, PartialEq)]
pub struct KubeUpdate {
    /// The scope it is about.
    pub scope: Scope,
    /// When the request began (lists, failures, what was asked for by name), or the event arrived (changes).
    pub asked_at: Timestamp,
    /// When it arrived here.
    pub at: Timestamp,
    /// Of which version the list is, or the object. `None` where there is none (an answer that there is no such object, a
    /// failure), or none that can be compared.
    pub version: Option<ResourceVersion>,
    /// What the list or the watch said.
    pub change: KubeChange,
}

/// What a list or a watch said of its scope.
#[derive(Clone, Debug, PartialEq)]
pub enum KubeChange {
    /// A whole list, all pages, answered successfully.
    Relisted(Vec<Object>, Completeness),
    /// The watch says an object was added or modified.
    Applied(Object),
    /// The watch says an object was deleted; its last state.
    Deleted(Object),
    /// Asked for by name, the API server itself said that there is no such object. That weighs as much as a complete list
    /// without it, for this one object.
    NotFound(ObjectRef),
    /// All JobManager pods of a Deployment, asked for by its name. That weighs as much as a complete list, for these pods.
    PodsOf(ObjectRef, Vec<Object>),
    /// A list failed, or a watch broke: what the scope's objects are is unknown until the next list.
    Failed(Fault),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_if_it_is_a_whole_number_as_kubernetes_writes_it() {
        for text in ["1", "9007199254740993", "18446744073709551615"] {
            assert_eq!(
                ResourceVersion::read(text)
                    .map(|version| version.to_string())
                    .as_deref(),
                Some(text)
            );
        }
        for text in [
            "",
            "0",
            "007",
            "+5",
            "-5",
            "5 ",
            "1.5",
            "0x10",
            "18446744073709551616",
            "etcd-5",
        ] {
            assert_eq!(ResourceVersion::read(text), None, "{text:?}");
        }
        assert!(ResourceVersion::read("9") < ResourceVersion::read("10"));
    }
}
