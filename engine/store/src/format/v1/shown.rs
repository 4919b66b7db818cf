//! What a decision showed, beside its snapshot.
//!
//! Recordings of builds that did not keep it lack the whole, and an earlier build passes it over; so its words are its own. A
//! source of look-ups that a later build names is passed over as well, instead of the whole recording.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use steadfast_core::decision::LookupSource;
use steadfast_core::{record, shown, state};

use super::state::{Attention, ConditionType, Confidence, State};
use crate::format::shape::{Shape, object, words};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    state: State,
    attempt: u32,
    confidence: Confidence,
    reason: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<ConditionType>,
    /// A condition too, which the words of earlier builds lack.
    #[serde(default, skip_serializing_if = "is_false")]
    trimmed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<Alert>,
    attention: Attention,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    looks: Option<Looks>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Shape for Shown {
    type Core = shown::Shown;

    fn of(core: &shown::Shown) -> Self {
        let trimmed = state::ConditionType::DecisionTrimmed;
        let conditions = core.conditions.iter().filter(|kind| **kind != trimmed);
        Self {
            state: State::of(&core.state),
            attempt: core.attempt,
            confidence: Confidence::of(&core.confidence),
            reason: core.reason.clone(),
            conditions: conditions.map(ConditionType::of).collect(),
            trimmed: core.conditions.contains(&trimmed),
            alerts: Vec::<Alert>::of(&core.alerts),
            attention: Attention::of(&core.attention),
            looks: core.looks.as_ref().map(Looks::of),
        }
    }

    fn into_core(self) -> shown::Shown {
        let trimmed = self.trimmed.then_some(state::ConditionType::DecisionTrimmed);
        let mut conditions: Vec<_> = self
            .conditions
            .into_iter()
            .map(ConditionType::into_core)
            .chain(trimmed)
            .collect();
        conditions.sort_unstable();
        shown::Shown {
            state: self.state.into_core(),
            attempt: self.attempt,
            confidence: self.confidence.into_core(),
            reason: self.reason,
            conditions,
            alerts: self.alerts.into_core(),
            attention: self.attention.into_core(),
            looks: self.looks.map(Looks::into_core),
        }
    }
}

object!(Alert of shown::ShownAlert {
    "name": String = name,
    "scope": Scope = scope,
});

words!(Scope of record::AlertScope {
    "job" = Job,
    "cluster" = Cluster,
    "policy" = Policy,
});

/// What came later than the rest of it is left out where it is not known.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Looks {
    poll_after: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validate_after: Option<Duration>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wanted: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Vec<String>>,
}

impl Shape for Looks {
    type Core = shown::Looks;

    fn of(core: &shown::Looks) -> Self {
        let shown::Looks {
            poll_after,
            validate_after,
            wanted,
            asked,
        } = core;
        Self {
            poll_after: *poll_after,
            validate_after: *validate_after,
            wanted: words_of(wanted),
            asked: asked.as_deref().map(words_of),
        }
    }

    fn into_core(self) -> shown::Looks {
        shown::Looks {
            poll_after: self.poll_after,
            validate_after: self.validate_after,
            wanted: named(&self.wanted),
            asked: self.asked.as_deref().map(named),
        }
    }
}

fn words_of(sources: &[LookupSource]) -> Vec<String> {
    sources.iter().map(|source| source.as_str().to_owned()).collect()
}

fn named(words: &[String]) -> Vec<LookupSource> {
    let named = |word: &String| LookupSource::ALL.iter().find(|source| source.as_str() == word).copied();
    words.iter().filter_map(named).collect()
}
