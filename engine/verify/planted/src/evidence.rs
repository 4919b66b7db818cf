//! What the mistakes look at.

use steadfast_policy::{FaultKind, JobState, Looks, Seen, Snapshot, Timestamp};

/// The fault of a Flink that gives no usable answer.
pub(crate) fn flink_fault(s: &Snapshot) -> Option<FaultKind> {
    s.flink().fault().map(|fault| fault.kind)
}

/// Whether Flink gives no usable answer, or was not asked.
pub(crate) fn flink_is_silent(s: &Snapshot) -> bool {
    s.flink().is_unanswered()
}

/// Whether neither Flink nor Kubernetes answers.
pub(crate) fn all_is_silent(s: &Snapshot) -> bool {
    flink_is_silent(s) && s.deployment().is_unanswered() && s.pods().is_unanswered()
}

/// How many looks at Flink in a row have been unknown.
pub(crate) fn failures(s: &Snapshot) -> u32 {
    match s.flink() {
        Seen::Unknown { looks, .. } => looks.failures,
        Seen::Present { .. } | Seen::Absent { .. } | Seen::Never => 0,
    }
}

/// For how many seconds Flink has been silent.
pub(crate) fn silent_seconds(s: &Snapshot) -> u64 {
    let since = |looks: &Looks| looks.silent_for(s);
    s.flink()
        .looks()
        .and_then(since)
        .map_or(0, |silent| silent.get() / 1_000)
}

/// Whether Flink lists the job in that state.
pub(crate) fn flink_says(s: &Snapshot, state: JobState) -> bool {
    s.flink().present().is_some_and(|job| job.state == state)
}

/// Whether there is no pod, by a complete answer.
pub(crate) fn has_no_pod(s: &Snapshot) -> bool {
    match s.pods() {
        Seen::Present { value, .. } => value.is_empty(),
        Seen::Absent { .. } => true,
        Seen::Unknown { .. } | Seen::Never => false,
    }
}

/// How many pods there are.
pub(crate) fn pods(s: &Snapshot) -> usize {
    s.pods().present().map_or(0, <[_]>::len)
}

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Days since 1 January 1970.
pub(crate) fn day(now: Timestamp) -> i64 {
    now.div_euclid(DAY)
}

/// 0 is Sunday: 1 January 1970 was a Thursday.
pub(crate) fn weekday(now: Timestamp) -> i64 {
    (day(now) + 4).rem_euclid(7)
}

/// The hour of the day, in UTC.
pub(crate) fn hour(now: Timestamp) -> i64 {
    now.rem_euclid(DAY) / HOUR
}

/// Month and day of the month (civil-from-days, for the years that matter here).
pub(crate) fn date(now: Timestamp) -> (i64, i64) {
    let shifted = day(now) + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    (if month < 10 { month + 3 } else { month - 9 }, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // 2028-02-29T12:00:00Z was a Tuesday.
        let leap = 1_835_438_400_000;
        assert_eq!((date(leap), weekday(leap), hour(leap)), ((2, 29), 2, 12));
        // 2026-01-01T00:00:00Z was a Thursday.
        let year = 1_767_225_600_000;
        assert_eq!((date(year), weekday(year), hour(year)), ((1, 1), 4, 0));
    }
}
