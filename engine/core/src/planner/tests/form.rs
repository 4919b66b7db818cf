//! No rule about form vetoes a fact.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::decision::LookupSource;
use crate::foreign_text::is_harmful;
use crate::timing::Timing;

fn condition(kind: ConditionType, message: &str) -> DecidedCondition {
    DecidedCondition {
        kind,
        message: message.into(),
    }
}

fn alert(name: &str, message: &str) -> DecidedAlert {
    DecidedAlert {
        name: name.into(),
        scope: AlertScope::Job,
        message: message.into(),
    }
}

fn long() -> String {
    "é".repeat(5_000)
}

/// Each way in which a decision can fail to fit the contract, and what is said of it.
type Damage = (Trim, fn(&mut Decision));

const DAMAGES: [Damage; 14] = [
    (Trim::NoReasonCode, |d| d.reason.code.clear()),
    (Trim::ReasonCode, |d| d.reason.code = long()),
    (Trim::ReasonMessage, |d| d.reason.message = long()),
    (Trim::Rule, |d| d.rule = long()),
    (Trim::EngineCondition, |d| {
        d.conditions = vec![
            condition(ConditionType::PolicyFailing, ""),
            condition(ConditionType::RateLimited, ""),
        ]
    }),
    (Trim::ConditionCount, |d| {
        d.conditions = vec![condition(ConditionType::CrashLoop, "it"); COUNT_LIMIT + 1]
    }),
    (Trim::ConditionMessage, |d| {
        d.conditions = vec![condition(ConditionType::AccessDenied, &long())]
    }),
    (Trim::AlertCount, |d| {
        d.alerts = (0..15_000).map(|n| alert(&format!("Alert{n}"), "it")).collect()
    }),
    (Trim::AlertName, |d| d.alerts = vec![alert("", "it")]),
    (Trim::AlertName, |d| d.alerts = vec![alert(&long(), "it")]),
    (Trim::AlertMessage, |d| d.alerts = vec![alert("JobFailed", &long())]),
    (Trim::WantedCount, |d| {
        d.wanted = vec![
            LookupRequest {
                source: LookupSource::Events,
                observed_after: at(0)
            };
            COUNT_LIMIT + 1
        ]
    }),
    (Trim::PollAfter, |d| d.watch.poll_after = Duration::ZERO),
    (Trim::ValidateAfter, |d| d.watch.validate_after = Duration::MAX),
];

#[test]
fn a_job_that_has_failed_is_failed_whatever_else_is_said_of_it() {
    let first = step(&record(), 1, running()).unwrap().record;
    for (trim, damage) in DAMAGES {
        let mut decision = Decision {
            state: JobState::Failed,
            ..running()
        };
        damage(&mut decision);
        let plan = plan(&first, &snapshot(&first, 5), Ok(decision));
        assert_eq!(plan.trimmed, BTreeSet::from([trim]));
        let change = plan.change.unwrap();
        assert!(
            matches!(&change.events[0], Event::Transition(t) if t.to == JobState::Failed),
            "{trim:?}"
        );
        assert_eq!(
            (change.record.state, change.record.confidence),
            (JobState::Failed, Confidence::Confirmed)
        );
        let said = &change.record.condition(ConditionType::DecisionTrimmed).unwrap().message;
        assert!(said.contains(&trim.said()), "{said}");
        assert_fits(&change.record);
        assert!(matches!(plan.next, Next::Watch { watch, wanted }
            if Timing::PACES.contains(&watch.poll_after) && Timing::PACES.contains(&watch.validate_after)
                && wanted.len() <= COUNT_LIMIT));
    }
}

fn assert_fits(record: &JobRecord) {
    let messages = record.conditions.iter().map(|it| &it.message);
    let messages = messages.chain(record.alerts.iter().map(|it| &it.message));
    for text in messages.chain([&record.reason.message]) {
        assert!(
            text.len() <= TEXT_LIMIT && !text.chars().any(is_harmful),
            "{} bytes",
            text.len()
        );
    }
    for name in record.alerts.iter().map(|it| &it.name).chain([&record.reason.code]) {
        assert!((1..=NAME_LIMIT).contains(&name.len()), "{name}");
    }
    assert!(record.alerts.len() <= COUNT_LIMIT);
    assert!(record.condition(ConditionType::PolicyFailing).is_none());
}

#[test]
fn what_was_trimmed_before_is_told_once() {
    let mut decision = running();
    decision.reason.message = long();
    let first = step(&record(), 1, decision.clone()).unwrap();
    // Longer still, and cut to the same: nothing new to say.
    decision.reason.message.push_str(&long());
    assert_eq!(step(&first.record, 2, decision), None);
    let mended = step(&first.record, 3, running()).unwrap();
    assert!(mended.record.conditions.is_empty(), "{:?}", mended.record.conditions);
}

#[test]
fn the_paces_are_those_of_the_configuration() {
    let asked = |poll, terminal_poll, asked| {
        let timing = Timing {
            poll: Duration::from_millis(poll),
            terminal_poll: Duration::from_millis(terminal_poll),
            ..Timing::default()
        };
        let snapshot = Snapshot {
            timing,
            ..snapshot(&record(), 1)
        };
        let mut decision = running();
        decision.watch.poll_after = Duration::from_millis(asked);
        let Next::Watch { watch, .. } = plan(&record(), &snapshot, Ok(decision)).next else {
            panic!("a pace is no failure");
        };
        u64::try_from(watch.poll_after.as_millis()).unwrap()
    };
    assert_eq!(asked(5_000, 60_000, 10), 500, "a tenth of the poll");
    assert_eq!(asked(60_000, 60_000, 10), 1_000, "a second is never too short");
    assert_eq!(asked(50, 60_000, 1), 10, "below it is the clock's own noise");
    assert_eq!(asked(5_000, 100, 100), 100, "what is configured is not too short");
    assert_eq!(asked(5_000, 60_000, 172_800_000), 86_400_000, "a day");
    assert_eq!(asked(86_400_000, 86_400_000, 86_400_000), 86_400_000);
}

fn any_text() -> impl Strategy<Value = String> {
    (vec(any::<char>(), 0..40), 0_usize..300).prop_map(|(text, times)| text.iter().collect::<String>().repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_policy_writes_its_state_counts_and_the_record_fits(
        texts in vec(any_text(), 5),
        alerts in vec((any_text(), any_text()), 0..40),
        paces in (any::<u64>(), any::<u64>()),
    ) {
        let mut decision = Decision { state: JobState::Failed, ..running() };
        let [code, message, rule, shown, more] = texts.try_into().unwrap();
        decision.reason = Reason { code, message };
        decision.rule = rule;
        decision.conditions = vec![condition(ConditionType::CrashLoop, &shown), condition(ConditionType::ImagePull, &more)];
        decision.alerts = alerts.iter().map(|(name, message)| alert(name, message)).collect();
        decision.watch.poll_after = Duration::from_millis(paces.0);
        decision.watch.validate_after = Duration::from_millis(paces.1);
        let change = step(&record(), 1, decision).unwrap();
        prop_assert_eq!(change.record.state, JobState::Failed);
        assert_fits(&change.record);
    }
}

#[test]
fn the_limits_are_those_that_the_contract_names() {
    assert_eq!(
        (MEMORY_LIMIT, TEXT_LIMIT, NAME_LIMIT, COUNT_LIMIT),
        (16_384, 4_096, 128, 32)
    );
}
