//! Whether the write-ahead log beside a file is the file's.
//!
//! After a crash the log stays, and with it what was committed last. If the file is then replaced (restored from a backup, moved
//! away), SQLite lays the log over whatever bears the name: pages of one history among those of another. The marks tell. A log
//! begins with the transaction behind the last one that the file had when the log was begun, and the file is never written
//! but from this log. So the file's mark is that of the log's first transaction less one, or later, up to the log's last. And
//! its layout is the log's, or an earlier one: a compacted copy has its pages in another order, and counts that as a later one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::frames::{Frame, Frames, number};
use super::mark::Mark;

/// How a log stands to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pairing {
    /// There is none, or it is the file's; or it bears no mark, as one of a store from before there were marks.
    Fits,
    /// It is of another file, or of another time of this one. Why, for people.
    Foreign(String),
}

/// Where a file's first page has `PRAGMA schema_version`, big-endian.
const LAYOUT_AT: u64 = 40;

/// Judges the log at that path beside the open file.
pub(super) fn judge(file: &File, log: &Path) -> io::Result<Pairing> {
    // A pipe would wait for whoever writes to it.
    if log.metadata().is_ok_and(|log| !log.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let marks = match File::open(log) {
        Ok(opened) => marks_of(opened)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let Some(marks) = marks else { return Ok(Pairing::Fits) };
    let (first, last) = (marks.first.transactions, marks.last.transactions);
    let offset = marks
        .page_number
        .saturating_sub(1)
        .saturating_mul(marks.page_size as u64);
    let mut page = vec![0; marks.page_size];
    let on_file = file
        .read_exact_at(&mut page, offset)
        .ok()
        .and_then(|()| Mark::on_page(&page));
    let mut layout = [0; 4];
    file.read_exact_at(&mut layout, LAYOUT_AT)?;
    let verdict = match on_file {
        Some(mark) if mark.store != marks.first.store => Pairing::Foreign(format!(
            "it is of the store {}, and the file is the store {}",
            marks.first.store, mark.store
        )),
        Some(mark) if mark.transactions.saturating_add(1) < first => Pairing::Foreign(format!(
            "it begins with the store's transaction {first}, and the file is older: it ends with {}",
            mark.transactions
        )),
        Some(mark) if mark.transactions > last => Pairing::Foreign(format!(
            "it ends with the store's transaction {last}, and the file is newer: it has {}",
            mark.transactions
        )),
        Some(_) if u32::from_be_bytes(layout) > marks.layout => {
            Pairing::Foreign("the file is a compacted copy, with its pages in another order".to_owned())
        }
        Some(_) => Pairing::Fits,
        // The log has the step that made the first mark, and the file is from before it.
        None if first == 1 => Pairing::Fits,
        None => Pairing::Foreign(format!(
            "it begins with the store's transaction {first}, and the file has no mark where the log has it"
        )),
    };
    Ok(verdict)
}

/// The marks in a log.
struct Marks {
    page_size: usize,
    /// On which page of the file they stand.
    page_number: u64,
    first: Mark,
    last: Mark,
    /// The newest that the log knows, by its marks and by the file's first page in it.
    layout: u32,
}

/// The marks of the transactions that are in a log.
fn marks_of(log: File) -> io::Result<Option<Marks>> {
    let Some(frames) = Frames::of(log)? else {
        return Ok(None);
    };
    let page_size = frames.page_size;
    let mut marks: Option<Marks> = None;
    // Of the transaction that is being read: what is not committed says nothing.
    let (mut open, mut layout) = (None, 0);
    frames.each(
        |Frame {
             page_number,
             page,
             commits,
         }| {
            if page_number == 1 {
                layout = number(page, LAYOUT_AT as usize).unwrap_or_default().max(layout);
            }
            if let Some(mark) = Mark::on_page(page) {
                layout = mark.layout.max(layout);
                open = Some((page_number, mark));
            }
            if !commits {
                return;
            }
            match (&mut marks, open.take()) {
                (Some(marks), Some((_, mark))) => marks.last = mark,
                (None, Some((page_number, mark))) => {
                    marks = Some(Marks {
                        page_size,
                        page_number: page_number.into(),
                        first: mark.clone(),
                        last: mark,
                        layout,
                    });
                }
                (Some(_) | None, None) => {}
            }
            if let Some(marks) = &mut marks {
                marks.layout = layout;
            }
        },
    )?;
    Ok(marks)
}
