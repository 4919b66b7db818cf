//! Times within a story.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

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

    /// Reads a number with the unit ms, s, m or h.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches(char::is_alphabetic);
        let unit = match text.get(digits.len()..)? {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 6e4,
            "h" => 3.6e6,
            _ => return None,
        };
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
        let number = digits.parse::<f64>().ok().filter(|_| plain)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a story of 2^63 ms is refused by nobody's patience"
        )]
        let millis = (number * unit).round() as i64;
        Some(Self(millis))
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a time; write a number with a unit, such as \"90s\""))
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
        for text in ["", "5", "s", "5 s", "5d", "1e3s", "infs"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
