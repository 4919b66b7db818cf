//! Durations, as they are written in config.toml.

use std::fmt;

use crate::{ParameterValue, Timestamp};

/// A duration in whole milliseconds, read from texts such as `"800ms"`, `"50s"`, `"10m"`, `"4h59m"`. It never overflows:
/// what would be too long is as long as can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(u64);

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

impl Millis {
    /// From milliseconds.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// From whole minutes.
    pub const fn from_mins(minutes: u64) -> Self {
        Self(minutes.saturating_mul(60_000))
    }

    /// From one moment to a later one; zero if it is not later.
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        Self(u64::try_from(to.saturating_sub(from)).unwrap_or(0))
    }

    /// The milliseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Both, one after the other.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// So many times as long.
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// One of so many equal parts; by zero, all of it.
    pub const fn part(self, parts: u64) -> Self {
        match self.0.checked_div(parts) {
            Some(part) => Self(part),
            None => self,
        }
    }

    /// What is left of it after `spent`; `None` when nothing is.
    pub const fn left_after(self, spent: Self) -> Option<Self> {
        match self.0.checked_sub(spent.0) {
            Some(0) | None => None,
            Some(left) => Some(Self(left)),
        }
    }

    /// The moment that lies so much later than another.
    pub fn after(self, moment: Timestamp) -> Timestamp {
        moment.saturating_add_unsigned(self.0)
    }

    /// The moment that lies so much earlier than another.
    pub fn before(self, moment: Timestamp) -> Timestamp {
        moment.saturating_sub_unsigned(self.0)
    }

    /// Reads a number with its unit, or several of them: `90s`, `4h59m`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = text.split_at(digits);
        let letters = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, more) = behind.split_at(letters);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let millis = number.parse::<u64>().ok()?.checked_mul(*factor)?;
        if more.is_empty() {
            return Some(Self(millis));
        }
        Self::parse(more)?.0.checked_add(millis).map(Self)
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

impl ParameterValue for Millis {
    const KIND: &'static str = "duration";

    fn read(json: &str) -> Result<Self, String> {
        let text = String::read(json).ok();
        text.and_then(|text| Self::parse(&text))
            .ok_or_else(|| "not a duration (whole numbers with ms, s, m, h or d, in quotes)".into())
    }

    fn written(&self) -> String {
        format!("\"{self}\"")
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
        assert_eq!(Millis::parse("4h59m"), Some(Millis::from_mins(299)));
        assert_eq!(Millis::parse("1d1m1ms").map(Millis::get), Some(86_460_001));
        for text in [
            "",
            "5",
            "s",
            "1h5",
            "1hm",
            "h1",
            "18446744073709551615ms1ms",
            "1.5s",
            "5 s",
            "-5s",
            "99999999999999999999s",
        ] {
            assert_eq!(Millis::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_would_overflow_is_as_long_as_can_be() {
        let longest = Millis::new(u64::MAX);
        assert_eq!(longest.plus(Millis::from_secs(1)), longest);
        assert_eq!(longest.times(3), longest);
        assert_eq!(longest.after(5), i64::MAX);
        assert_eq!(longest.before(5), i64::MIN);
        assert_eq!(Millis::between(7, 3), Millis::new(0));
        assert_eq!(Millis::between(i64::MIN, i64::MAX).get(), i64::MAX as u64);
        assert_eq!(Millis::from_secs(2).left_after(Millis::from_secs(2)), None);
    }
}
