use rand::SeedableRng;
use steadfast_core::evidence::FaultKind;

use super::*;

mod fleet;

const POLL: Duration = Duration::from_secs(5);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn scheduler() -> PollScheduler {
    let backoff = Backoff {
        initial: Duration::from_millis(800),
        max: Duration::from_secs(30),
    };
    PollScheduler::new(POLL, backoff, StdRng::seed_from_u64(7))
}

fn id(name: &str) -> TargetId {
    TargetId::standalone(name)
}

fn silence() -> Fault {
    Fault::new(FaultKind::Timeout, "no answer")
}

/// Answers or fails every poll the moment it begins; returns when each began, by target.
fn live(
    polls: &mut PollScheduler,
    now: &mut Timestamp,
    span: Duration,
    answers: impl Fn(&TargetId) -> Result<(), Fault>,
) -> BTreeMap<TargetId, Vec<Timestamp>> {
    let end = now.after(span);
    let mut begun: BTreeMap<TargetId, Vec<Timestamp>> = BTreeMap::new();
    while let Some(due) = polls.next_due().filter(|due| *due <= end) {
        *now = due.max(*now);
        for id in polls.begin_due(*now) {
            match answers(&id) {
                Ok(()) => polls.answered(&id, *now, *now),
                Err(fault) => polls.failed(&id, *now, &fault, *now),
            }
            begun.entry(id).or_default().push(*now);
        }
    }
    *now = end;
    begun
}

#[test]
fn the_first_poll_is_at_once_and_the_others_keep_their_interval_at_their_place() {
    for name in ["a", "b", "c", "d", "e", "f"] {
        let (mut polls, mut now) = (scheduler(), at(0));
        polls.add(id(name), now);
        let begun = live(&mut polls, &mut now, Duration::from_secs(60), |_| Ok(()));
        let begun = &begun[&id(name)];
        assert_eq!(begun[0], at(0));
        for pair in begun[..3].windows(2) {
            let between = pair[1].since(pair[0]);
            assert!(between >= POLL / 4 && between <= POLL, "{between:?}");
        }
        for pair in begun[2..].windows(2) {
            assert_eq!(pair[1].since(pair[0]), POLL);
        }
    }
}

/// A target at its place, and when its last poll began, of which nothing is made yet.
fn unjudged() -> (PollScheduler, Timestamp) {
    let (mut polls, mut now) = (scheduler(), at(0));
    polls.add(id("a"), now);
    let begun = live(&mut polls, &mut now, Duration::from_secs(60), |_| Ok(()));
    polls.await_judgement(&id("a"));
    (polls, *begun[&id("a")].last().unwrap())
}

#[test]
fn what_waits_to_be_judged_is_asked_at_every_other_place() {
    let (mut polls, last) = unjudged();
    let mut now = last;
    // What is left out holds no place: there are not so many.
    let begun = live(&mut polls, &mut now, POLL * 10_000, |_| Ok(()));
    let expected: Vec<Timestamp> = (1..=5_000).map(|n| last.after(POLL * 2 * n)).collect();
    assert_eq!(begun[&id("a")], expected);
    polls.judged(&id("a"));
    let begun = live(&mut polls, &mut now, POLL, |_| Ok(()));
    assert_eq!(begun[&id("a")], [now], "it goes on at its own pace");
}

#[test]
fn news_of_what_waits_to_be_judged_are_looked_at_at_once() {
    let (mut polls, last) = unjudged();
    let soon = last.after(POLL / 2);
    polls.poll_soon(&id("a"), soon);
    assert_eq!(polls.begin_due(soon), [id("a")]);
}

#[test]
fn what_fails_waits_for_no_judgement() {
    let (mut polls, last) = unjudged();
    let next = last.after(POLL * 2);
    assert_eq!(polls.begin_due(last.after(POLL)), []);
    assert_eq!(polls.begin_due(next), [id("a")]);
    polls.failed(&id("a"), next, &silence(), next);
    let retry = polls.next_due().unwrap();
    assert!(retry < next.after(POLL));
    assert_eq!(polls.begin_due(retry), [id("a")]);
}

#[test]
fn news_that_comes_while_a_poll_is_in_flight_is_looked_at_when_it_ends() {
    for (fails, sleeps) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut polls, mut now) = (scheduler(), at(0));
        polls.add(id("a"), now);
        live(&mut polls, &mut now, Duration::from_secs(600), |_| Err(silence()));
        let begins = polls.next_due().unwrap();
        assert_eq!(polls.begin_due(begins), [id("a")]);
        polls.poll_soon(&id("a"), begins.after(POLL / 10));
        if sleeps {
            polls.set_interval(&id("a"), POLL, Attention::Sleeping, begins);
        }
        let ends = begins.after(POLL / 2);
        match fails {
            true => polls.failed(&id("a"), begins, &silence(), ends),
            false => polls.answered(&id("a"), begins, ends),
        }
        assert_eq!(polls.begin_due(ends), [id("a")], "fails: {fails}, sleeps: {sleeps}");
        polls.failed(&id("a"), ends, &silence(), ends);
        assert_eq!(polls.begin_due(ends), [], "once");
    }
}

#[test]
fn who_asked_us_to_wait_is_not_asked_sooner_for_another_interval() {
    let mut polls = scheduler();
    polls.add(id("a"), at(0));
    assert_eq!(polls.begin_due(at(0)), [id("a")]);
    let busy = Fault {
        retry_after: Some(Duration::from_secs(60)),
        ..silence()
    };
    polls.failed(&id("a"), at(0), &busy, at(0));
    polls.set_interval(&id("a"), POLL / 5, Attention::Active, at(0));
    assert_eq!(polls.begin_due(at(59_999)), []);
    assert_eq!(polls.begin_due(at(60_000)), [id("a")]);
}

#[test]
fn a_poll_in_flight_is_not_begun_twice() {
    let mut polls = scheduler();
    polls.add(id("a"), at(0));
    assert_eq!(polls.begin_due(at(0)), [id("a")]);
    polls.poll_soon(&id("a"), at(100));
    assert_eq!(polls.begin_due(at(60_000)), []);
    assert_eq!(polls.status(&id("a")).in_flight_since, Some(at(0)));
}

#[test]
fn one_canary_keeps_the_interval_and_ends_the_pauses_of_all() {
    let (mut polls, mut now) = (scheduler(), at(0));
    for n in 0..20 {
        polls.add(id(&format!("job-{n:02}")), now);
    }
    live(&mut polls, &mut now, Duration::from_secs(600), |_| Err(silence()));
    let failing = live(&mut polls, &mut now, Duration::from_secs(60), |_| Err(silence()));
    let total: usize = failing.values().map(Vec::len).sum();
    // 20 targets at pauses of up to 30 s, half of it on average, and 12 canaries.
    assert!(total < 20 * 60 / 5 / 2, "{total} polls in a minute of silence");
    assert!(
        failing
            .values()
            .flatten()
            .zip(failing.values().flatten().skip(1))
            .count()
            >= 11
    );
    let healed = live(&mut polls, &mut now, POLL * 2, |_| Ok(()));
    assert_eq!(healed.len(), 20, "all were polled within two intervals");
}

#[test]
fn retry_after_holds_the_canary_too_and_no_longer_than_its_cap() {
    let (mut polls, mut now) = (scheduler(), at(0));
    polls.add(id("a"), now);
    let fault = Fault {
        retry_after: Some(Duration::from_secs(86_400)),
        ..silence()
    };
    let begun = live(&mut polls, &mut now, Duration::from_secs(600), |_| Err(fault.clone()));
    let gaps = begun[&id("a")].windows(2).map(|pair| pair[1].since(pair[0]));
    assert!(gaps.clone().count() >= 9);
    gaps.for_each(|gap| assert_eq!(gap, RETRY_AFTER_CAP));
}

#[test]
fn a_sleeping_watch_is_polled_once_when_something_is_new() {
    let (mut polls, mut now) = (scheduler(), at(0));
    polls.add(id("a"), now);
    live(&mut polls, &mut now, Duration::from_secs(10), |_| Ok(()));
    polls.set_interval(&id("a"), POLL, Attention::Sleeping, now);
    assert_eq!(
        live(&mut polls, &mut now, Duration::from_secs(3600), |_| Ok(())),
        BTreeMap::new()
    );
    polls.poll_soon(&id("a"), now);
    let begun = live(&mut polls, &mut now, Duration::from_secs(3600), |_| Ok(()));
    assert_eq!(begun[&id("a")].len(), 1);
    polls.set_interval(&id("a"), POLL, Attention::Active, now);
    let awake = live(&mut polls, &mut now, Duration::from_secs(10), |_| Ok(()));
    assert_eq!(awake[&id("a")].len(), 3);
}

#[test]
fn the_same_wish_again_does_not_push_the_next_poll_ahead() {
    let (mut polls, mut now) = (scheduler(), at(0));
    let slow = Duration::from_secs(60);
    polls.add(id("a"), now);
    live(&mut polls, &mut now, Duration::from_secs(1), |_| Ok(()));
    polls.set_interval(&id("a"), slow, Attention::Active, now);
    let next = polls.status(&id("a")).next;
    assert!(next >= Some(at(15_000)) && next <= Some(at(60_000)), "{next:?}");
    for seconds in 2..15 {
        polls.set_interval(&id("a"), slow, Attention::Active, at(seconds * 1_000));
    }
    assert_eq!(polls.status(&id("a")).next, next);
}

#[test]
fn a_removed_target_is_no_canary() {
    let (mut polls, mut now) = (scheduler(), at(0));
    polls.add(id("a"), now);
    live(&mut polls, &mut now, Duration::from_secs(10), |_| Err(silence()));
    polls.remove(&id("a"));
    assert_eq!(polls.next_due(), None);
    assert_eq!(polls.begin_due(now.after(Duration::from_secs(60))), []);
}
