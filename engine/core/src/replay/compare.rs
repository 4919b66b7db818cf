//! Two ways of one job, side by side.

use std::time::Duration;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::RecordedTransition;
use crate::state::JobState;

/// What the second way has otherwise than the first.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// A transition that only the second has.
    Added(RecordedTransition),
    /// A transition that only the first has.
    Removed(RecordedTransition),
    /// One that both have, and the second sooner.
    Earlier {
        /// As the second has it.
        recorded: RecordedTransition,
        /// By how much.
        by: Duration,
    },
    /// One that both have, and the second later.
    Later {
        /// As the second has it.
        recorded: RecordedTransition,
        /// By how much.
        by: Duration,
    },
}

impl Difference {
    /// The transition it is about.
    pub fn recorded(&self) -> &RecordedTransition {
        match self {
            Self::Added(recorded)
            | Self::Removed(recorded)
            | Self::Earlier { recorded, .. }
            | Self::Later { recorded, .. } => recorded,
        }
    }
}

/// The differences, oldest first. Transitions to the same state in the same attempt, in the same order, are the same
/// transitions, perhaps at other times.
pub fn compare(first: &[RecordedTransition], second: &[RecordedTransition]) -> Vec<Difference> {
    let steps = capture_diff_slices(Algorithm::Myers, &destinations(first), &destinations(second));
    let mut differences = Vec::new();
    for step in steps {
        let (tag, of_first, of_second) = step.as_tag_tuple();
        let (lone_first, lone_second) = (
            first.get(of_first).unwrap_or_default(),
            second.get(of_second).unwrap_or_default(),
        );
        if tag == DiffTag::Equal {
            differences.extend(lone_first.iter().zip(lone_second).filter_map(|(a, b)| moved(a, b)));
        } else {
            differences.extend(lone_first.iter().cloned().map(Difference::Removed));
            differences.extend(lone_second.iter().cloned().map(Difference::Added));
        }
    }
    differences.sort_by_key(|difference| difference.recorded().at);
    differences
}

/// What makes two transitions the same one.
fn destinations(way: &[RecordedTransition]) -> Vec<(JobState, u32)> {
    way.iter()
        .map(|recorded| (recorded.transition.to, recorded.transition.attempt))
        .collect()
}

fn moved(a: &RecordedTransition, b: &RecordedTransition) -> Option<Difference> {
    let recorded = b.clone();
    match a.at.cmp(&b.at) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Less => Some(Difference::Later {
            by: b.at.since(a.at),
            recorded,
        }),
        std::cmp::Ordering::Greater => Some(Difference::Earlier {
            by: a.at.since(b.at),
            recorded,
        }),
    }
}
