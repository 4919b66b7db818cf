//! What many a watcher does, as a policy: an error means the job is gone, and what has ended is not looked at again.
//!
//! It is here to be compared with. Run it as a shadow (`shadow = true`) beside the default policy, and see which
//! running jobs it would have called FAILED. It is also the shortest example of a policy with a parameter.

use steadfast_policy::{JobState, Parameters, Policy, Seen, Snapshot, Verdict, rules};

/// The policy with its parameter.
#[derive(Debug, Parameters)]
pub struct Naive {
    /// Looks in a row that must fail before the job counts as gone.
    #[default(1)]
    attempts: u32,
}

rules! {
    /// What it says, and when.
    pub enum Rule {
        NeverAsked = "never asked" {
            says: "Flink has not been asked: the record stays.",
            because: "Even here nothing is concluded from nothing.",
            changed_by: "Flink's first answer, or its first error."
        }
        Flink = "flink" {
            says: "Flink lists the job: its word is the state.",
            because: "Only the JobManager knows it.",
            changed_by: "Flink's next answer, or its next error."
        }
        TryAgain = "try again" {
            says: "Fewer looks in a row have failed than `attempts`: the record stays.",
            because: "More attempts put the mistake off; they do not mend it.",
            changed_by: "Flink's next answer, or its next error."
        }
        NotYetThere = "not yet there" {
            says: "A job that has not been seen yet is starting while looks fail.",
            because: "There is nothing to be gone yet.",
            changed_by: "Flink's first answer."
        }
        ErrorMeansGone = "error means gone" {
            says: "A look that fails means that the job is gone, and gone means FAILED.",
            because: "It is what watchers do that take an error for absence; here to be compared with.",
            changed_by: "Nothing any more."
        }
        Ended = "ended" {
            says: "A terminal state is believed for ever, and the watch sleeps.",
            because: "It is what watchers do that end a watch with its job; here to be compared with.",
            changed_by: "Nothing any more."
        }
    }
}

impl Policy for Naive {
    type Params = Self;
    type Memory = ();
    type Rule = Rule;
    const NAME: &'static str = "naive";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "An error means gone, and gone means FAILED. For comparison only.";

    fn new(params: Self) -> Result<Self, String> {
        Ok(params)
    }

    fn decide(&self, snapshot: &Snapshot, _memory: &mut ()) -> Verdict<Rule> {
        let verdict = self.judge(snapshot).poll_after(snapshot.poll());
        if has_ended(verdict.state) {
            verdict.asleep()
        } else {
            verdict
        }
    }
}

impl Naive {
    fn judge(&self, snapshot: &Snapshot) -> Verdict<Rule> {
        let recorded = snapshot.job.state;
        if has_ended(recorded) {
            let why = snapshot.job.reason.message.clone();
            return Verdict::confirmed(recorded, Rule::Ended).because("Naive", why);
        }
        let gone = match snapshot.flink() {
            Seen::Never => {
                return Verdict::keep(snapshot, Rule::NeverAsked).because("Naive", "Flink has not been asked");
            }
            Seen::Present { value: job, .. } => {
                return Verdict::confirmed(job.state, Rule::Flink).because("Naive", "as Flink says");
            }
            Seen::Unknown { looks, .. } if looks.failures < self.attempts => {
                return Verdict::keep(snapshot, Rule::TryAgain).because("Naive", "Flink does not answer");
            }
            // The mistake: these two are not the same.
            Seen::Absent { .. } => "Flink does not list the job",
            Seen::Unknown { fault, .. } => &fault.message,
        };
        if matches!(recorded, JobState::Unknown | JobState::Starting) {
            Verdict::inferred(JobState::Starting, Rule::NotYetThere).because("Naive", gone)
        } else {
            Verdict::confirmed(JobState::Failed, Rule::ErrorMeansGone).because("Naive", gone)
        }
    }
}

fn has_ended(state: JobState) -> bool {
    matches!(state, JobState::Finished | JobState::Failed | JobState::Canceled)
}

steadfast_policy::export!(Naive);

#[cfg(test)]
mod tests;
