use steadfast_core::decision::{Decide, Decision, PolicyFailureKind};
use steadfast_core::record::{JobRecord, Reason};
use steadfast_core::state::JobState;
use steadfast_core::testing::{self, at, job_key};

use super::*;

/// Decides what the test sets, and fails at the jobs of that name.
struct Acts {
    fails_at: &'static str,
    code: &'static str,
    refuses_memory: bool,
}

const GOOD: Acts = Acts {
    fails_at: "",
    code: "Fine",
    refuses_memory: false,
};

impl Decide for Acts {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let refuses = self.refuses_memory && !snapshot.record.memory.is_empty();
        if snapshot.record.key.target.name.as_ref() == self.fails_at || refuses {
            return Err(PolicyFailure {
                kind: PolicyFailureKind::Trap,
                message: "unreachable".into(),
            });
        }
        Ok(Decision {
            reason: Reason::new(self.code, "so it is"),
            ..testing::decision(JobState::Running)
        })
    }
}

fn policy(name: &str, acts: Acts) -> PolicySetup {
    PolicySetup::deciding(name, Box::new(acts))
}

fn shadow(name: &str, acts: Acts) -> PolicySetup {
    PolicySetup {
        role: Role::Shadow,
        ..policy(name, acts)
    }
}

/// A job that the policy `default` decides, and has remembered something about.
fn snapshot(name: &str) -> Snapshot {
    let record = JobRecord {
        memory: vec![1],
        ..testing::record(job_key(name), at(0))
    };
    testing::snapshot(record, at(0))
}

fn trial(candidates: Vec<PolicySetup>, running: Vec<PolicySetup>) -> Result<usize, String> {
    let (mut candidates, mut running) = (candidates, running);
    let snapshots = [snapshot("orders"), snapshot("payments")];
    tried(&mut candidates, &mut running, &snapshots).map_err(|error| error.to_string())
}

#[test]
fn one_that_decides_all_may_take_over() {
    let candidates = vec![policy("default", GOOD), shadow("canary", GOOD)];
    assert_eq!(trial(candidates, vec![policy("default", GOOD)]), Ok(4));
}

#[test]
fn one_that_fails_where_the_running_one_does_not_is_refused_with_the_job() {
    let bad = || Acts {
        fails_at: "payments",
        ..GOOD
    };
    for (candidates, name) in [
        (vec![policy("default", bad())], "default"),
        (vec![policy("other", bad())], "other"),
        (vec![policy("default", GOOD), shadow("canary", bad())], "canary"),
    ] {
        let refused = trial(candidates, vec![policy("default", GOOD)]).unwrap_err();
        assert!(
            refused.starts_with(&format!("policy `{name}` was tried"))
                && refused.contains("local/default/payments (trap): unreachable"),
            "{refused}"
        );
    }
}

#[test]
fn a_decision_that_breaks_the_contract_is_a_failure() {
    let candidates = vec![policy("default", Acts { code: "", ..GOOD })];
    let refused = trial(candidates, vec![policy("default", GOOD)]).unwrap_err();
    assert!(refused.contains("(invalid): reason.code is empty"), "{refused}");
}

#[test]
fn what_the_running_one_fails_at_is_not_asked_of_its_successor() {
    let bad = || Acts {
        fails_at: "payments",
        ..GOOD
    };
    let running = || vec![policy("default", bad())];
    assert_eq!(trial(vec![policy("default", bad())], running()), Ok(2));
    assert_eq!(trial(vec![policy("other", bad())], running()), Ok(2));
}

#[test]
fn only_the_same_name_meets_the_memory_that_is_there() {
    let forgetful = || Acts {
        refuses_memory: true,
        ..GOOD
    };
    assert!(trial(vec![policy("default", forgetful())], vec![policy("default", GOOD)]).is_err());
    assert!(trial(vec![policy("other", forgetful())], vec![policy("default", GOOD)]).is_ok());
}
