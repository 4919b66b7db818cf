//! The parts of the record. Each version puts them together.

use steadfast_core::incarnation::Incarnation;
use steadfast_core::record::{AlertScope, Condition, PostedIntent, Reason, StandingAlert};
use steadfast_core::state::{ConditionType, Confidence, Intent, JobState, Mode};

use super::{at, types};

pub(crate) fn mode(mode: Mode) -> types::Mode {
    match mode {
        Mode::Application => types::Mode::Application,
        Mode::Session => types::Mode::Session,
        Mode::Standalone => types::Mode::Standalone,
    }
}

pub(crate) fn confidence(confidence: Confidence) -> types::Confidence {
    match confidence {
        Confidence::Confirmed => types::Confidence::Confirmed,
        Confidence::Inferred => types::Confidence::Inferred,
        Confidence::Stale => types::Confidence::Stale,
    }
}

pub(crate) fn reason(reason: &Reason) -> types::Reason {
    types::Reason {
        code: reason.code.clone(),
        message: reason.message.clone(),
    }
}

pub(crate) fn intent(posted: &PostedIntent) -> types::PostedIntent {
    types::PostedIntent {
        intent: match posted.intent {
            Intent::Start => types::Intent::Start,
            Intent::Cancel => types::Intent::Cancel,
            Intent::Savepoint => types::Intent::Savepoint,
            Intent::None => types::Intent::None,
        },
        since: at(posted.since),
    }
}

pub(crate) fn incarnation(incarnation: &Incarnation) -> types::Incarnation {
    types::Incarnation {
        attempt: incarnation.attempt,
        deployment_uid: incarnation.deployment_uid.as_ref().map(|uid| uid.as_str().to_owned()),
        flink_job_id: incarnation.flink_job_id.map(|id| id.to_string()),
        started_at: incarnation.started_at.map(at),
        since: incarnation.since.map(at),
    }
}

/// A condition, unless it is the engine's word about the policy or its decisions, for which the contract has none.
pub(crate) fn condition(condition: &Condition) -> Option<types::Condition> {
    let kind = match condition.kind {
        ConditionType::FlinkUnreachable => types::ConditionType::FlinkUnreachable,
        ConditionType::KubernetesUnreachable => types::ConditionType::KubernetesUnreachable,
        ConditionType::AccessDenied => types::ConditionType::AccessDenied,
        ConditionType::Unresponsive => types::ConditionType::Unresponsive,
        ConditionType::CrashLoop => types::ConditionType::CrashLoop,
        ConditionType::ImagePull => types::ConditionType::ImagePull,
        ConditionType::Terminating => types::ConditionType::Terminating,
        ConditionType::CheckpointsFailing => types::ConditionType::CheckpointsFailing,
        ConditionType::RestartLoop => types::ConditionType::RestartLoop,
        ConditionType::FleetDisrupted => types::ConditionType::FleetDisrupted,
        ConditionType::PolicyFailing => types::ConditionType::PolicyFailing,
        ConditionType::PolicyOutdated | ConditionType::DecisionTrimmed | ConditionType::RateLimited => return None,
    };
    Some(types::Condition {
        kind,
        since: at(condition.since),
        message: condition.message.clone(),
    })
}

/// An alert; `None` for one about the policy itself, which is not its affair.
pub(crate) fn alert(alert: &StandingAlert) -> Option<types::StandingAlert> {
    Some(types::StandingAlert {
        name: alert.name.clone(),
        scope: match alert.scope {
            AlertScope::Job => types::AlertScope::Job,
            AlertScope::Cluster => types::AlertScope::Cluster,
            AlertScope::Policy => return None,
        },
        since: at(alert.since),
        message: alert.message.clone(),
    })
}

pub(crate) fn state(state: JobState) -> types::JobState {
    match state {
        JobState::Created => types::JobState::Created,
        JobState::Initializing => types::JobState::Initializing,
        JobState::Running => types::JobState::Running,
        JobState::Failing => types::JobState::Failing,
        JobState::Failed => types::JobState::Failed,
        JobState::Cancelling => types::JobState::Cancelling,
        JobState::Canceled => types::JobState::Canceled,
        JobState::Finished => types::JobState::Finished,
        JobState::Restarting => types::JobState::Restarting,
        JobState::Suspended => types::JobState::Suspended,
        JobState::Reconciling => types::JobState::Reconciling,
        JobState::Unknown => types::JobState::Unknown,
        JobState::Starting => types::JobState::Starting,
        JobState::Savepointing => types::JobState::Savepointing,
        JobState::Lost => types::JobState::Lost,
        JobState::Terminated => types::JobState::Terminated,
    }
}
