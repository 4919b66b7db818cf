//! A state only when Flink confirms it; everything else leaves the record as it is, stale.
//!
//! For those who would rather know nothing than something that was inferred. Nothing but Flink's own word changes the
//! state: a job whose cluster is gone stays what it last was, stale, until somebody looks. `unreachable_after` says when
//! its silence becomes a condition.
//!
//! ```toml
//! [[policy]]
//! name = "strict"
//! module = "strict.wasm"
//! params = { unreachable_after = "15s" }
//! ```

use steadfast_policy::{ConditionType, Millis, Parameters, Policy, Seen, Snapshot, Verdict, rules};

/// The policy with its parameter.
#[derive(Debug, Parameters)]
pub struct Strict {
    /// How long Flink must be silent before a condition says so.
    #[default(Millis::from_secs(15))]
    unreachable_after: Millis,
}

rules! {
    /// Who spoke.
    pub enum Rule {
        FlinkReports = "flink-reports" {
            says: "Flink lists the job: its word is the state, confirmed.",
            because: "Only the JobManager knows the job's state.",
            changed_by: "Flink's next answer."
        }
        NotListed = "not-listed" {
            says: "Flink answers and does not list the job: the state stays, stale.",
            because: "Flink has said nothing of how it is, or how it ended.",
            changed_by: "A list with the job."
        }
        FlinkSilent = "flink-silent" {
            says: "Flink gives no usable answer: the state stays, stale.",
            because: "An error is no answer.",
            changed_by: "Flink's next answer."
        }
        NeverAsked = "never-asked" {
            says: "Flink has not been asked yet: the state stays, stale.",
            because: "There is nothing to go by.",
            changed_by: "Flink's first answer."
        }
    }
}

impl Policy for Strict {
    type Params = Self;
    type Memory = ();
    type Rule = Rule;
    const NAME: &'static str = "strict";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "A state only when Flink confirms it; everything else stays, stale.";

    fn new(params: Self) -> Result<Self, String> {
        Ok(params)
    }

    fn decide(&self, snapshot: &Snapshot, _memory: &mut ()) -> Verdict<Rule> {
        match snapshot.flink() {
            Seen::Present { value: job, .. } => Verdict::confirmed(job.state, Rule::FlinkReports)
                .because("FlinkReports", format!("Flink reports {}", job.state.word())),
            Seen::Absent { .. } => {
                Verdict::keep(snapshot, Rule::NotListed).because("NotListed", "Flink answers and does not list the job")
            }
            Seen::Unknown { fault, looks } => {
                let message = format!("Flink gives no usable answer: {}", fault.message);
                let verdict = Verdict::keep(snapshot, Rule::FlinkSilent).because("FlinkSilent", &message);
                if looks.silent_for(snapshot) >= Some(self.unreachable_after) {
                    verdict.condition(ConditionType::FlinkUnreachable, message)
                } else {
                    verdict
                }
            }
            Seen::Never => Verdict::keep(snapshot, Rule::NeverAsked),
        }
    }
}

steadfast_policy::export!(Strict);

#[cfg(test)]
mod tests {
    use steadfast_policy::testing::{self, Says};
    use steadfast_policy::{ConditionType, Confidence, FaultKind, JobState};

    use super::{Rule, Strict};

    #[test]
    fn only_flinks_word_changes_the_state() {
        let policy = testing::policy::<Strict>("{}");
        let mut orders = testing::job("orders").running();
        orders
            .deployment_missing()
            .deletion_seen()
            .flink_unknown(FaultKind::Refused);
        orders
            .lasts_until("1d", &policy)
            .is(JobState::Running, Confidence::Stale)
            .by(Rule::FlinkSilent);
        orders
            .flink(Says::Absent)
            .decide(&policy)
            .is(JobState::Running, Confidence::Stale)
            .by(Rule::NotListed);
        let back = orders.later("5s").flink_reports(JobState::Finished).decide(&policy);
        back.is(JobState::Finished, Confidence::Confirmed).conditions(&[]);
    }

    #[test]
    fn a_silence_becomes_a_condition_after_its_time() {
        let policy = testing::policy::<Strict>(r#"{"unreachable_after": "30s"}"#);
        let mut orders = testing::job("orders").running();
        orders
            .at("10s")
            .flink_unknown(FaultKind::Timeout)
            .decide(&policy)
            .conditions(&[]);
        orders.lasts_until("35s", &policy).conditions(&[]);
        orders
            .lasts_until("40s", &policy)
            .conditions(&[ConditionType::FlinkUnreachable]);
    }
}
