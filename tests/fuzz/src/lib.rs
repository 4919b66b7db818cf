//! What comes in from outside, made up: one [`Target`] for each grammar that the engine reads.
//!
//! A target is a function of bytes that panics where a property is broken. libFuzzer drives it in `tests/fuzz/run`, with the
//! coverage of the engine's own crates; `cargo test` replays what was found, and tries each target for a moment with
//! [`mutate`](mutate::mutate) alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a target says that a property is broken"
)]

mod fakes;
mod hold;
pub mod mutate;
mod seeds;
mod targets;
mod watching;

pub use targets::TARGETS;

/// One grammar of what comes in.
pub struct Target {
    /// Its name: of its corpus and of its folder below `regressions`.
    pub name: &'static str,
    /// Words of the grammar, for the mutations.
    pub words: &'static [&'static str],
    /// Inputs to begin with: recordings, and what stories say.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Panics if the input breaks a property.
    pub check: fn(&[u8]),
}

impl Target {
    /// The target of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}
