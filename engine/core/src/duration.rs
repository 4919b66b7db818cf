//! Durations, as people write them.

use std::time::Duration;

use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;

/// Reads a number with a unit, such as `500ms`, `90s`, `24h` or `7d`, or several of them: `1h 30m`. A day has 24 hours, a
/// week 7 days. `None` for everything else: a number without a unit, months and years, which differ in length, and what
/// lies in the past.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let span = SpanParser::new().parse_span(text).ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_unit_of_a_fixed_length_is_read() {
        for (text, millis) in [
            ("10ms", 10),
            ("0s", 0),
            ("5s", 5_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("1.5s", 1_500),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn the_rest_is_not() {
        for text in [
            "",
            "5",
            "s",
            "-5s",
            "5s ago",
            "5 parsecs",
            "1y",
            "1mo",
            "PT5S",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
