//! Runs policies: WebAssembly modules that judge snapshots and can do nothing else.
//!
//! A [`PolicyEngine`] loads a module into a [`Policy`], which is a [`steadfast_core::decision::Decide`]. The
//! module may be a component, or a core module with an embedded component type, as plain
//! `wasm32-unknown-unknown` with wit-bindgen makes it. Nothing comes in but its arguments: no clock, files, network or
//! randomness; it may print ([`output`]), which tells it nothing. Each call has a deadline and each instance a memory cap; whatever goes wrong inside costs that
//! one decision, and the next call gets a fresh instance.
//!
//! A module goes through [`encode`], which makes it a component; [`cache`], which spares its compilation; [`engine`],
//! which compiles it for one of the two engines of [`engine_pair`]; and [`policy`], which calls it within the bounds that
//! [`guard`] sets. [`contract`] holds the served versions of the contract, and translates the core's types into theirs
//! and back.

// Tests read what they have written.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod builtin;
mod cache;
mod compiler;
mod contract;
mod description;
mod encode;
mod engine;
mod engine_pair;
mod frames;
mod guard;
mod host_error;
pub mod inspect;
mod limits;
mod load_error;
#[cfg(feature = "coverage")]
mod marks;
mod output;
mod policy;
mod ticker;

pub use compiler::{CompileLimits, CompilerProcess, compile_for_parent};
pub use description::{Description, Parameter};
pub use engine::PolicyEngine;
pub use host_error::HostError;
pub use limits::{MAX_POLICIES, PolicyLimits};
pub use load_error::LoadError;
#[cfg(feature = "coverage")]
pub use marks::Passed;
pub use policy::Policy;
