//! A world to watch, without a cluster: Kubernetes API servers and Flink REST servers that answer as real ones do,
//! break as real ones do, and change as a [`story`] says.
//!
//! [`model`] is the truth. [`kubernetes`] and [`flink`] tell it, each request to one [`reply::Reply`], and know
//! nothing of how bytes travel: that is the business of [`link`] (what a broken network does), [`memory`] (calls
//! within the process, under virtual time) and [`loopback`] (sockets).

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
mod world;

pub use world::World;
