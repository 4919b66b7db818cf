//! Plays stories against the whole engine and judges what it recorded.
//!
//! [`play`] starts the engine in a [`steadfast_world::World`], lets the story's steps happen, and looks at the record
//! twice a poll; [`judge`] compares that with what the story expects. The engine is the production one, with its real
//! policies; what differs is the [`Environment`]: calls within the process under virtual time, or loopback sockets in
//! real time that a scale makes shorter. The same story, and the same judge, serve both: virtual time shows a day of
//! faults in seconds and repeats a run by its seed, sockets show that nothing depends on that.

mod chaos;
mod harness;
pub mod judge;
mod params;
pub mod play;

pub use chaos::{Chaos, Mishap, Mishaps, POINTS, What};
pub use harness::{Environment, Harness, Obstacle};
pub use params::shorten_params;
pub use play::{BEGINNING, Outcome, PolicyFailed, Sight, Timeline, play, play_observed};
