//! The names of the tasks that run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who runs, by the order of their beginning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    begun: u64,
    names: BTreeMap<u64, String>,
}

/// A task's place among the names, given up when the task ends in whatever way.
pub(crate) struct Entry {
    names: Names,
    number: u64,
}

impl Names {
    pub(crate) fn enter(&self, name: String) -> Entry {
        let mut running = self.lock();
        running.begun += 1;
        let number = running.begun;
        running.names.insert(number, name);
        Entry {
            names: self.clone(),
            number,
        }
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.lock().names.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        // Nothing is half done when a holder panics: each holds it for one insertion, removal or look.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let name = self.names.lock().names.remove(&self.number).unwrap_or_default();
        if std::thread::panicking() {
            tracing::error!("the task `{name}` panicked; what it did is not done any more");
        }
    }
}
