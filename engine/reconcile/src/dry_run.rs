//! Whether policies can take over: they judge what is there before anything depends on them.

use std::time::Duration;

use steadfast_core::counterfactual::Counterfactual;
use steadfast_core::decision::{PolicyFailure, PolicyFailureKind};
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::planner::{Next, plan};
use steadfast_core::snapshot::Snapshot;
use tokio::time::Instant;

use crate::setup::{PolicySetup, Role};

/// How often in a row both policies may run out of time: it would be the same with the rest, and take as long each time.
const PATIENCE: u32 = 3;

/// For how long one policy is tried. What a slow one does not come to in it is not tried: somebody waits for all of them.
const TRIAL: Duration = Duration::from_secs(5);

/// A policy cannot decide what the running ones can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("policy `{policy}` was tried on the present evidence and failed at {job} ({}): {}", failure.kind.as_str(), failure.message)]
pub struct DryRunError {
    /// The policy that failed.
    pub policy: PolicyName,
    /// At which job.
    pub job: JobKey,
    /// The kind and the message of its failure.
    pub failure: PolicyFailure,
}

/// Lets the policies judge snapshots as they would if they were in charge, with the memory that they would find.
/// Each must come to a decision that keeps the contract, except where the running policy fails as well. Returns
/// how many decisions were made.
pub fn tried(
    candidates: &mut [PolicySetup],
    running: &mut [PolicySetup],
    snapshots: &[Snapshot],
) -> Result<usize, DryRunError> {
    let chosen = |snapshot: &Snapshot| {
        let mut deciding = candidates.iter().filter(|policy| policy.role == Role::Decides);
        let decider = deciding.find(|policy| policy.is_for(&snapshot.record.key.target));
        decider.map(|policy| policy.name.clone())
    };
    let chosen: Vec<Option<PolicyName>> = snapshots.iter().map(chosen).collect();
    let mut decisions = 0;
    for candidate in candidates {
        let own = snapshots.iter().zip(&chosen).filter_map(|(snapshot, chosen)| {
            let target = &snapshot.record.key.target;
            match candidate.role {
                Role::Decides if chosen.as_ref() == Some(&candidate.name) => {
                    Some((snapshot, snapshot.record.policy.clone()))
                }
                Role::Shadow if candidate.is_for(target) => Some((snapshot, candidate.name.clone())),
                Role::Decides | Role::Shadow => None,
            }
        });
        let own: Vec<(&Snapshot, PolicyName)> = own.collect();
        let tried = try_one(candidate, running, &own);
        candidate.decide.end_batch();
        decisions += tried?;
    }
    Ok(decisions)
}

/// Lets one policy judge the snapshots that are for it, each beside the policy it would succeed. No more than two of them have
/// an instance at a time.
fn try_one(
    candidate: &mut PolicySetup,
    running: &mut [PolicySetup],
    snapshots: &[(&Snapshot, PolicyName)],
) -> Result<usize, DryRunError> {
    let mut decisions = 0;
    let mut late = 0;
    let began = Instant::now();
    for (snapshot, predecessor) in snapshots {
        if late >= PATIENCE || began.elapsed() >= TRIAL {
            break;
        }
        decisions += 1;
        let Some(failure) = failure(candidate, snapshot) else {
            late = 0;
            continue;
        };
        let predecessor = running.iter_mut().find(|policy| policy.name == *predecessor);
        let fails_too = predecessor.is_some_and(|policy| {
            let fails = self::failure(policy, snapshot).is_some();
            policy.decide.end_batch();
            fails
        });
        if !fails_too {
            return Err(DryRunError {
                policy: candidate.name.clone(),
                job: snapshot.record.key.clone(),
                failure,
            });
        }
        late = if failure.kind == PolicyFailureKind::Deadline {
            late + 1
        } else {
            0
        };
    }
    Ok(decisions)
}

/// How the policy fails at a snapshot, if it does. One whose decisions would be trimmed fails too: in charge its states count,
/// but while another is, nobody has to put up with less than a whole decision.
fn failure(policy: &mut PolicySetup, snapshot: &Snapshot) -> Option<PolicyFailure> {
    let own = Snapshot {
        record: Counterfactual::take_over(&snapshot.record, &policy.name)
            .record()
            .clone(),
        ..snapshot.clone()
    };
    let outcome = policy.decide.decide(&own);
    let plan = plan(&own.record, &own, outcome);
    let complaint = plan.complaint();
    match plan.next {
        Next::Retry(failure) => Some(failure),
        Next::Watch { .. } => complaint.map(|complaint| PolicyFailure {
            kind: PolicyFailureKind::Invalid,
            message: complaint.into(),
        }),
    }
}

#[cfg(test)]
mod tests;
