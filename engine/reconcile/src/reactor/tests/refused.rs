//! A store that does not take a commit costs time, and nothing else.

use super::*;
use crate::turn::Show;

/// Plans a turn and gives it back as refused. Returns how many changes it had.
fn refuse(rig: &mut Rig, pause: Duration) -> usize {
    let mut turn = rig.reactor.turn(rig.now);
    let changes = turn.commit().changes.len();
    rig.refuse(turn, rig.now.after(pause));
    changes
}

#[test]
fn what_was_refused_is_decided_again_and_memory_is_as_it_was() {
    let mut rig = Rig::new(&["orders"]);
    let fetch = rig.advance(Duration::from_secs(1)).remove(0);
    let Fetch::Overview { endpoint, .. } = &fetch else {
        panic!("not a poll: {fetch:?}")
    };
    let target = endpoint.target.clone();
    let observation = Observation::new(running(), rig.now, rig.now);
    rig.reactor.fetched(Fetched::overview(target, observation), rig.now);
    let before = rig.record("orders").clone();
    assert_eq!(refuse(&mut rig, Duration::from_millis(800)), 1);
    assert_eq!(*rig.record("orders"), before);
    assert_eq!(rig.reactor.turn(rig.now).judged(), 0, "not at once");
    let next = rig.reactor.next_turn(rig.now).unwrap();
    assert_eq!(next.since(rig.now), Duration::from_millis(800));
    rig.now = next;
    rig.settle();
    assert_eq!(rig.record("orders").state, JobState::Running);
    assert_eq!(rig.record("orders").revision, before.revision + 1);
}

#[test]
fn a_job_that_was_found_while_the_store_refused_is_recorded_when_it_does_not() {
    let mut rig = Rig::new(&[]);
    let session = TargetSetup {
        mode: Mode::Session,
        ..target("session")
    };
    let first = rig.reactor.start(vec![], vec![session], rig.now);
    rig.commit(first);
    let target = TargetId::standalone("session");
    let observation = Observation::new(running(), rig.now, rig.now);
    rig.reactor.fetched(Fetched::overview(target, observation), rig.now);
    assert_eq!(refuse(&mut rig, Duration::from_secs(1)), 1);
    assert_eq!(rig.reactor.turn(rig.now).commit().changes, vec![], "not at once");
    rig.now = rig.now.after(Duration::from_secs(1));
    assert_eq!(rig.reactor.next_turn(rig.now), Some(rig.now));
    rig.settle();
    let states: Vec<JobState> = rig.reactor.records().values().map(|record| record.state).collect();
    assert_eq!(states, [JobState::Running], "recorded, then judged");
}

#[test]
fn policies_whose_commit_was_refused_do_not_decide() {
    let mut rig = Rig::new(&["orders"]);
    let other = PolicySetup::deciding("other", Box::new(Believer));
    let turn = rig.reactor.replace_policies(Policies::new(vec![other]));
    rig.refuse(turn, rig.now);
    assert_eq!(
        rig.reactor
            .policies()
            .select_policy(&TargetId::standalone("orders"))
            .as_str(),
        "believe"
    );
    let other = PolicySetup::deciding("other", Box::new(Believer));
    let turn = rig.reactor.replace_policies(Policies::new(vec![other]));
    let shown = rig.reactor.advance(turn, rig.now);
    assert!(shown.iter().any(|show| matches!(show, Show::Policies(_))));
    assert_eq!(rig.record("orders").policy.as_str(), "other");
}

#[test]
fn what_was_decided_of_others_is_committed_beside_a_job_that_cannot_begin() {
    let mut rig = Rig::new(&["orders"]);
    let session = TargetSetup {
        mode: Mode::Session,
        ..target("session")
    };
    let first = rig.reactor.start(vec![], vec![session], rig.now);
    rig.commit(first);
    for name in ["session", "orders"] {
        let target = TargetId::standalone(name);
        let observation = Observation::new(running(), rig.now, rig.now);
        rig.reactor.fetched(Fetched::overview(target, observation), rig.now);
    }
    assert_eq!(refuse(&mut rig, Duration::from_secs(1)), 1, "the new job alone");
    rig.settle();
    assert_eq!(rig.record("orders").state, JobState::Running);
    assert_eq!(rig.reactor.records().len(), 1, "and its pause goes on");
    assert!(rig.reactor.next_turn(rig.now).is_some_and(|next| next > rig.now));
}

#[test]
fn a_job_that_waits_to_begin_begins_under_the_policies_of_that_time() {
    let mut rig = Rig::new(&[]);
    let session = TargetSetup {
        mode: Mode::Session,
        ..target("session")
    };
    let first = rig.reactor.start(vec![], vec![session], rig.now);
    rig.commit(first);
    let target = TargetId::standalone("session");
    let observation = Observation::new(running(), rig.now, rig.now);
    rig.reactor.fetched(Fetched::overview(target, observation), rig.now);
    refuse(&mut rig, Duration::from_secs(1));
    let other = PolicySetup::deciding("other", Box::new(Believer));
    let turn = rig.reactor.replace_policies(Policies::new(vec![other]));
    rig.commit(turn);
    rig.now = rig.now.after(Duration::from_secs(1));
    rig.settle();
    let policies: Vec<&str> = rig
        .reactor
        .records()
        .values()
        .map(|record| record.policy.as_str())
        .collect();
    assert_eq!(policies, ["other"]);
}

#[test]
fn while_the_store_takes_nothing_what_was_to_be_written_is_unwritten_and_the_rest_goes_on() {
    let mut rig = Rig::new(&["orders", "bills"]);
    let answer = |rig: &mut Rig, name: &str, answer: Observed<FlinkOverview>| {
        let observation = Observation::new(answer, rig.now, rig.now);
        let target = TargetId::standalone(name);
        rig.reactor.fetched(Fetched::overview(target, observation), rig.now);
    };
    rig.advance(Duration::from_secs(1));
    for name in ["orders", "bills"] {
        answer(&mut rig, name, running());
    }
    rig.settle();
    rig.advance(Duration::from_secs(5));
    answer(&mut rig, "orders", Observed::Present(FlinkOverview::listing(vec![])));
    answer(&mut rig, "bills", running());
    let since = rig.now;
    let orders = rig.record("orders").key.clone();
    let bills = rig.record("bills").key.clone();
    let mut turn = rig.reactor.turn(rig.now);
    assert_eq!((turn.changes.len(), turn.judged()), (1, 2));
    let retry_at = rig.now.after(Duration::from_millis(800));
    let unwritten = rig.reactor.refuse(&mut turn, "the disk is full", rig.now, retry_at);
    assert_eq!(unwritten, [orders.clone()].into());
    drop(rig.reactor.advance(turn, rig.now));
    assert_eq!(rig.reactor.watch_status(&orders).unwritten_since, Some(since));
    assert_eq!(rig.reactor.unwritten()[&orders], "the disk is full");
    let of_bills = rig.reactor.watch_status(&bills);
    assert_eq!((of_bills.unwritten_since, of_bills.confirmed_at), (None, Some(since)));
    rig.now = retry_at;
    rig.settle();
    assert_eq!(rig.reactor.watch_status(&orders).unwritten_since, None);
    assert!(rig.reactor.unwritten().is_empty());
}
