//! What a decision shows, and in what two of them differ.
//!
//! Whatever sets two policies beside each other asks this: a shadow beside the one that decides, a replay beside what was
//! recorded, `policy diff` one beside the other. What it leaves out differs without a meaning: texts hold numbers, names and
//! times, so a reason counts by its code and an alert by its name and scope. That a decision failed or was trimmed is the
//! policy's doing. What the engine adds of itself is not: that changes wait, that the module is outdated, that somebody silenced
//! an alert.

mod apart;

use std::collections::BTreeSet;
use std::time::Duration;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::decision::{Decision, LookupSource};
use crate::planner::Trim;
use crate::record::{AlertScope, JobRecord};
use crate::snapshot::Snapshot;
use crate::state::{Attention, ConditionType, Confidence, JobState, RaisedBy, word};

pub use apart::{Apart, Pair, Side};

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
    /// How long until it is judged again, whatever polls see. `None`: it was recorded by a build that did not keep it.
    pub validate_after: Option<Duration>,
    /// Evidence to be looked up, ordered, each source once.
    pub wanted: Vec<LookupSource>,
    /// Those of them for which what the snapshot holds will not do, so that they are asked. A policy that wants news at each look
    /// asks at each. `None`: it was recorded by a build that did not keep it.
    pub asked: Option<Vec<LookupSource>>,
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
    /// How often Flink is polled, or whether it is at all, and how often all is looked at anew.
    Pace,
    /// Which evidence is looked up on request, and whether what there is will do.
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
    /// What a decision on a snapshot shows: as it fits the contract, and what was trimmed for that.
    pub fn decided(decision: &Decision, trimmed: &BTreeSet<Trim>, snapshot: &Snapshot) -> Self {
        let is_trimmed = (!trimmed.is_empty()).then_some(ConditionType::DecisionTrimmed);
        let conditions = decision.conditions.iter().map(|condition| condition.kind);
        let alerts = decision.alerts.iter().map(|alert| (&alert.name, alert.scope));
        let wanted = sources(decision.wanted.iter().map(|request| request.source));
        let open = decision.wanted.iter().filter(|request| !snapshot.answers(request));
        Self {
            state: decision.state,
            attempt: snapshot.record.incarnation.attempt,
            confidence: decision.confidence,
            reason: decision.reason.code.clone(),
            conditions: compared(conditions.chain(is_trimmed)),
            alerts: by_name(alerts),
            attention: decision.watch.attention,
            looks: Some(Looks {
                poll_after: decision.watch.poll_after,
                validate_after: Some(decision.watch.validate_after),
                wanted,
                asked: Some(sources(open.map(|request| request.source))),
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
            conditions: compared(conditions),
            alerts: by_name(alerts),
            attention: record.attention,
            looks: None,
        }
    }

    /// In what the two differ. What is asked next is compared where both say it.
    pub fn differs_from(&self, other: &Self) -> Aspects {
        Apart::all(self, other).iter().map(Apart::aspect).collect()
    }
}

fn sources(sources: impl Iterator<Item = LookupSource>) -> Vec<LookupSource> {
    sources.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Those that another policy might not have: what the engine says of itself would stand beside any.
fn compared(conditions: impl Iterator<Item = ConditionType>) -> Vec<ConditionType> {
    let conditions = conditions.filter(|kind| match kind.raised_by() {
        RaisedBy::Policy | RaisedBy::EngineOfDecision => true,
        RaisedBy::EngineOfItself => false,
    });
    conditions.collect::<BTreeSet<_>>().into_iter().collect()
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
