use super::*;
use crate::decision::{DecidedAlert, DecidedCondition, LookupRequest};
use crate::record::Reason;
use crate::testing::{at, decision, job_key, observed, record, shown as shown_of, snapshot};

fn alert(name: &str, scope: AlertScope) -> DecidedAlert {
    DecidedAlert {
        name: name.to_owned(),
        scope,
        message: "7 restarts since 12:00".to_owned(),
    }
}

fn shown(change: impl FnOnce(&mut Decision)) -> Shown {
    let mut decision = decision(JobState::Running);
    change(&mut decision);
    shown_of(&decision, 1)
}

fn condition(kind: ConditionType) -> DecidedCondition {
    DecidedCondition {
        kind,
        message: "it stands".to_owned(),
    }
}

fn wants(source: LookupSource, after: i64) -> LookupRequest {
    LookupRequest {
        source,
        observed_after: at(after),
    }
}

fn words(aspects: &Aspects) -> Vec<&'static str> {
    aspects.iter().map(Aspect::as_str).collect()
}

#[test]
fn each_aspect_is_told_apart_from_the_others() {
    let plain = shown(|_| ());
    let differs = |change: fn(&mut Decision)| words(&shown(change).differs_from(&plain));
    assert_eq!(differs(|_| ()), [""; 0]);
    assert_eq!(differs(|one| one.state = JobState::Lost), ["state"]);
    assert_eq!(
        differs(|one| one.alerts = vec![alert("A", AlertScope::Job)]),
        ["alerts"]
    );
    assert_eq!(
        differs(|one| one.conditions = vec![condition(ConditionType::CrashLoop)]),
        ["conditions"]
    );
    assert_eq!(differs(|one| one.confidence = Confidence::Stale), ["confidence"]);
    assert_eq!(
        differs(|one| one.reason = Reason::new("Other", "so it was decided")),
        ["reason"]
    );
    assert_eq!(differs(|one| one.watch.poll_after *= 2), ["pace"]);
    assert_eq!(differs(|one| one.watch.validate_after *= 2), ["pace"]);
    assert_eq!(differs(|one| one.watch.attention = Attention::Sleeping), ["pace"]);
    assert_eq!(
        differs(|one| one.wanted = vec![wants(LookupSource::Events, 1)]),
        ["lookups"]
    );
    let later = Shown {
        attempt: 2,
        ..plain.clone()
    };
    assert_eq!(words(&later.differs_from(&plain)), ["attempt"]);
    assert!(later.differs_from(&plain).are_of_state());
}

#[test]
fn texts_and_times_are_no_difference() {
    let one = shown(|one| {
        one.alerts = vec![alert("B", AlertScope::Job), alert("A", AlertScope::Cluster)];
        one.wanted = vec![wants(LookupSource::Events, 1), wants(LookupSource::Archive, 1)];
    });
    let other = shown(|one| {
        one.alerts = vec![alert("A", AlertScope::Cluster), alert("B", AlertScope::Job)];
        one.alerts[0].message = "8 restarts since 12:01".to_owned();
        one.wanted = vec![wants(LookupSource::Archive, 9), wants(LookupSource::Events, 9)];
        one.reason.message = "so it was decided again".to_owned();
        one.memory = vec![1];
    });
    assert!(one.differs_from(&other).is_empty());
}

#[test]
fn an_alert_about_something_else_is_another_alert() {
    let about = |scope| shown(|one| one.alerts = vec![alert("A", scope)]);
    assert_eq!(
        words(&about(AlertScope::Job).differs_from(&about(AlertScope::Cluster))),
        ["alerts"]
    );
    let twice = shown(|one| one.alerts = vec![alert("A", AlertScope::Job), alert("A", AlertScope::Cluster)]);
    assert_eq!(twice, about(AlertScope::Job), "the first of a name counts");
}

#[test]
fn where_a_policy_failed_the_record_counts_and_no_pace_is_compared() {
    let mut kept = record(job_key("orders"), at(0));
    kept.conditions = [ConditionType::PolicyFailing, ConditionType::RateLimited]
        .map(|kind| crate::record::Condition {
            kind,
            since: at(0),
            message: String::new(),
        })
        .to_vec();
    let failed = Shown::kept(&kept);
    assert_eq!(failed.conditions, [ConditionType::PolicyFailing]);
    let decided = Shown {
        conditions: Vec::new(),
        looks: shown(|_| ()).looks,
        ..failed.clone()
    };
    assert_eq!(words(&failed.differs_from(&decided)), ["conditions"]);
}

#[test]
fn a_decision_that_does_not_fit_the_contract_is_another_one_and_circumstances_of_the_engine_are_not() {
    let decision = decision(JobState::Running);
    let snapshot = snapshot(record(job_key("orders"), at(0)), at(10));
    let plain = Shown::decided(&decision, &BTreeSet::new(), &snapshot);
    let trimmed = Shown::decided(&decision, &BTreeSet::from([Trim::AlertMessage]), &snapshot);
    assert_eq!(words(&trimmed.differs_from(&plain)), ["conditions"]);
    let mut outdated = decision.clone();
    outdated.conditions = vec![condition(ConditionType::PolicyOutdated)];
    let outdated = Shown::decided(&outdated, &BTreeSet::new(), &snapshot);
    assert!(outdated.differs_from(&plain).is_empty());
}

#[test]
fn evidence_that_is_asked_for_anew_at_each_look_is_no_evidence_that_was_asked_for_once() {
    let mut seen = snapshot(record(job_key("orders"), at(0)), at(10));
    seen.events = observed(crate::evidence::Observed::Present(Vec::new()), at(8));
    let wants = |after| {
        let mut decision = decision(JobState::Running);
        decision.wanted = vec![wants(LookupSource::Events, after)];
        Shown::decided(&decision, &BTreeSet::new(), &seen)
    };
    let (once, since_long, anew) = (wants(7), wants(1), wants(9));
    assert!(once.differs_from(&since_long).is_empty(), "what there is does for both");
    assert_eq!(words(&once.differs_from(&anew)), ["lookups"]);
    assert_eq!(
        Apart::all(&once, &anew),
        [Apart::Asked(LookupSource::Events, Side::Second)]
    );
    // A build that did not keep it says nothing of it.
    let mut before = once;
    let looks = before.looks.as_mut().unwrap();
    (looks.asked, looks.validate_after) = (None, None);
    assert!(before.differs_from(&anew).is_empty());
}

#[test]
fn what_two_differ_in_is_what_is_told_of_them() {
    let plain = shown(|_| ());
    let all = shown(|one| {
        one.state = JobState::Lost;
        one.alerts = vec![alert("A", AlertScope::Job)];
        one.conditions = vec![condition(ConditionType::CrashLoop)];
        one.confidence = Confidence::Stale;
        one.reason = Reason::new("Other", "");
        one.watch.validate_after *= 2;
        one.wanted = vec![wants(LookupSource::Events, 1)];
    });
    let told: Vec<Aspect> = Apart::all(&plain, &all).iter().map(Apart::aspect).collect();
    assert_eq!(told, all.differs_from(&plain).iter().collect::<Vec<_>>());
    assert_eq!(told.len(), 7);
}
