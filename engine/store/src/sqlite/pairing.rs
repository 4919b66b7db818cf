//! Whether the write-ahead log beside a file is the file's.
//!
//! After a crash the log stays, and with it what was committed last. If the file is then replaced (restored from a backup, moved
//! away), SQLite lays the log over whatever bears the name: pages of one history among those of another. The marks tell. A log
//! begins with the transaction behind the last one that the file had when the log was begun, and the file is never written
//! but from this log. So the file's mark is that of the log's first transaction less one, or later, up to the log's last. And
//! its layout is the log's, or an earlier one: a compacted copy has its pages in another order, and counts that as a later one.

use std::fs::File;
use std::io::{self, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::mark::Mark;

/// How a log stands to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pairing {
    /// There is none, or it is the file's; or it bears no mark, as one of a store from before there were marks.
    Fits,
    /// It is of another file, or of another time of this one. Why, for people.
    Foreign(String),
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Where a file's first page has `PRAGMA schema_version`, big-endian.
const LAYOUT_AT: u64 = 40;

/// Judges the log at that path beside the open file.
pub(super) fn judge(file: &File, log: &Path) -> io::Result<Pairing> {
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

/// The marks of the frames that count: those behind an older generation of the log bear other salts.
fn marks_of(log: File) -> io::Result<Option<Marks>> {
    let mut log = BufReader::new(log);
    let mut header = [0; HEADER];
    if !fill(&mut log, &mut header)? {
        return Ok(None);
    }
    let (Some(0x377f_0682 | 0x377f_0683), Some(page_size), Some(salts)) =
        (number(&header, 0), number(&header, 8), header.get(16..24))
    else {
        return Ok(None);
    };
    if !(512..=65536).contains(&page_size) {
        return Ok(None);
    }
    let mut frame = vec![0; FRAME_HEADER + page_size as usize];
    let mut marks: Option<Marks> = None;
    let mut layout = 0;
    while fill(&mut log, &mut frame)? && frame.get(8..16) == Some(salts) {
        let page = frame.get(FRAME_HEADER..).unwrap_or_default();
        let page_number = number(&frame, 0).unwrap_or_default();
        if page_number == 1 {
            layout = number(page, LAYOUT_AT as usize).unwrap_or_default().max(layout);
        }
        let Some(mark) = Mark::on_page(page) else { continue };
        layout = mark.layout.max(layout);
        match &mut marks {
            Some(marks) => marks.last = mark,
            None => {
                marks = Some(Marks {
                    page_size: page_size as usize,
                    page_number: page_number.into(),
                    first: mark.clone(),
                    last: mark,
                    layout: 0,
                });
            }
        }
    }
    Ok(marks.map(|marks| Marks { layout, ..marks }))
}

/// Big-endian, as everything in SQLite's files.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// Reads a whole buffer; `false` at the end, and if it ends within.
fn fill(from: &mut impl io::Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
