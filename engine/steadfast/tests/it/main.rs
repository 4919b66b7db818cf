//! The binary as people meet it: its help, its exit codes, what it prints where, and what it leaves alone.
//!
//! What needs a world in the process, or tries policies, is tested in the default build; `daemon` is about the other one.

// Tests read what they have written, and ask servers of their own.
#![allow(clippy::disallowed_methods)]
// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod canary;
#[cfg(feature = "author")]
mod cli_page;
mod collector;
mod command;
mod commands;
mod config;
mod configuration;
#[cfg(feature = "author")]
mod coverage;
#[cfg(feature = "author")]
mod crash;
mod crash_points;
mod crowd;
#[cfg(not(feature = "author"))]
mod daemon;
#[cfg(feature = "author")]
mod decide;
mod doctor;
#[cfg(feature = "author")]
mod documented;
#[cfg(feature = "author")]
mod documents;
mod doors;
mod engine;
#[cfg(feature = "author")]
#[allow(dead_code)]
#[path = "../../../host/tests/it/guest.rs"]
mod guest;
#[cfg(feature = "author")]
mod help;
mod hostile;
mod keys;
mod kubernetes;
mod lack;
#[cfg(feature = "author")]
mod last_good;
mod log;
mod mail;
mod metrics;
mod no_engine;
mod not_known;
#[cfg(feature = "author")]
mod operate;
#[cfg(feature = "author")]
mod pages;
mod plugin;
#[cfg(feature = "author")]
mod policy;
mod process;
#[cfg(feature = "author")]
mod project;
mod promote;
#[cfg(feature = "author")]
mod reference;
mod registry;
mod reload;
#[cfg(feature = "author")]
mod replay;
mod running;
mod selection;
mod signals;
#[cfg(feature = "author")]
mod simulate;
mod store;
mod stub;
mod telemetry;
mod terminal;
mod times;
mod trust;
mod unreadable;
#[cfg(feature = "author")]
mod verify;
mod wait;
mod watch;
