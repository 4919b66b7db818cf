//! A snapshot in a file, with what is expected of the decision.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde::Deserialize;
use steadfast_core::decision::{Decide, Decision, PolicyFailure};
use steadfast_core::shown::Shown;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, ConditionType, Confidence, JobState};
use steadfast_server::explain;

use super::super::super::Failure;
use super::super::memory;
use super::super::policy_arg::PolicyArg;
use super::super::snapshot_file::SnapshotFile;
use super::Verdict;

/// What the decision must be; what is left out may be anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    state: Option<JobState>,
    confidence: Option<Confidence>,
    rule: Option<String>,
    /// The reason's code.
    reason: Option<String>,
    attention: Option<Attention>,
    /// All that stand, in any order.
    conditions: Option<Vec<ConditionType>>,
    /// All that stand, in any order: each by its name, or by name and scope.
    alerts: Option<Vec<ExpectedAlert>>,
    /// How long until Flink is polled again, in seconds.
    #[serde(rename = "pollAfterSeconds")]
    poll_after_seconds: Option<f64>,
    /// All evidence that it asks for, in any order.
    wanted: Option<Vec<explain::LookupSource>>,
    /// The policy must fail, and say this of why; what it printed is not looked at. It stands alone: a policy that fails decides nothing.
    error: Option<String>,
}

/// An alert that is to stand.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "not an alert's name, nor `{\"name\": \"JobFailed\", \"scope\": \"job\"}`"
)]
enum ExpectedAlert {
    Named(String),
    About { name: String, scope: explain::AlertScope },
}

/// A snapshot and its expectation.
pub(super) struct Fixture {
    name: String,
    pub(super) snapshot: Snapshot,
    expect: Expectation,
}

/// Reads them all; every mistake is told at once.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Fixture>, Failure> {
    let (mut fixtures, mut mistakes) = (Vec::new(), Vec::new());
    for path in paths {
        match read_one(path) {
            Ok(fixture) => fixtures.push(fixture),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        return Ok(fixtures);
    }
    Err(Failure::Usage(anyhow!(
        "a fixture cannot be read; it holds \"snapshot\", as `steadfast explain JOB --output json` prints it, and \
         \"expect\"\n{}",
        mistakes.join("\n")
    )))
}

fn read_one(path: &Path) -> Result<Fixture, String> {
    let file = SnapshotFile::read(path)?;
    let expect = file.part("expect")?;
    let expect: Expectation = expect.ok_or_else(|| {
        format!(
            "{}: there is no `expect` in it; `\"expect\": {{}}` takes any decision",
            file.name
        )
    })?;
    if let Some(rule) = expect_is_odd(&expect) {
        return Err(format!("{}: `expect.error` {rule}", file.name));
    }
    Ok(Fixture {
        name: file.name,
        snapshot: file.snapshot,
        expect,
    })
}

/// What is wrong with an expected error.
fn expect_is_odd(expect: &Expectation) -> Option<&'static str> {
    let Expectation {
        state,
        confidence,
        rule,
        reason,
        attention,
        conditions,
        alerts,
        poll_after_seconds,
        wanted,
        error,
    } = expect;
    let of_the_record = state.is_some() || confidence.is_some() || rule.is_some() || reason.is_some();
    let of_the_watch = attention.is_some() || poll_after_seconds.is_some() || wanted.is_some();
    let of_a_decision = of_the_record || of_the_watch || conditions.is_some() || alerts.is_some();
    match error.as_deref() {
        Some(error) if error.trim().is_empty() => {
            Some("is empty, and any failure would pass; write a part of what the policy says")
        }
        Some(_) if of_a_decision => {
            Some("stands beside other keys, but a policy that fails decides nothing; make two fixtures of it")
        }
        Some(_) | None => None,
    }
}

/// Why a call failed, without what the policy printed meanwhile.
fn why(failure: &PolicyFailure) -> &str {
    let message: &str = &failure.message;
    message.split_once("; it printed: ").map_or(message, |(why, _)| why)
}

/// Takes memories away that another policy left, as the engine does.
pub(super) fn forget_anothers(fixtures: &mut [Fixture], policy: &PolicyArg, module: &steadfast_host::Policy) {
    for Fixture { name, snapshot, .. } in fixtures {
        memory::forget_anothers(&mut snapshot.record, policy, module, &format!("{name}: its"));
    }
}

impl Fixture {
    /// Whether the policy is to fail on it.
    pub(super) fn expects_a_failure(&self) -> bool {
        self.expect.error.is_some()
    }

    /// Lets the policy decide, and compares.
    pub(super) fn judge(&self, policy: &mut dyn Decide) -> Verdict {
        let broken = match (policy.decide(&self.snapshot), &self.expect.error) {
            (Err(failure), Some(error)) if why(&failure).contains(error) => None,
            (Err(failure), _) => Some(format!("it failed: {}", failure.message)),
            (Ok(_), Some(error)) => Some(format!("it decided, but an error with `{error}` is expected")),
            (Ok(decision), None) => self.expect.broken_by(&decision, &self.snapshot),
        };
        Verdict {
            what: format!("fixture {}", self.name),
            broken,
        }
    }
}

impl Expectation {
    fn broken_by(&self, decision: &Decision, snapshot: &Snapshot) -> Option<String> {
        let conditions: Vec<ConditionType> = decision.conditions.iter().map(|condition| condition.kind).collect();
        let shown = Shown::decided(decision, &BTreeSet::new(), snapshot);
        let asked = shown.looks.iter().flat_map(|looks| &looks.wanted);
        let asked: Vec<&str> = asked.map(|source| source.as_str()).collect();
        let expected = self.wanted.as_ref().map(|wanted| {
            let mut wanted: Vec<&str> = wanted.iter().map(|source| source.as_str()).collect();
            wanted.sort_unstable();
            wanted
        });
        let poll = decision.watch.poll_after.as_secs_f64();
        let found = [
            other("state", self.state.as_ref(), &decision.state),
            other("confidence", self.confidence.as_ref(), &decision.confidence),
            other("rule", self.rule.as_ref(), &decision.rule),
            other("reason", self.reason.as_ref(), &decision.reason.code),
            other("attention", self.attention.as_ref(), &decision.watch.attention),
            other(
                "conditions",
                sorted(self.conditions.as_ref()).as_ref(),
                &sorted(Some(&conditions)).unwrap_or_default(),
            ),
            self.alerts.as_ref().and_then(|expected| alerts(expected, &shown)),
            other("pollAfterSeconds", self.poll_after_seconds.as_ref(), &poll),
            other("wanted", expected.as_ref(), &sorted(Some(&asked)).unwrap_or_default()),
        ];
        let found: Vec<String> = found.into_iter().flatten().collect();
        (!found.is_empty()).then(|| found.join("; "))
    }
}

/// How the alerts differ from those expected, if they do. Without a scope any will do.
fn alerts(expected: &[ExpectedAlert], shown: &Shown) -> Option<String> {
    let mut left: Vec<&ExpectedAlert> = expected.iter().collect();
    let mut is_expected = true;
    for alert in &shown.alerts {
        let place = left.iter().position(|expected| match expected {
            ExpectedAlert::Named(name) => *name == alert.name,
            ExpectedAlert::About { name, scope } => *name == alert.name && scope.as_str() == alert.scope.as_str(),
        });
        match place {
            Some(place) => drop(left.remove(place)),
            None => is_expected = false,
        }
    }
    let found = shown
        .alerts
        .iter()
        .map(|alert| format!("{} ({})", alert.name, alert.scope));
    let found: Vec<String> = found.collect();
    let wanted = expected.iter().map(|alert| match alert {
        ExpectedAlert::Named(name) => name.clone(),
        ExpectedAlert::About { name, scope } => format!("{name} ({scope})"),
    });
    let wanted: Vec<String> = wanted.collect();
    (!is_expected || !left.is_empty()).then(|| format!("alerts is {found:?}, not {wanted:?}"))
}

/// How a value differs from the one expected, if one is.
fn other<T: PartialEq + std::fmt::Debug>(what: &str, expected: Option<&T>, found: &T) -> Option<String> {
    expected
        .filter(|expected| *expected != found)
        .map(|expected| format!("{what} is {found:?}, not {expected:?}"))
}

fn sorted<T: Clone + Ord>(list: Option<&Vec<T>>) -> Option<Vec<T>> {
    let mut list = list?.clone();
    list.sort();
    Some(list)
}
