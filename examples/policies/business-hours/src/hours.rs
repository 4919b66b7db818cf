//! Hours of the week, reckoned from a timestamp: a policy has no clock and no time zones.

use steadfast_policy::{TextParameter, Timestamp};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The same hours on a range of days, such as `Mon-Fri 08:00-18:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    days: (usize, usize),
    /// In minutes of the day.
    from: i64,
    /// In minutes of the day, not within.
    to: i64,
}

impl Hours {
    /// From Monday to Friday, eight to six.
    pub const OFFICE: Self = Self {
        days: (0, 4),
        from: 8 * 60,
        to: 18 * 60,
    };

    /// Whether a moment lies within them, where clocks are ahead of UTC by so many minutes.
    pub fn contain(&self, moment: Timestamp, offset: Offset) -> bool {
        let minutes = moment.div_euclid(MINUTE).saturating_add(offset.0);
        // The epoch was a Thursday.
        let weekday = minutes.div_euclid(DAY).saturating_add(3).rem_euclid(7);
        let minute = minutes.rem_euclid(DAY);
        let (first, last) = self.days;
        usize::try_from(weekday).is_ok_and(|day| (first..=last).contains(&day))
            && (self.from..self.to).contains(&minute)
    }
}

impl TextParameter for Hours {
    fn parse(text: &str) -> Result<Self, String> {
        let (days, hours) = text.split_once(' ').ok_or("days and hours are two words")?;
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let days = (weekday(first)?, weekday(last)?);
        let (from, to) = hours.split_once('-').ok_or("the hours have a beginning and an end")?;
        let (from, to) = (minute_of_day(from)?, minute_of_day(to)?);
        if days.0 > days.1 || from >= to {
            return Err("the end lies before the beginning".into());
        }
        Ok(Self { days, from, to })
    }

    fn text(&self) -> String {
        let day = |day: usize| DAYS.get(day).copied().unwrap_or_default();
        let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let (first, last) = self.days;
        format!("{}-{} {}-{}", day(first), day(last), clock(self.from), clock(self.to))
    }
}

/// How far clocks are ahead of UTC, such as `+01:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset(i64);

impl Offset {
    /// None.
    pub const UTC: Self = Self(0);
}

impl TextParameter for Offset {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_at_checked(1) {
            Some(("+", ahead)) => minute_of_day(ahead).map(Self),
            Some(("-", behind)) => minute_of_day(behind).map(|minutes| Self(-minutes)),
            Some(_) | None => Err("an offset begins with + or -".into()),
        }
    }

    fn text(&self) -> String {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.abs());
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

fn weekday(text: &str) -> Result<usize, String> {
    let found = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("`{text}` is no weekday; they are {}", DAYS.join(", ")))
}

fn minute_of_day(text: &str) -> Result<i64, String> {
    let no_time = || format!("`{text}` is no time of day such as 08:00");
    let (hours, minutes) = text.split_once(':').ok_or_else(no_time)?;
    let hours: u8 = hours.parse().map_err(|_| no_time())?;
    let minutes: u8 = minutes.parse().map_err(|_| no_time())?;
    let minute = i64::from(hours) * 60 + i64::from(minutes);
    if minutes < 60 && minute <= DAY {
        Ok(minute)
    } else {
        Err(no_time())
    }
}
