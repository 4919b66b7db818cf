//! The released engine, from outside, against a large fleet: calm, in an outage, and under churn.
//!
//! Three processes: this one measures, one is the engine as it is shipped, one is the world. Each Flink has a loopback address and a
//! listening socket of its own, since what a connection costs shows only where there are many.

mod baseline;
mod engine;
mod flinks;
mod growth;
mod guard;
mod kubernetes;
mod phases;
mod process;
mod report;
mod run;
mod subscribers;
mod table;
mod world;

pub use baseline::serve as serve_baseline;
pub use guard::{GuardOptions, guard};
pub use run::{Options, run};
pub use table::print as print_tables;
pub use world::{WorldOptions, serve};
