//! Which snapshots were decided again, and how far apart they are.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::id::JobKey;
use steadfast_core::recording::Recorded;
use steadfast_core::time::Timestamp;

/// Snapshots that were decided again. They are samples: what passes between two of a job is not seen.
#[derive(Debug, Default)]
pub(in crate::cli) struct Seen {
    snapshots: usize,
    largest_gap: Option<Duration>,
    last: BTreeMap<JobKey, Timestamp>,
}

impl Seen {
    /// Counts one.
    pub(in crate::cli) fn take(&mut self, recorded: &Recorded) {
        self.snapshots += 1;
        let now = recorded.at();
        let gap = match self.last.get_mut(recorded.key()) {
            Some(last) => Some(now.since(std::mem::replace(last, now))),
            None => {
                self.last.insert(recorded.key().clone(), now);
                None
            }
        };
        self.largest_gap = self.largest_gap.max(gap);
    }

    /// How many there are.
    pub(super) fn snapshots(&self) -> usize {
        self.snapshots
    }

    /// The longest time between two of one job; `None`: no job has two.
    pub(super) fn largest_gap(&self) -> Option<Duration> {
        self.largest_gap
    }

    /// That it is so at none of them, for people.
    pub(super) fn at_none(&self, what: &str) -> String {
        let apart = match self.largest_gap {
            Some(gap) => format!(", up to {} apart,", spoken(gap)),
            None => String::new(),
        };
        match self.snapshots {
            1 => format!("not at the one snapshot would {what}"),
            many => format!("at none of the {many} snapshots{apart} would {what}"),
        }
    }
}

/// A span for people, never shorter than it is.
fn spoken(span: Duration) -> String {
    const MINUTE: u128 = 60_000;
    let millis = span.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..=120_000 => format!("{} s", millis.div_ceil(1000)),
        120_001..=7_200_000 => format!("{} min", millis.div_ceil(MINUTE)),
        7_200_001.. => format!("{} h", millis.div_ceil(60 * MINUTE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_told_in_one_number_and_never_too_short() {
        let told = [0, 999, 60_000, 60_004, 121_000, 7_200_001].map(|millis| spoken(Duration::from_millis(millis)));
        assert_eq!(told, ["0 ms", "999 ms", "60 s", "61 s", "3 min", "3 h"]);
    }
}
