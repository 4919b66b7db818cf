//! Bounded model checking of policies: every sequence of evidence, to a stated depth, against laws.
//!
//! An exploration begins with a job never seen and with one that runs well. From each [`state`] every [`step`] is
//! taken, the engine's own pieces take the evidence in and freeze it, the policy decides, and the engine's planner
//! applies the decision ([`look`]). What a look leads to is held to the [`laws`]; states that were met before are not
//! followed again ([`explore`]). It goes breadth first, so that the first story that breaks a law is the shortest, and
//! [`report`] prints it look by look and as a file that `steadfast simulate` plays.
//!
//! Nothing here performs I/O or reads a clock, and the number of threads does not change what is found.

mod answers;
pub mod beginning;
mod calm;
mod coverage;
mod expansion;
pub mod explore;
pub mod fault_kinds;
mod fingerprints;
mod frontier;
mod late;
pub mod laws;
pub mod lines;
pub mod look;
mod recovered;
pub mod report;
pub mod settings;
#[cfg(test)]
mod side_by_side;
pub mod state;
pub mod step;
mod successors;
mod trials;
mod world;

pub use beginning::Beginning;
pub use explore::{Counterexample, Coverage, DepthReport, Observer, Progress, Report, verify, verify_before};
pub use late::MOST_LATE;
pub use settings::Settings;
pub use trials::Tried;
