//! What was seen of a policy: which rules spoke, and what stood beside the state, whatever it was asked for.

use std::collections::BTreeSet;

use steadfast_core::decision::Decision;
use steadfast_core::record::{AlertScope, StandingAlert};
use steadfast_core::state::ConditionType;

use crate::laws::is_unintended_end;
use crate::look::Look;

/// What was seen of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The rules that spoke.
    pub rules: BTreeSet<String>,
    /// The names of the alerts that stood.
    pub alerts: BTreeSet<String>,
    /// Those about a job that began with an end that nobody intended, or after it.
    begun_at_ends: BTreeSet<String>,
    /// Those about a job that began of one that had not ended so.
    begun_before: BTreeSet<String>,
    /// Whether one about a job began at the very look that ended it.
    is_end_alerted: bool,
    /// The conditions that stood.
    pub conditions: BTreeSet<ConditionType>,
}

impl Coverage {
    /// What a decision says.
    pub(crate) fn note(&mut self, decision: &Decision) {
        if !self.rules.contains(&decision.rule) {
            self.rules.insert(decision.rule.clone());
        }
        for alert in &decision.alerts {
            if !self.alerts.contains(&alert.name) {
                self.alerts.insert(alert.name.clone());
            }
        }
        self.conditions
            .extend(decision.conditions.iter().map(|condition| condition.kind));
    }

    /// Whether it alerts of ends: an alert that stands at one may be about something else, the silence of the whole cluster or
    /// of its Flink.
    pub fn alerts_of_ends(&self) -> bool {
        self.is_end_alerted || !self.begun_at_ends.is_subset(&self.begun_before)
    }

    /// Which alerts about the job begin at a look, and of what.
    pub(crate) fn note_beginnings(&mut self, look: &Look) {
        let of_job = |alert: &&StandingAlert| alert.scope == AlertScope::Job;
        for alert in look.record().alerts.iter().filter(of_job) {
            let mut before = look.before.alerts.iter().filter(of_job);
            if before.any(|other| other.name == alert.name) {
                continue;
            }
            let begun = if is_unintended_end(look.record()) {
                self.is_end_alerted |= !is_unintended_end(&look.before);
                &mut self.begun_at_ends
            } else {
                &mut self.begun_before
            };
            if !begun.contains(&alert.name) {
                begun.insert(alert.name.clone());
            }
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.alerts.extend(other.alerts);
        self.conditions.extend(other.conditions);
        self.begun_at_ends.extend(other.begun_at_ends);
        self.begun_before.extend(other.begun_before);
        self.is_end_alerted |= other.is_end_alerted;
    }
}
