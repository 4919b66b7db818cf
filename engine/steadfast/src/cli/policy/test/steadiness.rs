//! The same snapshot, the same decision: whatever was asked before, on whichever instance.

use steadfast_core::decision::{Decide, Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::planner::{Next, plan};
use steadfast_core::snapshot::Snapshot;

use super::Verdict;

type Outcome = Result<Decision, PolicyFailure>;

/// How often a policy may miss its deadline before nothing else is tried: each time takes as long as it may.
const MISSED: usize = 3;

/// What came of it.
pub(super) struct Steadiness {
    pub(super) verdicts: Vec<Verdict>,
    /// It missed its deadline so often that nothing else is worth a try.
    pub(super) is_hopeless: bool,
}

/// Holds a policy to what every policy is held to on every snapshot: those that it is to decide, and those on which it is expected
/// to fail, which it is to do each time.
pub(super) fn of(policy: &mut dyn Decide, decided: &[Snapshot], refused: &[Snapshot]) -> Steadiness {
    policy.end_batch();
    let (mut first, mut missed): (Vec<Outcome>, usize) = (Vec::new(), 0);
    for snapshot in decided {
        let outcome = policy.decide(snapshot);
        let is_late = matches!(&outcome, Err(failure) if failure.kind == PolicyFailureKind::Deadline);
        missed = missed.saturating_add(usize::from(is_late));
        first.push(outcome);
        if missed == MISSED {
            return hopeless(decided, &first);
        }
    }
    first.extend(refused.iter().map(|snapshot| policy.decide(snapshot)));
    Steadiness {
        verdicts: verdicts(policy, decided, refused, &first),
        is_hopeless: false,
    }
}

fn hopeless(decided: &[Snapshot], first: &[Outcome]) -> Steadiness {
    let failing = decided
        .iter()
        .zip(first)
        .find_map(|(snapshot, outcome)| failed(snapshot, outcome));
    let broken = failing.map(|how| format!("{how}; it missed its deadline {MISSED} times: nothing else was tried"));
    let what = format!(
        "decides {} snapshots, and the engine takes each decision whole",
        decided.len()
    );
    Steadiness {
        verdicts: vec![Verdict { what, broken }],
        is_hopeless: true,
    }
}

fn verdicts(policy: &mut dyn Decide, decided: &[Snapshot], refused: &[Snapshot], first: &[Outcome]) -> Vec<Verdict> {
    let snapshots: Vec<&Snapshot> = decided.iter().chain(refused).collect();
    let again = |policy: &mut dyn Decide, place: usize, snapshot: &Snapshot| {
        let outcome = policy.decide(snapshot);
        let before = first.get(place)?;
        (outcome != *before).then(|| differs(snapshot, before, &outcome))
    };
    let all = snapshots.len();
    let verdict = |what: String, broken: Option<String>| Verdict { what, broken };
    let failing = decided
        .iter()
        .zip(first)
        .find_map(|(snapshot, outcome)| failed(snapshot, outcome));
    let repeated = snapshots
        .iter()
        .enumerate()
        .find_map(|(place, snapshot)| again(policy, place, snapshot));
    let mut backwards = snapshots.iter().enumerate().rev();
    let reversed = backwards.find_map(|(place, snapshot)| again(policy, place, snapshot));
    let fresh = snapshots.iter().enumerate().find_map(|(place, snapshot)| {
        policy.end_batch();
        again(policy, place, snapshot)
    });
    vec![
        verdict(
            format!(
                "decides {} snapshots, and the engine takes each decision whole",
                decided.len()
            ),
            failing,
        ),
        verdict(
            format!("determinism: {all} snapshots again, in the same order"),
            repeated,
        ),
        verdict(format!("determinism: {all} snapshots in the opposite order"), reversed),
        verdict(format!("determinism: {all} snapshots, each on a fresh instance"), fresh),
    ]
}

/// Why there is no decision that counts, or not all of one.
fn failed(snapshot: &Snapshot, outcome: &Outcome) -> Option<String> {
    let plan = plan(&snapshot.record, snapshot, outcome.clone());
    let complaint = plan.complaint();
    match plan.next {
        Next::Watch { .. } => complaint.map(|complaint| format!("{}: {complaint}", place(snapshot))),
        Next::Retry(failure) => Some(format!(
            "{}: {}: {}",
            place(snapshot),
            failure.kind.as_str(),
            failure.message
        )),
    }
}

fn differs(snapshot: &Snapshot, before: &Outcome, after: &Outcome) -> String {
    format!(
        "{}: first {}, then {}; a decision may depend on the snapshot alone, and on nothing an instance remembers",
        place(snapshot),
        short(before),
        short(after)
    )
}

fn place(snapshot: &Snapshot) -> String {
    format!("{} at {}", snapshot.record.key, snapshot.now)
}

fn short(outcome: &Outcome) -> String {
    match outcome {
        Ok(decision) => format!(
            "{} {} by `{}` ({}), {} bytes of memory",
            decision.state,
            decision.confidence.as_str(),
            decision.rule,
            decision.reason.message,
            decision.memory.len()
        ),
        Err(failure) => format!("{}: {}", failure.kind.as_str(), failure.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::policy::sample;
    use steadfast_core::testing;
    use steadfast_host::{Policy, PolicyEngine, PolicyLimits, builtin};

    /// A policy with something done to its decisions.
    struct Odd {
        inner: Policy,
        calls: u64,
        oddity: fn(&mut Decision, u64),
    }

    impl Decide for Odd {
        fn decide(&mut self, snapshot: &Snapshot) -> Outcome {
            self.calls += 1;
            let mut decision = self.inner.decide(snapshot)?;
            (self.oddity)(&mut decision, self.calls);
            Ok(decision)
        }

        fn end_batch(&mut self) {
            self.calls = 0;
        }
    }

    /// Which verdicts are bad.
    fn broken(oddity: fn(&mut Decision, u64)) -> Vec<bool> {
        let engine = PolicyEngine::new(None).unwrap();
        let inner = engine
            .load("odd", builtin::NAIVE, "{}", PolicyLimits::default())
            .unwrap();
        let snapshots: Vec<Snapshot> = sample::decisions()
            .unwrap()
            .into_iter()
            .map(|one| one.snapshot)
            .collect();
        assert!(snapshots.len() > 100, "{}", snapshots.len());
        let mut odd = Odd {
            inner,
            calls: 0,
            oddity,
        };
        let steadiness = of(&mut odd, &snapshots, &[]);
        assert!(!steadiness.is_hopeless);
        let verdicts = steadiness.verdicts;
        verdicts.iter().map(|verdict| verdict.broken.is_some()).collect()
    }

    #[test]
    fn a_policy_that_counts_its_calls_is_found_out() {
        assert_eq!(broken(|_, _| ()), [false; 4]);
        let counts = |decision: &mut Decision, calls| decision.reason.message = format!("call {calls}");
        assert_eq!(broken(counts), [false, true, true, true]);
        // Only an instance that has decided much says otherwise: a fresh one never does.
        let tires = |decision: &mut Decision, calls| {
            if calls > 600 {
                decision.rule = "tired".into();
            }
        };
        assert_eq!(broken(tires), [false, true, true, false]);
    }

    /// Fails on some snapshots, each time or at times.
    struct Refusing(fn(u64) -> bool, u64);

    impl Decide for Refusing {
        fn decide(&mut self, snapshot: &Snapshot) -> Outcome {
            self.1 += 1;
            if self.0(self.1) {
                let message = "no".into();
                let kind = PolicyFailureKind::Error;
                return Err(PolicyFailure { kind, message });
            }
            Ok(testing::decision(snapshot.record.state))
        }
    }

    #[test]
    fn a_failure_that_is_expected_is_none_and_is_to_come_each_time() {
        let snapshot = testing::snapshot(
            testing::record(testing::job_key("orders"), testing::at(0)),
            testing::at(5),
        );
        let broken = |fails: fn(u64) -> bool, decided: &[Snapshot], refused: &[Snapshot]| -> Vec<bool> {
            let Steadiness { verdicts, .. } = of(&mut Refusing(fails, 0), decided, refused);
            verdicts.iter().map(|verdict| verdict.broken.is_some()).collect()
        };
        let one = [snapshot];
        assert_eq!(broken(|_| true, &[], &one), [false; 4]);
        assert_eq!(broken(|_| true, &one, &[]), [true, false, false, false]);
        assert_eq!(broken(|call| call == 1, &[], &one), [false, true, true, true]);
    }

    #[test]
    fn a_decision_the_engine_would_not_take_is_a_failure() {
        let nameless = |decision: &mut Decision, _| decision.reason.code.clear();
        assert_eq!(broken(nameless), [true, false, false, false]);
    }

    /// A policy that never comes to an end.
    struct Endless(usize);

    impl Decide for Endless {
        fn decide(&mut self, _: &Snapshot) -> Outcome {
            self.0 += 1;
            Err(PolicyFailure {
                kind: PolicyFailureKind::Deadline,
                message: "`decide` ran for longer than 50ms".into(),
            })
        }
    }

    #[test]
    fn one_that_misses_its_deadline_again_and_again_is_not_asked_for_ever() {
        let recorded = sample::decisions().unwrap();
        let snapshots: Vec<Snapshot> = recorded.into_iter().map(|one| one.snapshot).collect();
        let mut endless = Endless(0);
        let Steadiness { verdicts, is_hopeless } = of(&mut endless, &snapshots, &[]);
        assert_eq!((endless.0, is_hopeless, verdicts.len()), (3, true, 1));
        let broken = verdicts[0].broken.as_ref().unwrap();
        assert!(
            broken.contains("longer than 50ms") && broken.contains("nothing else was tried"),
            "{broken}"
        );
    }
}
