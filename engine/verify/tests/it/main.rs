//! Policies with known defects, each found by the law that is about it; and policies without, by none.

// Clippy knows tests by their attribute; what they share has none. A policy made to be wrong in one way is wrong in no other.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm
)]

mod alerts;
mod calendar;
mod changed;
mod circles;
mod explored;
mod late;
mod pace;
mod planted;
mod policies;
mod replayed;
mod written;
