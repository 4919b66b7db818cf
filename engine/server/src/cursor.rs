//! Where a page of jobs ended, as clients carry it: opaque, so that it may change.

use steadfast_core::id::JobKey;

/// The cursor behind that job.
pub(crate) fn write(key: &JobKey) -> Option<String> {
    let json = serde_json::to_vec(key).ok()?;
    Some(json.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads it back.
pub(crate) fn read(cursor: &str) -> Option<JobKey> {
    if !cursor.is_ascii() || !cursor.len().is_multiple_of(2) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(cursor.get(at..at + 2)?, 16).ok();
    let json: Option<Vec<u8>> = (0..cursor.len()).step_by(2).map(byte).collect();
    serde_json::from_slice(&json?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_refuses_what_is_none() {
        let key = JobKey::parse("local/ä ö/s/ffffffffa021a4190000000000000000").unwrap();
        assert_eq!(read(&write(&key).unwrap()), Some(key));
        for wrong in ["", "0", "zz", "7b7d", "ää", "+1+1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
