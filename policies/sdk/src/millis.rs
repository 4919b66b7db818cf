//! Durations in parameters, as they are written in config.toml.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

/// A duration in whole milliseconds, read from texts such as `"800ms"`, `"50s"`, `"10m"`, `"1h"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(u64);

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

impl Millis {
    /// From whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    /// The milliseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Reads a number with its unit.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        number.parse::<u64>().ok()?.checked_mul(*factor).map(Self)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = UNITS
            .iter()
            .rev()
            .find(|(_, factor)| self.0 > 0 && self.0.is_multiple_of(*factor))
            .unwrap_or(&("ms", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is not a duration; write a whole number with ms, s, m, h or d, such as \"50s\""
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_what_the_configuration_says() {
        for (text, millis) in [
            ("800ms", 800),
            ("50s", 50_000),
            ("10m", 600_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(Millis::parse(text).map(Millis::get), Some(millis));
            assert_eq!(Millis::parse(text).map(|m| m.to_string()).as_deref(), Some(text));
        }
        for text in ["", "5", "s", "1.5s", "5 s", "-5s", "99999999999999999999s"] {
            assert_eq!(Millis::parse(text), None, "{text}");
        }
    }
}
