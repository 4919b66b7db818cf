//! The stores that keep the record: SQLite for one process, and one in memory for simulations.
//!
//! All of them implement [`Journal`](steadfast_core::journal::Journal) and
//! [`SinkCursors`](steadfast_core::journal::SinkCursors) and pass one suite of conformance tests. What they keep is written
//! in shapes of its own (`format.rs`), not in those of core's types.

mod bounds;
#[cfg(test)]
mod conformance;
mod format;
mod memory;
mod packing;
mod refusal;
mod retention;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
mod url;
mod written;

pub use memory::MemoryStore;
pub use sqlite::{
    Discard, Inspection, Problem, Repaired, SqliteReader, SqliteStore, back_up, back_up_into, export, inspect,
    recognize, repair,
};
pub use url::{file, open, open_recordings};
