//! Documents of a store: what reads is written as what it was.

use steadfast_store::testing;

use crate::fakes::{choice, head};
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "rows",
    words: WORDS,
    seeds,
    check,
};

pub(super) const WORDS: &[&str] = &[
    "version",
    "key",
    "target",
    "cluster",
    "namespace",
    "name",
    "session_job",
    "mode",
    "origin",
    "labels",
    "state",
    "confidence",
    "reason",
    "code",
    "message",
    "since",
    "toldSince",
    "confirmedAt",
    "incarnation",
    "attempt",
    "conditions",
    "type",
    "precisely",
    "alerts",
    "scope",
    "intent",
    "attention",
    "policy",
    "revision",
    "transition",
    "alert",
    "forgotten",
    "update",
    "from",
    "to",
    "present",
    "absent",
    "unknown",
    "fault",
    "kind",
    "before",
    "snapshot",
    "rule",
    "failure",
    "secs",
    "nanos",
    "RUNNING",
    "FAILED",
    "application",
    "session",
    "discovered",
    "configured",
    "2026-01-01T00:00:00.000Z",
];

/// Behind what chooses the kind of document: the document.
fn seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (kind, name) in [("0", "records"), ("1", "events"), ("2", "recordings")] {
        all.extend(seeds::stored(kind, name));
    }
    all.push(seeds::input(
        "3",
        &seeds::file("engine/store/tests/formats/v1/recording.deflate"),
    ));
    all
}

/// Reads, writes, and reads again: the same value, and then the same bytes.
macro_rules! reads_back {
    ($document:expr, $read:path, $write:path) => {
        match $read($document) {
            Ok(value) => {
                let written = $write(&value).expect("what was read can be written");
                let again = $read(written.as_ref()).expect("what was written reads");
                assert!(again == value, "read back as something else");
                assert!($write(&again).unwrap() == written, "written differently");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    };
}

fn check(input: &[u8]) {
    let ([kind], document) = head(input);
    match choice(kind, 4) {
        0 => {
            reads_back!(document, testing::read_record, testing::write_record);
            if let Ok(record) = testing::read_record(document) {
                [record.since]
                    .into_iter()
                    .chain(record.confirmed_at)
                    .for_each(hold::time);
            }
        }
        1 => reads_back!(document, testing::read_event, testing::write_event),
        2 => reads_back!(document, testing::read_recorded, testing::write_recorded),
        _ => reads_back!(document, testing::unpack, testing::pack),
    }
}
