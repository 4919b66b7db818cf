//! `steadfast doctor`, and `steadfast check --live`.

use std::path::Path;

use serde_json::json;
use tokio::runtime::Runtime;

use super::output::Format;
use super::{Failure, printer};
use crate::config::Config;
use crate::doctor::{Finding, Verdict, examine};

pub(super) const AFTER_HELP: &str = "\
It reads the configuration, looks at this machine (files, port, disk), through the store and at the policies; asks each cluster
for its version and clock, for every right that the engine makes use of, and for every list; asks each job's Flink by the way
that the engine takes; and asks whether each sink is reached. Run it where the engine runs, as the engine's user; it may
run beside the engine. It changes nothing, and sends no event.

Exit codes:
  0  nothing is wrong; there may be warnings
  1  something is wrong; standard output says what, and what mends it
  2  the configuration is wrong

Examples:
  steadfast doctor
  steadfast doctor --output json | jq -r '.findings[] | select(.verdict == \"wrong\") | .what'";

/// Examines everything that a configuration leads to, and says what is so.
pub(super) fn run(runtime: &Runtime, config: &Path, format: &Format) -> Result<(), Failure> {
    let config = Config::load(config)?;
    let findings = runtime.block_on(examine(&config));
    match format {
        Format::People(_) => printer::data(&report(&findings))?,
        Format::Data(data) => printer::data(&data.shown(&json!({
            "findings": findings,
            "wrong": count(&findings, Verdict::Wrong),
            "warnings": count(&findings, Verdict::Warning),
        }))?)?,
    }
    if count(&findings, Verdict::Wrong) > 0 {
        return Err(Failure::Reported);
    }
    Ok(())
}

fn count(findings: &[Finding], verdict: Verdict) -> usize {
    findings.iter().filter(|finding| finding.verdict == verdict).count()
}

/// A block for each subject, in the order in which they were first looked at.
fn report(findings: &[Finding]) -> String {
    let mut subjects: Vec<&str> = Vec::new();
    for finding in findings {
        if !subjects.contains(&finding.subject.as_str()) {
            subjects.push(&finding.subject);
        }
    }
    let mut text = String::new();
    for subject in subjects {
        text.push_str(&format!("{subject}\n"));
        for finding in findings.iter().filter(|finding| finding.subject == subject) {
            text.push_str(&format!("  {:<8} {}\n", shown(finding.verdict), finding.what));
            if let Some(fix) = &finding.fix {
                text.push_str(&format!("           -> {fix}\n"));
            }
        }
    }
    let (wrong, warnings) = (count(findings, Verdict::Wrong), count(findings, Verdict::Warning));
    text.push_str(&match (wrong, warnings) {
        (0, 0) => "nothing is wrong\n".to_owned(),
        (0, warnings) => format!("nothing is wrong; {}\n", printer::counted(warnings, "warning")),
        (wrong, 0) => format!("{} wrong\n", printer::counted(wrong, "thing")),
        (wrong, warnings) => format!(
            "{} wrong; {}\n",
            printer::counted(wrong, "thing"),
            printer::counted(warnings, "warning")
        ),
    });
    text
}

/// What is wrong is to be found at a glance.
fn shown(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok | Verdict::Warning => verdict.as_str(),
        Verdict::Wrong => "WRONG",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_one_subject_stand_together_and_are_counted() {
        let findings = [
            Finding::ok("store", "it is well"),
            Finding::wrong("cluster a", "it does not answer", "start it"),
            Finding::warning("store", "it is full", "make room"),
        ];
        let expected = "\
store
  ok       it is well
  warning  it is full
           -> make room
cluster a
  WRONG    it does not answer
           -> start it
1 thing wrong; 1 warning
";
        assert_eq!(report(&findings), expected);
    }
}
