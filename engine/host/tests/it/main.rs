//! What the host does with good, bad and hostile modules.

// Tests read what they have written, and ask servers of their own.
#![allow(clippy::disallowed_methods)]
// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod batch;
mod builtin;
mod cache;
#[cfg(feature = "coverage")]
mod coverage;
mod evolution;
mod failing;
mod guest;
mod large;
mod printing;
mod refusing;
mod situation;
