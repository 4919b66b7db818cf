//! What a policy says to its author: where it panicked, and what [`note!`](crate::note) prints.
//!
//! The engine keeps the first and the last 2 KiB of what a call prints. It stands in the message of a call that failed, in the
//! engine's log at `debug`, and is shown by `steadfast policy decide`.

use std::fmt;

/// Prints a line, as `println!` does elsewhere: `note!("{} of {needed}", streak.answers)`. No decision can depend on it.
///
/// In a module it goes to the engine, in a native test to standard error.
#[macro_export]
macro_rules! note {
    ($($words:tt)*) => {
        $crate::print_line(::std::format_args!($($words)*))
    };
}

/// What [`note!`](crate::note) expands to; not for direct use.
#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub fn print_line(line: fmt::Arguments<'_>) {
    crate::bindings::steadfast::policy::output::print(format!("{line}\n").as_bytes());
}

/// What [`note!`](crate::note) expands to; not for direct use.
#[doc(hidden)]
#[cfg(not(target_arch = "wasm32"))]
pub fn print_line(line: fmt::Arguments<'_>) {
    eprintln!("{line}");
}

/// Lets a panic say its message, file and line before it ends the call. Natively the standard library does.
#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| print_line(format_args!("{panic}"))));
}
