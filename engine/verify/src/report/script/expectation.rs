//! What a story expects, so that the break shows and a policy that keeps the law passes.

use std::collections::BTreeSet;

use steadfast_core::record::{AlertScope, JobRecord};
use steadfast_core::state::{ConditionType, JobState, Mode};

use super::{Script, seconds};
use crate::laws::{Beside, Shows};
use crate::look::Look;

/// By when a record that ended is revived by Flink alone.
pub(super) const REVIVED_AFTER: i64 = 80_000;
/// By when what Flink says, or that it says nothing, shows in the record.
const SHOWN_AFTER: i64 = 20_000;
/// By when what no longer is so is no condition and no alert any more.
const CLEARED_AFTER: i64 = 50_000;
/// How long an expectation is looked at.
pub(super) const LOOKED_AT: i64 = 40_000;

/// What must be seen if the law holds. `last`: when the last of what led to the break happened.
pub(super) fn expectation(shows: &Shows, looks: &[Look], last: i64, script: &mut Script) -> Result<String, String> {
    let spans = Spans {
        target: target(script),
        last,
        soon: script.now.max(last + SHOWN_AFTER),
    };
    Ok(match shows {
        Shows::State(wrong) => spans.from(last) + &format!("tracked = true\n\n[verdict]\nnever = [\"{wrong}\"]\n"),
        Shows::GoesBack => spans.from(last) + "tracked = true\n\n[verdict]\n" + &transitions(looks, script),
        Shows::StateAgain(wrong) => {
            let right = JobState::ALL.iter().filter(|state| *state != wrong);
            spans.from(last) + &states(right)
        }
        Shows::NotRecovered => {
            let revived = script.last + REVIVED_AFTER;
            spans.between(revived, revived + LOOKED_AT) + &states([JobState::Running, JobState::Savepointing].iter())
        }
        Shows::Confirmed => spans.from(spans.soon) + "confidence = [\"inferred\", \"stale\"]\n",
        Shows::Failure => spans.from(last) + "no_condition = [\"PolicyFailing\", \"DecisionTrimmed\"]\n",
        Shows::NotIn(right) => spans.from(spans.soon) + &states(right.iter()),
        Shows::Beside(beside) => of_beside(beside, looks, &spans, script),
        Shows::Nothing(why) => return Err((*why).to_owned()),
    })
}

/// What must stand beside the state, or may not.
fn of_beside(beside: &Beside, looks: &[Look], spans: &Spans, script: &mut Script) -> String {
    let cleared = spans.soon.max(script.last + CLEARED_AFTER);
    match beside {
        Beside::Confidence(right) => {
            let names: Vec<String> = right.iter().map(ToString::to_string).collect();
            spans.from(spans.soon) + &format!("confidence = {}\n", list(&names))
        }
        Beside::Alert(either) => {
            script.needs.insert("alerts");
            spans.from(spans.soon) + &format!("alert = {}\n", list(&[either.join("|")]))
        }
        Beside::NoAlert(none) => spans.from(cleared) + &format!("no_alert = {}\n", list(none)),
        Beside::Condition(either) => {
            script.needs.extend(either.iter().filter_map(|kind| need(*kind)));
            let names: Vec<&str> = either.iter().map(|kind| kind.as_str()).collect();
            spans.from(spans.soon) + &format!("condition = {}\n", list(&[names.join("|")]))
        }
        Beside::NoCondition(none) => {
            script.needs.extend(none.iter().filter_map(|kind| need(*kind)));
            let names: Vec<String> = none.iter().map(|kind| kind.as_str().to_owned()).collect();
            spans.from(cleared) + &format!("no_condition = {}\n", list(&names))
        }
        Beside::AlertsOnce => at_most(distinct(looks), spans),
        Beside::AlertsAtMost(most) => at_most(*most, spans),
    }
}

fn at_most(alerts: usize, spans: &Spans) -> String {
    spans.from(spans.last) + &format!("tracked = true\n\n[verdict]\nmax_alerts = {alerts}\n")
}

/// How many alerts stood at one look or another: with each of them beginning once, so many begin.
fn distinct(looks: &[Look]) -> usize {
    let of = |record: &JobRecord| -> Vec<(String, AlertScope)> {
        let alerts = record.alerts.iter();
        alerts.map(|alert| (alert.name.clone(), alert.scope)).collect()
    };
    let all: BTreeSet<_> = looks
        .iter()
        .flat_map(|look| of(&look.before).into_iter().chain(of(look.record())))
        .collect();
    all.len()
}

/// What an engine must support so that a condition is said.
fn need(kind: ConditionType) -> Option<&'static str> {
    match kind {
        ConditionType::FleetDisrupted => Some("fleet"),
        ConditionType::CheckpointsFailing => Some("checkpoints"),
        ConditionType::FlinkUnreachable
        | ConditionType::KubernetesUnreachable
        | ConditionType::AccessDenied
        | ConditionType::Unresponsive
        | ConditionType::CrashLoop
        | ConditionType::ImagePull
        | ConditionType::Terminating
        | ConditionType::RestartLoop
        | ConditionType::PolicyFailing
        | ConditionType::PolicyOutdated
        | ConditionType::DecisionTrimmed
        | ConditionType::RateLimited => None,
    }
}

/// When things are looked at, and whose record.
struct Spans {
    target: String,
    last: i64,
    /// By then the last of what happened shows.
    soon: i64,
}

impl Spans {
    /// From then until all that happened has been looked at for a while.
    fn from(&self, from: i64) -> String {
        self.between(from, self.soon.max(from) + LOOKED_AT)
    }

    fn between(&self, from: i64, until: i64) -> String {
        format!(
            "[[expect]]\nfrom = \"{}\"\nuntil = \"{}\"\n{}",
            seconds(from),
            seconds(until),
            self.target
        )
    }
}

/// Whose record it is, where there is another one.
fn target(script: &Script) -> String {
    let is_alone = script.world.mode != Mode::Session && !script.has_neighbours;
    if is_alone {
        String::new()
    } else {
        format!("target = \"{}\"\n", record(script))
    }
}

/// What the story calls the record.
fn record(script: &Script) -> &'static str {
    match script.world.mode {
        Mode::Session => "orders/j1",
        Mode::Application | Mode::Standalone => "orders",
    }
}

/// The states before the last look, each of which may be left once.
fn transitions(looks: &[Look], script: &Script) -> String {
    let mut states: Vec<JobState> = looks.iter().map(|look| look.before.state).collect();
    states.dedup();
    let names: Vec<String> = states.iter().map(|state| format!("{state}?")).collect();
    if target(script).is_empty() {
        format!("transitions = {}\n", list(&names))
    } else {
        format!("transitions = {{ \"{}\" = {} }}\n", record(script), list(&names))
    }
}

fn states<'a>(right: impl Iterator<Item = &'a JobState>) -> String {
    let names: Vec<String> = right.map(ToString::to_string).collect();
    format!("state = {}\n", list(&names))
}

/// Texts as TOML has a list of them.
fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts
        .iter()
        .map(|text| toml::Value::String(text.clone()).to_string())
        .collect();
    format!("[{}]", quoted.join(", "))
}
