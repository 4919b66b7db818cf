//! Whether policies can take over: they judge what is there before anything depends on them.

use steadfast_core::counterfactual::Counterfactual;
use steadfast_core::decision::{PolicyFailure, PolicyFailureKind};
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::planner::{Next, plan};
use steadfast_core::snapshot::Snapshot;

use crate::policies::decider;
use crate::setup::{PolicySetup, Role};

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
    let mut decisions = 0;
    for snapshot in snapshots {
        let target = &snapshot.record.key.target;
        let chosen = decider(candidates.iter(), target).map(|policy| policy.name.clone());
        for candidate in candidates.iter_mut() {
            let predecessor = match candidate.role {
                Role::Decides if chosen.as_ref() == Some(&candidate.name) => snapshot.record.policy.clone(),
                Role::Shadow if candidate.is_for(target) => candidate.name.clone(),
                Role::Decides | Role::Shadow => continue,
            };
            decisions += 1;
            let Some(failure) = failure(candidate, snapshot) else {
                continue;
            };
            let predecessor = running.iter_mut().find(|policy| policy.name == predecessor);
            if predecessor.is_none_or(|policy| self::failure(policy, snapshot).is_none()) {
                return Err(DryRunError {
                    policy: candidate.name.clone(),
                    job: snapshot.record.key.clone(),
                    failure,
                });
            }
        }
    }
    for policy in candidates.iter_mut().chain(running) {
        policy.decide.end_batch();
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
