//! The documents in a store: how a record, an event and a recording are written, version by version.
//!
//! What a store holds outlives the build that wrote it, so its shape is not that of core's types but has types of its own,
//! in a module a version ([`v1`]). Core's fields and variants are renamed at will: the tables in `v1` say which key each
//! one stands for, and do not compile until they say it of a new one too. `tests/formats` holds bytes that earlier
//! builds wrote; a test reads them for ever, and writes them again.
//!
//! Three numbers count different things:
//! - the *schema version* (`PRAGMA user_version`, [`schema`](crate::sqlite)) counts the steps of the tables;
//! - the *format version* counts shapes of the documents in them;
//! - the contract's version is about what policies are handed, and nothing here.
//!
//! # The tag
//!
//! A document without a member `version` is of format 1: that format came before the tag. From format 2 on it is the
//! first member of the document, `{"version":2,...}`, in each of the three columns. A tag that this build does not know
//! is refused by name, even where the rest would happen to read.
//!
//! # When the number goes up
//!
//! Not for a member that earlier documents lack and that has a plain meaning when it is missing: that is an `Option`, or
//! has `#[serde(default)]`, as `labels` once. Earlier builds read such a document and pass over what they do not know.
//! Such a member is added to the newest table, and a file beside those in `tests/formats` shows it filled.
//!
//! It does go up when a build before would read the document wrongly, or not at all: a member that changes its key, its
//! type or its meaning, one that goes and was not optional, or a word that is new (there is one exception, a kind of fault,
//! which reads as [`Other`](steadfast_core::evidence::FaultKind::Other)).
//!
//! # How a version is added
//!
//! 1. `v2` holds the tables of the documents that change, and takes the others from `v1`. Its types convert to and from
//!    core's, with the tag in front.
//! 2. `v1`'s conversions stay total: what core gained gets the value that a document of format 1 implies. Nobody converts
//!    one version to another; each is read straight into core.
//! 3. [`Kept::Newest`] names `v2`, in which everything is written from then on; [`read`] chooses by the tag. Rows of both
//!    versions stand side by side, and each is written anew when its job next changes.
//! 4. A step without effect is added to the schema, so that an earlier build refuses the store by its version, instead of
//!    calling its rows damaged.
//! 5. `tests/formats/v2` is written once, by the command in `tests/formats/v1/README.md`; `v1` stays as it is.

mod shape;
mod v1;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};
use steadfast_core::journal::Event;
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;

use shape::Shape;

/// A value that is kept as a document.
pub(crate) trait Kept: Sized {
    /// The shape it is written in.
    type Newest: Shape<Core = Self> + Serialize + DeserializeOwned;
}

impl Kept for JobRecord {
    type Newest = v1::Record;
}

impl Kept for Event {
    type Newest = v1::Event;
}

impl Kept for Recorded {
    type Newest = v1::Recording;
}

/// The document of a value, in the newest format.
pub(crate) fn write<T: Kept>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(&T::Newest::of(value))
}

/// The value of a document, whatever format it is in. Fails if it is in none that this build knows.
pub(crate) fn read<T: Kept>(document: &[u8]) -> serde_json::Result<T> {
    let Tag { version } = serde_json::from_slice(document)?;
    match version {
        None => serde_json::from_slice::<T::Newest>(document).map(Shape::into_core),
        Some(unknown) => Err(serde_json::Error::custom(format!(
            "it is in format {unknown}, and this build knows format 1"
        ))),
    }
}

/// What says in which format a document is.
#[derive(Deserialize)]
struct Tag {
    version: Option<u64>,
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
