//! When the jobs of a Flink came into their states, and when they failed.

use std::collections::BTreeMap;

use steadfast_core::state::JobState;
use steadfast_core::time::{Clock as _, Timestamp};

use crate::clock::WorldClock;
use crate::story::{JobSpec, Moment};

/// How many failures Flink keeps (`web.exception-history-size`).
const KEPT: usize = 16;

/// Every run of every job, by the story's name for the job and the run's start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs(BTreeMap<(String, Moment), Run>);

/// What one run of a job went through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The state it is in.
    state: Option<JobState>,
    /// When it last came into each state.
    entered: BTreeMap<JobState, Timestamp>,
    /// Its failures, the newest first.
    failures: Vec<Failure>,
}

/// A failure of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stack trace or message, as the story has it.
    pub root: String,
    /// When.
    pub at: Timestamp,
}

impl Runs {
    /// These are the jobs now.
    pub fn see(&mut self, jobs: &[JobSpec], clock: WorldClock) {
        for job in jobs {
            let run = self.0.entry((job.id.clone(), job.start)).or_default();
            run.see(job, clock);
        }
    }

    /// The run that a story's job is.
    pub fn of(&self, job: &JobSpec) -> Option<&Run> {
        self.0.get(&(job.id.clone(), job.start))
    }
}

impl Run {
    fn see(&mut self, job: &JobSpec, clock: WorldClock) {
        let comes = self.state != Some(job.state);
        let fails = comes && is_broken(job.state) && !self.state.is_some_and(is_broken);
        if comes {
            self.entered.insert(job.state, clock.now());
        }
        self.state = Some(job.state);
        let Some(root) = &job.root_exception else { return };
        let said = job.exception_at.map(|moment| clock.at(moment));
        let is_new = self.failures.first().is_none_or(|newest| {
            let at_another_time = said.map_or(fails, |said| said != newest.at);
            newest.root != *root || at_another_time
        });
        if is_new {
            let at = said.unwrap_or_else(|| clock.now());
            self.failures.insert(0, Failure { root: root.clone(), at });
            self.failures.truncate(KEPT);
        }
    }

    /// When it last came into that state, if it was in it.
    pub fn entered(&self, state: JobState) -> Option<Timestamp> {
        self.entered.get(&state).copied()
    }

    /// Its failures, the newest first.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }
}

/// Whether a job in that state has failed and does not run again yet.
fn is_broken(state: JobState) -> bool {
    matches!(state, JobState::Restarting | JobState::Failing | JobState::Failed)
}
