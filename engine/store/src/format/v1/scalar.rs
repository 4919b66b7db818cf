//! Moments, ids and names: each a string.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::id::{self, FlinkJobId};
use steadfast_core::labels;
use steadfast_core::time::Timestamp;

use crate::format::shape::Shape;

/// RFC 3339 with milliseconds, in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = Timestamp::parse(&text).map(Self);
        moment.ok_or_else(|| de::Error::custom(format!("`{text}` is not an RFC 3339 time up to {}", Timestamp::LATEST)))
    }
}

impl Shape for Moment {
    type Core = Timestamp;

    fn of(core: &Timestamp) -> Self {
        Self(*core)
    }

    fn into_core(self) -> Timestamp {
        self.0
    }
}

/// 32 lower-case hex digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobId(FlinkJobId);

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let id = FlinkJobId::parse(&text).map(Self);
        id.ok_or_else(|| de::Error::custom(format!("`{text}` is not a Flink job id (32 hex digits)")))
    }
}

impl Shape for JobId {
    type Core = FlinkJobId;

    fn of(core: &FlinkJobId) -> Self {
        Self(*core)
    }

    fn into_core(self) -> FlinkJobId {
        self.0
    }
}

/// 32 lower-case hex digits, or the name of a FlinkSessionJob.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SessionJob(id::SessionJob);

impl Shape for SessionJob {
    type Core = id::SessionJob;

    fn of(core: &id::SessionJob) -> Self {
        Self(core.clone())
    }

    fn into_core(self) -> id::SessionJob {
        self.0
    }
}

/// What somebody else wrote, as it is kept: what earlier builds stored at any length is cut as it is read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Foreign(String);

impl Shape for Foreign {
    type Core = ForeignText;

    fn of(core: &ForeignText) -> Self {
        Self(core.to_string())
    }

    fn into_core(self) -> ForeignText {
        self.0.into()
    }
}

/// A name as it is.
macro_rules! name {
    ($name:ident) => {
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(super) struct $name(String);

        impl Shape for $name {
            type Core = id::$name;

            fn of(core: &id::$name) -> Self {
                Self(core.as_str().to_owned())
            }

            fn into_core(self) -> id::$name {
                id::$name::new(self.0)
            }
        }
    };
}

name!(ClusterName);
name!(Namespace);
name!(PolicyName);
name!(Uid);

/// An object of strings, in the order of their names.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Labels(BTreeMap<String, String>);

impl Shape for Labels {
    type Core = labels::Labels;

    fn of(core: &labels::Labels) -> Self {
        let labels = core.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(labels.collect())
    }

    fn into_core(self) -> labels::Labels {
        self.0.into()
    }
}
