//! How far the store counts, and how much a row may hold: one place for what is written, read, checked and mended.
//!
//! A number at the end of its type reads as well as any other, and there is no going on from it: a revision that cannot grow is a job
//! that is never written again, a sequence that cannot grow a journal that takes nothing. None is reached by counting. What is
//! beyond the half is damage, and a row that has it does not read. (Moments have their bound at their own door,
//! [`Timestamp::LATEST`](steadfast_core::time::Timestamp::LATEST).)

use serde::de::Error as _;
use steadfast_core::journal::Event;
use steadfast_core::planner::MEMORY_LIMIT;
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;

use crate::format::{self, Kept};

/// The most that revisions, sequences, places and transactions count: half of what a column holds.
pub(crate) const MOST: i64 = i64::MAX / 2;
/// The most bytes that a document may have, and that a snapshot may unfold to.
pub(crate) const DOCUMENT: usize = 16 * 1024 * 1024;

/// Whether a row may have that number as its sequence or place.
pub(crate) fn is_place(number: i64) -> bool {
    (1..=MOST).contains(&number)
}

/// Refuses a revision that cannot be gone on from.
pub(crate) fn revision(revision: u64) -> Result<(), String> {
    if i64::try_from(revision).is_ok_and(|revision| revision <= MOST) {
        return Ok(());
    }
    Err(format!("its revision {revision} is beyond what the store counts"))
}

/// Refuses the memory of a policy that is larger than the contract allows.
pub(crate) fn memory(bytes: usize) -> Result<(), String> {
    if bytes <= MEMORY_LIMIT {
        return Ok(());
    }
    Err(format!(
        "its memory has {bytes} bytes, and at most {MEMORY_LIMIT} are kept"
    ))
}

/// The value of a document in a store. Fails if it does not read, is larger than a document may be, or has numbers that cannot
/// be gone on from.
pub(crate) fn read<T: Kept + Bounded>(document: &[u8]) -> serde_json::Result<T> {
    if document.len() > DOCUMENT {
        let size = document.len();
        return Err(serde_json::Error::custom(format!(
            "it has {size} bytes, and at most {DOCUMENT} are kept"
        )));
    }
    let value: T = format::read(document)?;
    value.bounded().map_err(serde_json::Error::custom)?;
    Ok(value)
}

/// A value whose numbers can be gone on from.
pub(crate) trait Bounded {
    /// Says what cannot.
    fn bounded(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounded for JobRecord {
    fn bounded(&self) -> Result<(), String> {
        revision(self.revision)
    }
}

/// The number of an attempt stays at its end, and nothing else stops with it.
impl Bounded for Event {}

/// Nothing goes on from a snapshot.
impl Bounded for Recorded {}
