//! The policy of docs/policies.md, as it stands there.

use serde::{Deserialize, Serialize};
use steadfast_policy::*;

struct Patient {
    params: Params,
}

#[derive(Parameters)]
struct Params {
    /// How long Flink must lack the job before it is lost.
    #[default(Millis::from_mins(2))]
    lost_after: Millis,
}

rules! {
    enum Rule {
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

#[derive(Default, Serialize, Deserialize)]
struct Memory {
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

mod tests {
    use super::{Patient, Rule};
    use steadfast_policy::testing::{self, Says};
    use steadfast_policy::{Confidence, FaultKind, Instance, JobState, WantedSource};

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
            .lasts_until("86459s", &policy)
            .is(JobState::Running, Confidence::Stale);
        orders
            .lasts_until("86460s", &policy)
            .is(JobState::Lost, Confidence::Confirmed)
            .alerts(&["JobLost"]);
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
            "`lost_after` is 90: not a duration (a whole number with ms, s, m, h or d, in quotes); \
             write for example `lost_after = \"2m\"`"
        );
    }
}
