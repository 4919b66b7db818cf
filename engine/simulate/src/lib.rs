//! Plays stories against the whole engine, in virtual time and without a network, and judges what it recorded.
//!
//! [`play`] starts the engine in a [`steadfast_world::World`], lets the story's steps happen, and looks at the record
//! twice a poll; [`judge`] compares that with what the story expects. Each story is a test of its own:
//! `cargo test -p scenarios sp-cancel`.

pub mod judge;
pub mod play;
