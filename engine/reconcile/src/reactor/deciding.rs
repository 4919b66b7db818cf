//! Lets the policies decide: who is asked about what, and what becomes of an answer.
//!
//! Each policy is given the jobs that stand in its line, some at a time, when it has given back those of before. Judges that
//! decide in the loop answer at once; the others when they are done ([`Reactor::ruled`]), and the loop goes on meanwhile. So
//! a decision may have become old when it comes:
//!
//! - *The record is another one.* An intent was posted, another policy decides, the store repaired it: the decision is thrown
//!   away, and the job is judged anew.
//! - *Something newer is known of the job.* It waits in the line already, and the decision is thrown away as well. A policy
//!   that takes longer than its job's evidence lasts would never be heard, so the [`OVERTAKEN`]th decision in a row counts:
//!   what it was made on was known to nobody but a moment before.

use std::sync::Arc;
use std::time::Duration;

use steadfast_core::decision::{BATCH, DecidedCondition, PolicyFailure, PolicyFailureKind};
use steadfast_core::foreign_text::harmless;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::planner::{NAME_LIMIT, plan_within};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::{RecordChange, Recorded};
use steadfast_core::replay::transition_of;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::ConditionType;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::judging::{Breaker, Case, Decided, Leave, Outcome, Ruling, Turned};
use crate::policies::Policies;
use crate::setup::Standing;
use crate::turn::{Evidence, Judged, Show, Turn, Verdict, Work};

/// However many policies there are, each is given so many jobs at a time.
const SHARE: usize = 16;
/// After so many decisions in a row that newer facts overtook, one counts.
const OVERTAKEN: u32 = 4;

impl Reactor {
    /// Takes in what a judge says that took its time. It is planned with the next turn.
    pub(crate) fn ruled(&mut self, ruling: Ruling, now: Timestamp) {
        match ruling {
            Ruling::Decided(mut decided) => {
                let Some(seat) = self.policies.numbered(decided.seat) else {
                    // It was replaced, and all its jobs are judged by others.
                    return;
                };
                seat.is_busy = false;
                seat.note_pace(&decided);
                if seat.is_shadow() {
                    self.compared(decided, now);
                } else {
                    let name = seat.name.clone();
                    if !self.awaited.remove(&name) {
                        self.came_late.insert(name.clone());
                    }
                    // Before anybody else of the line is asked about.
                    self.take_back(&name, &mut decided, now);
                    self.came.push((name, decided));
                }
            }
            Ruling::Answered(answered) => self.explain(*answered, now),
        }
    }

    /// Whether policies that were given something to decide in the last turn have not answered yet.
    pub(crate) fn awaits_policies(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Goes on without those who have not answered.
    pub(crate) fn await_no_longer(&mut self) {
        self.awaited.clear();
    }

    /// What policies have answered, to commit.
    pub(crate) fn take_rulings(&mut self, now: Timestamp) -> Option<Turn> {
        if self.came.is_empty() {
            return None;
        }
        let mut turn = Turn::default();
        self.plan_rulings(&mut turn, now);
        turn.changes = self.deduped(std::mem::take(&mut turn.changes));
        Some(turn)
    }

    /// Plans what policies have answered, and asks them about the jobs whose turn it is.
    pub(super) fn judge(&mut self, turn: &mut Turn, now: Timestamp) {
        self.plan_rulings(turn, now);
        let records = &self.records;
        let policy = |key: &JobKey| records.get(key).map(|record| record.policy.clone());
        self.queue.line_up(now, self.patience(), policy);
        self.ask_all(turn, now);
        self.tell_overdue(turn, now);
        self.policies.end_batch();
    }

    /// Asks on about those who still stand in a line whose policy has time again, so that they share the next commit. What is decided
    /// at once, as of a policy that is not asked, is in the turn. A policy whose decisions came late is not asked: jobs of theirs may
    /// stand in the line again, and of those it is planned first that they do.
    pub(crate) fn judge_on(&mut self, now: Timestamp) -> Turn {
        let mut turn = Turn::default();
        self.ask_all(&mut turn, now);
        turn.changes = self.deduped(std::mem::take(&mut turn.changes));
        turn
    }

    /// Gives each policy that somebody waits for its share of a batch.
    fn ask_all(&mut self, turn: &mut Turn, now: Timestamp) {
        let waited_for: Vec<PolicyName> = self.queue.policies().cloned().collect();
        let share = BATCH.checked_div(waited_for.len()).unwrap_or_default().max(SHARE);
        for name in waited_for {
            self.ask(&name, share, turn, now);
        }
    }

    /// Whether there is something to plan, or a policy that has time for those who wait for it.
    pub(super) fn can_judge(&self, now: Timestamp) -> bool {
        let has_time = |name: &PolicyName| {
            self.policies
                .seat(name)
                .is_none_or(|seat| seat.is_shadow() || !seat.is_busy || seat.breaker.leave(now) != Leave::All)
        };
        !self.came.is_empty() || self.queue.policies().any(has_time)
    }

    /// How long a job may wait for its policy before its record says so.
    fn patience(&self) -> Duration {
        self.timing.poll * 2 + self.timing.timeout
    }

    fn plan_rulings(&mut self, turn: &mut Turn, now: Timestamp) {
        self.came_late.clear();
        for (name, decided) in std::mem::take(&mut self.came) {
            self.conclude(&name, decided, turn, now);
        }
    }

    /// Gives a policy jobs of its line, if it may be given any.
    fn ask(&mut self, name: &PolicyName, share: usize, turn: &mut Turn, now: Timestamp) {
        if self.came_late.contains(name) {
            return;
        }
        let Some(seat) = self.policies.seat(name).filter(|seat| !seat.is_shadow()) else {
            for case in self.cases(name, share, turn, now) {
                let outcome = Policies::nobody_decides(&case.record.key);
                self.settle(case, outcome, (Verdict::Asked, None), turn);
            }
            return;
        };
        let (breaker, is_busy) = (seat.breaker, seat.is_busy);
        let leave = breaker.leave(now);
        if leave == Leave::All && is_busy {
            return;
        }
        // Those of a suspended policy are told that nobody asks, which takes no time.
        let share = if leave == Leave::All {
            seat.allotment(share)
        } else {
            share
        };
        let mut cases = self.cases(name, share, turn, now);
        if leave != Leave::All {
            let asked = if leave == Leave::One && !is_busy && !cases.is_empty() {
                vec![cases.remove(breaker.choice(cases.len()))]
            } else {
                Vec::new()
            };
            for case in std::mem::replace(&mut cases, asked) {
                self.settle(case, Err(Breaker::refusal()), (Verdict::Unasked, None), turn);
            }
        }
        if !cases.is_empty() {
            self.hand_out(name, cases, turn, now);
        }
    }

    fn hand_out(&mut self, name: &PolicyName, cases: Vec<Case>, turn: &mut Turn, now: Timestamp) {
        let Some(seat) = self.policies.named(name) else { return };
        match seat.judge.decide(cases) {
            Some(mut decided) => {
                self.take_back(name, &mut decided, now);
                self.conclude(name, decided, turn, now);
            }
            None => {
                seat.is_busy = true;
                if seat.is_prompt() {
                    self.awaited.insert(name.clone());
                }
            }
        }
    }

    /// The first of a policy's line, with what it is shown of them. Those whose records change too fast are put off.
    fn cases(&mut self, name: &PolicyName, limit: usize, turn: &mut Turn, now: Timestamp) -> Vec<Case> {
        let mut cases = Vec::new();
        for key in self.queue.take(name, limit) {
            if let Some(until) = self.rate_limits.exhausted_until(&key, now) {
                // It waits for the journal now, not for its policy.
                self.served(&key);
                self.queue.requeue_by(key, until);
                turn.put_off += 1;
            } else if let Some(record) = self.records.get(&key).map(Arc::clone)
                && let Some(shown) = self.snapshot(&record, now)
            {
                let shown = Box::new(shown);
                self.show_looks(&key, now);
                cases.push(Case { record, shown });
            }
        }
        cases
    }

    /// A job need not wait for its policy any more.
    fn served(&mut self, key: &JobKey) {
        self.queue.served(key);
        self.polls.judged(&key.target);
    }

    /// What a policy did not come to waits again, before all others.
    fn take_back(&mut self, name: &PolicyName, decided: &mut Decided, now: Timestamp) {
        let left = std::mem::take(&mut decided.left);
        let left = left.into_iter().map(|case| case.record.key.clone());
        let left = left.filter(|key| self.records.contains_key(key)).collect();
        self.queue.put_back(name, left, now.after(self.patience()));
    }

    /// Plans what a policy came to.
    fn conclude(&mut self, name: &PolicyName, decided: Decided, turn: &mut Turn, now: Timestamp) {
        let Decided {
            outcomes, spent, took, ..
        } = decided;
        let mut times = took.iter().copied();
        for (case, outcome) in outcomes {
            let took = times.next();
            self.note(name, &outcome, now);
            if self.is_worth_planning(&case.record) {
                self.settle(case, outcome, (Verdict::Asked, took), turn);
            }
        }
        let waiting = self.queue.waiting(name);
        let work = Work {
            spent,
            took,
            waiting,
            skipped: 0,
        };
        self.told.push(Show::Worked(name.clone(), work));
    }

    /// Notes how a policy kept its deadline. One that does again is asked about all its jobs at once: they have waited.
    pub(super) fn note(&mut self, name: &PolicyName, outcome: &Outcome, now: Timestamp) {
        let backoff = self.timing.backoff();
        let Some(seat) = self.policies.named(name) else { return };
        let Some(turned) = seat.breaker.note(outcome, backoff, now) else {
            return;
        };
        let since = match turned {
            Turned::Open => Some(now),
            Turned::Closed => {
                let waiting = self.records.values().filter(|record| record.policy == *name);
                waiting.for_each(|record| self.queue.enqueue(record.key.clone()));
                None
            }
        };
        self.told.push(Show::Suspended(name.clone(), since));
    }

    /// Whether a decision on that record still counts. If not, its job is judged again.
    fn is_worth_planning(&mut self, before: &Arc<JobRecord>) -> bool {
        let key = &before.key;
        let Some(record) = self.records.get(key).filter(|_| self.targets.contains(&key.target)) else {
            return false;
        };
        if !Arc::ptr_eq(record, before) && record != before {
            self.queue.enqueue(key.clone());
            return false;
        }
        if !self.queue.is_waiting(key) {
            return true;
        }
        let overtaken = self.overtaken.entry(key.clone()).or_default();
        *overtaken += 1;
        *overtaken >= OVERTAKEN
    }

    /// Plans one job's next step. Who spoke of it, and for how long its policy worked, goes along.
    fn settle(&mut self, case: Case, outcome: Outcome, (by, took): (Verdict, Option<Duration>), turn: &mut Turn) {
        let Case {
            record: before,
            shown: snapshot,
        } = case;
        let key = before.key.clone();
        self.served(&key);
        if by == Verdict::Asked {
            self.overtaken.remove(&key);
        }
        let outcome = self.noted(&before.policy, outcome);
        let failure = outcome.as_ref().err().cloned();
        let rule = outcome
            .as_ref()
            .ok()
            .map(|decision| harmless(&decision.rule, NAME_LIMIT).into_owned());
        let policy = before.policy.clone();
        let shown_at = snapshot.now;
        let allowance = self.rate_limits.allowance(&key, snapshot.now);
        let judgement = self.judgement(&outcome);
        let mut plan = plan_within(&before, &snapshot, outcome, allowance);
        let entries = plan.change.as_ref().map_or(0, |change| change.events.len());
        let traced = self.trace(&snapshot, &plan, judgement, took);
        let changes = if plan.change.is_some() {
            RecordChange::Yes
        } else {
            RecordChange::No
        };
        let is_kept = self
            .sampler
            .as_mut()
            .is_some_and(|sampler| sampler.should_record(&snapshot, changes));
        let compared = self.is_compared(&key).then(|| {
            Box::new(Evidence {
                before: Arc::clone(&before),
                snapshot: Snapshot::clone(&snapshot),
            })
        });
        if is_kept {
            turn.recorded.push(Recorded {
                before,
                rule,
                failure: failure.clone(),
                transition: transition_of(&plan).cloned(),
                shown: Some(plan.shown.clone()),
                decided_by: self.policies.seat(&policy).and_then(|seat| seat.build()),
                snapshot: *snapshot,
            });
        }
        turn.changes.extend(plan.change.take());
        turn.judged.push(Judged {
            key,
            plan,
            shown_at,
            compared,
            failure,
            by,
            policy,
            entries,
            traced,
        });
    }

    /// A decision of a policy that is not what the configuration asks for says so.
    fn noted(&self, policy: &PolicyName, mut outcome: Outcome) -> Outcome {
        if let Ok(decision) = &mut outcome
            && let Some(Standing::Outdated(why)) = self.policies.seat(policy).map(|seat| &seat.standing)
        {
            let condition = DecidedCondition {
                kind: ConditionType::PolicyOutdated,
                message: format!("the last good module of policy `{policy}` decides: {why}"),
            };
            decision.conditions.insert(0, condition);
        }
        outcome
    }

    /// Jobs that have waited for their policy for too long: their records say that nobody has judged what is seen now.
    fn tell_overdue(&mut self, turn: &mut Turn, now: Timestamp) {
        for key in self.queue.take_overdue(now) {
            let Some(record) = self.records.get(&key).map(Arc::clone) else {
                continue;
            };
            let Some(shown) = self.snapshot(&record, now) else {
                continue;
            };
            let failure = PolicyFailure {
                kind: PolicyFailureKind::Deadline,
                message: "the policy has not come to this job yet: it has more to decide than it has time for; make it faster, or \
                          poll less often"
                    .into(),
            };
            let shown = Box::new(shown);
            self.settle(Case { record, shown }, Err(failure), (Verdict::Unasked, None), turn);
        }
    }
}
