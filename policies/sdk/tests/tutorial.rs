//! The policy of docs/policies.md: its blocks in their order, as this test holds.
#![allow(missing_docs, reason = "the page says in prose what they are")]

use serde::{Deserialize, Serialize};
use steadfast_policy::*;

#[derive(Debug, Parameters)]
pub struct Params {
    /// How long Flink must lack the job before it is lost.
    #[default(Millis::from_mins(2))]
    lost_after: Millis,
}

rules! {
    /// What it says, and when.
    pub enum Rule {
        FlinkReports = "flink-reports" {
            says: "Flink lists the job: its word is the state.",
            because: "Only the JobManager knows it.",
            changed_by: "Flink's next answer."
        }
        NotListed = "not-listed" {
            says: "Flink answers and does not list the job: the state stays, stale.",
            because: "A JobManager that restarts lists nothing until it has recovered its jobs.",
            changed_by: "A list with the job, or time."
        }
        Lost = "lost" {
            says: "Flink has lacked the job for `lost_after`: LOST.",
            because: "Flink's own, complete word.",
            changed_by: "A list with the job."
        }
        Silent = "silent" {
            says: "Flink gives no usable answer: the state stays, stale.",
            because: "An error is no answer.",
            changed_by: "Flink's next answer."
        }
    }
}

/// The policy with its parameters.
#[derive(Debug)]
pub struct Patient {
    params: Params,
}

/// What it remembers of a job.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    missing: Option<Streak>,
}

impl Policy for Patient {
    type Params = Params;
    type Memory = Memory;
    type Rule = Rule;
    const NAME: &'static str = "patient";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Flink's word; LOST when it has lacked the job for long enough.";

    fn new(params: Params) -> Result<Self, String> {
        Ok(Self { params })
    }

    fn decide(&self, snapshot: &Snapshot, memory: &mut Memory) -> Verdict<Rule> {
        match snapshot.flink() {
            Seen::Present { value: job, .. } => {
                memory.missing = None;
                Verdict::confirmed(job.state, Rule::FlinkReports)
            }
            Seen::Absent { looks } => {
                let missing = Streak::count(memory.missing, looks);
                memory.missing = Some(missing);
                if missing.spans(snapshot) >= self.params.lost_after {
                    Verdict::confirmed(JobState::Lost, Rule::Lost).alert("JobLost", "Flink no longer knows the job")
                } else {
                    Verdict::keep(snapshot, Rule::NotListed).want(WantedSource::Archive)
                }
            }
            Seen::Unknown { .. } | Seen::Never => Verdict::keep(snapshot, Rule::Silent),
        }
    }
}

steadfast_policy::export!(Patient);

#[cfg(test)]
mod tests {
    use super::*;
    use steadfast_policy::testing::{self, Says};

    #[test]
    fn a_silence_never_loses_a_job_and_an_answer_without_it_does() {
        let policy = testing::policy::<Patient>(r#"{"lost_after": "1m"}"#);
        let mut orders = testing::job("orders").running();
        orders.at("10s").dark(FaultKind::Timeout);
        orders
            .lasts_until("1d", &policy)
            .is(JobState::Running, Confidence::Stale)
            .by(Rule::Silent);
        orders
            .flink(Says::Absent)
            .decide(&policy)
            .by(Rule::NotListed)
            .wants(&[WantedSource::Archive]);
        orders
            .lasts_until("1d59s", &policy)
            .is(JobState::Running, Confidence::Stale);
        orders
            .lasts_until("1d1m", &policy)
            .is(JobState::Lost, Confidence::Confirmed)
            .alerts(&["JobLost"]);
    }
}

mod documented {
    use super::Patient;
    use steadfast_policy::Instance;

    /// The blocks of the page in Rust, without what separates and begins them.
    fn blocks() -> String {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policies.md");
        let page = std::fs::read_to_string(page).unwrap_or_default();
        let mut within = false;
        let mut text = String::new();
        for line in page.lines() {
            match line {
                "```rust" => within = true,
                "```" => within = false,
                _ if within && !line.starts_with("// src/") => text += line,
                _ => {}
            }
        }
        text
    }

    /// Rustfmt breaks longer lines than a page does, and the comment at the top is about this file.
    fn without_form(text: &str) -> String {
        let is_head = |line: &str| line.starts_with("//!") || line.starts_with("#![");
        let lines = text.lines().filter(|line| !is_head(line));
        lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
    }

    #[test]
    fn the_blocks_of_the_page_are_this_policy() {
        let mine = without_form(include_str!("tutorial.rs"));
        let (mine, _) = mine.split_once("moddocumented{").unwrap();
        let page = blocks();
        let (_, page) = page.split_once("enough.").unwrap();
        assert_eq!(without_form(page), mine);
    }

    #[test]
    fn refusals_read_as_documented() {
        let refused = |params| Instance::<Patient>::configure(params).unwrap_err();
        assert_eq!(
            refused(r#"{"lost_aftr": "90s"}"#),
            "`lost_aftr` is no parameter; there is only `lost_after`; did you mean `lost_after`?"
        );
        assert_eq!(
            refused(r#"{"lost_after": 90}"#),
            "`lost_after` is 90: not a duration (whole numbers with ms, s, m, h or d, in quotes); \
             write for example `lost_after = \"2m\"`"
        );
    }
}
