//! Memory is compared with the store.

use steadfast_core::journal::{LoadedPart, Quarantined};

use super::*;

fn stored(rig: &Rig) -> Vec<JobRecord> {
    rig.reactor
        .records()
        .values()
        .map(|record| JobRecord::clone(record))
        .collect()
}

fn upkeep(rig: &Rig) -> Turn {
    let jobs: Vec<JobKey> = rig.reactor.records().keys().cloned().collect();
    rig.reactor.upkeep(&jobs)
}

/// A part of what the store has; the last one if there is no next.
fn part(records: &[JobRecord], next: Option<&str>) -> LoadedPart {
    LoadedPart {
        loaded: Loaded {
            records: records.to_vec(),
            ..Loaded::default()
        },
        next: next.map(str::to_owned),
    }
}

#[test]
fn what_the_store_lacks_is_known_with_its_last_part_and_who_is_new_meanwhile_is_not_lacking() {
    let mut rig = Rig::new(&["a", "b", "c"]);
    let stored = stored(&rig);
    rig.reactor.begin_comparison();
    assert!(rig.repair_by_part(part(&stored[..1], Some("-/-/a"))).is_empty());
    let new = rig.reactor.start(vec![], vec![target("d")], rig.now);
    rig.commit(new);
    let shown = rig.repair_by_part(part(&stored[2..], None));
    let [Show::Dropped(dropped), Show::Forgotten(_)] = &shown[..] else {
        panic!("{} shown", shown.len())
    };
    assert_eq!(&*dropped.target.name, "b");
    // Another comparison knows nothing of this one.
    let stored: Vec<JobRecord> = self::stored(&rig)
        .into_iter()
        .filter(|record| record.key != *dropped)
        .collect();
    rig.reactor.begin_comparison();
    let shown = rig.repair_by_part(part(&stored[..1], None));
    assert!(shown.iter().filter(|show| matches!(show, Show::Dropped(_))).count() >= stored.len() - 1);
}

#[test]
fn what_agrees_is_left_alone() {
    let mut rig = Rig::new(&["orders"]);
    let stored = stored(&rig);
    assert!(rig.repair(stored).is_empty());
}

#[test]
fn a_record_that_differs_is_as_the_store_has_it_and_judged_anew() {
    let mut rig = Rig::new(&["orders"]);
    let mut stored = stored(&rig);
    stored[0].state = JobState::Failed;
    let shown = rig.repair(stored);
    assert!(matches!(&shown[..], [Show::Repaired(view)] if view.record.state == JobState::Failed));
    assert_eq!(rig.record("orders").state, JobState::Failed);
    assert_eq!(rig.reactor.turn(rig.now).judged(), 1);
}

#[test]
fn a_record_that_the_store_lacks_is_dropped_and_begins_anew() {
    let mut rig = Rig::new(&["clicks", "orders"]);
    live(&mut rig, Duration::from_secs(10), |_| running());
    let mut stored = stored(&rig);
    stored.retain(|record| &*record.key.target.name != "orders");
    let shown = rig.repair(stored);
    let is_orders = |key: &JobKey| &*key.target.name == "orders";
    assert!(
        matches!(&shown[..], [Show::Dropped(key), Show::Forgotten(told)] if is_orders(key) && is_orders(&told.record.key))
    );
    let changes = rig.settle();
    assert_eq!(changes[0].record.revision, 1, "as the store will have it");
    live(&mut rig, Duration::from_secs(10), |_| running());
    assert_eq!(rig.record("orders").state, JobState::Running);
}

#[test]
fn a_job_that_the_store_knows_already_does_not_begin_a_second_time() {
    let mut rig = Rig::new(&["orders"]);
    let session = TargetSetup {
        mode: Mode::Session,
        ..target("session")
    };
    let first = rig.reactor.start(vec![], vec![session], rig.now);
    rig.commit(first);
    let target = TargetId::standalone("session");
    let observation = Observation::new(running(), rig.now, rig.now);
    rig.reactor.fetched(Fetched::overview(target, observation), rig.now);
    let turn = rig.reactor.turn(rig.now);
    let mut known = JobRecord::clone(&turn.changes[0].record);
    assert!(known.key.session_job.is_some());
    known.revision = 7;
    rig.refuse(turn, rig.now);
    let stored = stored(&rig).into_iter().chain([known]).collect();
    rig.repair(stored);
    let revisions: Vec<u64> = rig.settle().iter().map(|change| change.record.revision).collect();
    assert_eq!(revisions, [8]);
}

#[test]
fn a_restored_record_is_under_the_present_policy_and_not_confirmed_by_what_was_confirmed_before() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(30), |_| running());
    let mut restored = rig.record("orders").clone();
    restored.policy = steadfast_core::id::PolicyName::new("gone");
    restored.memory = vec![7];
    let before = restored.confirmed_at;
    rig.repair(vec![restored]);
    let upkeep = upkeep(&rig);
    rig.commit(upkeep);
    let record = rig.record("orders");
    assert_eq!((record.policy.as_str(), &record.memory[..]), ("believe", &[][..]));
    assert_eq!(record.confirmed_at, before);
}

#[test]
fn a_row_that_was_set_aside_is_written_anew_as_memory_has_it() {
    let mut rig = Rig::new(&["clicks", "orders"]);
    live(&mut rig, Duration::from_secs(10), |_| running());
    let before = rig.record("orders").clone();
    let records = stored(&rig).into_iter().filter(|record| record.key != before.key);
    let loaded = Loaded {
        records: records.collect(),
        set_aside: vec![Quarantined {
            job: before.key.to_string(),
            at: rig.now,
            why: "it does not read".to_owned(),
        }],
        ..Loaded::default()
    };
    let shown = rig.repair_by(loaded);
    let [Show::Changed(told, _)] = &shown[..] else {
        panic!("{} shown", shown.len())
    };
    let [Event::Transition(transition)] = &told.events[..] else {
        panic!("{:?}", told.events)
    };
    assert_eq!((transition.from, transition.to), (JobState::Unknown, JobState::Running));
    let expected = JobRecord { revision: 1, ..before };
    assert_eq!(*rig.record("orders"), expected, "nothing that was known is lost");
}

#[test]
fn where_a_row_was_set_aside_nobody_is_lacking_before_the_next_comparison() {
    let mut rig = Rig::new(&["a", "b", "c"]);
    let stored = stored(&rig);
    let mut first = part(&stored[..1], Some("?"));
    first.loaded.set_aside = vec![Quarantined {
        job: "?".to_owned(),
        at: rig.now,
        why: "it does not read".to_owned(),
    }];
    rig.reactor.begin_comparison();
    assert!(rig.repair_by_part(first).is_empty());
    // Behind how that row is shown, which is not where it stood, `b` is passed over.
    assert!(rig.repair_by_part(part(&stored[2..], None)).is_empty());
    assert_eq!(rig.reactor.records().len(), 3);
    rig.reactor.begin_comparison();
    let dropped = rig.repair_by_part(part(&[stored[0].clone(), stored[2].clone()], None));
    assert!(matches!(dropped.first(), Some(Show::Dropped(key)) if &*key.target.name == "b"));
}

#[test]
fn a_record_in_the_store_alone_that_nothing_watches_is_forgotten() {
    let mut rig = Rig::new(&["orders"]);
    let mut other = rig.record("orders").clone();
    other.key = JobKey::application(TargetId::standalone("other"));
    let mut records = stored(&rig);
    records.push(other.clone());
    let shown = rig.repair(records);
    assert!(matches!(&shown[..], [Show::Forgotten(told)] if told.record.key == other.key));
}

#[test]
fn confirmations_are_written_down_once() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(30), |_| running());
    let first = upkeep(&rig);
    assert_eq!(rig.commit(first).len(), 1);
    assert_eq!(upkeep(&rig).commit().changes, vec![]);
}
