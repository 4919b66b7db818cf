use super::*;
use crate::decision::{DecidedAlert, DecidedCondition, LookupRequest};
use crate::record::Reason;
use crate::testing::{at, decision, job_key, record};

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
    Shown::decided(&decision, 1)
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
        one.watch.validate_after *= 2;
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
