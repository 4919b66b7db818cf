//! The `steadfast` command as a library, so that its parts can be tested and measured.

// Tests read what they have written.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod cli;
pub mod config;
#[cfg(feature = "author")]
pub mod demo;
pub mod doctor;
pub mod run;
