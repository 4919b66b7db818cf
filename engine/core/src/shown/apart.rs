//! In what two decisions differ, thing by thing.

use std::time::Duration;

use super::{Aspect, Shown, ShownAlert};
use crate::lookup::LookupSource;
use crate::state::{Attention, ConditionType, Confidence, JobState};

/// How two decisions, or two ways of a job, differ in one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Apart {
    /// Other states.
    State(Pair<JobState>),
    /// Other attempts.
    Attempt(Pair<u32>),
    /// An alert that one has alone.
    Alert(ShownAlert, Side),
    /// A condition that one has alone.
    Condition(ConditionType, Side),
    /// Other degrees of confidence.
    Confidence(Pair<Confidence>),
    /// Reasons of other codes.
    Reason(Pair<String>),
    /// Only one of them polls.
    Attention(Pair<Attention>),
    /// They poll at other intervals.
    Poll(Pair<Duration>),
    /// They are judged again, whatever polls see, after other spans.
    Validation(Pair<Duration>),
    /// Evidence that one looks up alone.
    Lookup(LookupSource, Side),
    /// Evidence that both want and one alone asks for: to the other what there is will do.
    Asked(LookupSource, Side),
}

/// What the first has, and what the second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair<T> {
    /// The first's.
    pub first: T,
    /// The second's.
    pub second: T,
}

/// Which of two has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Only the first.
    First,
    /// Only the second.
    Second,
}

impl Apart {
    /// In which aspect of a decision it is.
    pub const fn aspect(&self) -> Aspect {
        match self {
            Self::State(_) => Aspect::State,
            Self::Attempt(_) => Aspect::Attempt,
            Self::Alert(..) => Aspect::Alerts,
            Self::Condition(..) => Aspect::Conditions,
            Self::Confidence(_) => Aspect::Confidence,
            Self::Reason(_) => Aspect::Reason,
            Self::Attention(_) | Self::Poll(_) | Self::Validation(_) => Aspect::Pace,
            Self::Lookup(..) | Self::Asked(..) => Aspect::Lookups,
        }
    }

    /// All that is apart in two decisions, the gravest first. What is asked next is compared where both say it.
    pub fn all(first: &Shown, second: &Shown) -> Vec<Self> {
        let mut all = Vec::new();
        all.extend(pair(&first.state, &second.state).map(Self::State));
        all.extend(pair(&first.attempt, &second.attempt).map(Self::Attempt));
        all.extend(alone(&first.alerts, &second.alerts).map(|(alert, side)| Self::Alert(alert, side)));
        all.extend(alone(&first.conditions, &second.conditions).map(|(kind, side)| Self::Condition(kind, side)));
        all.extend(pair(&first.confidence, &second.confidence).map(Self::Confidence));
        all.extend(pair(&first.reason, &second.reason).map(Self::Reason));
        all.extend(pair(&first.attention, &second.attention).map(Self::Attention));
        if let (Some(first), Some(second)) = (&first.looks, &second.looks) {
            all.extend(pair(&first.poll_after, &second.poll_after).map(Self::Poll));
            let validations = first.validate_after.zip(second.validate_after);
            all.extend(validations.and_then(|(first, second)| pair(&first, &second).map(Self::Validation)));
            all.extend(alone(&first.wanted, &second.wanted).map(|(source, side)| Self::Lookup(source, side)));
            if let (Some(of_first), Some(of_second)) = (&first.asked, &second.asked) {
                let want_both = |source: &LookupSource| first.wanted.contains(source) && second.wanted.contains(source);
                let asked = alone(of_first, of_second).filter(|(source, _)| want_both(source));
                all.extend(asked.map(|(source, side)| Self::Asked(source, side)));
            }
        }
        all
    }
}

fn pair<T: Clone + PartialEq>(first: &T, second: &T) -> Option<Pair<T>> {
    (first != second).then(|| Pair {
        first: first.clone(),
        second: second.clone(),
    })
}

/// What only one of two lists has.
fn alone<'a, T: Clone + PartialEq>(first: &'a [T], second: &'a [T]) -> impl Iterator<Item = (T, Side)> + 'a {
    let of_first = first.iter().filter(|one| !second.contains(one));
    let of_second = second.iter().filter(|one| !first.contains(one));
    of_first
        .map(|one| (one.clone(), Side::First))
        .chain(of_second.map(|one| (one.clone(), Side::Second)))
}
