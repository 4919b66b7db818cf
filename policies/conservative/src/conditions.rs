//! What stands beside the state, and what is worth an alert.

use steadfast_policy::{
    AlertScope, Checkpoints, ConditionType, DecidedAlert, DecidedCondition, FaultKind, Intent, JobState, Looks, Pod,
    Seen, Snapshot, Timestamp,
};

use crate::Verdict;
use crate::diagnosis::{self, ProblemKind};
use crate::memory::{CheckpointBase, Instability, Memory};
use crate::observations;
use crate::operator;
use crate::params::Params;

/// The conditions that stand now.
pub fn of(s: &Snapshot, params: &Params, memory: &mut Memory, verdict: &Verdict) -> Vec<DecidedCondition> {
    let mut standing = Vec::new();
    let mut stand = |kind: ConditionType, message: String| standing.push(DecidedCondition { kind, message });
    observations::note_expectation(s, memory, verdict.state);
    // What cannot be reached changes nothing of an end that is known.
    if !verdict.state.is_terminal() {
        reachability(s, params, memory, &mut stand);
    }
    if let Some(problem) = diagnosis::of_pods(s) {
        match problem.kind {
            ProblemKind::CrashLoop => stand(ConditionType::CrashLoop, problem.message),
            ProblemKind::ImagePull => stand(ConditionType::ImagePull, problem.message),
            ProblemKind::Unschedulable
            | ProblemKind::PodFailed
            | ProblemKind::PodStuck
            | ProblemKind::NotCreated
            | ProblemKind::Operator => {}
        }
    }
    if let Seen::Present { value: deployment, .. } = s.deployment()
        && deployment.deleting_since.is_some()
    {
        stand(
            ConditionType::Terminating,
            format!("Deployment {} is being deleted", s.job.name),
        );
    }
    if is_under_way(verdict.state)
        && let Some(failed) = failed_checkpoints(s, memory)
        && failed >= params.checkpoint_failures
    {
        stand(
            ConditionType::CheckpointsFailing,
            "checkpoints fail, none has completed since".into(),
        );
    }
    if let Some(since) = unstable_since(s, params, memory, verdict.state)
        && s.age(since) >= params.restart_loop_after
    {
        stand(
            ConditionType::RestartLoop,
            "the job restarts and does not come to rest".into(),
        );
    }
    if s.is_disrupted(params.fleet_unknown_share) && !verdict.state.is_terminal() {
        stand(
            ConditionType::FleetDisrupted,
            "most jobs of this cluster are dark; nothing turns terminal meanwhile".into(),
        );
    }
    standing
}

/// Whether a run is under way, of which something can be said that its end resolves.
fn is_under_way(state: JobState) -> bool {
    let has_none = matches!(
        state,
        JobState::Suspended | JobState::Reconciling | JobState::Unknown | JobState::Starting
    );
    !has_none && !state.is_terminal()
}

fn reachability(s: &Snapshot, params: &Params, memory: &Memory, stand: &mut impl FnMut(ConditionType, String)) {
    let lasting = |looks: &Looks| {
        looks
            .silent_for(s)
            .is_some_and(|silent| silent >= params.unreachable_after)
    };
    let mut denied = None;
    if let Seen::Unknown { fault, looks } = s.flink()
        && !observations::leaves_open(fault)
        // That we could not ask says nothing of Flink.
        && !fault.is_engines_own()
    {
        let unheard = observations::unheard_for(s, memory);
        if unheard.is_some_and(|silent| silent >= params.unreachable_after) {
            stand(
                ConditionType::FlinkUnreachable,
                format!("Flink gives no usable answer: {}", fault.message),
            );
            let hangs = fault.kind == FaultKind::Timeout && s.job_manager().is_some_and(Pod::is_ready);
            if hangs {
                stand(
                    ConditionType::Unresponsive,
                    "the JobManager's pod is ready and Flink does not answer in time".into(),
                );
            }
        }
        if fault.is_denied() && lasting(looks) {
            denied = Some(format!("Flink: {}", fault.message));
        }
    }
    if s.has_kubernetes()
        && let Seen::Unknown { fault, looks } = s.deployment()
        && !fault.is_engines_own()
        && lasting(looks)
    {
        stand(
            ConditionType::KubernetesUnreachable,
            format!("the Kubernetes API gives no usable answer: {}", fault.message),
        );
        if fault.is_denied() {
            denied = Some(format!("Kubernetes: {}", fault.message));
        }
    }
    if let Seen::Unknown { fault, looks } = s.pods()
        && fault.is_denied()
        && lasting(looks)
    {
        denied = denied.or(Some(format!("pods: {}", fault.message)));
    }
    if let Some(message) = denied {
        stand(ConditionType::AccessDenied, message);
    }
}

/// How many checkpoints failed since the last completed one. A failover starts Flink's counters anew.
fn failed_checkpoints(s: &Snapshot, memory: &mut Memory) -> Option<u64> {
    let Checkpoints { completed, failed } = *s.checkpoints().present()?;
    let base = match memory.checkpoints {
        Some(base) if base.completed == completed && base.failed <= failed => base,
        // None completed: all failures count.
        None if completed == 0 => CheckpointBase { completed, failed: 0 },
        Some(_) | None => CheckpointBase { completed, failed },
    };
    memory.checkpoints = Some(base);
    Some(failed - base.failed)
}

/// Since when the job has not come to rest. A short rest between two restarts does not end it.
fn unstable_since(s: &Snapshot, params: &Params, memory: &mut Memory, state: JobState) -> Option<Timestamp> {
    let restless = matches!(state, JobState::Restarting | JobState::Failing);
    let rest = params.restart_loop_after.part(5);
    memory.instability = match memory.instability {
        None => restless.then_some(Instability {
            since: s.now,
            calm_since: None,
        }),
        Some(instability) if restless => Some(Instability {
            calm_since: None,
            ..instability
        }),
        Some(instability) => match instability.calm_since {
            None => Some(Instability {
                calm_since: Some(s.now),
                ..instability
            }),
            Some(calm) if s.age(calm) >= rest => None,
            Some(_) => Some(instability),
        },
    };
    memory
        .instability
        .filter(|_| restless)
        .map(|instability| instability.since)
}

/// The alerts that stand now: ends nobody intended, loops, and, once for a cluster, unreachability.
pub fn alerts(s: &Snapshot, params: &Params, memory: &Memory, verdict: &Verdict) -> Vec<DecidedAlert> {
    let mut standing = Vec::new();
    let name = match verdict.state {
        JobState::Failed => Some("JobFailed"),
        JobState::Lost => Some("JobLost"),
        JobState::Terminated => Some("JobTerminated"),
        JobState::Created
        | JobState::Initializing
        | JobState::Running
        | JobState::Failing
        | JobState::Cancelling
        | JobState::Canceled
        | JobState::Finished
        | JobState::Restarting
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing => None,
    };
    // A job that is gone as its resource asked is no alarm; one that failed is.
    let as_asked = memory.stop.is_asked_for() && verdict.state != JobState::Failed;
    if let Some(name) = name
        && !as_asked
        && s.job.state == verdict.state
        && s.age(s.job.since) >= params.alert_after
        && !s.intended(Intent::Cancel)
    {
        standing.push(DecidedAlert {
            name: name.into(),
            scope: AlertScope::Job,
            message: verdict.reason.message.clone(),
        });
    }
    if let Some(message) = operator::stalled(s, params, memory, verdict) {
        standing.push(DecidedAlert {
            name: "UpgradeStalled".into(),
            scope: AlertScope::Job,
            message: message.into(),
        });
    }
    for condition in &verdict.conditions {
        let (name, scope) = match condition.kind {
            ConditionType::CheckpointsFailing => ("CheckpointsFailing", AlertScope::Job),
            ConditionType::RestartLoop => ("RestartLoop", AlertScope::Job),
            ConditionType::FlinkUnreachable => ("FlinkUnreachable", AlertScope::Cluster),
            ConditionType::KubernetesUnreachable => ("KubernetesUnreachable", AlertScope::Cluster),
            ConditionType::AccessDenied
            | ConditionType::Unresponsive
            | ConditionType::CrashLoop
            | ConditionType::ImagePull
            | ConditionType::Terminating
            | ConditionType::FleetDisrupted
            | ConditionType::PolicyFailing => continue,
        };
        let stood = s.condition(condition.kind).map(|standing| s.age(standing.since));
        if stood.is_some_and(|age| age >= params.alert_after) {
            standing.push(DecidedAlert {
                name: name.into(),
                scope,
                message: condition.message.clone(),
            });
        }
    }
    standing
}
