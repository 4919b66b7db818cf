//! A world to watch, without a cluster: Kubernetes API servers and Flink REST servers that answer as real ones do,
//! break as real ones do, and change as a [`story`] says.
//!
//! [`model`] is the truth. [`kubernetes`] and [`flink`] show it, each request by one [`reply::Reply`], and know nothing
//! of how bytes travel: that is the business of [`link`] (what a broken network does), [`memory`] (calls within the
//! process, under virtual time) and [`loopback`] (sockets).
//!
//! The truth and what can be seen of it are apart, since that is the product's subject: a step of a story changes the
//! truth, or breaks the road to it, and never both by accident. What a fault does depends on where it sits. A network
//! fault lies in front of a server, and connections that were caught in it stay dead after it heals, as real ones do. A
//! server's fault is one more answer of its handler. A watch that fell silent skips what happened meanwhile, for good.
//!
//! Everything that looks random is made of names ([`identity`]) and of the story's time ([`clock`]), so that the same
//! story is the same world each time, to the byte.
//!
//! Rejected:
//!
//! - *A real API server* (kind, envtest): it takes a minute to start, keeps real time, and cannot be told to fall
//!   silent in the middle of a stream. The suite for a real cluster exists beside this one, and checks that the shapes
//!   here are real.
//! - *Recorded answers*: they show one run. A story needs answers to questions that nobody asked before.
//! - *An HTTP library's server* for [`loopback`]: it closes what it serves in good order, and broken networks do not.

#![expect(
    clippy::indexing_slicing,
    reason = "only JSON values made in this crate as objects are indexed, by keys: that reads Null for a missing one, and sets"
)]

pub mod clock;
pub mod flink;
mod identity;
pub mod kubernetes;
pub mod link;
pub mod loopback;
pub mod memory;
pub mod model;
pub mod objects;
pub mod reply;
pub mod story;
mod watched;
mod world;

pub use world::World;
