//! A judge in the loop, which waits for it.

use std::time::Duration;

use steadfast_core::decision::Decide;

use super::{Answered, Case, Decided, Judge, Question, SeatId, answer, decide};

/// Decides at once, and all that it is given.
pub(crate) struct InLoop {
    policy: Box<dyn Decide>,
}

impl InLoop {
    pub(crate) fn new(policy: Box<dyn Decide>) -> Self {
        Self { policy }
    }
}

impl Judge for InLoop {
    fn decide(&mut self, cases: Vec<Case>) -> Option<Decided> {
        // The loop's time stands still meanwhile.
        let began = tokio::time::Instant::now();
        let outcomes = cases.into_iter().map(|case| {
            let outcome = decide(self.policy.as_mut(), &case.shown);
            (case, outcome)
        });
        let outcomes: Vec<_> = outcomes.collect();
        let spent: Duration = began.elapsed();
        let took = vec![Duration::ZERO; outcomes.len()];
        Some(Decided {
            seat: SeatId::default(),
            outcomes,
            left: Vec::new(),
            spent,
            took,
        })
    }

    fn answer(&mut self, question: Question) -> Option<Answered> {
        let answered = answer(self.policy.as_mut(), question);
        self.policy.end_batch();
        Some(answered)
    }

    fn end_batch(&mut self) {
        self.policy.end_batch();
    }
}
