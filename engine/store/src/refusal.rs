//! What every store refuses, in the same words.

use steadfast_core::id::JobKey;
use steadfast_core::journal::{Change, JournalError};

/// An operation that failed and left nothing behind.
pub(crate) fn failed(
    context: impl Into<String>,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> JournalError {
    JournalError::Failed {
        context: context.into(),
        source: source.into(),
    }
}

/// Refuses a change that was not made from the stored record: memory and store would no longer agree.
/// A record that is forgotten may keep its revision, since nothing of it is kept.
pub(crate) fn check_revision(change: &Change, stored: Option<u64>) -> Result<(), JournalError> {
    let Some(stored) = stored else { return Ok(()) };
    let offered = change.record.revision;
    if offered == stored.saturating_add(1) || (change.forgets() && offered == stored) {
        return Ok(());
    }
    Err(failed(
        format!("cannot commit {}", change.record.key),
        format!(
            "its revision {offered} does not follow the stored revision {stored}; \
             another process may have written to this store, load the records anew"
        ),
    ))
}

/// The name a job has in the store. A key that does not read back from it is refused before it is written.
pub(crate) fn stored_name(key: &JobKey) -> Result<String, JournalError> {
    let name = key.to_string();
    if JobKey::parse(&name).as_ref() == Some(key) {
        return Ok(name);
    }
    Err(failed(
        format!("cannot commit {name}"),
        "cluster, namespace and name must be non-empty and without `/`",
    ))
}
