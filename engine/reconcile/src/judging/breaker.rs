//! The breaker: a policy that runs out of time again and again is asked about one job at a time, and ever more seldom.
//!
//! Only deadlines count. What fails quickly costs nobody anything, and each job has a backoff of its own.

use std::time::Duration;

use steadfast_core::backoff::Backoff;
use steadfast_core::decision::{PolicyFailure, PolicyFailureKind};
use steadfast_core::time::Timestamp;

use super::Outcome;

/// How many deadlines in a row open it.
const MISSES: u32 = 3;

/// How a policy has kept its deadline lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Breaker {
    /// Deadlines it missed in a row.
    misses: u32,
    /// While it is open: when the policy may be asked about one job.
    next: Option<Timestamp>,
}

/// What a policy may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// All that there is.
    All,
    /// One job.
    One,
    /// Nothing for now.
    None,
}

/// What an outcome changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// The policy is suspended from now on.
    Open,
    /// It is asked about all of its jobs again.
    Closed,
}

impl Breaker {
    /// What may be asked now.
    pub(crate) fn leave(&self, now: Timestamp) -> Leave {
        match self.next {
            None => Leave::All,
            Some(next) if next <= now => Leave::One,
            Some(_) => Leave::None,
        }
    }

    /// Takes in the outcome of a decision that was asked for.
    pub(crate) fn note(&mut self, outcome: &Outcome, backoff: Backoff, now: Timestamp) -> Option<Turned> {
        let missed = matches!(outcome, Err(failure) if failure.kind == PolicyFailureKind::Deadline);
        if !missed {
            let was_open = self.next.is_some();
            *self = Self::default();
            return was_open.then_some(Turned::Closed);
        }
        self.misses = self.misses.saturating_add(1);
        if self.misses < MISSES {
            return None;
        }
        let opens = self.next.is_none();
        self.next = Some(now.after(self.pause(backoff)));
        opens.then_some(Turned::Open)
    }

    /// Doubles from the initial one. Without jitter: it is one policy's, and the same in each run.
    fn pause(&self, backoff: Backoff) -> Duration {
        let doublings = self.misses.saturating_sub(MISSES).min(20);
        backoff.initial.saturating_mul(1 << doublings).min(backoff.max)
    }

    /// Which of several jobs is asked about while it is open: another one each time, for it may be one of them that the policy
    /// never ends with.
    pub(crate) fn choice(&self, among: usize) -> usize {
        let turn = usize::try_from(self.misses.saturating_sub(MISSES)).unwrap_or_default();
        turn.checked_rem(among).unwrap_or_default()
    }

    /// What is said of a job that comes up while it is open. Always the same words, so that a record that says so already
    /// stays as it is.
    pub(crate) fn refusal() -> PolicyFailure {
        PolicyFailure {
            kind: PolicyFailureKind::Deadline,
            message: format!(
                "not asked: the policy ran out of time {MISSES} times in a row, and is asked about one job at a time until it \
                 answers one; allow it more with `deadline` in its [[policy]], or mend the module"
            )
            .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::state::JobState;
    use steadfast_core::testing::{at, decision};

    use super::*;

    const BACKOFF: Backoff = Backoff {
        initial: Duration::from_secs(1),
        max: Duration::from_secs(30),
    };

    fn failed(kind: PolicyFailureKind) -> Outcome {
        Err(PolicyFailure {
            kind,
            message: String::new().into(),
        })
    }

    #[test]
    fn deadlines_in_a_row_open_it_and_the_pauses_grow_to_their_bound() {
        let mut breaker = Breaker::default();
        let missed = failed(PolicyFailureKind::Deadline);
        assert_eq!(breaker.note(&missed, BACKOFF, at(0)), None);
        assert_eq!(breaker.note(&missed, BACKOFF, at(0)), None);
        assert_eq!(breaker.leave(at(0)), Leave::All);
        assert_eq!(breaker.note(&missed, BACKOFF, at(0)), Some(Turned::Open));
        let mut now = 0;
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(breaker.leave(at(now + pause - 1)), Leave::None, "{pause}");
            now += pause;
            assert_eq!(breaker.leave(at(now)), Leave::One, "{pause}");
            assert_eq!(breaker.note(&missed, BACKOFF, at(now)), None);
        }
    }

    #[test]
    fn one_answer_closes_it_and_another_kind_of_failure_is_an_answer() {
        for outcome in [Ok(decision(JobState::Running)), failed(PolicyFailureKind::Trap)] {
            let mut breaker = Breaker::default();
            for _ in 0..5 {
                breaker.note(&failed(PolicyFailureKind::Deadline), BACKOFF, at(0));
            }
            assert_eq!(breaker.note(&outcome, BACKOFF, at(60)), Some(Turned::Closed));
            assert_eq!(breaker.leave(at(60)), Leave::All);
            assert_eq!(breaker.note(&outcome, BACKOFF, at(60)), None);
        }
    }

    #[test]
    fn no_two_jobs_are_asked_about_one_after_the_other() {
        let mut breaker = Breaker::default();
        let mut asked = Vec::new();
        for n in 0..6 {
            breaker.note(&failed(PolicyFailureKind::Deadline), BACKOFF, at(n));
            asked.push(breaker.choice(2));
        }
        assert_eq!(asked, [0, 0, 0, 1, 0, 1]);
        assert_eq!(breaker.choice(0), 0);
    }
}
