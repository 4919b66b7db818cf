//! What the store does not take of one job costs that job alone.

use steadfast_core::journal::{Part, Refusal};
use steadfast_core::record::PostedIntent;
use steadfast_core::state::Intent;

use super::*;

fn refusal(name: &str, part: Part) -> Refusal {
    Refusal {
        key: JobKey::application(TargetId::standalone(name)),
        part,
        why: "it would not read back".to_owned(),
    }
}

/// Both were heard of, and nothing was decided yet.
fn heard() -> Rig {
    let mut rig = Rig::new(&["clicks", "orders"]);
    for name in ["clicks", "orders"] {
        let observation = Observation::new(running(), rig.now, rig.now);
        let fetched = Fetched::overview(TargetId::standalone(name), observation);
        rig.reactor.fetched(fetched, rig.now);
    }
    rig
}

/// A turn of which the store does not take `orders`.
fn turn_without_orders(rig: &mut Rig) -> Vec<Change> {
    let mut turn = rig.reactor.turn(rig.now);
    let out = rig
        .reactor
        .put_back(&mut turn, &[refusal("orders", Part::Change)], rig.now);
    assert_eq!(out, [refusal("orders", Part::Change).key].into());
    let changes = turn.commit().changes;
    rig.reactor.advance(turn, rig.now);
    changes
}

#[test]
fn the_others_are_committed_and_the_job_is_decided_again_after_a_pause() {
    let mut rig = heard();
    let key = refusal("orders", Part::Change).key;
    let since = rig.now;
    assert_eq!(turn_without_orders(&mut rig).len(), 1);
    assert_eq!(rig.record("clicks").state, JobState::Running);
    assert_eq!(
        rig.record("orders").state,
        JobState::Unknown,
        "as it was committed last"
    );
    assert_eq!(rig.reactor.watch_status(&key).unwritten_since, Some(since));
    assert_eq!(rig.reactor.unwritten()[&key], "it would not read back");
    assert_eq!(rig.reactor.turn(rig.now).judged(), 0, "not at once");
    let mut decided = 0;
    while rig.now < since.after(Duration::from_secs(300)) {
        rig.now = rig.reactor.next_turn(rig.now).unwrap();
        let mut turn = rig.reactor.turn(rig.now);
        if turn.changes.iter().any(|change| change.record.key == key) {
            decided += 1;
            rig.reactor
                .put_back(&mut turn, &[refusal("orders", Part::Change)], rig.now);
        }
        rig.commit(turn);
        rig.fetches.clear();
    }
    assert!((10..100).contains(&decided), "{decided} times in five minutes");
    assert_eq!(rig.reactor.watch_status(&key).unwritten_since, Some(since));
    live(&mut rig, Duration::from_secs(60), |_| running());
    assert_eq!(rig.record("orders").state, JobState::Running);
    assert_eq!(rig.reactor.watch_status(&key).unwritten_since, None);
    assert!(rig.reactor.unwritten().is_empty());
}

#[test]
fn a_snapshot_that_is_not_taken_costs_the_job_nothing() {
    let mut rig = heard();
    let mut turn = rig.reactor.turn(rig.now);
    let out = rig
        .reactor
        .put_back(&mut turn, &[refusal("orders", Part::Snapshot)], rig.now);
    assert!(out.is_empty());
    rig.commit(turn);
    assert_eq!(rig.record("orders").state, JobState::Running);
    assert!(rig.reactor.unwritten().is_empty());
}

#[test]
fn a_job_that_cannot_begin_does_not_keep_another_from_beginning() {
    let mut rig = Rig::new(&[]);
    let session = |name| TargetSetup {
        mode: Mode::Session,
        ..target(name)
    };
    let first = rig.reactor.start(vec![], vec![session("a"), session("b")], rig.now);
    rig.commit(first);
    for name in ["a", "b"] {
        let observation = Observation::new(running(), rig.now, rig.now);
        rig.reactor
            .fetched(Fetched::overview(TargetId::standalone(name), observation), rig.now);
    }
    let mut turn = rig.reactor.turn(rig.now);
    let bad = turn
        .changes
        .iter()
        .find(|change| &*change.record.key.target.name == "a");
    let key = bad.unwrap().record.key.clone();
    let refused = Refusal {
        key: key.clone(),
        part: Part::Change,
        why: "its name cannot be kept".to_owned(),
    };
    let out = rig.reactor.put_back(&mut turn, &[refused], rig.now);
    assert_eq!(out, [key.clone()].into());
    rig.commit(turn);
    rig.settle();
    let names: Vec<&str> = rig.reactor.records().keys().map(|key| &*key.target.name).collect();
    assert_eq!(names, ["b"]);
    assert_eq!(rig.reactor.records().values().next().unwrap().state, JobState::Running);
    assert!(rig.reactor.unwritten().contains_key(&key));
}

#[test]
fn an_intent_that_is_said_again_is_no_news() {
    let mut rig = Rig::new(&["orders"]);
    let key = JobKey::application(TargetId::standalone("orders"));
    let mut events = Vec::new();
    for (intent, author) in [
        (Intent::Cancel, Some("me")),
        (Intent::Cancel, Some("me")),
        (Intent::Cancel, Some("you")),
        (Intent::Savepoint, Some("you")),
        (Intent::Savepoint, Some("you")),
    ] {
        rig.now = rig.now.after(Duration::from_secs(1));
        let turn = rig
            .reactor
            .intend(&key, PostedIntent::new(intent, author.map(Into::into), rig.now), None)
            .unwrap();
        events.push(rig.commit(turn)[0].events.len());
        let posted = rig.record("orders").intent.clone().unwrap();
        assert_eq!((posted.intent, posted.since), (intent, rig.now), "it is renewed");
    }
    assert_eq!(events, [1, 0, 1, 1, 0]);
}
