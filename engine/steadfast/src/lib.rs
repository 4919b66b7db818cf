//! The `steadfast` command as a library, so that its parts can be tested and measured.

pub mod cli;
pub mod config;
#[cfg(feature = "author")]
pub mod demo;
pub mod run;
