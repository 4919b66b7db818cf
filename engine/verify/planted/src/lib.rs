//! The default policy with one mistake, chosen by a parameter: what `policy verify` is measured by.
//!
//! Each mistake is one that somebody made, or could make. `engine/verify/tests/it/planted.rs` holds which of them are found, and
//! docs/verify.md shows the table.

mod evidence;
mod mistakes;

use std::cell::Cell;

use serde::{Deserialize, Serialize};
use steadfast_policy::{Parameters, Policy, Snapshot, Verdict};
use steadfast_policy_conservative::{Conservative, Memory as Base, Params as BaseParams, Rule};

pub use mistakes::Mistake;

/// The parameters.
#[derive(Debug, Parameters)]
pub struct Params {
    /// Which mistake it makes; `none` makes none.
    #[default(Mistake::None)]
    mistake: Mistake,
    /// The label that one of the mistakes reads.
    #[default("planted-by-parameter".into())]
    label: String,
    #[flatten]
    base: BaseParams,
}

/// What is remembered: what the default policy remembers, and what the mistakes do.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    base: Base,
    /// How often it has been asked, or how often in a row something was so.
    count: u32,
    /// What grows.
    held: Vec<u8>,
    /// Whether it has seen the job, or something of it.
    has_seen: bool,
}

/// The policy.
pub struct Planted {
    mistake: Mistake,
    label: String,
    base: Conservative,
    /// What no policy may have: a state of its own.
    decisions: Cell<u32>,
}

impl Policy for Planted {
    type Params = Params;
    type Memory = Memory;
    type Rule = Rule;
    const NAME: &'static str = "planted";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "The default policy with one mistake, to be found.";

    fn new(params: Params) -> Result<Self, String> {
        Ok(Self {
            mistake: params.mistake,
            label: params.label,
            base: Conservative::new(params.base)?,
            decisions: Cell::new(0),
        })
    }

    fn decide(&self, snapshot: &Snapshot, memory: &mut Memory) -> Verdict<Rule> {
        self.decisions.set(self.decisions.get().wrapping_add(1));
        let verdict = self.base.decide(snapshot, &mut memory.base);
        let verdict = self.mistake.plant(self, snapshot, memory, verdict);
        memory.has_seen = self.mistake.minds_its_memory();
        verdict
    }
}

steadfast_policy::export!(Planted);
