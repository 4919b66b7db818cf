//! What came of an exploration, in words.

use std::time::Duration;

use super::depends;
use steadfast_core::evidence::FaultKind;
use steadfast_core::state::ConditionType;
use steadfast_host::Description;
use steadfast_verify::fault_kinds::Alike;
use steadfast_verify::laws::{ENDS_ARE_ALERTED, Law, TROUBLE_IS_TOLD};
use steadfast_verify::{Coverage, Report};

/// The last line of the depths.
pub(super) fn totals(report: &Report, took: Duration) -> String {
    let states: usize = report.depths.iter().map(|depth| depth.states).sum();
    let looks: usize = report.depths.iter().map(|depth| depth.transitions).sum();
    let (kinds, along) = (report.kinds, report.along_lines);
    format!(
        "in all:   {states:>9} states, {looks:>10} looks, {along} more along lines from {kinds} kinds of state, {:.1} s\n",
        took.as_secs_f64()
    )
}

/// What was tried, and what of the policy never spoke.
pub(super) fn coverage(report: &Report, description: &Description) -> String {
    let mut text = faults(&report.alike);
    text.push_str(&depends::told(report));
    let left: usize = report.depths.iter().map(|depth| depth.left).sum();
    if left > 0 {
        text.push_str(&format!(
            "beyond depth {}: {left} states of no new kind were not gone on from\n",
            report.complete
        ));
    }
    let mute = mute(report, description);
    if !mute.is_empty() {
        text.push_str(&format!("rules that never spoke: {}\n", mute.join(", ")));
    }
    if !report.unheard.is_empty() {
        let names: Vec<&str> = report.unheard.iter().map(String::as_str).collect();
        text.push_str(&format!(
            "alerts that laws name, and that no decision raised: {}\n",
            names.join(", ")
        ));
    }
    text.push('\n');
    text
}

fn faults(alike: &Alike) -> String {
    format!(
        "faults treated alike, of Flink: {}; of Kubernetes: {}\n",
        groups(&alike.of_flink),
        groups(&alike.of_kubernetes)
    )
}

fn groups(groups: &[Vec<FaultKind>]) -> String {
    if groups.len() == 1 {
        return "all".to_owned();
    }
    let named = groups.iter().map(|group| {
        let kinds: Vec<&str> = group.iter().map(|kind| kind.as_str()).collect();
        format!("({})", kinds.join(" "))
    });
    named.collect::<Vec<_>>().join(" ")
}

/// The rules that are described and never spoke.
pub(super) fn mute<'a>(report: &Report, description: &'a Description) -> Vec<&'a str> {
    let names = description.rules.iter().map(|rule| rule.name.as_str());
    names.filter(|name| !report.coverage.rules.contains(*name)).collect()
}

/// Why a law says nothing of a policy: it does not do what the law is about, and does not mean to.
pub(super) fn says_nothing(law: &dyn Law, coverage: &Coverage, description: &Description) -> Option<&'static str> {
    let names = |word: &str| {
        description
            .parameters
            .iter()
            .any(|parameter| parameter.name.contains(word))
    };
    let unreachable = [
        ConditionType::FlinkUnreachable,
        ConditionType::KubernetesUnreachable,
        ConditionType::Unresponsive,
    ];
    match law.name() {
        _ if !law.was_tried() => Some("its evidence was never met"),
        ENDS_ARE_ALERTED if !coverage.alerts_of_ends() && !names("alert") => {
            Some("the policy alerts of no end, and no parameter of it speaks of alerts")
        }
        TROUBLE_IS_TOLD
            if !unreachable.iter().any(|kind| coverage.conditions.contains(kind)) && !names("unreachable") =>
        {
            Some("the policy has no condition for a silence, and no parameter of it speaks of one")
        }
        _ => None,
    }
}
