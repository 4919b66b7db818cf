//! Where a page ended, as clients carry it: opaque, so that it may change.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The cursor behind that item's key.
pub(crate) fn write<K: Serialize>(key: &K) -> Option<String> {
    let json = serde_json::to_vec(key).ok()?;
    Some(json.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads back what a request carries.
pub(crate) fn read<K: DeserializeOwned>(cursor: &str) -> Result<K, Problem> {
    parse(cursor).ok_or_else(|| {
        let fix = "cursor is not one that this engine gave; use the `cursor` of the page before, or leave it out";
        Problem::parameter("cursor", fix)
    })
}

fn parse<K: DeserializeOwned>(cursor: &str) -> Option<K> {
    if !cursor.is_ascii() || !cursor.len().is_multiple_of(2) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(cursor.get(at..at + 2)?, 16).ok();
    let json: Option<Vec<u8>> = (0..cursor.len()).step_by(2).map(byte).collect();
    serde_json::from_slice(&json?).ok()
}

#[cfg(test)]
mod tests {
    use steadfast_core::id::JobKey;

    use super::*;

    #[test]
    fn reads_back_and_refuses_what_is_none() {
        let key = JobKey::parse("local/ä ö/s/ffffffffa021a4190000000000000000").unwrap();
        assert_eq!(parse(&write(&key).unwrap()), Some(key));
        for wrong in ["", "0", "zz", "7b7d", "ää", "+1+1"] {
            assert_eq!(parse::<JobKey>(wrong), None, "{wrong}");
        }
    }
}
