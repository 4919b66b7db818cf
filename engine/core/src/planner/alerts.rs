//! Which alerts stand after a decision, and which began or ended with it.

use std::collections::BTreeMap;

use crate::alert::{AlertEvent, AlertStatus};
use crate::decision::DecidedAlert;
use crate::record::{AlertScope, Silence, StandingAlert};
use crate::silences::{event, has, is_due};
use crate::time::Timestamp;

/// The alerts that stand, by name, and what is told: that one began, that it ended, that it may be told by now. Of two that a decision names alike the first counts.
pub(super) fn standing(
    before: &[StandingAlert],
    decided: Vec<DecidedAlert>,
    silences: &[Silence],
    now: Timestamp,
) -> (Vec<StandingAlert>, Vec<AlertEvent>) {
    let known = before.iter().map(|alert| ((alert.name.as_str(), alert.scope), alert));
    // The engine's own alert may have the name of one that the policy has raised.
    let known: BTreeMap<(&str, AlertScope), &StandingAlert> = known.collect();
    let mut kept: BTreeMap<String, StandingAlert> = BTreeMap::new();
    let mut events = Vec::new();
    for DecidedAlert { name, scope, message } in decided {
        if kept.contains_key(&name) {
            continue;
        }
        let alert = match known.get(&(name.as_str(), scope)) {
            Some(known) => {
                let mut alert = StandingAlert::clone(known);
                if is_due(&alert, silences) {
                    // It stands, and may be told by now.
                    alert.silenced = false;
                    events.push(event(&alert, AlertStatus::Firing));
                }
                alert
            }
            None => {
                let alert = StandingAlert {
                    silenced: has(silences, scope, &name),
                    name: name.clone(),
                    scope,
                    since: now,
                    message,
                };
                events.push(event(&alert, AlertStatus::Firing));
                alert
            }
        };
        kept.insert(name, alert);
    }
    let has_gone = |alert: &&StandingAlert| kept.get(&alert.name).is_none_or(|kept| kept.scope != alert.scope);
    let gone = before.iter().filter(has_gone);
    events.extend(gone.map(|alert| event(alert, AlertStatus::Resolved)));
    (kept.into_values().collect(), events)
}
