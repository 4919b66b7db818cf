//! How the sinks stand, for `/readyz`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use steadfast_core::journal::Sequence;
use steadfast_core::time::Timestamp;

use crate::ports::{DeadLetter, SinkHealth};

/// How each sink stands. A clone is the same board.
#[derive(Clone, Debug, Default)]
pub struct SinkBoard(Arc<Mutex<BTreeMap<String, SinkHealth>>>);

impl SinkBoard {
    /// All of them, by their names.
    pub fn read(&self) -> Vec<SinkHealth> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SinkHealth>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, sink: &str, change: impl FnOnce(&mut SinkHealth)) {
        let mut sinks = self.lock();
        change(sinks.entry(sink.to_owned()).or_insert_with(|| SinkHealth::new(sink)));
    }

    /// It begins, or delivers again.
    pub(super) fn delivers(&self, sink: &str) {
        self.note(sink, |health| health.failing_since = None);
    }

    /// An event that was decided at that time waits for its delivery; `None`: none does.
    pub(super) fn waits(&self, sink: &str, since: Option<Timestamp>) {
        self.note(sink, |health| health.waiting_since = since.map(|at| at.to_string()));
    }

    /// A delivery failed.
    pub(super) fn fails(&self, sink: &str, now: Timestamp) {
        self.note(sink, |health| {
            health.failing_since.get_or_insert_with(|| now.to_string());
        });
    }

    /// An event was given up.
    pub(super) fn gave_up(&self, sink: &str, sequence: Sequence, now: Timestamp, why: &str) {
        self.note(sink, |health| {
            health.dead_letters += 1;
            health.last_dead_letter = Some(DeadLetter {
                sequence: sequence.0,
                at: now.to_string(),
                why: why.to_owned(),
            });
        });
    }
}
