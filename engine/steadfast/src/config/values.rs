//! Durations, sizes and lists as they are written.

use std::fmt;
use std::time::Duration;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, de};
use steadfast_core::duration::parse_duration;

/// A duration such as `"5s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// A size such as `"64MiB"`, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

/// A text, or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub(super) struct OneOrMany(pub(super) Vec<String>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "this is neither a string nor a list of strings")]
enum Written {
    One(String),
    Many(Vec<String>),
}

impl From<Written> for OneOrMany {
    fn from(written: Written) -> Self {
        match written {
            Written::One(one) => Self(vec![one]),
            Written::Many(many) => Self(many),
        }
    }
}

/// How long something is kept: an age such as `"90d"`, a number of the newest, or `"off"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenKept")]
pub(super) enum Kept {
    Forever,
    For(Duration),
    Newest(u64),
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "this is neither an age such as \"90d\", nor a whole number, nor \"off\""
)]
enum WrittenKept {
    Age(String),
    Newest(u64),
}

impl TryFrom<WrittenKept> for Kept {
    type Error = String;

    fn try_from(written: WrittenKept) -> Result<Self, String> {
        match written {
            WrittenKept::Newest(count) => Ok(Self::Newest(count)),
            WrittenKept::Age(text) if text == "off" => Ok(Self::Forever),
            WrittenKept::Age(text) => parse_duration(&text).map(Self::For).ok_or_else(|| {
                format!(
                    "`{text}` is not an age: write a whole number with ms, s, m, h or d, such as \"90d\", or \"off\" to keep \
                     everything"
                )
            }),
        }
    }
}

/// The number of bytes of a whole number with one of the units.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// A text such as `"20%"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Percent(pub(super) String);

/// A text with a number and a unit. One without its unit is no text for TOML, and is told by what it lacks.
struct WithUnit {
    /// What is said to stand behind the number.
    unit: &'static str,
}

impl Visitor<'_> for WithUnit {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string such as \"5{}\"", self.unit)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        let unit = self.unit;
        Err(E::custom(format!(
            "`{number}` is a number without a unit: write a string such as \"{number}{unit}\""
        )))
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WithUnit { unit: "%" }).map(Self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(WithUnit { unit: "s" })?;
        parse_duration(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not a duration: write whole numbers with ms, s, m, h or d, such as \"5s\" or \"4h59m\""
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(WithUnit { unit: "MiB" })?;
        parse_size(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not a size: write a whole number with KiB, MiB or GiB, such as \"64MiB\""
            ))
        })
    }
}
