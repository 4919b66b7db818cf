//! A small policy to start from: Flink's word counts, an error changes nothing, and gone takes more than one look.

use steadfast_policy::{
    ConditionType, Fault, Intent, JobState, Looks, Millis, Parameters, Policy, Seen, Snapshot, Streak, Verdict, rules,
};

/// The policy with its parameters.
#[derive(Debug, Parameters)]
pub struct Starter {
    /// Answers in a row that must lack a job before it is lost.
    #[default(2)]
    absence_confirmations: u32,
    /// Time without an answer before a condition says so.
    #[default(Millis::from_secs(15))]
    unreachable_after: Millis,
}

rules! {
    /// What it says, and when.
    pub enum Rule {
        Flink = "flink" {
            says: "Flink lists the job: its word is the state.",
            because: "The cluster that runs a job knows it best.",
            changed_by: "Another answer of Flink."
        }
        Ended = "ended" {
            says: "The job has ended and Flink no longer lists it: the end stands.",
            because: "A Flink cluster may forget a job that has ended, and may go.",
            changed_by: "Flink listing the job again."
        }
        Starting = "starting" {
            says: "The job was not seen to run in this attempt, and its Deployment is new, not ready, or its Flink does not list it: it is starting.",
            because: "A JobManager answers some time after its Deployment was made, and lists its job some time after that.",
            changed_by: "Flink listing the job."
        }
        Unseen = "unseen" {
            says: "Nothing has shown the job in this attempt yet: the state stays, stale.",
            because: "What was not seen cannot be gone: after a redeployment, Flink's last answer is about the run before.",
            changed_by: "The Deployment, or Flink listing the job."
        }
        Unknown = "unknown" {
            says: "Flink gave no answer that can be used: the state stays, stale.",
            because: "An error says nothing about the job.",
            changed_by: "Flink's next answer."
        }
        Missing = "missing" {
            says: "Fewer than `absence_confirmations` complete answers lack the job: the state stays, stale.",
            because: "One answer may come from a JobManager that is still recovering.",
            changed_by: "More such answers, or Flink listing it."
        }
        Lost = "lost" {
            says: "`absence_confirmations` complete answers lack the job: it is lost.",
            because: "A cluster that answers and does not know a job does not run it.",
            changed_by: "Flink listing the job again."
        }
    }
}

impl Policy for Starter {
    type Params = Self;
    /// The complete answers that lack the job.
    type Memory = Option<Streak>;
    type Rule = Rule;
    const NAME: &'static str = "starter";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Flink's word counts, an error changes nothing.";

    fn new(params: Self) -> Result<Self, String> {
        if params.absence_confirmations == 0 {
            return Err("absence_confirmations is 0: no answer would have to lack a job; use 1 or more".into());
        }
        Ok(params)
    }

    fn decide(&self, snapshot: &Snapshot, missing: &mut Option<Streak>) -> Verdict<Rule> {
        let verdict = self.judge(snapshot, missing);
        let verdict = if verdict.state.is_terminal() {
            verdict
        } else {
            self.with_conditions(snapshot, verdict)
        };
        with_alert(snapshot, verdict)
    }
}

impl Starter {
    /// Evidence is seen, absent or unknown, and every error is unknown: the compiler asks what each of them means.
    fn judge(&self, snapshot: &Snapshot, missing: &mut Option<Streak>) -> Verdict<Rule> {
        let job = &snapshot.job;
        if let Seen::Present { value: listed, .. } = snapshot.flink() {
            *missing = None;
            return Verdict::confirmed(listed.state, Rule::Flink).because("Flink", "Flink lists the job");
        }
        if snapshot.never_ran() {
            *missing = None;
            return if is_starting(snapshot) {
                Verdict::inferred(JobState::Starting, Rule::Starting).because(
                    "Starting",
                    "the Deployment is there, and Flink does not list the job yet",
                )
            } else {
                Verdict::keep(snapshot, Rule::Unseen).because("Unseen", "nothing has shown the job in this attempt yet")
            };
        }
        if job.state.is_terminal() {
            return Verdict::new(job.state, job.confidence, Rule::Ended).reason(job.reason.clone());
        }
        let why = match snapshot.flink() {
            Seen::Absent { looks } => return self.judge_absence(snapshot, looks, missing),
            Seen::Unknown { fault, .. } => format!("Flink gives no answer: {}", fault.message),
            Seen::Never | Seen::Present { .. } => "Flink has not been asked yet".to_owned(),
        };
        Verdict::keep(snapshot, Rule::Unknown).because("FlinkUnknown", why)
    }

    fn judge_absence(&self, snapshot: &Snapshot, looks: &Looks, missing: &mut Option<Streak>) -> Verdict<Rule> {
        let answers = missing.insert(Streak::count(*missing, looks)).answers;
        let needed = self.absence_confirmations;
        if answers < needed {
            let message = format!("{answers} of {needed} complete answers of Flink lack the job");
            return Verdict::keep(snapshot, Rule::Missing).because("Missing", message);
        }
        let message = format!("{needed} complete answers of Flink lack the job");
        Verdict::inferred(JobState::Lost, Rule::Lost).because("Lost", message)
    }
}

impl Starter {
    /// A condition for each source that has given no answer for too long.
    fn with_conditions(&self, snapshot: &Snapshot, mut verdict: Verdict<Rule>) -> Verdict<Rule> {
        let sources = [
            (ConditionType::FlinkUnreachable, self.silent(snapshot, snapshot.flink())),
            (
                ConditionType::KubernetesUnreachable,
                self.silent(snapshot, snapshot.deployment()),
            ),
        ];
        for (kind, fault) in sources {
            if let Some(fault) = fault {
                verdict = verdict.condition(kind, &fault.message);
            }
        }
        verdict
    }

    /// Why a source gives no answer, if that has lasted.
    fn silent<'a, T>(&self, snapshot: &Snapshot, seen: Seen<'a, T>) -> Option<&'a Fault> {
        match seen {
            Seen::Unknown { fault, looks } if looks.silent_for(snapshot) >= Some(self.unreachable_after) => Some(fault),
            Seen::Unknown { .. } | Seen::Present { .. } | Seen::Absent { .. } | Seen::Never => None,
        }
    }
}

/// Whether a start is seen: a job that is met for the first time may have run for days while its Flink is silent.
fn is_starting(snapshot: &Snapshot) -> bool {
    let is_new = snapshot.job.incarnation.attempt > 1 || snapshot.flink().is_absent();
    let deployment = snapshot.deployment().present();
    deployment.is_some_and(|deployment| is_new || deployment.ready < deployment.replicas)
}

/// An end that nobody wanted is told, as long as it stands.
fn with_alert(snapshot: &Snapshot, verdict: Verdict<Rule>) -> Verdict<Rule> {
    let message = verdict.reason.message.clone();
    if snapshot.intended(Intent::Cancel) {
        verdict
    } else if verdict.state == JobState::Failed {
        verdict.alert("JobFailed", message)
    } else if verdict.state == JobState::Lost {
        verdict.alert("JobLost", message)
    } else {
        verdict
    }
}

steadfast_policy::export!(Starter);

#[cfg(test)]
mod tests {
    use steadfast_policy::testing::{self, Says};
    use steadfast_policy::{ConditionType, Confidence, FaultKind, JobState};

    use super::{Rule, Starter};

    #[test]
    fn an_error_changes_nothing_but_is_reported() {
        let policy = testing::policy::<Starter>("{}");
        let mut orders = testing::job("orders").running();
        let judged = orders.at("5s").flink_unknown(FaultKind::Timeout).decide(&policy);
        judged.is(JobState::Running, Confidence::Stale);
        orders
            .lasts_until("1h", &policy)
            .is(JobState::Running, Confidence::Stale)
            .conditions(&[ConditionType::FlinkUnreachable]);
    }

    #[test]
    fn a_job_is_lost_after_the_second_answer_without_it() {
        let policy = testing::policy::<Starter>("{}");
        let mut orders = testing::job("orders").running();
        orders.at("5s").flink(Says::Absent).decide(&policy).by(Rule::Missing);
        let judged = orders.later("5s").flink(Says::Absent).decide(&policy);
        judged.is(JobState::Lost, Confidence::Inferred).alerts(&["JobLost"]);
    }

    #[test]
    fn nothing_is_lost_before_it_was_seen_to_run() {
        let policy = testing::policy::<Starter>("{}");
        let mut orders = testing::job("orders").starting();
        orders.flink(Says::Absent);
        orders
            .lasts_until("1h", &policy)
            .is(JobState::Starting, Confidence::Inferred);
    }
}
