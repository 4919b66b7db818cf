//! The alert that a policy fails: the watchman's own failure is an event like any other.
//!
//! Each of its jobs has it in its record, and people hear of it once a policy
//! ([`ClusterAlerts`](crate::cluster_alerts::ClusterAlerts)). It goes with the first decision that the policy makes of a job,
//! as every alert does that a decision does not name.

use std::time::Duration;

use crate::alert::{AlertEvent, AlertStatus};
use crate::record::{AlertScope, JobRecord, StandingAlert};
use crate::state::ConditionType;
use crate::time::Timestamp;

/// For how long a policy must fail at a job before that is an alert: one decision that missed its deadline on a busy machine
/// is none.
pub const ALERT_AFTER: Duration = Duration::from_secs(30);

/// Adds the alert to a record whose policy fails, once that has lasted. Returns it if it is new.
pub(super) fn raise(record: &mut JobRecord, now: Timestamp) -> Option<AlertEvent> {
    let name = ConditionType::PolicyFailing.as_str();
    let failing = record.condition(ConditionType::PolicyFailing)?;
    let stands = |alert: &StandingAlert| alert.name == name && alert.scope == AlertScope::Policy;
    if now.since(failing.since) < ALERT_AFTER || record.alerts.iter().any(stands) {
        return None;
    }
    let message = format!("policy `{}` fails: {}", record.policy, failing.message);
    record.alerts.push(StandingAlert {
        name: name.to_owned(),
        scope: AlertScope::Policy,
        since: now,
        message: message.clone(),
        silenced: false,
    });
    record.alerts.sort_by(|a, b| a.name.cmp(&b.name));
    Some(AlertEvent {
        alert: name.to_owned(),
        scope: AlertScope::Policy,
        status: AlertStatus::Firing,
        since: now,
        message,
        silenced: false,
    })
}
