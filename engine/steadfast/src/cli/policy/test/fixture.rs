//! A snapshot in a file, with what is expected of the decision.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde::Deserialize;
use steadfast_core::decision::{Decide, Decision};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, ConditionType, Confidence, JobState};

use super::super::super::Failure;
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
    /// The names of all that stand.
    alerts: Option<Vec<String>>,
    /// The policy must fail, and its message contain this.
    error: Option<String>,
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
    let expect = expect.ok_or_else(|| {
        format!(
            "{}: there is no `expect` in it; `\"expect\": {{}}` takes any decision",
            file.name
        )
    })?;
    Ok(Fixture {
        name: file.name,
        snapshot: file.snapshot,
        expect,
    })
}

impl Fixture {
    /// Lets the policy decide, and compares.
    pub(super) fn judge(&self, policy: &mut dyn Decide) -> Verdict {
        let broken = match (policy.decide(&self.snapshot), &self.expect.error) {
            (Err(failure), Some(error)) if failure.message.contains(error) => None,
            (Err(failure), _) => Some(format!("it failed: {}", failure.message)),
            (Ok(_), Some(error)) => Some(format!("it decided, but an error with `{error}` is expected")),
            (Ok(decision), None) => self.expect.broken_by(&decision),
        };
        Verdict {
            what: format!("fixture {}", self.name),
            broken,
        }
    }
}

impl Expectation {
    fn broken_by(&self, decision: &Decision) -> Option<String> {
        let conditions: Vec<ConditionType> = decision.conditions.iter().map(|condition| condition.kind).collect();
        let alerts: Vec<String> = decision.alerts.iter().map(|alert| alert.name.clone()).collect();
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
            other(
                "alerts",
                sorted(self.alerts.as_ref()).as_ref(),
                &sorted(Some(&alerts)).unwrap_or_default(),
            ),
        ];
        let found: Vec<String> = found.into_iter().flatten().collect();
        (!found.is_empty()).then(|| found.join("; "))
    }
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
