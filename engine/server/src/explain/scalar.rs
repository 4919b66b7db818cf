//! Moments, ids, spans and bytes, as the API shows them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use steadfast_core::id::{self, FlinkJobId};
use steadfast_core::labels;
use steadfast_core::time::Timestamp;
use utoipa::ToSchema;

use super::table::Shows;

/// RFC 3339 with milliseconds, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(as = explain::Moment, value_type = String, format = DateTime)]
pub struct Moment(pub Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = Timestamp::parse(&text).map(Self);
        moment.ok_or_else(|| de::Error::custom(format!("`{text}` is not an RFC 3339 time")))
    }
}

impl Shows<Timestamp> for Moment {
    fn of(core: &Timestamp) -> Self {
        Self(*core)
    }

    fn into_core(self) -> Timestamp {
        self.0
    }
}

/// A Flink job's id: 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(as = explain::JobId, value_type = String, example = "ffffffffa021a4190000000000000000")]
pub struct JobId(FlinkJobId);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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

impl Shows<FlinkJobId> for JobId {
    fn of(core: &FlinkJobId) -> Self {
        Self(*core)
    }

    fn into_core(self) -> FlinkJobId {
        self.0
    }
}

/// 32 lower-case hex digits, or the name of a FlinkSessionJob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = explain::SessionJob, value_type = String, example = "ffffffffa021a4190000000000000000")]
pub struct SessionJob(id::SessionJob);

impl fmt::Display for SessionJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Shows<id::SessionJob> for SessionJob {
    fn of(core: &id::SessionJob) -> Self {
        Self(core.clone())
    }

    fn into_core(self) -> id::SessionJob {
        self.0
    }
}

/// A span of time in seconds.
///
/// Read as `{"secs", "nanos"}` too, as recordings have it: a fixture of `policy test` may be made from either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(as = explain::Seconds, value_type = f64, example = 5.0)]
pub struct Seconds(pub Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "neither seconds nor {\"secs\", \"nanos\"}")]
        enum Either {
            Seconds(f64),
            Parts(Duration),
        }
        match Either::deserialize(deserializer)? {
            Either::Seconds(seconds) => Duration::try_from_secs_f64(seconds)
                .map(Self)
                .map_err(de::Error::custom),
            Either::Parts(span) => Ok(Self(span)),
        }
    }
}

impl Shows<Duration> for Seconds {
    fn of(core: &Duration) -> Self {
        Self(*core)
    }

    fn into_core(self) -> Duration {
        self.0
    }
}

/// Bytes in hex, two digits each.
///
/// Read as an array of numbers too, as recordings have it, and with `0x` before the digits.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(as = explain::Hex, value_type = String, example = "00ab")]
pub struct Hex(Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&const_hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "neither hex digits nor an array of bytes")]
        enum Either {
            Digits(String),
            Bytes(Vec<u8>),
        }
        match Either::deserialize(deserializer)? {
            Either::Digits(digits) => const_hex::decode(&digits)
                .map(Self)
                .map_err(|error| de::Error::custom(format!("`{digits}` is not bytes in hex: {error}"))),
            Either::Bytes(bytes) => Ok(Self(bytes)),
        }
    }
}

impl Shows<Vec<u8>> for Hex {
    fn of(core: &Vec<u8>) -> Self {
        Self(core.clone())
    }

    fn into_core(self) -> Vec<u8> {
        self.0
    }
}

/// An object's labels, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = explain::Labels)]
pub struct Labels(#[schema(inline)] BTreeMap<String, String>);

impl Shows<labels::Labels> for Labels {
    fn of(core: &labels::Labels) -> Self {
        let labels = core.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(labels.collect())
    }

    fn into_core(self) -> labels::Labels {
        self.0.into()
    }
}
