//! A judge on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use steadfast_core::decision::{Decide, Interrupt};
use steadfast_core::id::PolicyName;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{Answered, Case, Decided, InLoop, Judge, Question, Ruling, SeatId, answer, decide};
use crate::control::RequestError;

/// After so long it gives back what it has come to. Long enough for some hundred decisions of the usual kind, and short
/// beside any poll: what has become old meanwhile is thrown away.
const SLICE: Duration = Duration::from_millis(20);

/// How many questions of people may wait for one policy.
const QUESTIONS: usize = 16;

/// The loop's end of a thread that decides.
pub(super) struct OnThread {
    work: Sender<Work>,
    questions: Arc<AtomicUsize>,
    /// Ends a decision that is under way, if the policy can be interrupted.
    interrupt: Option<Interrupt>,
}

enum Work {
    Cases(Vec<Case>),
    Question(Question),
}

impl OnThread {
    /// Starts the thread. If the system has none left, the policy decides in the loop: late is better than never.
    pub(super) fn seat(
        policy: &PolicyName,
        seat: SeatId,
        decide: Box<dyn Decide>,
        rulings: mpsc::Sender<Ruling>,
        token: TaskTrackerToken,
    ) -> Box<dyn Judge> {
        let interrupt = decide.interrupt();
        let (work, waiting) = channel();
        let questions = Arc::<AtomicUsize>::default();
        let (hand_over, taken) = channel();
        let started = std::thread::Builder::new().name(format!("policy {policy}")).spawn({
            let questions = Arc::clone(&questions);
            move || {
                let _ended = token;
                let Ok(decide) = taken.recv() else { return };
                sit(seat, decide, &waiting, &questions, &rulings);
            }
        });
        if let Err(error) = started {
            tracing::error!(%policy, "no thread could be started for this policy, and the loop waits for its decisions: {error}");
            return Box::new(InLoop::new(decide));
        }
        // The thread waits for it.
        drop(hand_over.send(decide));
        Box::new(Self {
            work,
            questions,
            interrupt,
        })
    }
}

impl Judge for OnThread {
    fn decide(&mut self, cases: Vec<Case>) -> Option<Decided> {
        // A thread ends only with the loop, or when it was dropped.
        drop(self.work.send(Work::Cases(cases)));
        None
    }

    fn answer(&mut self, question: Question) -> Option<Answered> {
        if self.questions.fetch_add(1, Ordering::Relaxed) >= QUESTIONS {
            self.questions.fetch_sub(1, Ordering::Relaxed);
            // Whoever asked may be gone.
            drop(question.reply.send(Err(RequestError::Busy)));
            return None;
        }
        drop(self.work.send(Work::Question(question)));
        None
    }
}

impl Drop for OnThread {
    fn drop(&mut self) {
        // With it the thread is at its next message, of which there will be none.
        if let Some(interrupt) = &self.interrupt {
            interrupt.raise();
        }
    }
}

/// Decides and answers as long as there is anybody who may ask.
fn sit(
    seat: SeatId,
    mut policy: Box<dyn Decide>,
    work: &Receiver<Work>,
    questions: &AtomicUsize,
    rulings: &mpsc::Sender<Ruling>,
) {
    while let Ok(work) = work.recv() {
        let ruling = match work {
            Work::Cases(cases) => Ruling::Decided(hear(seat, policy.as_mut(), cases)),
            Work::Question(question) => {
                let answered = answer(policy.as_mut(), question);
                questions.fetch_sub(1, Ordering::Relaxed);
                Ruling::Answered(Box::new(answered))
            }
        };
        policy.end_batch();
        if rulings.blocking_send(ruling).is_err() {
            return;
        }
    }
}

/// Decides case by case until the slice is over.
fn hear(seat: SeatId, policy: &mut dyn Decide, cases: Vec<Case>) -> Decided {
    let began = Instant::now();
    let mut outcomes = Vec::with_capacity(cases.len());
    let mut took = Vec::with_capacity(cases.len());
    let (mut cases, mut before) = (cases.into_iter(), Duration::ZERO);
    for case in cases.by_ref() {
        let outcome = decide(policy, &case.shown);
        outcomes.push((case, outcome));
        let elapsed = began.elapsed();
        took.push(elapsed.saturating_sub(before));
        before = elapsed;
        if elapsed >= SLICE {
            break;
        }
    }
    Decided {
        seat,
        outcomes,
        left: cases.collect(),
        spent: began.elapsed(),
        took,
    }
}

#[cfg(test)]
mod tests;
