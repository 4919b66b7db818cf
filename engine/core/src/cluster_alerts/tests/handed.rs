//! Records that another policy decides from now on, with alerts and silences about the policies.

use super::*;
use crate::record::Silence;

const FAILING: &str = "PolicyFailing";
const OUTDATED: &str = "PolicyOutdated";

/// A record that the policy decides, with these alerts about the policy.
fn of(key: &str, policy: &str, alerts: &[&str]) -> JobRecord {
    let mut record = record(key, alerts);
    record.policy = PolicyName::new(policy);
    record
        .alerts
        .iter_mut()
        .for_each(|alert| alert.scope = AlertScope::Policy);
    record
}

fn silencing(record: JobRecord, alert: &str) -> JobRecord {
    let silence = Silence {
        alert: alert.to_owned(),
        since: Timestamp::from_millis(0),
        until: Timestamp::from_millis(1_000_000),
        by: None,
        comment: None,
    };
    JobRecord {
        silences: vec![silence],
        ..record
    }
}

fn begins(record: &JobRecord, alert: &str) -> Change {
    change(record, alert, AlertScope::Policy, Firing)
}

fn hand(journal: &Journal, key: &str, policy: &str) -> Change {
    let key = JobKey::parse(&format!("local/default/{key}")).unwrap();
    let record = &journal.records[&key];
    let handed = record.handed_to(&PolicyName::new(policy));
    Change::update(record, handed, vec![Event::updated(record)])
}

type Said = (String, String, bool);

/// What is told: of which record, which alert, and whether nobody is to hear of it.
fn said(changes: &[Change]) -> Vec<Said> {
    let of = |change: &Change| {
        let name = change.record.key.target.name.to_string();
        let alerts = change.events.iter().filter_map(move |event| match event {
            Event::Alert(alert) => Some((name.clone(), alert.alert.clone(), alert.silenced)),
            Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        });
        alerts.collect::<Vec<_>>()
    };
    changes.iter().flat_map(of).collect()
}

fn is(name: &str, alert: &str, silenced: bool) -> Vec<Said> {
    vec![(name.to_owned(), alert.to_owned(), silenced)]
}

#[test]
fn a_silence_that_comes_along_does_not_reach_back_to_what_was_told_of_the_next_policy() {
    let mut journal = Journal::of(&[silencing(of("a", "p", &[]), FAILING), of("c", "q", &[])]);
    let begun = journal.commit(vec![begins(&of("c", "q", &[FAILING]), FAILING)]);
    assert_eq!(said(&begun), is("c", FAILING, false));
    let handed = journal.commit(vec![hand(&journal, "a", "q")]);
    assert_eq!(said(&handed), []);
    assert_eq!(
        handed[0].record.silences[0].since,
        AT.after(std::time::Duration::from_millis(1))
    );
    // Where nothing stands there, it is as it was.
    let handed = journal.commit(vec![hand(&journal, "a", "r")]);
    assert_eq!(
        handed[0].record.silences[0].since,
        AT.after(std::time::Duration::from_millis(1))
    );
    let mut quiet = Journal::of(&[silencing(of("a", "p", &[]), FAILING)]);
    let handed = quiet.commit(vec![hand(&quiet, "a", "q")]);
    assert_eq!(handed[0].record.silences[0].since, Timestamp::from_millis(0));
}

#[test]
fn an_alert_that_comes_along_is_as_told_as_that_of_the_next_policy() {
    let mut journal = Journal::of(&[
        of("a", "p", &[]),
        silencing(of("d", "p", &[]), FAILING),
        of("c", "q", &[]),
    ]);
    journal.commit(vec![begins(&of("c", "q", &[FAILING]), FAILING)]);
    let silent = journal.commit(vec![begins(&of("a", "p", &[FAILING]), FAILING)]);
    assert_eq!(
        (said(&silent), silent[0].record.alerts[0].silenced),
        (is("a", FAILING, true), true)
    );
    let handed = journal.commit(vec![hand(&journal, "a", "q")]);
    assert_eq!(
        (said(&handed), handed[0].record.alerts[0].silenced),
        (Vec::new(), false)
    );
}

#[test]
fn what_nobody_was_told_of_is_told_once_when_it_goes_where_nobody_silences_it() {
    let mut journal = Journal::of(&[
        of("a", "p", &[]),
        of("b", "p", &[]),
        silencing(of("d", "p", &[]), FAILING),
    ]);
    // That the policy is outdated was told; that it fails was not.
    journal.commit(vec![begins(&of("a", "p", &[OUTDATED]), OUTDATED)]);
    let both = of("a", "p", &["Another", OUTDATED, FAILING]);
    journal.commit(vec![begins(&both, FAILING), begins(&of("b", "p", &[FAILING]), FAILING)]);
    let told = journal.commit(vec![hand(&journal, "a", "q"), hand(&journal, "b", "q")]);
    assert_eq!(said(&told), is("a", FAILING, false));
}

#[test]
fn what_is_raised_in_silence_is_noted_of_that_alert_alone() {
    let mut journal = Journal::of(&[of("a", "p", &[]), silencing(of("d", "p", &[]), FAILING)]);
    journal.commit(vec![begins(&of("a", "p", &[OUTDATED]), OUTDATED)]);
    let both = journal.commit(vec![begins(&of("a", "p", &[FAILING, OUTDATED]), FAILING)]);
    let silenced: Vec<_> = both[0]
        .record
        .alerts
        .iter()
        .map(|alert| (alert.name.as_str(), alert.silenced))
        .collect();
    assert_eq!(silenced, [(FAILING, true), (OUTDATED, false)]);
}
