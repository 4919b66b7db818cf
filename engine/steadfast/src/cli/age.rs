//! How long ago something was, as kubectl writes it.

use std::time::Duration;

use steadfast_core::time::Timestamp;

/// The age of a moment that an engine wrote; what is no time stays as it is written.
pub(super) fn age(text: &str, now: Timestamp) -> String {
    match Timestamp::parse(text) {
        Some(at) => short(now.since(at)),
        None => text.to_owned(),
    }
}

/// `45s`, `4m12s`, `26h`, `3d4h`: the two largest units while the second one tells something.
pub(super) fn short(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: u64, unit: &str, small: u64, below: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{below}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_as_kubectl_does() {
        for (seconds, written) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (252, "4m12s"),
            (3_599, "59m"),
            (10_859, "3h"),
            (10_860, "3h1m"),
            (93_600, "26h"),
            (273_600, "3d4h"),
            (864_000, "10d"),
            (63_072_000, "2y"),
            (64_000_000, "2y10d"),
            (315_360_000, "10y"),
        ] {
            assert_eq!(short(Duration::from_secs(seconds)), written);
        }
    }

    #[test]
    fn what_is_no_time_stays_and_what_lies_ahead_has_no_age() {
        let now = Timestamp::from_millis(1_795_396_409_838);
        assert_eq!(age("2026-11-23T01:09:29.838Z", now), "4m");
        assert_eq!(age("2027-11-23T01:09:29.838Z", now), "0s");
        assert_eq!(age("-", now), "-");
    }
}
