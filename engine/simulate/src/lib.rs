//! Plays stories against the whole engine and judges what it recorded.
//!
//! [`play`] starts the engine in a [`steadfast_world::World`], lets the story's steps happen, and looks at the record
//! twice a poll; [`judge`] compares that with what the story expects. The engine is the production one, with its real
//! policies; what differs is the [`Stage`]: virtual time without a network, or loopback sockets in scaled real time.

pub mod judge;
mod params;
pub mod play;
mod stage;

pub use params::shorten_params;
pub use play::{Outcome, Timeline, play, play_before};
pub use stage::{Obstacle, Stage, Staging};
