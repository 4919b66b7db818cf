//! Applies a decision to the record: guards, dedupe, transition or no change, next times.
//!
//! A pure function that simulation, replay and production share. What comes out is a plan: it changes
//! nothing until the journal has committed it.

mod failing;

use std::time::Duration;

use crate::alert::{AlertEvent, AlertStatus};
use crate::decision::{Decision, LookupRequest, PolicyFailure, PolicyFailureKind, Watch};
use crate::journal::{Change, Event, Transition};
use crate::record::{Condition, JobRecord, StandingAlert};
use crate::snapshot::Snapshot;
use crate::state::{Attention, ConditionType, Confidence, JobState};
use crate::time::Timestamp;
use crate::told_since::told_since;

/// The most a policy may remember about one job, in bytes.
pub const MEMORY_LIMIT: usize = 16 * 1024;
/// The longest text a policy may put into a record, in bytes.
pub const TEXT_LIMIT: usize = 4 * 1024;
/// The shortest poll interval a policy may ask for.
pub const SHORTEST_POLL: Duration = Duration::from_millis(10);
/// The longest poll interval a policy may ask for: a watch that polls once a year would have ended in all but name.
pub const LONGEST_POLL: Duration = Duration::from_secs(24 * 60 * 60);

/// What follows from one decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What to commit; `None` if the record stays as it is.
    pub change: Option<Change>,
    /// When the state was confirmed by this decision, if it was.
    pub confirmed_at: Option<Timestamp>,
    /// The watch from now on.
    pub next: Next,
}

/// When a job is polled and judged again.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// As the policy said.
    Watch {
        /// The poll interval, when it is judged again, and whether polls go on.
        watch: Watch,
        /// Evidence it asked for.
        wanted: Vec<LookupRequest>,
    },
    /// The policy failed: it is tried again after a backoff, on the same or newer evidence.
    Retry(PolicyFailure),
}

/// Plans one job's next step. `before` is the record as committed; the snapshot holds it with its
/// incarnation and other jobs brought up to date.
pub fn plan(before: &JobRecord, snapshot: &Snapshot, outcome: Result<Decision, PolicyFailure>) -> Plan {
    match outcome.and_then(check) {
        Ok(decision) => apply(before, snapshot, decision),
        Err(failure) => retain_on_failure(before, snapshot.now, failure),
    }
}

/// Refuses a decision that breaks the contract.
fn check(decision: Decision) -> Result<Decision, PolicyFailure> {
    let invalid = |message: String| {
        Err(PolicyFailure {
            kind: PolicyFailureKind::Invalid,
            message,
        })
    };
    if decision.memory.len() > MEMORY_LIMIT {
        return invalid(format!(
            "memory has {} bytes, more than {MEMORY_LIMIT}",
            decision.memory.len()
        ));
    }
    if decision.reason.code.is_empty() {
        return invalid("reason.code is empty; give a word in CamelCase".to_owned());
    }
    let messages = decision
        .conditions
        .iter()
        .map(|c| &c.message)
        .chain(decision.alerts.iter().map(|a| &a.message));
    if let Some(text) = messages
        .chain([&decision.reason.message, &decision.reason.code])
        .find(|t| t.len() > TEXT_LIMIT)
    {
        return invalid(format!("a text has {} bytes, more than {TEXT_LIMIT}", text.len()));
    }
    if decision
        .conditions
        .iter()
        .any(|c| c.kind == ConditionType::PolicyFailing)
    {
        return invalid("PolicyFailing is the engine's own condition; leave it out".to_owned());
    }
    for (name, pace) in [
        ("poll-after", decision.watch.poll_after),
        ("validate-after", decision.watch.validate_after),
    ] {
        if !(SHORTEST_POLL..=LONGEST_POLL).contains(&pace) {
            return invalid(format!(
                "watch.{name} is {pace:?}, not between {SHORTEST_POLL:?} and {LONGEST_POLL:?}"
            ));
        }
    }
    if decision.state == JobState::Unknown && decision.confidence == Confidence::Confirmed {
        return invalid("UNKNOWN cannot be confirmed; say stale or inferred".to_owned());
    }
    Ok(decision)
}

fn apply(before: &JobRecord, snapshot: &Snapshot, decision: Decision) -> Plan {
    let now = snapshot.now;
    let tracked = &snapshot.record;
    let is_new = decision.state != before.state
        || (tracked.incarnation.attempt != before.incarnation.attempt && decision.state != JobState::Unknown);
    let confirmed_at = (decision.confidence == Confidence::Confirmed).then_some(now);
    let mut after = JobRecord {
        state: decision.state,
        confidence: decision.confidence,
        reason: decision.reason,
        since: if is_new { now } else { before.since },
        incarnation: tracked.incarnation.clone(),
        labels: tracked.labels.clone(),
        other_jobs: tracked.other_jobs.clone(),
        intent: tracked.intent.clone(),
        conditions: conditions(
            before,
            decision.conditions.into_iter().map(|c| (c.kind, c.message)).collect(),
            now,
        ),
        attention: decision.watch.attention,
        memory: decision.memory,
        ..before.clone()
    };
    after.told_since = told_since(before, &after, snapshot);
    let alert_events = alerts(
        before,
        &mut after,
        decision.alerts.into_iter().map(|a| (a.name, a.scope, a.message)),
        now,
    );
    let mut events = Vec::new();
    if is_new {
        events.push(Event::Transition(Transition {
            from: before.state,
            to: after.state,
            confidence: after.confidence,
            reason: after.reason.clone(),
            attempt: after.incarnation.attempt,
            policy: after.policy.clone(),
            told_since: after.told_since,
        }));
    } else if shown_differently(before, &after) {
        events.push(Event::Update);
    }
    events.extend(alert_events.into_iter().map(Event::Alert));
    let next = Next::Watch {
        watch: decision.watch,
        wanted: decision.wanted,
    };
    Plan {
        change: change(before, after, events, confirmed_at),
        confirmed_at,
        next,
    }
}

/// The policy failed: the last state stays, and the record says so. Nobody has judged what is seen now, so nothing of it is
/// confirmed.
fn retain_on_failure(before: &JobRecord, now: Timestamp, failure: PolicyFailure) -> Plan {
    let message = format!("{}: {}", failure.kind.as_str(), cut(&failure.message));
    let mut standing: Vec<(ConditionType, String)> =
        before.conditions.iter().map(|c| (c.kind, c.message.clone())).collect();
    standing.retain(|(kind, _)| *kind != ConditionType::PolicyFailing);
    standing.push((ConditionType::PolicyFailing, message));
    let mut after = JobRecord {
        conditions: conditions(before, standing, now),
        confidence: Confidence::Stale,
        attention: Attention::Active,
        ..before.clone()
    };
    let alert = failing::raise(&mut after, now);
    let mut events = Vec::new();
    if shown_differently(before, &after) {
        events.push(Event::Update);
    }
    events.extend(alert.map(Event::Alert));
    Plan {
        change: change(before, after, events, None),
        confirmed_at: None,
        next: Next::Retry(failure),
    }
}

/// Notes an intent in the record.
pub fn record_intent(before: &JobRecord, intent: crate::record::PostedIntent) -> Change {
    let after = JobRecord {
        intent: Some(intent),
        ..before.clone()
    };
    Change::update(before, after, vec![Event::Update])
}

/// A change if there is one; a later `confirmed_at` alone is none.
fn change(before: &JobRecord, after: JobRecord, events: Vec<Event>, confirmed_at: Option<Timestamp>) -> Option<Change> {
    if after == *before {
        return None;
    }
    let after = JobRecord {
        confirmed_at: confirmed_at.or(before.confirmed_at),
        ..after
    };
    Some(Change::update(before, after, events))
}

/// Whether readers of the record see a difference beside the state.
fn shown_differently(before: &JobRecord, after: &JobRecord) -> bool {
    before.confidence != after.confidence
        || before.reason != after.reason
        || before.conditions != after.conditions
        || before.told_since != after.told_since
        || before.other_jobs != after.other_jobs
        || before.attention != after.attention
        || before.incarnation != after.incarnation
        || before.intent.as_ref().map(|posted| posted.intent) != after.intent.as_ref().map(|posted| posted.intent)
}

/// The conditions that stand now, each since it began to stand.
fn conditions(before: &JobRecord, mut standing: Vec<(ConditionType, String)>, now: Timestamp) -> Vec<Condition> {
    standing.sort_by_key(|(kind, _)| *kind);
    standing.dedup_by_key(|(kind, _)| *kind);
    standing
        .into_iter()
        .map(|(kind, message)| Condition {
            kind,
            since: before.condition(kind).map_or(now, |c| c.since),
            message,
        })
        .collect()
}

/// Sets the alerts that stand, and returns those that began or ended.
fn alerts(
    before: &JobRecord,
    after: &mut JobRecord,
    standing: impl Iterator<Item = (String, crate::record::AlertScope, String)>,
    now: Timestamp,
) -> Vec<AlertEvent> {
    let mut events = Vec::new();
    let mut kept: Vec<StandingAlert> = Vec::new();
    for (name, scope, message) in standing {
        if kept.iter().any(|alert| alert.name == name) {
            continue;
        }
        match before
            .alerts
            .iter()
            .find(|alert| alert.name == name && alert.scope == scope)
        {
            Some(known) => kept.push(known.clone()),
            None => {
                events.push(AlertEvent {
                    alert: name.clone(),
                    scope,
                    status: AlertStatus::Firing,
                    since: now,
                    message: message.clone(),
                });
                kept.push(StandingAlert {
                    name,
                    scope,
                    since: now,
                    message,
                });
            }
        }
    }
    kept.sort_by(|a, b| a.name.cmp(&b.name));
    for gone in before
        .alerts
        .iter()
        .filter(|a| !kept.iter().any(|k| k.name == a.name && k.scope == a.scope))
    {
        events.push(AlertEvent {
            alert: gone.name.clone(),
            scope: gone.scope,
            status: AlertStatus::Resolved,
            since: gone.since,
            message: gone.message.clone(),
        });
    }
    after.alerts = kept;
    events
}

/// At most [`TEXT_LIMIT`] bytes of a text.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

pub use failing::ALERT_AFTER;

#[cfg(test)]
mod tests;
