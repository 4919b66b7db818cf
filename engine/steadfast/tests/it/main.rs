//! The binary as people meet it: its help, its exit codes, what it prints where, and what it leaves alone.

// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod command;
mod configuration;
mod documents;
mod engine;
mod help;
mod policy;
mod process;
mod project;
mod promote;
mod registry;
mod reload;
mod replay;
mod running;
mod signals;
mod simulate;
mod trust;
mod verify;
