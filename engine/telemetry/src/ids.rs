//! Which trace, and which span.
//!
//! Ids follow from what they are about instead of being drawn. A sink that delivers an entry of the journal knows no trace, but
//! job, revision and time of the commit, and so does whoever delivers it after a restart: nothing need be stored.

use sha2::{Digest as _, Sha256};
use steadfast_core::id::JobKey;
use steadfast_core::time::Timestamp;

/// The id of a trace; not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TraceId(u128);

/// The id of a span; not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SpanId(u64);

impl TraceId {
    /// As OTLP has it.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
}

impl SpanId {
    /// As OTLP has it.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
}

/// The ids of one decision's trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) trace: TraceId,
    /// The span over all others.
    pub(crate) decision: SpanId,
    pub(crate) commit: SpanId,
}

impl Ids {
    /// Of a decision that made this revision of a job's record.
    pub(crate) fn durable(store: &str, key: &JobKey, revision: u64, at: Timestamp) -> Self {
        Self::of("durable", store, key, revision, at)
    }

    /// Of a decision that left nothing in the journal: the process's own number tells it from others.
    pub(crate) fn passing(store: &str, key: &JobKey, number: u64, at: Timestamp) -> Self {
        Self::of("passing", store, key, number, at)
    }

    fn of(kind: &str, store: &str, key: &JobKey, number: u64, at: Timestamp) -> Self {
        let key = key.to_string();
        let [a, b, c, d] = words(&[kind, store, &key], [number, at.as_millis().cast_unsigned()]);
        Self {
            trace: TraceId(u128::from(a) << 64 | u128::from(b)),
            decision: SpanId(c),
            commit: SpanId(d),
        }
    }

    /// One more span of the trace.
    pub(crate) fn span(&self, name: &str, number: u64) -> SpanId {
        let TraceId(trace) = self.trace;
        let [first, ..] = words(&[&format!("{trace:032x}"), name], [number, 0]);
        SpanId(first)
    }
}

/// Four words that nobody else comes to. The length goes before each text, so that no two lists of texts read alike.
fn words(texts: &[&str], numbers: [u64; 2]) -> [u64; 4] {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    }
    for number in numbers {
        digest.update(number.to_be_bytes());
    }
    let digest: [u8; 32] = digest.finalize().into();
    let (words, _) = digest.as_chunks::<8>();
    let mut four = words.iter().map(|word| u64::from_be_bytes(*word));
    // Zero is no id; it is as likely as any other number, which is never.
    std::array::from_fn(|_| four.next().unwrap_or_default().max(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use steadfast_core::testing::{at, job_key};

    use super::*;

    #[test]
    fn a_trace_is_found_again_by_what_the_journal_has() {
        let ids = || Ids::durable("store", &job_key("orders"), 7, at(5));
        assert_eq!(ids(), ids());
        let others = [
            Ids::durable("other", &job_key("orders"), 7, at(5)),
            Ids::durable("store", &job_key("bills"), 7, at(5)),
            Ids::durable("store", &job_key("orders"), 8, at(5)),
            Ids::durable("store", &job_key("orders"), 7, at(6)),
            Ids::passing("store", &job_key("orders"), 7, at(5)),
            ids(),
        ];
        let traces: BTreeSet<TraceId> = others.iter().map(|ids| ids.trace).collect();
        assert_eq!(traces.len(), others.len());
    }

    #[test]
    fn spans_of_a_trace_differ() {
        let ids = Ids::durable("store", &job_key("orders"), 7, at(5));
        let spans = [
            ids.decision,
            ids.commit,
            ids.span("look", 0),
            ids.span("look", 1),
            ids.span("decide", 0),
        ];
        let spans = BTreeSet::from(spans);
        assert_eq!(spans.len(), 5);
        assert_eq!((ids.trace.bytes().len(), ids.decision.bytes().len()), (16, 8));
    }
}
