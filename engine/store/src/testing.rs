//! Documents by themselves, outside of any store, for tests of what a store holds.
//!
//! Built with the feature `testing`, which only tests ask for.

use std::io;

use serde_json::Result;
use steadfast_core::journal::Event;
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;

use crate::{format, packing};

/// The record of a document, without its policy's memory.
pub fn read_record(document: &[u8]) -> Result<JobRecord> {
    format::read(document)
}

/// The document of a record.
pub fn write_record(record: &JobRecord) -> Result<String> {
    format::write(record)
}

/// The event of a document.
pub fn read_event(document: &[u8]) -> Result<Event> {
    format::read(document)
}

/// The document of an event.
pub fn write_event(event: &Event) -> Result<String> {
    format::write(event)
}

/// The recording of a document.
pub fn read_recorded(document: &[u8]) -> Result<Recorded> {
    format::read(document)
}

/// The document of a recording.
pub fn write_recorded(recorded: &Recorded) -> Result<String> {
    format::write(recorded)
}

/// The recording of a deflated document.
pub fn unpack(bytes: &[u8]) -> io::Result<Recorded> {
    packing::unpack(bytes)
}

/// The deflated document of a recording.
pub fn pack(recorded: &Recorded) -> io::Result<Vec<u8>> {
    packing::pack(recorded)
}
