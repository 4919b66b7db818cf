//! Who makes the decisions: each policy has a judge of its own, so that none waits for another's.
//!
//! A policy decides as long as its deadline lets it, and may use all of that for each job. In the loop itself, one that does
//! would hold up everybody: evidence, commits, `/livez`, the end of the process. So each policy decides on a thread of its
//! own ([`thread`]). It is given some jobs at a time, stops after a slice of time, and gives back what it has come to and what
//! it has not; the loop commits the one and hands the other out again. One that runs out of time again and again is asked
//! about one job at a time ([`Breaker`]).
//!
//! Threads answer when they like. Under virtual time the policies decide in the loop ([`in_loop`]), as if that took no time:
//! one seed is one run.
//!
//! Rejected: *a pool of threads for all policies*, in which as many endless loops as there are threads hold up the others;
//! and *a budget in the loop itself*, which a single decision with a deadline of ten seconds would overdraw.

mod breaker;
mod in_loop;
mod thread;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use steadfast_core::decision::{Decide, Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::explanation::Explanation;
use steadfast_core::planner::fitted;
use steadfast_core::record::JobRecord;
use steadfast_core::rule::Rule;
use steadfast_core::snapshot::Snapshot;
use steadfast_crash_points::CrashPoint;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

pub(crate) use breaker::{Breaker, Leave, Turned};
pub(crate) use in_loop::InLoop;
use thread::OnThread;

use crate::control::RequestError;
use crate::policies::Policies;
use crate::setup::PolicySetup;

/// Where policies decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judging {
    /// In the loop, which waits for each decision: for plays under virtual time, where deciding takes none.
    InLoop,
    /// Each on a thread of its own.
    Threads,
}

/// What an outcome of a decision is.
pub(crate) type Outcome = Result<Decision, PolicyFailure>;

/// Which judge: another number for each that is seated while a process lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeatId(u64);

#[cfg(test)]
impl SeatId {
    /// For judges that a test seats.
    pub(crate) fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// A snapshot to decide on.
#[derive(Debug)]
pub(crate) struct Case {
    /// The job's record: as it was committed before, for the policy that decides; as it was committed with that decision, for
    /// a shadow.
    pub(crate) record: Arc<JobRecord>,
    /// What the policy is shown.
    pub(crate) shown: Box<Snapshot>,
}

/// What a judge came to in one go.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) seat: SeatId,
    pub(crate) outcomes: Vec<(Case, Outcome)>,
    /// What it did not come to.
    pub(crate) left: Vec<Case>,
    /// How long it took.
    pub(crate) spent: Duration,
    /// How long each of the outcomes took.
    pub(crate) took: Vec<Duration>,
}

/// A question of a person about a job: nothing follows from its answer.
#[derive(Debug)]
pub(crate) struct Question {
    /// What the policy is shown.
    pub(crate) shown: Box<Snapshot>,
    pub(crate) reply: oneshot::Sender<Result<Explanation, RequestError>>,
}

/// A question with its answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) question: Question,
    pub(crate) outcome: Outcome,
    /// What the policy says of the rule that spoke.
    pub(crate) rule: Option<Rule>,
}

/// What a judge that takes its time sends.
#[derive(Debug)]
pub(crate) enum Ruling {
    Decided(Decided),
    Answered(Box<Answered>),
}

/// One who decides with a policy.
pub(crate) trait Judge: Send {
    /// Decides on these: now, or, if it returns `None`, later, which a [`Ruling`] tells. Until then it is given no others.
    fn decide(&mut self, cases: Vec<Case>) -> Option<Decided>;

    /// Answers a question: now or later, as above.
    fn answer(&mut self, question: Question) -> Option<Answered>;

    /// The decisions that were asked for together have been made.
    fn end_batch(&mut self) {}
}

/// Seats judges, and hears what those say who take their time.
pub(crate) struct Bench {
    judging: Judging,
    rulings: mpsc::Sender<Ruling>,
    /// The threads that have not ended.
    threads: TaskTracker,
    seated: u64,
}

/// How many rulings may wait for the loop. A judge that has one waiting is given nothing more to decide.
const WAITING: usize = 64;

impl Bench {
    /// With the way on which rulings come.
    pub(crate) fn new(judging: Judging) -> (Self, mpsc::Receiver<Ruling>) {
        let (rulings, heard) = mpsc::channel(WAITING);
        let bench = Self {
            judging,
            rulings,
            threads: TaskTracker::new(),
            seated: 0,
        };
        (bench, heard)
    }

    /// A judge for each policy. They end when they are dropped, a decision under way with them.
    pub(crate) fn seat(&mut self, policies: Vec<PolicySetup>) -> Policies {
        Policies::seated(policies, |name, decide| {
            self.seated += 1;
            let seat = SeatId(self.seated);
            let judge: Box<dyn Judge> = match self.judging {
                Judging::InLoop => Box::new(InLoop::new(decide)),
                Judging::Threads => OnThread::seat(name, seat, decide, self.rulings.clone(), self.threads.token()),
            };
            (seat, judge)
        })
    }

    /// Waits until the threads of judges that were dropped have ended.
    pub(crate) async fn emptied(self) {
        self.threads.close();
        self.threads.wait().await;
    }
}

/// Lets a policy decide. If the engine itself panics over it, that costs this decision alone.
fn decide(policy: &mut dyn Decide, shown: &Snapshot) -> Outcome {
    CrashPoint::PolicyCalled.reach();
    // What a panic leaves behind is an instance half done, which the host does not use again.
    let outcome = catch_unwind(AssertUnwindSafe(|| policy.decide(shown))).unwrap_or_else(|_| {
        Err(PolicyFailure {
            kind: PolicyFailureKind::Error,
            message: "the engine failed while it called the policy; its log says how".into(),
        })
    });
    CrashPoint::PolicyAnswered.reach();
    outcome
}

/// Lets a policy answer a question.
fn answer(policy: &mut dyn Decide, question: Question) -> Answered {
    let shown = &question.shown;
    let outcome = decide(policy, shown).and_then(|decision| fitted(decision, &shown.timing));
    let rule = outcome.as_ref().ok().and_then(|decision| policy.rule(&decision.rule));
    Answered {
        question,
        outcome,
        rule,
    }
}
