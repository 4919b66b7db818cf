//! Names and identities. Each kind has its own type, so that none can stand for another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text, as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// The name of a `[[kubernetes]]` entry; `-` stands for no cluster at all (standalone jobs).
    ClusterName
);
text_id!(
    /// A Kubernetes namespace; `-` for standalone jobs.
    Namespace
);
text_id!(
    /// A Kubernetes object's `metadata.uid`.
    Uid
);
text_id!(
    /// The name of a `[[policy]]` entry.
    PolicyName
);

/// A Flink job id: 16 bytes, written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlinkJobId([u8; 16]);

impl FlinkJobId {
    /// Parses exactly 32 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|n| Self(n.to_be_bytes()))
    }
}

impl fmt::Display for FlinkJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for FlinkJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for FlinkJobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FlinkJobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not a Flink job id (32 hex digits)")))
    }
}

/// One Flink cluster that is watched: a Deployment in Kubernetes, or a standalone REST endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetId {
    /// The Kubernetes cluster, or `-`.
    pub cluster: ClusterName,
    /// The namespace, or `-`.
    pub namespace: Namespace,
    /// The name the job is shown under (for discovered ones the Deployment's).
    pub name: Arc<str>,
}

impl TargetId {
    /// A target of a Kubernetes cluster.
    pub fn new(cluster: &ClusterName, namespace: &Namespace, name: &str) -> Self {
        Self {
            cluster: cluster.clone(),
            namespace: namespace.clone(),
            name: Arc::from(name),
        }
    }

    /// A standalone Flink, outside any Kubernetes: cluster and namespace are `-`.
    pub fn standalone(name: &str) -> Self {
        Self::new(&ClusterName::new("-"), &Namespace::new("-"), name)
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.cluster, self.namespace, self.name)
    }
}

/// One record: a whole application, or one job of a session cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobKey {
    /// The Flink cluster the job runs on.
    pub target: TargetId,
    /// The job within a session cluster; `None` in application and standalone mode, where the job id may change.
    pub session_job: Option<FlinkJobId>,
}

impl JobKey {
    /// The single record of an application or a standalone Flink.
    pub fn application(target: TargetId) -> Self {
        Self {
            target,
            session_job: None,
        }
    }

    /// Parses `cluster/namespace/name` or `cluster/namespace/name/flinkJobId`, as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (cluster, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        let session_job = match parts.next() {
            Some(id) => Some(FlinkJobId::parse(id)?),
            None => None,
        };
        if parts.next().is_some() || cluster.is_empty() || namespace.is_empty() || name.is_empty() {
            return None;
        }
        let target = TargetId::new(&ClusterName::new(cluster), &Namespace::new(namespace), name);
        Some(Self { target, session_job })
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.session_job {
            Some(job) => write!(f, "{}/{job}", self.target),
            None => write!(f, "{}", self.target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_keys_read_back() {
        for text in [
            "local/default/orders",
            "-/-/orders",
            "local/default/s/ffffffffa021a4190000000000000000",
        ] {
            assert_eq!(JobKey::parse(text).map(|k| k.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_job_key_is_refused() {
        for text in [
            "",
            "local/default",
            "local//orders",
            "local/default/s/nothex",
            "a/b/c/d/e",
        ] {
            assert_eq!(JobKey::parse(text), None, "{text}");
        }
    }
}
