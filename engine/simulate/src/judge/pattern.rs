//! Whether recorded states are those that a verdict lists.

use steadfast_core::state::JobState;
use steadfast_world::story::{Pace, Times};

/// Whether the whole list fits. What comes before a first observation need not be listed.
pub fn fits(wanted: &[Pace], states: &[JobState]) -> bool {
    let before = |state: &JobState| {
        matches!(
            state,
            JobState::Unknown | JobState::Starting | JobState::Created | JobState::Initializing
        )
    };
    let skippable = states.iter().take_while(|state| before(state)).count();
    (0..=skippable).any(|skipped| matches(wanted, states.get(skipped..).unwrap_or_default()))
}

fn matches(wanted: &[Pace], states: &[JobState]) -> bool {
    let Some((pace, later)) = wanted.split_first() else {
        return states.is_empty();
    };
    let first = states.split_first().filter(|(state, _)| pace.states.contains(state));
    let taken = |rest: &[Pace]| first.is_some_and(|(_, states)| matches(rest, states));
    match pace.times {
        Times::Once => taken(later),
        Times::Optional => taken(later) || matches(later, states),
        Times::Any => taken(wanted) || matches(later, states),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<Pace> {
        names
            .iter()
            .map(|name| Pace::try_from((*name).to_owned()).unwrap())
            .collect()
    }

    fn states(names: &str) -> Vec<JobState> {
        names.split(' ').map(|name| JobState::parse(name).unwrap()).collect()
    }

    #[test]
    fn optional_repeated_and_alternative_elements_fit() {
        let wanted = list(&[
            "RUNNING",
            "CANCELLING?",
            "CANCELED",
            "STARTING|INITIALIZING*",
            "RUNNING",
        ]);
        for good in [
            "RUNNING CANCELED RUNNING",
            "UNKNOWN STARTING RUNNING CANCELLING CANCELED RUNNING",
            "RUNNING CANCELLING CANCELED STARTING INITIALIZING STARTING RUNNING",
        ] {
            assert!(fits(&wanted, &states(good)), "{good}");
        }
        for bad in [
            "RUNNING",
            "RUNNING CANCELED RUNNING FAILED",
            "FAILED RUNNING CANCELED RUNNING",
            "RUNNING CANCELLING CANCELLING CANCELED RUNNING",
        ] {
            assert!(!fits(&wanted, &states(bad)), "{bad}");
        }
    }
}
