//! A decision laid open: what was seen, what was made of it and by which rule, and what is waited for.

use crate::decision::{Decision, LookupSource, PolicyFailure};
use crate::id::PolicyName;
use crate::rule::Rule;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;

/// Why a record says what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The policy that decided.
    pub policy: PolicyName,
    /// All that was known.
    pub snapshot: Snapshot,
    /// What was decided; its `rule` names the rule that spoke.
    pub outcome: Result<Decision, PolicyFailure>,
    /// That rule, if the policy describes it.
    pub rule: Option<Rule>,
    /// What may change the decision next, the soonest first.
    pub waits_for: Vec<Awaited>,
}

/// A request or a review that may change the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// What is awaited.
    pub awaiting: Awaiting,
    /// When it begins, or that it has begun.
    pub due: Due,
}

/// What a job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaiting {
    /// Flink's `/jobs/overview`.
    Flink,
    /// Something the policy asked for.
    Lookup(LookupSource),
    /// Nothing new: all is judged again at that time, since ages count.
    Review,
}

impl Awaiting {
    /// As a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flink => "flink",
            Self::Lookup(source) => source.as_str(),
            Self::Review => "review",
        }
    }
}

/// When something awaited begins. What is under way orders before all that is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// It has begun, and was not answered yet.
    UnderWay,
    /// Not before then.
    At(Timestamp),
}
