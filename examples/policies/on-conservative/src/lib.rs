//! The default policy, and one thing that is different: a job with the label `alerts=off` raises no alert.
//!
//! Whatever the default policy decides can be changed here: its state, its conditions, its alerts, when to look again. Its rules,
//! its parameters and its memory go on to be its own.

use steadfast_policy::{Parameters, Policy, Snapshot, Verdict};
use steadfast_policy_conservative::{Conservative, Memory, Params as Base, Rule};

/// The parameters: those of the default policy, and what is ours.
#[derive(Debug, Parameters)]
pub struct Params {
    /// The label of a Deployment by which its job raises no alert: `off` is its value.
    #[default("alerts".into())]
    quiet_label: String,
    #[flatten]
    base: Base,
}

/// The policy.
#[derive(Debug)]
pub struct OnConservative {
    quiet_label: String,
    base: Conservative,
}

impl Policy for OnConservative {
    type Params = Params;
    type Memory = Memory;
    type Rule = Rule;
    const NAME: &'static str = "on-conservative";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "The default policy; no alerts of jobs that are labelled so.";

    fn new(params: Params) -> Result<Self, String> {
        let base = Conservative::new(params.base)?;
        Ok(Self {
            quiet_label: params.quiet_label,
            base,
        })
    }

    fn decide(&self, snapshot: &Snapshot, memory: &mut Memory) -> Verdict<Rule> {
        let mut verdict = self.base.decide(snapshot, memory);
        if snapshot.label(&self.quiet_label) == Some("off") {
            verdict.alerts.clear();
        }
        verdict
    }
}

steadfast_policy::export!(OnConservative);

#[cfg(test)]
mod tests {
    use steadfast_policy::testing::{self, Says};
    use steadfast_policy::{Confidence, JobState};

    use super::OnConservative;

    /// A job that failed, a while after.
    fn failed(labels: &[(&str, &str)]) -> testing::Judged {
        let policy = testing::policy::<OnConservative>("{}");
        let mut orders = testing::job("orders").running();
        for (name, value) in labels {
            orders = orders.label(name, value);
        }
        orders
            .at("10s")
            .flink(Says::Present(testing::flink_job(JobState::Failed)))
            .decide(&policy);
        orders.lasts_until("5m", &policy)
    }

    #[test]
    fn a_job_fails_as_ever_and_its_label_decides_whether_that_is_an_alert() {
        let loud = failed(&[("team", "payments")]);
        loud.is(JobState::Failed, Confidence::Confirmed).alerts(&["JobFailed"]);
        let quiet = failed(&[("alerts", "off")]);
        quiet.is(JobState::Failed, Confidence::Confirmed).alerts(&[]);
    }
}
