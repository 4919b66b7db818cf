//! What would have been different, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use steadfast_core::decision::PolicyFailure;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::replay::{Difference, RecordedTransition, Replayed, Span, beside, compare};
use steadfast_core::shown::Aspect;
use steadfast_core::time::Timestamp;

use super::super::printer;
use super::seen::Seen;
use super::source::Extent;
use super::spans;

/// How many failures of a policy are shown for a job.
const FAILURES: usize = 3;

/// Two ways through the same snapshots, job by job.
#[derive(Debug)]
pub(in crate::cli) struct Report {
    /// The snapshots that read.
    pub(in crate::cli) extent: Extent,
    /// How many do not.
    pub(in crate::cli) unreadable: usize,
    /// Those that were decided again.
    pub(in crate::cli) compared: Seen,
    pub(in crate::cli) jobs: BTreeMap<JobKey, Comparison>,
    /// Policies whose decisions could not be made again, and at how many snapshots.
    pub(in crate::cli) not_replayed: BTreeMap<PolicyName, usize>,
}

/// The two ways of one job.
#[derive(Debug, Default)]
pub(in crate::cli) struct Comparison {
    differences: Vec<Difference>,
    /// From when to when they show something else: alerts, conditions, pace and so on.
    apart: Vec<Span>,
    /// Decisions the second policy failed to make.
    failures: Vec<(Timestamp, PolicyFailure)>,
    /// Those that the first failed to make, where it is a policy as well: what it would have shown there is not known.
    of_old: Option<Vec<(Timestamp, PolicyFailure)>>,
    /// Of so many snapshots the transitions alone are known, and compared.
    unknown: usize,
}

impl Comparison {
    /// What was recorded, and what a policy made of it.
    pub(in crate::cli) fn with_recorded(replayed: Replayed) -> Self {
        Self {
            differences: compare(&replayed.recorded, &replayed.own),
            apart: beside(&replayed.recorded_showings, &replayed.own_showings),
            unknown: replayed.unknown(),
            failures: replayed.failures,
            of_old: None,
        }
    }

    /// What two policies made of the same snapshots.
    pub(in crate::cli) fn between(old: Replayed, new: Replayed) -> Self {
        Self {
            differences: compare(&old.own, &new.own),
            apart: beside(&old.own_showings, &new.own_showings),
            unknown: 0,
            failures: new.failures,
            of_old: Some(old.failures),
        }
    }

    /// Adds what another policy made of other snapshots of the job.
    pub(in crate::cli) fn add(&mut self, other: Self) {
        self.differences.extend(other.differences);
        self.apart.extend(other.apart);
        self.failures.extend(other.failures);
        if let Some(failures) = other.of_old {
            self.of_old.get_or_insert_default().extend(failures);
        }
        self.unknown += other.unknown;
    }

    fn is_empty(&self) -> bool {
        self.differences.is_empty() && self.apart.is_empty()
    }

    /// In what the two ways differ, the gravest first.
    fn aspects(&self) -> BTreeSet<Aspect> {
        let of_state = (!self.differences.is_empty()).then_some(Aspect::State);
        of_state
            .into_iter()
            .chain(self.apart.iter().map(|span| span.what.aspect()))
            .collect()
    }
}

impl Report {
    /// Whether all that was recorded was compared, and at no snapshot anything differs.
    pub(in crate::cli) fn is_same(&self) -> bool {
        let is_whole = self.unknown() == 0 && self.left_out() == 0 && self.failed() == (0, 0);
        self.compared.snapshots() > 0 && self.differs_nowhere() && is_whole
    }

    /// How many snapshots there are, those that do not read included.
    fn snapshots(&self) -> usize {
        self.extent.snapshots + self.unreadable
    }

    /// How many of them were not compared at all.
    fn left_out(&self) -> usize {
        self.snapshots().saturating_sub(self.compared.snapshots())
    }

    /// Of how many snapshots only the transitions could be compared.
    fn unknown(&self) -> usize {
        self.jobs.values().map(|comparison| comparison.unknown).sum()
    }

    /// Of two policies: at how many snapshots the old one failed, and the new one. What is recorded has been shown, whatever failed.
    fn failed(&self) -> (usize, usize) {
        let each = self.jobs.values();
        let of_two = each.filter_map(|one| Some((one.of_old.as_ref()?.len(), one.failures.len())));
        of_two.fold((0, 0), |(olds, news), (old, new)| (olds + old, news + new))
    }

    /// How many jobs differ in each aspect.
    fn by_aspect(&self) -> BTreeMap<Aspect, usize> {
        let mut jobs: BTreeMap<Aspect, usize> = BTreeMap::new();
        for aspect in self.jobs.values().flat_map(Comparison::aspects) {
            *jobs.entry(aspect).or_default() += 1;
        }
        jobs
    }

    fn differs_nowhere(&self) -> bool {
        self.jobs.values().all(Comparison::is_empty)
    }

    /// A page of text.
    pub(in crate::cli) fn page(&self) -> String {
        let mut page = self.head();
        for (key, comparison) in &self.jobs {
            let of_old = comparison.of_old.as_deref().unwrap_or_default();
            if comparison.is_empty() && comparison.failures.is_empty() && of_old.is_empty() {
                continue;
            }
            page.push_str(&format!("\n{key}\n"));
            for difference in &comparison.differences {
                page.push_str(&format!("  {}\n", line(difference)));
            }
            page.push_str(&spans::lines(&comparison.apart, !comparison.differences.is_empty()));
            let named = comparison.of_old.is_some();
            for (name, failures) in [("OLD ", of_old), ("NEW ", &comparison.failures)] {
                page.push_str(&failed_lines(if named { name } else { "" }, failures));
            }
        }
        page.push_str(&self.tail());
        page
    }

    fn head(&self) -> String {
        let Extent {
            snapshots,
            jobs,
            between,
            since,
        } = &self.extent;
        let mut head = match (between, since) {
            (Some((first, last)), _) => {
                let (snapshots, jobs) = (
                    printer::counted(*snapshots, "snapshot"),
                    printer::counted(jobs.len(), "job"),
                );
                format!("{snapshots} of {jobs}, from {first} to {last}\n")
            }
            (None, Some(since)) if self.unreadable == 0 => {
                return format!("no snapshots were recorded since {since}; without --since all there are count\n");
            }
            (None, None) if self.unreadable == 0 => {
                return "no snapshots were recorded; see [recording] in the configuration\n".to_owned();
            }
            (None, _) => String::new(),
        };
        if self.unreadable > 0 {
            let unreadable = printer::counted(self.unreadable, "snapshot");
            head.push_str(&format!(
                "{unreadable} left out: standard error says why what is stored does not read\n"
            ));
        }
        for (policy, snapshots) in &self.not_replayed {
            let snapshots = printer::counted(*snapshots, "snapshot");
            head.push_str(&format!(
                "what `{policy}` decided is left out ({snapshots}): the configuration has no such policy now; --policy MODULE \
                 decides it again\n"
            ));
        }
        if self.unknown() > 0 {
            head.push_str(&format!(
                "of {} an earlier version kept the transition alone: alerts, conditions, confidence, pace and look-ups are not \
                 compared there\n",
                printer::counted(self.unknown(), "snapshot")
            ));
        }
        head
    }

    fn tail(&self) -> String {
        if self.compared.snapshots() == 0 {
            return "nothing was compared\n".to_owned();
        }
        let left_out = match self.left_out() {
            0 => String::new(),
            left_out => format!(
                "; {left_out} of {} were not compared",
                printer::counted(self.snapshots(), "snapshot")
            ),
        };
        if self.differs_nowhere() {
            let none = if self.unknown() == 0 {
                self.compared.at_none("it have shown anything else")
            } else {
                self.compared.at_none("a transition have been different")
            };
            return format!("{none}{left_out}\n{}", self.failed_line());
        }
        format!(
            "\n{}{left_out}\n{}{}",
            self.transitions(),
            self.beside_transitions(),
            self.failed_line()
        )
    }

    /// At how many snapshots it is not known what two policies would have shown.
    fn failed_line(&self) -> String {
        let (old, new) = self.failed();
        if (old, new) == (0, 0) {
            return String::new();
        }
        format!(
            "NEW failed at {new} of {}, OLD at {old}: what a policy that failed would have shown there is not known\n",
            printer::counted(self.compared.snapshots(), "snapshot")
        )
    }

    /// What differs in transitions.
    fn transitions(&self) -> String {
        let differing = self.jobs.values().filter(|one| !one.differences.is_empty()).count();
        if differing == 0 {
            return self.compared.at_none("a transition have been different");
        }
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
            "{differing} of {} would have gone otherwise: {} added, {removed} removed, {earlier} earlier, \
             {later} later",
            printer::counted(self.jobs.len(), "job"),
            printer::counted(added, "transition")
        )
    }

    /// What differs beside them.
    fn beside_transitions(&self) -> String {
        let mut by_aspect: BTreeMap<Aspect, usize> = BTreeMap::new();
        for one in self.jobs.values() {
            // The state of a job is told with its transitions, where these differ.
            let is_told = !one.differences.is_empty();
            let aspects = one.aspects().into_iter();
            for aspect in aspects.filter(|aspect| !(is_told && aspect.is_of_state())) {
                *by_aspect.entry(aspect).or_default() += 1;
            }
        }
        let beside: Vec<String> = by_aspect
            .into_iter()
            .map(|(aspect, jobs)| format!("{aspect} of {}", printer::counted(jobs, "job")))
            .collect();
        if beside.is_empty() {
            return String::new();
        }
        format!(
            "beside the transitions would have been different: {}\n",
            beside.join(", ")
        )
    }

    /// A document.
    pub(in crate::cli) fn document(&self) -> Value {
        let jobs = self.jobs.iter().map(|(key, comparison)| {
            let failures = comparison.failures.iter();
            json!({
                "job": key.to_string(),
                "differences": comparison.differences.iter().map(entry).collect::<Vec<_>>(),
                "aspects": comparison.aspects().iter().map(|aspect| aspect.as_str()).collect::<Vec<_>>(),
                "apart": comparison.apart.iter().map(spans::document).collect::<Vec<_>>(),
                "failures": failures.map(failed).collect::<Vec<_>>(),
                "failuresOfOld": comparison.of_old.iter().flatten().map(failed).collect::<Vec<_>>(),
            })
        });
        json!({
            "snapshots": self.extent.snapshots,
            "unreadable": self.unreadable,
            "compared": self.compared.snapshots(),
            "largestGapMillis": self.compared.largest_gap().map(|gap| u64::try_from(gap.as_millis()).unwrap_or(u64::MAX)),
            "from": self.extent.between.map(|(first, _)| first.to_string()),
            "to": self.extent.between.map(|(_, last)| last.to_string()),
            "notReplayed": self.not_replayed.keys().collect::<Vec<_>>(),
            "same": self.is_same(),
            "transitionsAlone": self.unknown(),
            "aspects": self.by_aspect().iter().map(|(aspect, jobs)| (aspect.as_str(), *jobs)).collect::<BTreeMap<_, _>>(),
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
    let rule = rule
        .as_ref()
        .map_or_else(String::new, |rule| format!(" [{}]", printer::one_line(rule)));
    format!(
        "{kind:<8}  {at}{by}  {} -> {}{rule} {}",
        transition.from,
        transition.to,
        printer::one_line(&transition.reason.message)
    )
}

/// The first failures, and how many there are more.
fn failed_lines(name: &str, failures: &[(Timestamp, PolicyFailure)]) -> String {
    let mut lines = String::new();
    for (at, failure) in failures.iter().take(FAILURES) {
        lines.push_str(&format!(
            "  failed    {at}  {name}{}: {}\n",
            failure.kind.as_str(),
            printer::one_line(&failure.message)
        ));
    }
    let more = failures.len().saturating_sub(FAILURES);
    if more > 0 {
        lines.push_str(&format!("  failed    {name}{more} more times\n"));
    }
    lines
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

#[cfg(test)]
mod tests;
