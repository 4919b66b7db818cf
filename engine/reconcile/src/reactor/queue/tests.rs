use steadfast_core::id::TargetId;
use steadfast_core::testing::at;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

fn key(name: &str) -> JobKey {
    JobKey::application(TargetId::standalone(name))
}

fn policy() -> PolicyName {
    PolicyName::new("p")
}

/// All jobs stand in one line.
fn line_up(queue: &mut WorkQueue, now: i64) {
    queue.line_up(at(now), PATIENCE, |_| Some(policy()));
}

#[test]
fn a_job_is_judged_once_however_much_came_in() {
    let mut queue = WorkQueue::default();
    queue.enqueue(key("a"));
    queue.enqueue(key("a"));
    queue.requeue_by(key("a"), at(0));
    line_up(&mut queue, 0);
    queue.enqueue(key("a"));
    line_up(&mut queue, 0);
    assert_eq!(queue.take(&policy(), 10), [key("a")]);
    queue.served(&key("a"));
    assert!(!queue.has_ready() && queue.next_due().is_none() && queue.policies().next().is_none());
}

#[test]
fn what_is_over_the_limit_keeps_its_place() {
    let mut queue = WorkQueue::default();
    ["c", "a", "b"].iter().for_each(|name| queue.enqueue(key(name)));
    line_up(&mut queue, 0);
    assert_eq!(queue.take(&policy(), 2), [key("a"), key("b")]);
    queue.enqueue(key("a"));
    line_up(&mut queue, 0);
    assert_eq!(queue.take(&policy(), 2), [key("c"), key("a")]);
}

#[test]
fn who_was_taken_and_not_come_to_stands_first_again() {
    let mut queue = WorkQueue::default();
    ["a", "b", "c", "d"].iter().for_each(|name| queue.enqueue(key(name)));
    line_up(&mut queue, 0);
    let taken = queue.take(&policy(), 3);
    // Something came in of the last of them meanwhile.
    queue.enqueue(key("c"));
    line_up(&mut queue, 0);
    queue.put_back(&policy(), taken[1..].to_vec(), at(10));
    assert_eq!(queue.take(&policy(), 10), [key("b"), key("c"), key("d")]);
}

#[test]
fn each_policy_has_a_line_of_its_own() {
    let mut queue = WorkQueue::default();
    ["a", "b", "gone"].iter().for_each(|name| queue.enqueue(key(name)));
    queue.line_up(at(0), PATIENCE, |key| {
        let name = key.target.name.as_ref();
        (name != "gone").then(|| PolicyName::new(name))
    });
    assert_eq!(queue.policies().map(PolicyName::as_str).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(queue.take(&PolicyName::new("b"), 10), [key("b")]);
    queue.mix();
    assert!(queue.is_waiting(&key("a")) && !queue.is_waiting(&key("b")));
    line_up(&mut queue, 0);
    assert_eq!(queue.take(&policy(), 10), [key("a")]);
}

#[test]
fn who_waits_too_long_is_told_once() {
    let mut queue = WorkQueue::default();
    ["a", "b"].iter().for_each(|name| queue.enqueue(key(name)));
    line_up(&mut queue, 0);
    // More of it does not begin the wait anew.
    queue.enqueue(key("a"));
    line_up(&mut queue, 9);
    assert_eq!(queue.next_due(), Some(at(10)));
    assert!(queue.take_overdue(at(9)).is_empty());
    assert_eq!(queue.take_overdue(at(10)), [key("a"), key("b")]);
    assert!(queue.take_overdue(at(20)).is_empty());
    assert_eq!(queue.take(&policy(), 10).len(), 2, "they still wait");
}

#[test]
fn a_deadline_is_brought_forward_and_only_set_back_on_purpose() {
    let mut queue = WorkQueue::default();
    queue.requeue_at(key("a"), at(60));
    queue.requeue_by(key("a"), at(90));
    assert_eq!(queue.planned(&key("a")), Some(at(60)));
    queue.requeue_by(key("a"), at(30));
    assert_eq!(queue.planned(&key("a")), Some(at(30)));
    queue.requeue_at(key("a"), at(90));
    line_up(&mut queue, 89);
    assert!(queue.take(&policy(), 1).is_empty());
    queue.remove(&key("a"));
    line_up(&mut queue, 90);
    assert!(queue.take(&policy(), 1).is_empty());
}
