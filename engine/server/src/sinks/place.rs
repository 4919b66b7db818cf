//! Where a sink begins in the journal.

use sha2::{Digest as _, Sha256};
use steadfast_core::journal::{EntriesOf, Entry, JournalError, Sequence, Store};
use steadfast_core::secret_url::SecretUrl;

use super::courier::Sink;

/// How far back the journal is read for what was told of clusters, in entries, where a sink tells what stands.
const LOOKED_BACK: u64 = 50_000;

/// The name of a webhook that has none: a digest, since a webhook's URL is often its password.
pub fn cursor_name(url: &SecretUrl) -> String {
    let digest = Sha256::digest(url.expose().as_bytes());
    let mut name = const_hex::encode(digest);
    name.truncate(16);
    format!("webhook-{name}")
}

/// Shows the newest entries up to a sink's place, in order. They are many, so that no more than a page of them is held.
pub(super) async fn look_back(
    store: &dyn Store,
    position: Sequence,
    mut look: impl FnMut(&Entry),
) -> Result<(), JournalError> {
    const PAGE: u32 = 500;
    let mut after = Sequence(position.0.saturating_sub(LOOKED_BACK));
    while after < position {
        let page = store.entries(EntriesOf::ForSinks, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.sequence;
        page.iter()
            .filter(|entry| entry.sequence <= position)
            .for_each(&mut look);
    }
    Ok(())
}

/// Where a sink begins that has no cursor under its name.
pub(super) async fn first_place(sink: &Sink, store: &dyn Store) -> Result<Sequence, JournalError> {
    if let Some(formerly) = &sink.formerly
        && let Some(cursor) = store.sink_cursor(formerly).await?
    {
        tracing::info!(sink = sink.name, "the sink goes on where it was as {formerly}");
        return Ok(cursor);
    }
    let newest = store.newest().await?;
    if newest > Sequence(0) {
        tracing::info!(
            sink = sink.name,
            "a new sink begins behind entry {} of the journal; one whose URL changes goes on where it was if it has a `name`",
            newest.0
        );
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use steadfast_core::alert::AlertStatus;
    use steadfast_core::journal::{Change, Journal as _};
    use steadfast_core::record::{AlertScope, JobRecord};
    use steadfast_core::state::JobState;
    use steadfast_store::MemoryStore;

    use super::*;
    use crate::sinks::testing::alert;
    use crate::testing::{AT, record};

    #[tokio::test]
    async fn all_up_to_a_place_is_shown_in_order_page_by_page() {
        let store = MemoryStore::new("store");
        for revision in 1..=1200 {
            let record = JobRecord {
                revision,
                ..record("local/default/orders", JobState::Failed)
            };
            let change = Change {
                record: record.into(),
                events: vec![alert("JobFailed", AlertScope::Job, AlertStatus::Firing)],
            };
            store.commit(AT, vec![change].into()).await.unwrap();
        }
        let mut seen = Vec::new();
        look_back(&store, Sequence(1100), |entry| seen.push(entry.sequence.0))
            .await
            .unwrap();
        assert_eq!(seen, (1..=1100).collect::<Vec<u64>>());
    }
}
