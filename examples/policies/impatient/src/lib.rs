//! LOST after so much silence. Wrong on purpose: it takes an error for an absence, which is the mistake that Steadfast
//! exists to avoid.
//!
//! It is the smallest policy that breaks the first law, a counterexample for checks of policies, and a measure of what
//! patience is worth: play your outages with it, and see which running jobs it would have called LOST.
//!
//! ```toml
//! [[policy]]
//! name = "impatient"
//! module = "impatient.wasm"
//! shadow = true
//! params = { lost_after = "2m" }
//! ```

use steadfast_policy::{JobState, Millis, Parameters, Policy, Seen, Snapshot, Verdict, rules};

/// The policy with its parameter.
#[derive(Debug, Parameters)]
pub struct Impatient {
    /// How long Flink may give no usable answer before the job counts as lost.
    #[default(Millis::from_mins(2))]
    lost_after: Millis,
}

rules! {
    /// Who spoke.
    pub enum Rule {
        FlinkReports = "flink-reports" {
            says: "Flink lists the job: its word is the state.",
            because: "Only the JobManager knows the job's state.",
            changed_by: "Flink's next answer."
        }
        Waiting = "waiting" {
            says: "Flink is silent for less than `lost_after`, or does not list the job: the state stays, stale.",
            because: "Some patience, though not enough.",
            changed_by: "Flink's answer, or more silence."
        }
        LostPatience = "lost-patience" {
            says: "Flink is silent for `lost_after`: LOST.",
            because: "It is what watchers do that take an error for absence; here to be caught at it.",
            changed_by: "Flink's answer: at least the watch goes on."
        }
    }
}

impl Policy for Impatient {
    type Params = Self;
    type Memory = ();
    type Rule = Rule;
    const NAME: &'static str = "impatient";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "LOST after so much silence. Breaks the first law on purpose.";

    fn new(params: Self) -> Result<Self, String> {
        Ok(params)
    }

    fn decide(&self, snapshot: &Snapshot, _memory: &mut ()) -> Verdict<Rule> {
        let silence = match snapshot.flink() {
            Seen::Present { value: job, .. } => return Verdict::confirmed(job.state, Rule::FlinkReports),
            // The mistake: however long it lasts, an error says nothing of the job.
            Seen::Unknown { looks, .. } => looks.silent_for(snapshot).unwrap_or_default(),
            Seen::Absent { .. } | Seen::Never => return Verdict::keep(snapshot, Rule::Waiting),
        };
        match self.lost_after.left_after(silence) {
            // Judged when patience ends, whatever the backoff.
            Some(left) => Verdict::keep(snapshot, Rule::Waiting).validate_after(left.min(snapshot.validate())),
            None => Verdict::inferred(JobState::Lost, Rule::LostPatience)
                .because("LostPatience", format!("no answer for {}", self.lost_after))
                .poll_after(snapshot.poll()),
        }
    }
}

steadfast_policy::export!(Impatient);

#[cfg(test)]
mod tests {
    use steadfast_policy::testing::{self, Says};
    use steadfast_policy::{Confidence, FaultKind, JobState};

    use super::{Impatient, Rule};

    #[test]
    fn a_running_job_is_lost_once_patience_ends() {
        let policy = testing::policy::<Impatient>(r#"{"lost_after": "1m"}"#);
        let mut orders = testing::job("orders").running();
        let waiting = orders.at("10s").flink_unknown(FaultKind::Timeout).decide(&policy);
        waiting.is(JobState::Running, Confidence::Stale).by(Rule::Waiting);
        assert_eq!(waiting.watch.validate_after, 60_000);
        orders
            .lasts_until("69s", &policy)
            .is(JobState::Running, Confidence::Stale);
        orders
            .lasts_until("70s", &policy)
            .is(JobState::Lost, Confidence::Inferred)
            .awake();
        let back = orders.later("5s").flink_reports(JobState::Running).decide(&policy);
        back.is(JobState::Running, Confidence::Confirmed);
    }

    #[test]
    fn an_answer_without_the_job_is_no_silence() {
        let policy = testing::policy::<Impatient>(r#"{"lost_after": "1m"}"#);
        let mut orders = testing::job("orders").running();
        orders.flink(Says::Absent);
        orders
            .lasts_until("1h", &policy)
            .is(JobState::Running, Confidence::Stale)
            .by(Rule::Waiting);
    }
}
