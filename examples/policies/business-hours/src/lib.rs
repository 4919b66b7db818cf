//! Alerts only within hours: for jobs that nobody gets up for at night. States are as Flink says.
//!
//! What goes wrong at night is on record at once and alerted when the hours begin, if it still stands. An alert that
//! stands when they end goes on standing: `resolved` is for what is over. The time is the snapshot's, and the offset a
//! parameter: a policy has no clock and knows no time zones.
//!
//! ```toml
//! [[policy]]
//! name = "hours"
//! module = "business-hours.wasm"
//! select = { namespace = ["batch"] }
//! params = { hours = "Mon-Fri 08:00-18:00", utc_offset = "+01:00", alert_after = "2m" }
//! ```

mod hours;

use steadfast_policy::{Confidence, JobState, Millis, Parameters, Policy, Seen, Snapshot, Verdict, rules};

use hours::{Hours, Offset};

/// The policy with its parameters.
#[derive(Debug, Parameters)]
pub struct BusinessHours {
    /// When alerts may begin: days and hours, such as `Mon-Fri 08:00-18:00`.
    #[default(Hours::OFFICE)]
    hours: Hours,
    /// How far the clocks of these hours are ahead of UTC.
    #[default(Offset::UTC)]
    utc_offset: Offset,
    /// How long something must stand before it is alerted.
    #[default(Millis::from_mins(2))]
    alert_after: Millis,
}

/// The alert of a job that has failed.
const FAILED: &str = "JobFailed";
/// The alert of a Flink that gives no usable answer.
const SILENT: &str = "FlinkSilent";

rules! {
    /// Who spoke.
    pub enum Rule {
        FlinkReports = "flink-reports" {
            says: "Flink lists the job: its word is the state.",
            because: "Only the JobManager knows the job's state.",
            changed_by: "Flink's next answer."
        }
        NotListed = "not-listed" {
            says: "Flink answers and does not list the job: the state stays, inferred.",
            because: "It may not list it yet, or no longer.",
            changed_by: "A list with the job."
        }
        FlinkSilent = "flink-silent" {
            says: "Flink gives no usable answer: the state stays, stale.",
            because: "An error is no answer.",
            changed_by: "Flink's next answer."
        }
    }
}

impl Policy for BusinessHours {
    type Params = Self;
    type Memory = ();
    type Rule = Rule;
    const NAME: &'static str = "business-hours";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "States as Flink says; alerts only within hours.";

    fn new(params: Self) -> Result<Self, String> {
        Ok(params)
    }

    fn decide(&self, snapshot: &Snapshot, _memory: &mut ()) -> Verdict<Rule> {
        match snapshot.flink() {
            Seen::Present { value: job, .. } => {
                let verdict = Verdict::confirmed(job.state, Rule::FlinkReports)
                    .because("FlinkReports", format!("Flink reports {}", job.state.word()));
                let stands = job.state == JobState::Failed && snapshot.job.state == JobState::Failed;
                let since = stands.then_some(snapshot.age(snapshot.job.since));
                self.alert(snapshot, FAILED, since, verdict)
            }
            Seen::Absent { .. } => Verdict::keep(snapshot, Rule::NotListed)
                .as_sure_as(Confidence::Inferred)
                .alert_stays(snapshot, FAILED),
            Seen::Unknown { fault, looks } => {
                let verdict = Verdict::keep(snapshot, Rule::FlinkSilent).alert_stays(snapshot, FAILED);
                let message = format!("Flink gives no usable answer: {}", fault.message);
                self.alert(
                    snapshot,
                    SILENT,
                    looks.silent_for(snapshot),
                    verdict.because("FlinkSilent", message),
                )
            }
            Seen::Never => Verdict::keep(snapshot, Rule::FlinkSilent).alert_stays(snapshot, FAILED),
        }
    }
}

impl BusinessHours {
    /// Alerts what has stood for long enough: from the first moment within the hours on, until it is over.
    fn alert(&self, s: &Snapshot, name: &str, standing: Option<Millis>, verdict: Verdict<Rule>) -> Verdict<Rule> {
        let has_stood = standing >= Some(self.alert_after);
        if has_stood && (s.alert(name).is_some() || self.hours.contain(s.now, self.utc_offset)) {
            let message = verdict.reason.message.clone();
            verdict.alert(name, message)
        } else {
            verdict
        }
    }
}

steadfast_policy::export!(BusinessHours);

#[cfg(test)]
mod tests;
