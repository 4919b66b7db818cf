//! Entries that do not read are passed over by their readers. The log has each of them once.

use std::collections::BTreeSet;

use steadfast_core::journal::{Row, Sequence};

/// The most that are remembered, and told: of a journal that is damaged throughout the first ones say enough.
const MOST: usize = 1000;

/// Which entries were told of.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeSet<Sequence>);

impl Told {
    /// Tells of those among rows that were not told of yet. Returns how many.
    pub(super) fn tell(&mut self, rows: &[Row]) -> usize {
        let mut told = 0;
        for row in rows {
            let Row::Unreadable(entry) = row else { continue };
            if self.0.len() >= MOST || !self.0.insert(entry.sequence) {
                continue;
            }
            told += 1;
            tracing::error!(
                sequence = entry.sequence.0, job = %entry.job, why = entry.why,
                "an entry of the journal does not read, and its readers pass over it; `steadfast store check` shows all of them"
            );
        }
        told
    }
}
