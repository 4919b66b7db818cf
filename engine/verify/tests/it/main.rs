//! Policies with known defects, each found by the law that is about it; and policies without, by none.

mod explored;
mod policies;
mod replayed;
mod written;
