//! What those who follow at one place read of the journal: read once for all of them.
//!
//! A thousand clients at the end of the journal wake with each commit. Each with a read of its own would cost a thousand reads of the
//! store, and the same rows a thousand times as text. So a page is read by whoever comes first, the others wait for it, and an
//! event's text is made once. What is kept is a few pages, whoever follows and however slowly.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::response::sse::Event as Frame;
use steadfast_core::journal::{EntriesOf, JournalError, Page, Row, Sequence, Store};
use tokio::sync::OnceCell;

/// How many entries a page has at most; more is read when they were sent.
pub(super) const PAGE: u32 = 256;
/// How many pages are kept: for those who follow at the end, and some who are on their way there.
const KEPT: usize = 16;

/// The pages that were read last.
#[derive(Debug, Default)]
pub(crate) struct SharedPages {
    pages: Mutex<VecDeque<Pending>>,
}

/// A page that is kept, or is being read.
#[derive(Clone, Debug)]
struct Pending {
    behind: Sequence,
    page: Arc<OnceCell<Arc<SharedPage>>>,
}

/// What stands behind a place in the journal.
#[derive(Debug)]
pub(super) struct SharedPage {
    /// Its rows, oldest first. None is above [`until`](Self::until).
    pub(super) rows: Vec<Arc<SharedRow>>,
    /// It has all that the journal has up to here, and whoever has taken it goes on from here.
    pub(super) until: Sequence,
    /// Entries up to this one may have been dropped.
    pub(super) dropped_until: Sequence,
}

/// A row, and its text once somebody was sent it.
#[derive(Debug)]
pub(super) struct SharedRow {
    pub(super) row: Row,
    frame: OnceLock<Option<Frame>>,
}

impl SharedPages {
    /// The page behind a place. What is committed but not above `shown` yet is left for later. It may end before `shown`, even
    /// where more is there: whoever came first has read it.
    pub(super) async fn behind(
        &self,
        journal: &dyn Store,
        behind: Sequence,
        shown: Sequence,
    ) -> Result<Arc<SharedPage>, JournalError> {
        let page = self.pending(behind);
        let read = page.get_or_try_init(async || {
            let page = journal.page(EntriesOf::Everything, behind, PAGE).await?;
            Ok(Arc::new(SharedPage::of(page, shown)))
        });
        read.await.cloned()
    }

    /// The page of that place, to which only one at a time reads. Whoever stops waiting for it leaves the reading to the next.
    fn pending(&self, behind: Sequence) -> Arc<OnceCell<Arc<SharedPage>>> {
        let mut pages = self.locked();
        if let Some(kept) = pages.iter().find(|kept| kept.behind == behind) {
            return Arc::clone(&kept.page);
        }
        if pages.len() >= KEPT {
            pages.pop_front();
        }
        let page = Arc::default();
        pages.push_back(Pending {
            behind,
            page: Arc::clone(&page),
        });
        page
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<Pending>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedPage {
    fn of(page: Page, shown: Sequence) -> Self {
        let is_last = page.rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let read = page.last().unwrap_or(shown).min(shown);
        let visible = page.rows.into_iter().filter(|row| row.sequence() <= shown);
        Self {
            rows: visible.map(SharedRow::of).map(Arc::new).collect(),
            until: if is_last { shown } else { read },
            dropped_until: page.dropped_until,
        }
    }
}

impl SharedRow {
    fn of(row: Row) -> Self {
        Self {
            row,
            frame: OnceLock::new(),
        }
    }

    /// Its text, which is the same for everybody; made by the first.
    pub(super) fn frame(&self, make: impl FnOnce() -> Option<Frame>) -> Option<Frame> {
        self.frame.get_or_init(make).clone()
    }
}
