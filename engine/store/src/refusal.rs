//! What every store refuses, in the same words.

use std::collections::BTreeMap;

use steadfast_core::id::JobKey;
use steadfast_core::journal::{Change, Commit, JournalError, Part, Refusal};

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

/// A commit of which some jobs' parts are not taken.
pub(crate) fn refused(commit: Commit, refusals: Vec<Refusal>) -> JournalError {
    JournalError::Refused {
        commit: Box::new(commit),
        refusals,
    }
}

/// Refuses changes that were not made from the stored records: memory and store would no longer agree. A record that is
/// forgotten may keep its revision, since nothing of it is kept. Changes of one job follow each other; with one that is
/// refused go all behind it. `stored` tells the revision that the store has, `None` without a record.
pub(crate) fn check_revisions<E>(
    changes: &[Change],
    mut stored: impl FnMut(&JobKey) -> Result<Option<u64>, E>,
) -> Result<Vec<Refusal>, E> {
    let mut reached: BTreeMap<&JobKey, Option<u64>> = BTreeMap::new();
    let mut refusals: BTreeMap<&JobKey, Refusal> = BTreeMap::new();
    for change in changes {
        let key = &change.record.key;
        let offered = change.record.revision;
        let before = match reached.get(key) {
            Some(revision) => *revision,
            None => stored(key)?,
        };
        let follows =
            before.is_none_or(|before| offered == before.saturating_add(1) || (change.forgets() && offered == before));
        if !follows && !refusals.contains_key(key) {
            let why = format!(
                "its revision {offered} does not follow the stored revision {}; another process may have written to this \
                 store, and the next validation takes up what it wrote",
                before.unwrap_or_default()
            );
            refusals.insert(key, refusal(key, Part::Change, why));
        }
        reached.insert(key, (!change.forgets()).then_some(offered));
    }
    Ok(refusals.into_values().collect())
}

/// One job's part that is not taken.
pub(crate) fn refusal(key: &JobKey, part: Part, why: impl Into<String>) -> Refusal {
    Refusal {
        key: key.clone(),
        part,
        why: why.into(),
    }
}

/// What an error says of a document, without all of the text that it may quote from it.
pub(crate) fn brief(error: &impl std::fmt::Display) -> String {
    const LONGEST: usize = 300;
    let text = error.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The name a job has in the store; `Err` says why it can have none: a key must read back from its name.
pub(crate) fn stored_name(key: &JobKey) -> Result<String, String> {
    let name = key.to_string();
    if JobKey::parse(&name).as_ref() == Some(key) {
        return Ok(name);
    }
    Err("cluster, namespace and name must be non-empty and without `/`".to_owned())
}
