//! Which of a policy's code has run, where its module was made to note that (`steadfast-coverage`).
//!
//! Each instance has marks of its own, a bit each, which it can be asked for by 64. They are taken from it before it is dropped. One that
//! failed answers nothing any more, and what ran in it since it was asked is not known.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Store;

use crate::contract::Calls;
use crate::guard::{self, Guard};

/// The marks that any instance of a policy has set.
#[derive(Debug)]
pub struct Passed(Vec<AtomicU64>);

impl Passed {
    /// None yet, of so many times 64.
    pub fn new(words: u32) -> Self {
        Self((0..words).map(|_| AtomicU64::new(0)).collect())
    }

    /// Whether the mark with this number is set.
    pub fn is_set(&self, mark: usize) -> bool {
        let word = self.0.get(mark / 64).map_or(0, |word| word.load(Ordering::Relaxed));
        word >> (mark % 64) & 1 == 1
    }

    /// Takes the marks of an instance.
    pub(crate) fn take(&self, calls: &dyn Calls, store: &mut Store<Guard>) {
        guard::begin_call(store);
        for (number, word) in (0..).zip(&self.0) {
            match calls.marks(store, number) {
                Ok(marks) => drop(word.fetch_or(marks, Ordering::Relaxed)),
                Err(error) => {
                    tracing::debug!("an instance does not tell which of its code ran: {error:#}");
                    return;
                }
            }
        }
    }
}
