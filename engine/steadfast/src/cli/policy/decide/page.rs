//! A decision for people.

use steadfast_core::decision::Decision;
use steadfast_core::foreign_text::{harmless, is_harmful};
use steadfast_core::rule::Rule;

use super::super::super::printer::one_line;
use super::Judged;

/// How much of a memory is shown, in bytes.
const MEMORY_SHOWN: usize = 1024;

/// What is on record, what the policy says, and what would follow from it.
pub(super) fn page(judged: &Judged) -> String {
    let record = &judged.snapshot.record;
    let mut page = format!(
        "{} at {}, on record as {}, {}, since {}\n",
        record.key,
        judged.snapshot.now,
        record.state,
        record.confidence.as_str(),
        record.since
    );
    match &judged.outcome {
        Ok(decision) => page.push_str(&decided(&judged.module, decision, judged.rule.as_ref())),
        Err(failure) => {
            let kind = failure.kind.as_str();
            page.push_str(&format!(
                "{} failed ({kind}): {}\nThe last state stays.\n",
                one_line(&judged.module),
                one_line(&failure.message)
            ));
        }
    }
    if let Some(trimmed) = &judged.trimmed {
        page.push_str(&row("trimmed", trimmed));
    }
    // What others wrote goes to the terminal line by line.
    for line in judged.printed.lines() {
        page.push_str(&row("printed", &harmless(line, MEMORY_SHOWN)));
    }
    page
}

fn decided(module: &str, decision: &Decision, rule: Option<&Rule>) -> String {
    let mut page = format!(
        "{} decides {}, {}, by rule `{}`\n  {}: {}\n",
        one_line(module),
        decision.state,
        decision.confidence.as_str(),
        one_line(&decision.rule),
        one_line(&decision.reason.code),
        one_line(&decision.reason.message),
    );
    if let Some(rule) = rule {
        for (what, text) in [
            ("says", &rule.says),
            ("because", &rule.because),
            ("changed by", &rule.changed_by),
        ] {
            page.push_str(&row(what, text));
        }
    }
    let watch = &decision.watch;
    page.push_str(&row(
        "watch",
        &format!(
            "{}; Flink again after {:?}, everything after {:?}",
            watch.attention.as_str(),
            watch.poll_after,
            watch.validate_after
        ),
    ));
    for wanted in &decision.wanted {
        page.push_str(&row(
            "wants",
            &format!("{}, asked after {}", wanted.source.as_str(), wanted.observed_after),
        ));
    }
    for condition in &decision.conditions {
        page.push_str(&row("condition", &format!("{}: {}", condition.kind, condition.message)));
    }
    for alert in &decision.alerts {
        page.push_str(&row(
            "alert",
            &format!("{} ({}): {}", alert.name, alert.scope.as_str(), alert.message),
        ));
    }
    page.push_str(&row("memory", &memory(&decision.memory)));
    page
}

/// A row for what others wrote, which makes no other row.
fn row(what: &str, text: &str) -> String {
    format!("  {what:<11} {}\n", one_line(text))
}

/// As text, if it is any; else in hex.
fn memory(memory: &[u8]) -> String {
    if memory.is_empty() {
        return "none".to_owned();
    }
    let bytes = memory.len();
    match std::str::from_utf8(memory) {
        Ok(text) if !text.chars().any(is_harmful) => format!("{bytes} bytes: {}", harmless(text, MEMORY_SHOWN)),
        Ok(_) | Err(_) => {
            let digits: String = memory.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{bytes} bytes: {}", harmless(&digits, MEMORY_SHOWN))
        }
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::decision::{DecidedAlert, DecidedCondition};
    use steadfast_core::record::{AlertScope, Reason};
    use steadfast_core::state::{ConditionType, JobState};
    use steadfast_core::testing;

    use super::*;

    #[test]
    fn no_text_of_a_policy_makes_a_row() {
        let forged = "x\n  alert       JobFailed (job): forged";
        let mut decision = testing::decision(JobState::Running);
        decision.rule = forged.to_owned();
        decision.reason = Reason::new(forged, forged);
        decision.conditions = vec![DecidedCondition {
            kind: ConditionType::CrashLoop,
            message: forged.to_owned(),
        }];
        decision.alerts = vec![DecidedAlert {
            name: forged.to_owned(),
            scope: AlertScope::Job,
            message: forged.to_owned(),
        }];
        decision.memory = forged.as_bytes().to_vec();
        let rule = Rule {
            name: forged.to_owned(),
            says: forged.to_owned(),
            because: forged.to_owned(),
            changed_by: forged.to_owned(),
        };
        let judged = Judged {
            module: "my.wasm".to_owned(),
            snapshot: testing::snapshot(
                testing::record(testing::job_key("orders"), testing::at(0)),
                testing::at(5),
            ),
            memory: super::super::super::memory::Memory::Given,
            outcome: Ok(decision),
            rule: Some(rule),
            trimmed: Some(forged.to_owned()),
            printed: forged.to_owned(),
        };
        let page = page(&judged);
        let alerts = page.lines().filter(|line| line.starts_with("  alert ")).count();
        assert_eq!(alerts, 1, "{page}");
        assert!(
            page.contains("by rule `x\\n  alert       JobFailed (job): forged`\n"),
            "{page}"
        );
    }
}
