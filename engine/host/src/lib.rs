//! Runs policies: WebAssembly modules that judge snapshots and can do nothing else.
//!
//! A [`PolicyEngine`] loads a module into a [`Policy`], which is a [`steadfast_core::decision::Decide`]. The
//! module may be a component, or a core module with an embedded component type, as plain
//! `wasm32-unknown-unknown` with wit-bindgen makes it. It gets no imports: no clock, files, network or
//! randomness. Each call has a deadline and each instance a memory cap; whatever goes wrong inside costs that
//! one decision, and the next call gets a fresh instance.
//!
//! The way of a module: [`encode`] makes it a component, [`cache`] spares its compilation, [`engine`] compiles
//! it where [`engines`] have room for it, [`policy`] calls it, [`guard`] limits it. [`contract`] holds its versions, and turns the core's types into
//! theirs and back.

pub mod builtin;
mod cache;
mod contract;
mod encode;
mod engine;
mod engines;
mod guard;
pub mod inspect;
mod load_error;
mod policy;
mod ticker;

pub use engine::{HostError, PolicyEngine, PolicyLimits};
pub use load_error::LoadError;
pub use policy::{Description, Parameter, Policy};
