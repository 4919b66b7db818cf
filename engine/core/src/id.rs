//! Names and identities. Each kind has its own type, so that none can stand for another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

mod shared_text;

use shared_text::SharedText;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident($text:ty), $make:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($text);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl AsRef<str>) -> Self {
                let make: fn(&str) -> $text = $make;
                Self(make(text.as_ref()))
            }

            /// The text, as it was given.
            pub fn as_str(&self) -> &str {
                let Self(text) = self;
                text.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
    };
}

text_id!(
    /// The name of a `[[kubernetes]]` entry; `-` stands for no cluster at all (standalone jobs).
    ClusterName(SharedText),
    SharedText::new
);
text_id!(
    /// A Kubernetes namespace; `-` for standalone jobs.
    Namespace(SharedText),
    SharedText::new
);
text_id!(
    /// A Kubernetes object's `metadata.uid`.
    Uid(OwnText),
    |text| OwnText(Arc::from(text))
);
text_id!(
    /// The name of a `[[policy]]` entry.
    PolicyName(SharedText),
    SharedText::new
);

/// A text that is hardly anybody else's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OwnText(Arc<str>);

impl OwnText {
    fn as_str(&self) -> &str {
        &self.0
    }
}

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

    /// Its first 8 bytes, the lower part of a Java `JobID`, as one number.
    pub(crate) fn lower_part(self) -> i64 {
        let Self([a, b, c, d, e, f, g, h, ..]) = self;
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
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
    pub session_job: Option<SessionJob>,
}

/// By what the record of a session cluster's job goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionJob {
    /// By Flink's id: somebody submitted it.
    Submitted(FlinkJobId),
    /// By the name of the FlinkSessionJob that asks for it. Its job ids come and go.
    Requested(Arc<str>),
}

impl SessionJob {
    /// The job that a FlinkSessionJob asks for; `None` if its name reads as a job id, which would name two records alike.
    pub fn requested(name: &str) -> Option<Self> {
        Self::parse(name).filter(|job| job.submitted().is_none())
    }

    /// Parses 32 hex digits, or the name of an object of Kubernetes (a DNS subdomain name, RFC 1123).
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(id) = FlinkJobId::parse(text) {
            return Some(Self::Submitted(id));
        }
        let is_outer = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = text.len() <= 253
            && text.bytes().all(|byte| is_outer(byte) || byte == b'-' || byte == b'.')
            && text.bytes().next().is_some_and(is_outer)
            && text.bytes().last().is_some_and(is_outer);
        is_name.then(|| Self::Requested(Arc::from(text)))
    }

    /// The id of a job that goes by it.
    pub fn submitted(&self) -> Option<FlinkJobId> {
        match self {
            Self::Submitted(id) => Some(*id),
            Self::Requested(_) => None,
        }
    }

    /// The name of the FlinkSessionJob that it goes by.
    pub fn resource(&self) -> Option<&str> {
        match self {
            Self::Submitted(_) => None,
            Self::Requested(name) => Some(name),
        }
    }
}

impl fmt::Display for SessionJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submitted(id) => fmt::Display::fmt(id, f),
            Self::Requested(name) => f.write_str(name),
        }
    }
}

impl Serialize for SessionJob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionJob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is neither a Flink job id (32 hex digits) nor the name of a FlinkSessionJob"
            ))
        })
    }
}

impl JobKey {
    /// The single record of an application or a standalone Flink.
    pub fn application(target: TargetId) -> Self {
        Self {
            target,
            session_job: None,
        }
    }

    /// The record of a session cluster's job.
    pub fn of_session(target: TargetId, job: SessionJob) -> Self {
        Self {
            target,
            session_job: Some(job),
        }
    }

    /// The job id that is part of the key.
    pub fn flink_job_id(&self) -> Option<FlinkJobId> {
        self.session_job.as_ref()?.submitted()
    }

    /// The FlinkSessionJob whose name is part of the key.
    pub fn flink_session_job(&self) -> Option<&str> {
        self.session_job.as_ref()?.resource()
    }

    /// Parses `cluster/namespace/name`, with `/flinkJobId` or the name of a FlinkSessionJob behind it for the job of a
    /// session cluster, as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (cluster, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        let session_job = match parts.next() {
            Some(job) => Some(SessionJob::parse(job)?),
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
            "local/default/s/daily",
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
            "local/default/s/",
            "local/default/s/Daily",
            "local/default/s/-daily",
            "a/b/c/d/e",
        ] {
            assert_eq!(JobKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_resource_that_is_called_like_a_job_id_names_no_record() {
        assert!(SessionJob::requested("daily-2.eu").is_some());
        assert_eq!(SessionJob::requested("ffffffffa021a4190000000000000000"), None);
    }

    #[test]
    fn a_job_id_has_thirty_two_hex_digits() {
        assert!(FlinkJobId::parse(&"aF".repeat(16)).is_some());
        for text in [
            "",
            "ab",
            &"a".repeat(33),
            &"g".repeat(32),
            &format!("+{}", "a".repeat(31)),
        ] {
            assert_eq!(FlinkJobId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_session_job_goes_by_its_id_or_by_the_name_of_its_resource() {
        let of = |text: &str| JobKey::parse(&format!("local/default/s/{text}")).unwrap();
        let id = "ffffffffa021a4190000000000000000";
        assert_eq!(
            (of(id).flink_job_id(), of(id).flink_session_job()),
            (FlinkJobId::parse(id), None)
        );
        assert_eq!(
            (of("daily").flink_job_id(), of("daily").flink_session_job()),
            (None, Some("daily"))
        );
        for name in ["a", "a-b.c", &"a".repeat(253)] {
            assert!(SessionJob::parse(name).is_some(), "{name}");
        }
        for name in ["", "-a", "a-", "a_b", "A", ".a", "a.", "a b", &"a".repeat(254)] {
            assert_eq!(SessionJob::parse(name), None, "{name}");
        }
    }
}
