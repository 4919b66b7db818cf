//! From the contract's decision to the core's. Which decisions are acceptable is the planner's question, save
//! for the size of the memory: what is too large is not even carried on.

use std::time::Duration;

use steadfast_core::decision::{
    DecidedAlert, DecidedCondition, Decision, LookupRequest, LookupSource, PolicyFailure, PolicyFailureKind, Watch,
};
use steadfast_core::planner::MEMORY_LIMIT;
use steadfast_core::record::{AlertScope, Reason};
use steadfast_core::state::{Attention, ConditionType, Confidence, JobState};
use steadfast_core::time::Timestamp;

use super::types;

/// Reads a decision.
pub(super) fn from_contract(decision: types::Decision) -> Result<Decision, PolicyFailure> {
    if decision.memory.len() > MEMORY_LIMIT {
        return Err(PolicyFailure {
            kind: PolicyFailureKind::Invalid,
            message: format!(
                "memory has {} bytes, more than {MEMORY_LIMIT}; remember less",
                decision.memory.len()
            )
            .into(),
        });
    }
    Ok(Decision {
        state: state(decision.state),
        confidence: match decision.confidence {
            types::Confidence::Confirmed => Confidence::Confirmed,
            types::Confidence::Inferred => Confidence::Inferred,
            types::Confidence::Stale => Confidence::Stale,
        },
        reason: Reason {
            code: decision.reason.code,
            message: decision.reason.message,
        },
        rule: decision.rule,
        watch: watch(decision.watch),
        wanted: decision.wanted.into_iter().map(want).collect(),
        conditions: decision.conditions.into_iter().map(condition).collect(),
        alerts: decision.alerts.into_iter().map(alert).collect(),
        memory: decision.memory,
    })
}

fn watch(watch: types::Watch) -> Watch {
    Watch {
        poll_after: Duration::from_millis(watch.poll_after),
        validate_after: Duration::from_millis(watch.validate_after),
        attention: match watch.attention {
            types::Attention::Active => Attention::Active,
            types::Attention::Sleeping => Attention::Sleeping,
        },
    }
}

fn want(want: types::Want) -> LookupRequest {
    LookupRequest {
        source: match want.source {
            types::WantedSource::Exceptions => LookupSource::Exceptions,
            types::WantedSource::Checkpoints => LookupSource::Checkpoints,
            types::WantedSource::Kubernetes => LookupSource::Kubernetes,
            types::WantedSource::HaData => LookupSource::HaData,
            types::WantedSource::Events => LookupSource::Events,
            types::WantedSource::LastWords => LookupSource::LastWords,
            types::WantedSource::Archive => LookupSource::Archive,
            types::WantedSource::TaskManagers => LookupSource::TaskManagers,
        },
        observed_after: Timestamp::from_millis(want.observed_after),
    }
}

fn condition(condition: types::DecidedCondition) -> DecidedCondition {
    DecidedCondition {
        kind: match condition.kind {
            types::ConditionType::FlinkUnreachable => ConditionType::FlinkUnreachable,
            types::ConditionType::KubernetesUnreachable => ConditionType::KubernetesUnreachable,
            types::ConditionType::AccessDenied => ConditionType::AccessDenied,
            types::ConditionType::Unresponsive => ConditionType::Unresponsive,
            types::ConditionType::CrashLoop => ConditionType::CrashLoop,
            types::ConditionType::ImagePull => ConditionType::ImagePull,
            types::ConditionType::Terminating => ConditionType::Terminating,
            types::ConditionType::CheckpointsFailing => ConditionType::CheckpointsFailing,
            types::ConditionType::RestartLoop => ConditionType::RestartLoop,
            types::ConditionType::FleetDisrupted => ConditionType::FleetDisrupted,
            types::ConditionType::PolicyFailing => ConditionType::PolicyFailing,
        },
        message: condition.message,
    }
}

fn alert(alert: types::DecidedAlert) -> DecidedAlert {
    DecidedAlert {
        name: alert.name,
        scope: match alert.scope {
            types::AlertScope::Job => AlertScope::Job,
            types::AlertScope::Cluster => AlertScope::Cluster,
        },
        message: alert.message,
    }
}

fn state(state: types::JobState) -> JobState {
    match state {
        types::JobState::Created => JobState::Created,
        types::JobState::Initializing => JobState::Initializing,
        types::JobState::Running => JobState::Running,
        types::JobState::Failing => JobState::Failing,
        types::JobState::Failed => JobState::Failed,
        types::JobState::Cancelling => JobState::Cancelling,
        types::JobState::Canceled => JobState::Canceled,
        types::JobState::Finished => JobState::Finished,
        types::JobState::Restarting => JobState::Restarting,
        types::JobState::Suspended => JobState::Suspended,
        types::JobState::Reconciling => JobState::Reconciling,
        types::JobState::Unknown => JobState::Unknown,
        types::JobState::Starting => JobState::Starting,
        types::JobState::Savepointing => JobState::Savepointing,
        types::JobState::Lost => JobState::Lost,
        types::JobState::Terminated => JobState::Terminated,
    }
}
