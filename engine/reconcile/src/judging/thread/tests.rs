use std::sync::Mutex;

use steadfast_core::decision::{Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;
use steadfast_core::testing::{self, at, job_key};

use super::*;
use crate::judging::{Bench, Judging};
use crate::policies::Policies;
use crate::setup::PolicySetup;

/// Waits until it is interrupted, or let go.
struct Waits {
    /// Told when a decision begins.
    begun: Sender<()>,
    interrupt: Interrupt,
    go: Arc<Mutex<std::sync::mpsc::Receiver<()>>>,
}

impl Decide for Waits {
    fn decide(&mut self, _: &Snapshot) -> Result<Decision, PolicyFailure> {
        // Not every test listens.
        self.begun.send(()).ok();
        let go = self.go.lock().unwrap();
        while !self.interrupt.is_raised() {
            if go.recv_timeout(Duration::from_millis(1)).is_ok() {
                return Ok(testing::decision(JobState::Running));
            }
        }
        Err(PolicyFailure {
            kind: PolicyFailureKind::Error,
            message: "broken off".into(),
        })
    }

    fn interrupt(&self) -> Option<Interrupt> {
        Some(self.interrupt.clone())
    }
}

struct Panics;

impl Decide for Panics {
    fn decide(&mut self, _: &Snapshot) -> Result<Decision, PolicyFailure> {
        panic!("as a bug of the engine would")
    }
}

fn case(name: &str) -> Case {
    let record = testing::record(job_key(name), at(0));
    Case {
        shown: Box::new(testing::snapshot(record.clone(), at(0))),
        record: Arc::new(record),
    }
}

fn seated(bench: &mut Bench, decide: Box<dyn Decide>) -> Policies {
    bench.seat(vec![PolicySetup::deciding("p", decide)])
}

fn give(policies: &mut Policies, cases: Vec<Case>) {
    let seat = policies.named(&PolicyName::new("p")).unwrap();
    assert!(seat.judge.decide(cases).is_none(), "the loop does not wait for it");
}

async fn decided(rulings: &mut mpsc::Receiver<Ruling>) -> Decided {
    match rulings.recv().await.unwrap() {
        Ruling::Decided(decided) => decided,
        Ruling::Answered(_) => panic!("nobody asked"),
    }
}

#[tokio::test]
async fn what_it_does_not_come_to_in_its_slice_it_gives_back() {
    let (mut bench, mut rulings) = Bench::new(Judging::Threads);
    let (let_go, go) = channel();
    let (begun, begins) = channel();
    let waits = Waits {
        begun,
        interrupt: Interrupt::default(),
        go: Arc::new(Mutex::new(go)),
    };
    let mut policies = seated(&mut bench, Box::new(waits));
    give(&mut policies, vec![case("a"), case("b"), case("c")]);
    begins.recv().unwrap();
    // The slice began before that.
    std::thread::sleep(SLICE);
    let_go.send(()).unwrap();
    let decided = decided(&mut rulings).await;
    assert_eq!((decided.outcomes.len(), decided.left.len()), (1, 2));
    assert!(decided.outcomes[0].1.is_ok() && decided.spent >= SLICE);
    assert_eq!(decided.left[0].record.key, job_key("b"), "in their order");
}

#[tokio::test]
async fn a_judge_that_is_dropped_ends_in_the_middle_of_a_decision() {
    let (mut bench, _rulings) = Bench::new(Judging::Threads);
    let (_never, go) = channel();
    let waits = Waits {
        begun: channel().0,
        interrupt: Interrupt::default(),
        go: Arc::new(Mutex::new(go)),
    };
    let mut policies = seated(&mut bench, Box::new(waits));
    give(&mut policies, vec![case("a")]);
    drop(policies);
    // Without the interrupt this would wait for ever.
    bench.emptied().await;
}

#[tokio::test]
async fn a_panic_costs_one_decision() {
    let (mut bench, mut rulings) = Bench::new(Judging::Threads);
    let mut policies = seated(&mut bench, Box::new(Panics));
    for _ in 0..2 {
        give(&mut policies, vec![case("a")]);
        let decided = decided(&mut rulings).await;
        assert_eq!(
            decided.outcomes[0].1.as_ref().unwrap_err().kind,
            PolicyFailureKind::Error
        );
    }
}
