//! Recordings as bytes: a [document](crate::format), deflated, since a snapshot repeats itself (about 5 KiB become 1).

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use steadfast_core::recording::Recorded;

use crate::bounds::{self, DOCUMENT};
use crate::format;

/// A recording as a deflated document. Fails only if it cannot be written as JSON.
pub(crate) fn pack(recorded: &Recorded) -> std::io::Result<Vec<u8>> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(format::write(recorded)?.as_bytes())?;
    packer.finish()
}

/// The recording of a deflated document. Fails if the bytes are damaged, of an unknown format, or above the limit.
pub(crate) fn unpack(bytes: &[u8]) -> std::io::Result<Recorded> {
    let mut json = Vec::new();
    // One more, so that what claims more is told from what ends there.
    DeflateDecoder::new(bytes)
        .take(DOCUMENT as u64 + 1)
        .read_to_end(&mut json)?;
    Ok(bounds::read(&json)?)
}
