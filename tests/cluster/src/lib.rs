//! Stories told to the built binary on a real cluster with real Flink.
//!
//! The world is driven through the kit ([`kit::Kit`]), the engine only through its command line and its
//! public HTTP contract ([`engine::Engine`]). A [`recorder::Recorder`] looks at the record four times a
//! second, [`events::Events`] follows the stream, and both are held against the journal ([`history::History`]). The tests
//! themselves lie in `tests/`; README.md says how to run them.

pub mod account;
pub mod clusters;
pub mod engine;
pub mod events;
pub mod history;
pub mod kit;
pub mod log;
pub mod operator;
pub mod record;
pub mod recorder;
pub mod setup;
pub mod story;
pub mod timeline;
pub mod world;
