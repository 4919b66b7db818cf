//! Applies a decision to the record: guards, dedupe, transition or no change, next times.
//!
//! A pure function that simulation, replay and production share. What comes out is a plan: it changes
//! nothing until the journal has committed it.

use std::collections::BTreeSet;

use crate::call::Call;
use crate::decision::{Decision, LookupRequest, PolicyFailure, Watch};
use crate::journal::{Change, Event, Transition};
use crate::record::{Condition, JobRecord};
use crate::shown::Shown;
use crate::silences;
use crate::snapshot::Snapshot;
use crate::state::{Attention, ConditionType, Confidence, JobState};
use crate::time::Timestamp;
use crate::timing::Timing;
use crate::told_since::told_since;

mod alerts;
mod allowance;
mod failing;
mod trim;

pub use allowance::{AT_ONCE, Allowance, EACH_POLL, Spent};
pub use failing::ALERT_AFTER;
pub use trim::Trim;

/// The most a policy may remember about one job, in bytes.
pub const MEMORY_LIMIT: usize = 16 * 1024;
/// The longest text a policy may put into a record, in bytes.
pub const TEXT_LIMIT: usize = 4 * 1024;
/// The longest name a policy may give: of a rule, of an alert, the code of a reason. In bytes.
pub const NAME_LIMIT: usize = 128;
/// The most conditions, alerts and wishes for evidence, of each, that a decision may hold.
pub const COUNT_LIMIT: usize = 32;

/// What follows from one decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What to commit; `None` if the record stays as it is.
    pub change: Option<Change>,
    /// When the state was confirmed, if this decision says that it is: as of what the sources said last.
    pub confirmed_at: Option<Timestamp>,
    /// The watch from now on.
    pub next: Next,
    /// What of the decision does not fit the contract and was trimmed.
    pub trimmed: BTreeSet<Trim>,
    /// What it shows, to be set beside what another policy shows: as was decided, whether the journal has room for all of it
    /// at once or not.
    pub shown: Shown,
}

impl Plan {
    /// What was trimmed of the decision, for people; `None` if all of it fits.
    pub fn complaint(&self) -> Option<String> {
        (!self.trimmed.is_empty()).then(|| trim::described(&self.trimmed))
    }
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

/// The decision as the contract has it: what is only its ornament cut, clamped or left out. Fails where that leaves nothing
/// to go by.
pub fn fitted(decision: Decision, timing: &Timing) -> Result<Decision, PolicyFailure> {
    trim::fit(decision, timing).map(|(decision, _)| decision)
}

/// Plans one job's next step. `before` is the record as committed; the snapshot holds it with its
/// incarnation and other jobs brought up to date.
pub fn plan(before: &JobRecord, snapshot: &Snapshot, outcome: Result<Decision, PolicyFailure>) -> Plan {
    plan_within(before, snapshot, outcome, Allowance::WHOLE)
}

/// The same where the job's decisions have spent some of what they may write into the journal. Whatever is left, the state
/// counts; alerts whose changes find no room stay as they are.
pub fn plan_within(
    before: &JobRecord,
    snapshot: &Snapshot,
    outcome: Result<Decision, PolicyFailure>,
    allowance: Allowance,
) -> Plan {
    match outcome.and_then(|decision| trim::fit(decision, &snapshot.timing)) {
        Ok((decision, trimmed)) => apply(before, snapshot, decision, trimmed, allowance),
        Err(failure) => retain_on_failure(before, snapshot.now, failure),
    }
}

fn apply(
    before: &JobRecord,
    snapshot: &Snapshot,
    decision: Decision,
    trimmed: BTreeSet<Trim>,
    allowance: Allowance,
) -> Plan {
    let now = snapshot.now;
    let tracked = &snapshot.record;
    let shown = Shown::decided(&decision, &trimmed, snapshot);
    let is_new = decision.state != before.state
        || (tracked.incarnation.attempt != before.incarnation.attempt && decision.state != JobState::Unknown);
    let confirmed_at = match (decision.confidence, is_new) {
        (Confidence::Confirmed, true) => Some(now),
        // An end stands while nothing answers, and is not seen anew by that.
        (Confidence::Confirmed, false) => snapshot.known_at(),
        (Confidence::Inferred | Confidence::Stale, _) => None,
    };
    let silences = silences::lasting(&before.silences, now);
    let (alerts, alert_events) = alerts::standing(&before.alerts, decision.alerts, &silences, now);
    // What earlier builds took may be more than ever finds room: it goes at once.
    let is_held_up = alert_events.len() > allowance.beside_the_state() && before.alerts.len() <= COUNT_LIMIT;
    let (alerts, silences, alert_events) = if is_held_up {
        (before.alerts.clone(), before.silences.clone(), Vec::new())
    } else {
        (alerts, silences, alert_events)
    };
    let decided = decision.conditions.into_iter().map(|c| (c.kind, c.message));
    let standing = decided.chain(engines_own(before, &trimmed, allowance, is_held_up));
    let mut after = JobRecord {
        state: decision.state,
        confidence: decision.confidence,
        reason: decision.reason,
        since: if is_new { now } else { before.since },
        incarnation: tracked.incarnation.clone(),
        labels: tracked.labels.clone(),
        other_jobs: tracked.other_jobs.clone(),
        intent: tracked.intent.clone(),
        conditions: conditions(before, standing.collect(), now),
        alerts,
        silences,
        attention: decision.watch.attention,
        memory: decision.memory,
        ..before.clone()
    };
    after.told_since = told_since(before, &after, snapshot);
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
        events.push(Event::updated(&after));
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
        trimmed,
        shown,
    }
}

/// What the engine says of a decision beside it.
fn engines_own(
    before: &JobRecord,
    trimmed: &BTreeSet<Trim>,
    allowance: Allowance,
    is_held_up: bool,
) -> impl Iterator<Item = (ConditionType, String)> + use<> {
    let is_trimmed = (!trimmed.is_empty()).then(|| {
        let message = format!(
            "the policy's decision does not fit the contract: {}",
            trim::described(trimmed)
        );
        (ConditionType::DecisionTrimmed, message)
    });
    let was_limited = before.condition(ConditionType::RateLimited).is_some();
    let is_limited = is_held_up || allowance.is_the_last() || (was_limited && !allowance.is_ample());
    let is_limited = is_limited.then(|| {
        let message = format!(
            "the policy changes this record too fast, by more than {AT_ONCE} entries of the journal at once and \
             {EACH_POLL} each poll: changes wait for a moment, and alerts stay as they are"
        );
        (ConditionType::RateLimited, message)
    });
    is_trimmed.into_iter().chain(is_limited)
}

/// The policy failed: the last state stays, and the record says so. Nobody has judged what is seen now, so nothing of it is
/// confirmed.
fn retain_on_failure(before: &JobRecord, now: Timestamp, failure: PolicyFailure) -> Plan {
    let message = format!("{}: {}", failure.kind.as_str(), failure.message);
    let mut standing: Vec<(ConditionType, String)> =
        before.conditions.iter().map(|c| (c.kind, c.message.clone())).collect();
    standing.retain(|(kind, _)| *kind != ConditionType::PolicyFailing);
    standing.push((ConditionType::PolicyFailing, message));
    let mut after = JobRecord {
        conditions: conditions(before, standing, now),
        confidence: Confidence::Stale,
        attention: Attention::Active,
        silences: silences::lasting(&before.silences, now),
        ..before.clone()
    };
    let told = silences::tell_anew(&mut after);
    let alert = failing::raise(&mut after, now);
    let mut events = Vec::new();
    if shown_differently(before, &after) {
        events.push(Event::updated(&after));
    }
    events.extend(told.into_iter().chain(alert).map(Event::Alert));
    let shown = Shown::kept(&after);
    Plan {
        change: change(before, after, events, None),
        confirmed_at: None,
        next: Next::Retry(failure),
        trimmed: BTreeSet::new(),
        shown,
    }
}

/// Notes an intent in the record. The same one, said again by the same author, is renewed: that is no news, and the journal
/// would grow with each time it is said. Of news it says by which call they came.
pub fn record_intent(before: &JobRecord, intent: crate::record::PostedIntent, call: Option<Call>) -> Change {
    let is_news = before
        .intent
        .as_ref()
        .is_none_or(|posted| (posted.intent, &posted.author) != (intent.intent, &intent.author));
    let news = is_news.then(|| call.map_or_else(|| Event::updated(before), Event::Called));
    let after = JobRecord {
        intent: Some(intent),
        ..before.clone()
    };
    Change::update(before, after, news.into_iter().collect())
}

/// A change if there is one; a later `confirmed_at` alone is none.
fn change(before: &JobRecord, after: JobRecord, events: Vec<Event>, confirmed_at: Option<Timestamp>) -> Option<Change> {
    if after == *before {
        return None;
    }
    let after = JobRecord {
        confirmed_at: confirmed_at.max(before.confirmed_at),
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
        || before.silences != after.silences
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

#[cfg(test)]
mod tests;
