//! Modules from files and registries: what is handed out, what is refused, and what the registry is asked.

// Tests read what they have written, and ask servers of their own.
#![allow(clippy::disallowed_methods)]
// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod cached;
mod fake;
mod files;
mod signed;
mod untrue;
