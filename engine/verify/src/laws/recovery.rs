//! What runs is recorded as running.

use steadfast_core::state::{Confidence, Intent, JobState};

use super::{Break, Future, Law, Shows};
use crate::look::{Look, Watcher};
use crate::step::Step;

/// From every state the record follows a job that runs.
pub(super) struct Recovers {
    within: usize,
}

impl Default for Recovers {
    fn default() -> Self {
        Self { within: 3 }
    }
}

impl Law for Recovers {
    fn name(&self) -> &str {
        "recovers"
    }

    fn says(&self) -> &str {
        "from any state, three looks at which everything answers and Flink lists the job RUNNING make the record RUNNING, confirmed"
    }

    fn judge(&self, _look: &Look, _tracker: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn probe(&self, look: &Look, _future: Future, watcher: &mut Watcher) -> Result<(), Break> {
        let healed = watcher.see(&look.after, Step::Heal, &mut |_| {});
        let fingerprint = healed.fingerprint();
        if watcher.recovered().contains(fingerprint) {
            return Ok(());
        }
        let mut next = watcher.decide_on(healed);
        let mut then = vec![next.step];
        while !runs(&next) && then.len() < self.within {
            let wait = Step::Wait(watcher.timing().poll);
            next = watcher.look(&next.after, wait);
            then.push(wait);
        }
        if runs(&next) {
            watcher.recovered().note(fingerprint);
            return Ok(());
        }
        let record = next.record();
        Err(Break {
            why: format!(
                "after {} good looks the record is still {} {}",
                self.within, record.state, record.confidence
            ),
            then,
            shows: Shows::NotRecovered,
        })
    }
}

fn runs(look: &Look) -> bool {
    let record = look.record();
    match record.state {
        JobState::Running => record.confidence == Confidence::Confirmed,
        // Flink says RUNNING of it too. While somebody means to take a savepoint that Flink does not show, it is inferred.
        JobState::Savepointing => {
            let intended = record
                .intent
                .as_ref()
                .is_some_and(|posted| posted.intent == Intent::Savepoint);
            record.confidence == Confidence::Confirmed || (intended && record.confidence == Confidence::Inferred)
        }
        JobState::Created
        | JobState::Initializing
        | JobState::Failing
        | JobState::Failed
        | JobState::Cancelling
        | JobState::Canceled
        | JobState::Finished
        | JobState::Restarting
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Lost
        | JobState::Terminated => false,
    }
}
