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

/// The newest entries up to a sink's place.
pub(super) async fn before(store: &dyn Store, position: Sequence) -> Result<Vec<Entry>, JournalError> {
    const PAGE: u32 = 500;
    let mut after = Sequence(position.0.saturating_sub(LOOKED_BACK));
    let mut all = Vec::new();
    loop {
        let mut page = store.entries(EntriesOf::ForSinks, after, PAGE).await?;
        page.retain(|entry| entry.sequence <= position);
        let Some(last) = page.last() else { return Ok(all) };
        after = last.sequence;
        all.append(&mut page);
    }
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
