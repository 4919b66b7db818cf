//! The epoch: the beat by which calls are interrupted.

use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// Time between two beats: how exactly a deadline is met.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Starts the beat. It has an operating system thread of its own, since a call that never ends may hold the
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
    fn the_beat_ends_with_the_engine() {
        let engine = Engine::default();
        let beat = start(&engine).unwrap();
        drop(engine);
        beat.join().unwrap();
    }
}
