//! What of the record could not be read or written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What of the record could not be read or written, job by job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFaults {
    /// Records that did not read and were set aside, the oldest first.
    pub quarantined: Vec<QuarantinedRecord>,
    /// Jobs of which the store does not take what is decided.
    pub unwritten: Vec<UnwrittenJob>,
}

/// A record that did not read. It is kept as it was, and no longer in the way of its job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuarantinedRecord {
    /// The job, as the record's row names it.
    #[schema(example = "local/default/orders")]
    pub job: String,
    /// When it was set aside.
    #[schema(format = DateTime)]
    pub at: String,
    /// Why it does not read.
    pub why: String,
}

/// A job of which the store does not take what is decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnwrittenJob {
    /// Its id.
    #[schema(example = "local/default/orders")]
    pub job: String,
    /// Why the store does not take it.
    pub why: String,
}
