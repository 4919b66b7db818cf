//! What a decision shows, and in what two of them differ.
//!
//! Whatever sets two policies beside each other asks this: a shadow beside the one that decides, a replay beside what was
//! recorded, `policy diff` one beside the other. What it leaves out differs without a meaning: texts hold numbers, names and
//! times, so a reason counts by its code and an alert by its name and scope. What the engine adds to a decision is none of the
//! policy's: that it was trimmed, that its changes wait, that somebody silenced an alert.

use std::collections::BTreeSet;
use std::time::Duration;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::decision::{Decision, LookupSource};
use crate::record::{AlertScope, JobRecord};
use crate::state::{Attention, ConditionType, Confidence, JobState, word};

/// What of a decision readers see, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The state.
    pub state: JobState,
    /// In which attempt.
    pub attempt: u32,
    /// How sure it is.
    pub confidence: Confidence,
    /// The reason's code.
    pub reason: String,
    /// What stands beside the state, ordered, each once.
    pub conditions: Vec<ConditionType>,
    /// The alerts that stand, ordered by name, each name once.
    pub alerts: Vec<ShownAlert>,
    /// Whether the watch polls.
    pub attention: Attention,
    /// What is asked next. `None` where the policy failed: the engine tries it again at a pace of its own.
    pub looks: Option<Looks>,
}

/// An alert that stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShownAlert {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub scope: AlertScope,
}

/// What a decision asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    /// How long until Flink is asked again.
    pub poll_after: Duration,
    /// Evidence to be looked up, ordered, each source once.
    pub wanted: Vec<LookupSource>,
}

/// In what two decisions can differ, the gravest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum Aspect {
    /// Another state.
    State,
    /// Another attempt.
    Attempt,
    /// An alert stands that does not in the other.
    Alerts,
    /// A condition stands that does not in the other.
    Conditions,
    /// How sure the state is.
    Confidence,
    /// The code of the reason.
    Reason,
    /// How often Flink is polled, or whether it is at all.
    Pace,
    /// Which evidence is looked up on request.
    Lookups,
}

word!(Aspect);

impl Aspect {
    /// Whether readers of states see it.
    pub const fn is_of_state(self) -> bool {
        match self {
            Self::State | Self::Attempt => true,
            Self::Alerts | Self::Conditions | Self::Confidence | Self::Reason | Self::Pace | Self::Lookups => false,
        }
    }
}

/// In what two decisions differ; empty: in nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aspects(BTreeSet<Aspect>);

impl Aspects {
    /// The aspects, the gravest first.
    pub fn iter(&self) -> impl Iterator<Item = Aspect> + '_ {
        self.0.iter().copied()
    }

    /// Whether the two are the same.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is one of them.
    pub fn contains(&self, aspect: Aspect) -> bool {
        self.0.contains(&aspect)
    }

    /// Whether the two have one in common.
    pub fn meet(&self, other: &Self) -> bool {
        !self.0.is_disjoint(&other.0)
    }

    /// Whether readers would see another state or another attempt.
    pub fn are_of_state(&self) -> bool {
        self.iter().any(Aspect::is_of_state)
    }
}

impl FromIterator<Aspect> for Aspects {
    fn from_iter<I: IntoIterator<Item = Aspect>>(aspects: I) -> Self {
        Self(aspects.into_iter().collect())
    }
}

impl Shown {
    /// What a decision that fits the contract shows of a job in that attempt.
    pub fn decided(decision: &Decision, attempt: u32) -> Self {
        let conditions = decision.conditions.iter().map(|condition| condition.kind);
        let alerts = decision.alerts.iter().map(|alert| (&alert.name, alert.scope));
        let wanted: BTreeSet<LookupSource> = decision.wanted.iter().map(|request| request.source).collect();
        Self {
            state: decision.state,
            attempt,
            confidence: decision.confidence,
            reason: decision.reason.code.clone(),
            conditions: policys(conditions),
            alerts: by_name(alerts),
            attention: decision.watch.attention,
            looks: Some(Looks {
                poll_after: decision.watch.poll_after,
                wanted: wanted.into_iter().collect(),
            }),
        }
    }

    /// What a record shows while its policy fails, or has not decided yet.
    pub fn kept(record: &JobRecord) -> Self {
        let conditions = record.conditions.iter().map(|condition| condition.kind);
        let alerts = record.alerts.iter().map(|alert| (&alert.name, alert.scope));
        Self {
            state: record.state,
            attempt: record.incarnation.attempt,
            confidence: record.confidence,
            reason: record.reason.code.clone(),
            conditions: policys(conditions),
            alerts: by_name(alerts),
            attention: record.attention,
            looks: None,
        }
    }

    /// In what the two differ. What is asked next is compared where both say it.
    pub fn differs_from(&self, other: &Self) -> Aspects {
        let looks = self.looks.as_ref().zip(other.looks.as_ref());
        let is_paced_alike = looks.is_none_or(|(own, other)| own.poll_after == other.poll_after);
        let all = [
            (Aspect::State, self.state == other.state),
            (Aspect::Attempt, self.attempt == other.attempt),
            (Aspect::Alerts, self.alerts == other.alerts),
            (Aspect::Conditions, self.conditions == other.conditions),
            (Aspect::Confidence, self.confidence == other.confidence),
            (Aspect::Reason, self.reason == other.reason),
            (Aspect::Pace, is_paced_alike && self.attention == other.attention),
            (
                Aspect::Lookups,
                looks.is_none_or(|(own, other)| own.wanted == other.wanted),
            ),
        ];
        let differing = all.into_iter().filter(|(_, is_same)| !is_same);
        differing.map(|(aspect, _)| aspect).collect()
    }
}

/// Those that say something of the policy's judgement: that it fails says that there is none.
fn policys(conditions: impl Iterator<Item = ConditionType>) -> Vec<ConditionType> {
    let conditions: BTreeSet<ConditionType> = conditions.filter(|kind| !is_beside(*kind)).collect();
    conditions.into_iter().collect()
}

/// Whether the engine puts it beside a decision that stands.
const fn is_beside(kind: ConditionType) -> bool {
    match kind {
        ConditionType::PolicyOutdated | ConditionType::DecisionTrimmed | ConditionType::RateLimited => true,
        ConditionType::FlinkUnreachable
        | ConditionType::KubernetesUnreachable
        | ConditionType::AccessDenied
        | ConditionType::Unresponsive
        | ConditionType::CrashLoop
        | ConditionType::ImagePull
        | ConditionType::Terminating
        | ConditionType::CheckpointsFailing
        | ConditionType::RestartLoop
        | ConditionType::FleetDisrupted
        | ConditionType::PolicyFailing => false,
    }
}

/// Of two that are named alike the first counts, as where they are planned.
fn by_name<'a>(alerts: impl Iterator<Item = (&'a String, AlertScope)>) -> Vec<ShownAlert> {
    let mut shown: Vec<ShownAlert> = Vec::new();
    for (name, scope) in alerts {
        if let Err(place) = shown.binary_search_by(|known| known.name.cmp(name)) {
            let name = name.clone();
            shown.insert(place, ShownAlert { name, scope });
        }
    }
    shown
}

#[cfg(test)]
mod tests;
