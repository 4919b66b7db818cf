//! The frames of a write-ahead log that count: those that SQLite would take in if it came to the log after a crash.
//!
//! A log is begun anew over what it had before, and a process may be killed, or power be lost, in the middle of a commit. So behind
//! what was committed last there may be anything: frames of an older generation, under other salts; the head of a new frame over the
//! page of an old one; parts of pages. A running checksum over all frames tells, as it tells SQLite.

use std::fs::File;
use std::io::{self, BufReader};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// A page as a transaction wrote it. It counts once its transaction's last one was read.
pub(super) struct Frame<'a> {
    /// Counted from 1.
    pub(super) page_number: u32,
    pub(super) page: &'a [u8],
    /// Whether it is its transaction's last.
    pub(super) commits: bool,
}

/// A log that is read from its beginning.
pub(super) struct Frames {
    log: BufReader<File>,
    salts: [u8; 8],
    checksum: Checksum,
    pub(super) page_size: usize,
}

impl Frames {
    /// `None` if it has no beginning that counts.
    pub(super) fn of(log: File) -> io::Result<Option<Self>> {
        let mut log = BufReader::new(log);
        let mut header = [0; HEADER];
        if !fill(&mut log, &mut header)? {
            return Ok(None);
        }
        let word = match number(&header, 0) {
            Some(0x377f_0682) => u32::from_le_bytes as fn([u8; 4]) -> u32,
            Some(0x377f_0683) => u32::from_be_bytes,
            Some(_) | None => return Ok(None),
        };
        let (Some(page_size @ 512..=65536), Some(salts)) = (number(&header, 8), header.get(16..24)) else {
            return Ok(None);
        };
        let mut checksum = Checksum { word, sums: (0, 0) };
        checksum.add(header.get(..24).unwrap_or_default());
        if !checksum.is_at(&header, 24) {
            return Ok(None);
        }
        Ok(Some(Self {
            log,
            salts: salts.try_into().unwrap_or_default(),
            checksum,
            page_size: page_size as usize,
        }))
    }

    /// Shows them in order, up to the first that is not whole.
    pub(super) fn each(mut self, mut show: impl FnMut(Frame<'_>)) -> io::Result<()> {
        let mut frame = vec![0; FRAME_HEADER + self.page_size];
        while fill(&mut self.log, &mut frame)? && self.is_whole(&frame) {
            show(Frame {
                page_number: number(&frame, 0).unwrap_or_default(),
                page: frame.get(FRAME_HEADER..).unwrap_or_default(),
                // How many pages the file has then.
                commits: number(&frame, 4) != Some(0),
            });
        }
        Ok(())
    }

    fn is_whole(&mut self, frame: &[u8]) -> bool {
        self.checksum.add(frame.get(..8).unwrap_or_default());
        self.checksum.add(frame.get(FRAME_HEADER..).unwrap_or_default());
        frame.get(8..16) == Some(&self.salts) && self.checksum.is_at(frame, 16)
    }
}

/// Over everything in a log but the salts and the checksums of frames, in the byte order that the log's first word names.
struct Checksum {
    word: fn([u8; 4]) -> u32,
    sums: (u32, u32),
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<4>();
        for pair in words.chunks_exact(2) {
            let [one, other] = pair else { continue };
            let (mut first, mut second) = self.sums;
            first = first.wrapping_add((self.word)(*one)).wrapping_add(second);
            second = second.wrapping_add((self.word)(*other)).wrapping_add(first);
            self.sums = (first, second);
        }
    }

    /// Whether it is written there.
    fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        (number(bytes, at), number(bytes, at + 4)) == (Some(self.sums.0), Some(self.sums.1))
    }
}

/// Big-endian, as everything else in SQLite's files.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
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
