//! The epoch ticker, by which calls are interrupted.
//!
//! Compiled code compares the engine's epoch with its deadline at every loop and function entry; when the epoch has moved
//! on, it calls [`crate::guard`], which measures the processor time of the call and ends it or lets it go on. The ticker is
//! what moves the epoch on.
//!
//! Rejected: *fuel*, which counts instructions. It would make a deadline repeatable, but costs every call several times as
//! much as the comparison, and `deadline = "50ms"` in a configuration is a time, not a number of instructions. Rejected as
//! well: a *timer for each call*, since most calls end long before the first tick and then cost nothing here.

use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// Time between two ticks: how exactly a deadline is met.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Starts the ticker. Fails if no thread can be started. It has an operating system thread of its own, since a call that never ends may hold the
/// very thread a runtime would run it on; it measures calls only, and no time of the engine comes from it.
/// It holds the engine weakly, and ends with it, so nobody needs to wait for it.
pub(crate) fn start(engine: &Engine) -> std::io::Result<JoinHandle<()>> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("policy-epoch".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticker_ends_with_the_engine() {
        let engine = Engine::default();
        let ticker = start(&engine).unwrap();
        drop(engine);
        ticker.join().unwrap();
    }
}
