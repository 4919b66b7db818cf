//! Ids that are made from names, so that the same story gives the same world each time.

use sha2::{Digest, Sha256};

/// 32 hex digits, as Flink's job ids.
pub(crate) fn job_id(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("/").as_bytes());
    const_hex::encode(digest.get(..16).unwrap_or_default())
}

/// A UUID, as Kubernetes' UIDs.
pub(crate) fn uid(parts: &[&str]) -> String {
    let id = job_id(parts);
    let mut text = String::with_capacity(36);
    for (index, digit) in id.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}
