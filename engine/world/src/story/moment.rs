//! Times within a story.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use steadfast_core::duration::parse_duration;

/// A time relative to the story's beginning, in milliseconds; what happened before it is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Moment(i64);

impl Moment {
    /// That many milliseconds behind the beginning.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds behind the beginning.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How far it lies behind the beginning; zero for what lies before.
    pub fn elapsed(self) -> Duration {
        Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }

    /// Reads what a configuration takes for a duration, such as `90s`, `1.5h` or `4h59m`, with a minus in front of it for what
    /// lies before.
    pub fn parse(text: &str) -> Option<Self> {
        // What a Flink may write is any number of milliseconds, and more than durations have room for.
        if let Some(millis) = text.strip_suffix("ms").and_then(|number| number.parse().ok()) {
            return Some(Self(millis));
        }
        let (before, span) = match text.strip_prefix('-') {
            Some(span) => (true, span),
            None => (false, text),
        };
        // A second sign is none of ours.
        let span = parse_duration(span).filter(|_| !span.starts_with(['-', '+']))?;
        let millis = i64::try_from(span.as_millis()).ok()?;
        Some(Self(if before { -millis } else { millis }))
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!("`{text}` is not a time; write numbers with units (ms, s, m, h, d), such as \"90s\" or \"4h59m\"")
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}s", self.0 / 1000, (self.0 % 1000).unsigned_abs() / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit_and_not_without() {
        assert_eq!(Moment::parse("1.5s"), Some(Moment(1500)));
        assert_eq!(Moment::parse("-2m"), Some(Moment(-120_000)));
        assert_eq!(Moment::parse("24h"), Some(Moment(86_400_000)));
        assert_eq!(Moment::parse("4h59m"), Some(Moment(17_940_000)));
        assert_eq!(Moment::parse("-1d 30m"), Some(Moment(-88_200_000)));
        for edge in [i64::MIN, i64::MAX] {
            assert_eq!(Moment::parse(&format!("{edge}ms")), Some(Moment(edge)));
        }
        for text in ["", "5", "s", "--5s", "-+5s", "1e3s", "infs", "1y", "5s ago"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
