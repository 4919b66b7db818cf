//! What would have been different, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use steadfast_core::decision::PolicyFailure;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::replay::{Difference, RecordedTransition};
use steadfast_core::time::Timestamp;

use super::super::printer;
use super::source::Span;

/// How many failures of a policy are shown for a job.
const FAILURES: usize = 3;

/// Two ways through the same snapshots, job by job.
#[derive(Debug)]
pub(in crate::cli) struct Report {
    pub(in crate::cli) span: Span,
    /// How many of the snapshots were decided again.
    pub(in crate::cli) compared: usize,
    pub(in crate::cli) jobs: BTreeMap<JobKey, Comparison>,
    /// Policies whose decisions could not be made again.
    pub(in crate::cli) not_replayed: BTreeSet<PolicyName>,
}

/// The two ways of one job.
#[derive(Debug, Default)]
pub(in crate::cli) struct Comparison {
    pub(in crate::cli) differences: Vec<Difference>,
    /// Decisions the second policy failed to make.
    pub(in crate::cli) failures: Vec<(Timestamp, PolicyFailure)>,
}

impl Comparison {
    fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Report {
    /// Whether both went the same way, as far as there was one.
    pub(in crate::cli) fn is_same(&self) -> bool {
        self.compared > 0 && self.differs_nowhere()
    }

    fn differs_nowhere(&self) -> bool {
        self.jobs.values().all(Comparison::is_empty)
    }

    /// A page of text.
    pub(in crate::cli) fn page(&self) -> String {
        let mut page = self.head();
        for (key, comparison) in &self.jobs {
            if comparison.is_empty() && comparison.failures.is_empty() {
                continue;
            }
            page.push_str(&format!("\n{key}\n"));
            for difference in &comparison.differences {
                page.push_str(&format!("  {}\n", line(difference)));
            }
            for (at, failure) in comparison.failures.iter().take(FAILURES) {
                page.push_str(&format!(
                    "  failed    {at}  {}: {}\n",
                    failure.kind.as_str(),
                    failure.message
                ));
            }
            let more = comparison.failures.len().saturating_sub(FAILURES);
            if more > 0 {
                page.push_str(&format!("  failed    {more} more times\n"));
            }
        }
        page.push_str(&self.tail());
        page
    }

    fn head(&self) -> String {
        let jobs = self.jobs.len();
        let Span { snapshots, between } = self.span;
        let Some((first, last)) = between else {
            return "no snapshots were recorded; see [recording] in the configuration\n".to_owned();
        };
        let (snapshots, jobs) = (printer::counted(snapshots, "snapshot"), printer::counted(jobs, "job"));
        let mut head = format!("{snapshots} of {jobs}, from {first} to {last}\n");
        for policy in &self.not_replayed {
            head.push_str(&format!(
                "what `{policy}` decided is left out: the configuration has no such policy now; --policy MODULE decides it again\n"
            ));
        }
        head
    }

    fn tail(&self) -> String {
        if self.compared == 0 {
            return "nothing was compared\n".to_owned();
        }
        if self.differs_nowhere() {
            return "nothing would have been different\n".to_owned();
        }
        let differing = self.jobs.values().filter(|comparison| !comparison.is_empty()).count();
        let all = self.jobs.values().flat_map(|comparison| &comparison.differences);
        let [mut added, mut removed, mut earlier, mut later] = [0_usize; 4];
        for difference in all {
            match difference {
                Difference::Added(_) => added += 1,
                Difference::Removed(_) => removed += 1,
                Difference::Earlier { .. } => earlier += 1,
                Difference::Later { .. } => later += 1,
            }
        }
        format!(
            "\n{differing} of {} would have gone otherwise: {} added, {removed} removed, {earlier} earlier, \
             {later} later\n",
            printer::counted(self.jobs.len(), "job"),
            printer::counted(added, "transition")
        )
    }

    /// A document.
    pub(in crate::cli) fn document(&self) -> Value {
        let jobs = self.jobs.iter().map(|(key, comparison)| {
            let failures = comparison.failures.iter();
            json!({
                "job": key.to_string(),
                "differences": comparison.differences.iter().map(entry).collect::<Vec<_>>(),
                "failures": failures.map(failed).collect::<Vec<_>>(),
            })
        });
        json!({
            "snapshots": self.span.snapshots,
            "compared": self.compared,
            "from": self.span.between.map(|(first, _)| first.to_string()),
            "to": self.span.between.map(|(_, last)| last.to_string()),
            "notReplayed": self.not_replayed,
            "jobs": jobs.collect::<Vec<_>>(),
        })
    }
}

/// The kind of a difference, and by how much it is one of time.
fn kind(difference: &Difference) -> (&'static str, Option<Duration>) {
    match difference {
        Difference::Added(_) => ("added", None),
        Difference::Removed(_) => ("removed", None),
        Difference::Earlier { by, .. } => ("earlier", Some(*by)),
        Difference::Later { by, .. } => ("later", Some(*by)),
    }
}

fn line(difference: &Difference) -> String {
    let (kind, by) = kind(difference);
    let RecordedTransition { at, transition, rule } = difference.recorded();
    let by = by.map_or_else(String::new, |by| format!("  by {:.1} s", by.as_secs_f64()));
    let rule = rule.as_ref().map_or_else(String::new, |rule| format!(" [{rule}]"));
    format!(
        "{kind:<8}  {at}{by}  {} -> {}{rule} {}",
        transition.from, transition.to, transition.reason.message
    )
}

fn failed((at, failure): &(Timestamp, PolicyFailure)) -> Value {
    let PolicyFailure { kind, message } = failure;
    json!({ "at": at.to_string(), "failure": { "kind": kind.as_str(), "message": message.as_str() } })
}

fn entry(difference: &Difference) -> Value {
    let (kind, by) = kind(difference);
    let RecordedTransition { at, transition, rule } = difference.recorded();
    json!({
        "kind": kind,
        "at": at.to_string(),
        "bySeconds": by.map(|by| by.as_secs_f64()),
        "from": transition.from,
        "to": transition.to,
        "attempt": transition.attempt,
        "rule": rule,
        "reason": { "code": transition.reason.code, "message": transition.reason.message },
    })
}
