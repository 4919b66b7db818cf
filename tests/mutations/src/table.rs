//! The mistakes as people read them.

use std::fmt::Write as _;

use crate::patch::Patch;

/// The table of `docs/track-record.md`.
#[must_use]
pub fn markdown(patches: &[Patch]) -> String {
    let mut table = String::from("| mistake | seen | caught by |\n|---|---|---|\n");
    for patch in patches {
        let [mistake, seen] = [&patch.mistake, &patch.seen].map(|text| text.replace('|', "\\|"));
        let catcher = &patch.catcher;
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "| {mistake} | {seen} | {}: `{}` |",
            catcher.package, catcher.test
        );
    }
    table
}
