//! The policies of one engine: which decides a job, and which only shadow.

use std::time::Duration;

use steadfast_core::decision::{Decide, PolicyFailure, PolicyFailureKind};
use steadfast_core::id::{JobKey, PolicyName, TargetId};
use steadfast_core::time::Timestamp;

use crate::judging::{Answered, Breaker, Decided, InLoop, Judge, Outcome, Question, SeatId};
use crate::setup::{Identity, PolicySetup, Role, Select, Share, Standing};
use crate::shadows::ShadowRecords;
use crate::status::PolicyStatus;

/// For how long a judge is given cases at a time, by its pace: twice as long as it may take.
const AT_A_TIME: Duration = Duration::from_millis(40);
/// However slow it is, it is given so many: it may be faster now.
const FEW: usize = 4;
/// Who needs more than that for a decision is not waited for.
const PROMPT: Duration = Duration::from_millis(1);

/// All policies, in the order of the configuration.
#[derive(Default)]
pub struct Policies {
    seats: Vec<Seat>,
}

/// A policy with the one who decides with it.
pub(crate) struct Seat {
    pub(crate) id: SeatId,
    pub(crate) name: PolicyName,
    select: Select,
    rollout: Share,
    pub(crate) role: Role,
    identity: Identity,
    pub(crate) standing: Standing,
    pub(crate) judge: Box<dyn Judge>,
    /// Whether the judge has cases that it was given and has not given back.
    pub(crate) is_busy: bool,
    /// How long it took for a decision when it last decided.
    pace: Duration,
    pub(crate) breaker: Breaker,
    /// What it would show, if it is a shadow.
    pub(crate) shadow: ShadowRecords,
}

impl Seat {
    /// Whether it is for this target's jobs.
    pub(crate) fn is_for(&self, target: &TargetId) -> bool {
        self.select.matches(target) && self.rollout.covers(target)
    }

    /// Notes how fast it was.
    pub(crate) fn note_pace(&mut self, decided: &Decided) {
        if let Ok(count) = u32::try_from(decided.outcomes.len())
            && let Some(pace) = decided.spent.checked_div(count)
        {
            self.pace = pace;
        }
    }

    /// How many cases it is given at a time, at most `limit`: no more than it may come to. Each that it gives back was made in
    /// vain, and by the loop.
    pub(crate) fn allotment(&self, limit: usize) -> usize {
        let possible = AT_A_TIME.as_nanos().checked_div(self.pace.as_nanos());
        let possible = possible.map_or(limit, |count| usize::try_from(count).unwrap_or(limit));
        possible.max(FEW).min(limit)
    }

    /// Whether it is worth waiting for: most decisions take some microseconds.
    pub(crate) fn is_prompt(&self) -> bool {
        self.pace <= PROMPT
    }

    /// Which module it is, with which parameters, as recordings name it; `None`: it is made of something without one.
    pub(crate) fn build(&self) -> Option<String> {
        self.identity.build()
    }

    /// Whether its decisions are only compared.
    pub(crate) fn is_shadow(&self) -> bool {
        self.role == Role::Shadow
    }
}

impl Policies {
    /// Of a configuration's policies, in their order. All decide in the loop.
    pub fn new(all: Vec<PolicySetup>) -> Self {
        Self::seated(all, |_, decide| (SeatId::default(), Box::new(InLoop::new(decide))))
    }

    /// The same with other judges.
    pub(crate) fn seated(
        all: Vec<PolicySetup>,
        mut judge: impl FnMut(&PolicyName, Box<dyn Decide>) -> (SeatId, Box<dyn Judge>),
    ) -> Self {
        let seats = all.into_iter().map(|policy| {
            let (id, judge) = judge(&policy.name, policy.decide);
            Seat {
                id,
                name: policy.name,
                select: policy.select,
                rollout: policy.rollout,
                role: policy.role,
                identity: policy.identity,
                standing: policy.standing,
                judge,
                is_busy: false,
                pace: Duration::ZERO,
                breaker: Breaker::default(),
                shadow: ShadowRecords::default(),
            }
        });
        Self { seats: seats.collect() }
    }

    /// The name of the policy that decides a target's jobs: the first one that is for it.
    pub(crate) fn select_policy(&self, target: &TargetId) -> PolicyName {
        let mut deciding = self.seats.iter().filter(|seat| !seat.is_shadow());
        deciding
            .find(|seat| seat.is_for(target))
            .map_or_else(|| PolicyName::new("none"), |seat| seat.name.clone())
    }

    /// The seat of the policy of that name.
    pub(crate) fn named(&mut self, name: &PolicyName) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.name == *name)
    }

    /// The same, to look at.
    pub(crate) fn seat(&self, name: &PolicyName) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.name == *name)
    }

    /// The seat of that number; `None` if another one was given its place.
    pub(crate) fn numbered(&mut self, id: SeatId) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.id == id)
    }

    /// The shadows, in the order of the configuration.
    pub(crate) fn shadows(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(|seat| seat.is_shadow())
    }

    /// The same, to change.
    pub(crate) fn shadows_mut(&mut self) -> impl Iterator<Item = &mut Seat> {
        self.seats.iter_mut().filter(|seat| seat.is_shadow())
    }

    /// Lets the named policy answer a question, now or later.
    pub(crate) fn answer(&mut self, name: &PolicyName, question: Question) -> Option<Answered> {
        match self.named(name) {
            Some(seat) => seat.judge.answer(question),
            None => Some(Answered {
                outcome: Self::nobody_decides(&question.shown.record.key),
                question,
                rule: None,
            }),
        }
    }

    /// What is decided of a job that no policy is for.
    pub(crate) fn nobody_decides(job: &JobKey) -> Outcome {
        Err(PolicyFailure {
            kind: PolicyFailureKind::Error,
            message: format!("no policy is for {job}; add a [[policy]] whose `select` and `rollout` take it in").into(),
        })
    }

    /// Takes over the records of shadows that go on as they are; another module or other parameters begin anew.
    pub(crate) fn continue_shadows(&mut self, before: Self) {
        for mut old in before.seats {
            let same = self.seats.iter_mut().find(|seat| {
                seat.name == old.name && seat.is_shadow() && old.is_shadow() && seat.identity == old.identity
            });
            if let Some(seat) = same {
                old.shadow.retain(|key| seat.is_for(&key.target));
                seat.shadow = old.shadow;
            }
        }
    }

    /// Whether the named shadow goes on with this job's record when `self` takes over from `before`.
    pub(crate) fn continues(&self, before: &Self, name: &PolicyName, key: &JobKey) -> bool {
        let shadow = |policies: &Self| {
            let mut shadows = policies.shadows();
            shadows
                .find(|seat| seat.name == *name)
                .map(|seat| seat.identity.clone())
        };
        shadow(self).is_some_and(|identity| shadow(before) == Some(identity))
            && self
                .seats
                .iter()
                .any(|seat| seat.name == *name && seat.is_for(&key.target))
    }

    /// Lets each take a fresh instance.
    pub(crate) fn end_batch(&mut self) {
        for seat in &mut self.seats {
            seat.judge.end_batch();
        }
    }

    pub(crate) fn forget(&mut self, key: &JobKey) {
        for seat in &mut self.seats {
            seat.shadow.forget(key);
        }
    }

    /// All of them for readers; what was there before stands since it began.
    pub(crate) fn statuses(&self, before: &[PolicyStatus], now: Timestamp) -> Vec<PolicyStatus> {
        let statuses = self.seats.iter().map(|seat| {
            let status = PolicyStatus {
                name: seat.name.clone(),
                role: seat.role,
                rollout: seat.rollout,
                identity: seat.identity.clone(),
                standing: seat.standing.clone(),
                since: now,
                suspended_since: None,
            };
            let known = before.iter().find(|known| {
                known.name == status.name && known.role == status.role && known.identity == status.identity
            });
            PolicyStatus {
                since: known.map_or(now, |known| known.since),
                ..status
            }
        });
        statuses.collect()
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::decision::Decision;
    use steadfast_core::snapshot::Snapshot;

    use super::*;

    struct Never;

    impl Decide for Never {
        fn decide(&mut self, _: &Snapshot) -> Result<Decision, PolicyFailure> {
            unreachable!("no decision is asked for")
        }
    }

    fn policy(name: &str, rollout: u8, role: Role) -> PolicySetup {
        PolicySetup {
            rollout: Share::percent(rollout).unwrap(),
            role,
            ..PolicySetup::deciding(name, Box::new(Never))
        }
    }

    fn target(name: &str) -> TargetId {
        JobKey::parse(&format!("local/default/{name}")).unwrap().target
    }

    #[test]
    fn one_is_given_what_it_may_come_to() {
        let mut policies = Policies::new(vec![policy("p", 100, Role::Decides)]);
        let seat = policies.named(&PolicyName::new("p")).unwrap();
        assert_eq!(
            (seat.allotment(512), seat.is_prompt()),
            (512, true),
            "nothing is known of it"
        );
        for (micros, given, is_prompt) in [(30, 512, true), (1_000, 40, true), (14_000, 4, false), (0, 512, true)] {
            seat.pace = Duration::from_micros(micros);
            assert_eq!((seat.allotment(512), seat.is_prompt()), (given, is_prompt), "{micros}");
        }
        assert_eq!(seat.allotment(16), 16, "however many policies there are");
    }

    #[test]
    fn jobs_outside_a_rollout_go_on_to_the_next_that_matches() {
        let mut elsewhere = policy("elsewhere", 100, Role::Decides);
        elsewhere.select = Select {
            namespace: vec!["other".into()],
            ..Select::all()
        };
        let all = vec![
            policy("shadow", 100, Role::Shadow),
            policy("canary", 30, Role::Decides),
            elsewhere,
            policy("default", 100, Role::Decides),
        ];
        let policies = Policies::new(all);
        // `payments` stands in the 25th hundredth of all jobs, `orders` in the 53rd.
        assert_eq!(policies.select_policy(&target("payments")).as_str(), "canary");
        assert_eq!(policies.select_policy(&target("orders")).as_str(), "default");
    }
}
