//! What stands beside the state.
//!
//! A word that is new would make a document of another format (see [`crate::format`]). So what core has learnt to raise
//! since is written as the nearest word there was, with the one it is in a member of its own: an earlier build reads that
//! the policy fails, with the engine's words of how, until its own next decision.

use serde::{Deserialize, Serialize};
use steadfast_core::{record, state};

use super::scalar::Moment;
use super::state::ConditionType;
use crate::format::shape::Shape;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    kind: ConditionType,
    since: Moment,
    message: String,
    /// Missing where the type says it all, and in records from before there were others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    precisely: Option<Later>,
}

/// The conditions that came later.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Later {
    PolicyOutdated,
    DecisionTrimmed,
    RateLimited,
}

impl Later {
    fn of(kind: state::ConditionType) -> Option<Self> {
        match kind {
            state::ConditionType::PolicyOutdated => Some(Self::PolicyOutdated),
            state::ConditionType::DecisionTrimmed => Some(Self::DecisionTrimmed),
            state::ConditionType::RateLimited => Some(Self::RateLimited),
            state::ConditionType::FlinkUnreachable
            | state::ConditionType::KubernetesUnreachable
            | state::ConditionType::AccessDenied
            | state::ConditionType::Unresponsive
            | state::ConditionType::CrashLoop
            | state::ConditionType::ImagePull
            | state::ConditionType::Terminating
            | state::ConditionType::CheckpointsFailing
            | state::ConditionType::RestartLoop
            | state::ConditionType::FleetDisrupted
            | state::ConditionType::PolicyFailing => None,
        }
    }

    fn into_core(self) -> state::ConditionType {
        match self {
            Self::PolicyOutdated => state::ConditionType::PolicyOutdated,
            Self::DecisionTrimmed => state::ConditionType::DecisionTrimmed,
            Self::RateLimited => state::ConditionType::RateLimited,
        }
    }
}

impl Shape for Condition {
    type Core = record::Condition;

    fn of(core: &record::Condition) -> Self {
        let record::Condition { kind, since, message } = core;
        Self {
            kind: ConditionType::of(kind),
            since: Moment::of(since),
            message: message.clone(),
            precisely: Later::of(*kind),
        }
    }

    fn into_core(self) -> record::Condition {
        record::Condition {
            kind: self.precisely.map_or_else(|| self.kind.into_core(), Later::into_core),
            since: self.since.into_core(),
            message: self.message,
        }
    }
}
