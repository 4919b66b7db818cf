//! How much a job's decisions may write.

use super::*;
use crate::timing::Timing;

/// The allowance after so many entries at one moment.
fn after(entries: u32) -> Allowance {
    Spent::more(None, entries as usize, at(1), &Timing::default()).allowance(at(1), &Timing::default())
}

fn with_alerts(state: JobState, alerts: u32) -> Decision {
    let alert = |n| DecidedAlert {
        name: format!("Alert{n}"),
        scope: AlertScope::Job,
        message: "it".into(),
    };
    Decision {
        state,
        alerts: (0..alerts).map(alert).collect(),
        ..running()
    }
}

fn limited(before: &JobRecord, decision: Decision, allowance: Allowance) -> Change {
    plan_within(before, &snapshot(before, 2), Ok(decision), allowance)
        .change
        .unwrap()
}

#[test]
fn a_state_is_written_where_its_alerts_find_no_room() {
    let first = step(&record(), 1, with_alerts(JobState::Running, 2)).unwrap().record;
    let change = limited(&first, with_alerts(JobState::Failed, 20), after(AT_ONCE - 10));
    assert!(matches!(change.events.as_slice(), [Event::Transition(t)] if t.to == JobState::Failed));
    assert_eq!(change.record.alerts, first.alerts, "none begins, none is resolved");
    assert!(change.record.condition(ConditionType::RateLimited).is_some());
    // With room again they begin, once.
    let later = limited(&change.record, with_alerts(JobState::Failed, 20), after(0));
    assert_eq!(later.record.alerts.len(), 20);
    assert!(later.record.condition(ConditionType::RateLimited).is_none());
}

#[test]
fn the_limit_is_shown_with_its_last_entry_until_the_job_is_calm() {
    let first = step(&record(), 1, running()).unwrap().record;
    let other = |state| Decision { state, ..running() };
    let last = limited(&first, other(JobState::Restarting), after(AT_ONCE - 1)).record;
    assert!(last.condition(ConditionType::RateLimited).is_some());
    let still = limited(&last, other(JobState::Running), after(AT_ONCE / 2)).record;
    assert!(still.condition(ConditionType::RateLimited).is_some());
    let calm = limited(&still, other(JobState::Running), after(AT_ONCE / 2 - 1)).record;
    assert!(calm.condition(ConditionType::RateLimited).is_none());
    // Nobody who stays below it hears of it.
    let below = limited(&first, other(JobState::Restarting), after(AT_ONCE - 2)).record;
    assert!(below.conditions.is_empty());
}

#[test]
fn alerts_that_an_earlier_build_took_go_at_once() {
    let mut first = JobRecord::clone(&step(&record(), 1, running()).unwrap().record);
    first.alerts = (0..15_000)
        .map(|n| crate::record::StandingAlert {
            name: format!("Alert{n}"),
            scope: AlertScope::Job,
            since: at(0),
            message: "it".into(),
            silenced: false,
        })
        .collect();
    let change = limited(&first, with_alerts(JobState::Running, 3), after(0));
    assert_eq!(change.record.alerts.len(), 3);
}

#[test]
fn what_was_spent_is_made_up_for_poll_by_poll() {
    let timing = Timing::default();
    let spent = Spent::more(None, EACH_POLL as usize, at(10), &timing);
    assert!(!spent.is_made_up(at(14)) && spent.is_made_up(at(15)));
}
