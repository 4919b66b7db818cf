//! What a policy returns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::foreign_text::ForeignText;
pub use crate::lookup::LookupSource;
use crate::record::{AlertScope, Reason};
use crate::rule::Rule;
use crate::state::{Attention, ConditionType, Confidence, JobState, word};
use crate::time::Timestamp;

/// A policy's judgement of one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The state the record should have.
    pub state: JobState,
    /// How sure the state is: confirmed by the source that owns it, inferred from another, or stale.
    pub confidence: Confidence,
    /// Why it should have it: a code in CamelCase and a sentence.
    pub reason: Reason,
    /// The name of the rule that spoke.
    pub rule: String,
    /// When Flink is polled and the job is judged again.
    pub watch: Watch,
    /// Evidence that is looked up only on request; empty if the policy needs none.
    pub wanted: Vec<LookupRequest>,
    /// What stands beside the state now; what is not named no longer stands.
    pub conditions: Vec<DecidedCondition>,
    /// Alerts that stand now; what is not named is resolved.
    pub alerts: Vec<DecidedAlert>,
    /// Handed back with the next snapshot.
    pub memory: Vec<u8>,
}

/// The lifetime of a watch. It has no "ended".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// How long until Flink is asked again, while it answers. The engine's backoff takes over while it does not.
    pub poll_after: Duration,
    /// How long until the job is judged again, even if no new evidence comes.
    pub validate_after: Duration,
    /// Whether polls go on.
    pub attention: Attention,
}

/// A policy's request for evidence that is not gathered unasked. The contract calls it `want`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupRequest {
    /// The source to ask.
    pub source: LookupSource,
    /// Only an answer to a request made after this moment will do. A moment ahead is waited for.
    pub observed_after: Timestamp,
}

/// A condition the policy sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedCondition {
    /// Its type; a record has at most one condition of each.
    pub kind: ConditionType,
    /// A sentence for people, of at most [`TEXT_LIMIT`](crate::planner::TEXT_LIMIT) bytes.
    pub message: String,
}

/// An alert that stands by this decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedAlert {
    /// Its name in CamelCase.
    pub name: String,
    /// What it is about.
    pub scope: AlertScope,
    /// A sentence for people, of at most [`TEXT_LIMIT`](crate::planner::TEXT_LIMIT) bytes.
    pub message: String,
}

/// What became of a call into a policy that yielded no decision. The last state stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFailure {
    /// The kind, for metrics.
    pub kind: PolicyFailureKind,
    /// What happened, in a sentence for people: the policy's own words are foreign too.
    pub message: ForeignText,
}

/// How a policy can fail.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum PolicyFailureKind {
    /// It returned an error.
    Error,
    /// It trapped: a panic, or an instruction that WebAssembly forbids.
    Trap,
    /// It ran past its deadline.
    Deadline,
    /// It asked for more memory than its limit.
    Memory,
    /// Its decision breaks a rule of the contract.
    Invalid,
}

word!(PolicyFailureKind);

/// How many decisions an instance makes before it is ended with its batch: the engine commits what they change in one
/// transaction, and a module that keeps what it allocates is wiped as often.
pub const BATCH: usize = 512;

/// Something that judges snapshots: a WebAssembly policy in production, a closure in tests.
pub trait Decide: Send {
    /// Judges one snapshot. Must not depend on anything but the snapshot (which holds the memory).
    fn decide(&mut self, snapshot: &crate::snapshot::Snapshot) -> Result<Decision, PolicyFailure>;

    /// Called between batches; a WebAssembly policy takes a fresh instance.
    fn end_batch(&mut self) {}

    /// What ends a decision that is under way, from another thread; `None`: it ends when it ends.
    fn interrupt(&self) -> Option<Interrupt> {
        None
    }

    /// What it says of a rule that a decision named.
    fn rule(&self, _name: &str) -> Option<Rule> {
        None
    }
}

/// Ends the calls into a policy from another thread, for good: nobody waits for its decisions any more.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A call that is under way ends soon with a failure, and so does each later one.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_that_is_raised_is_raised_for_all_who_share_it() {
        let interrupt = Interrupt::default();
        let shared = interrupt.clone();
        assert!(!shared.is_raised());
        interrupt.raise();
        assert!(shared.is_raised());
    }
}
