//! What the host does with good, bad and hostile modules.

mod batch;
mod builtin;
mod cache;
mod failing;
mod guest;
mod refusing;
mod situation;
