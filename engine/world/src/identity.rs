//! Ids that are made from names, so that the same story gives the same world each time.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// 32 hex digits, as Flink's job ids.
pub(crate) fn hex(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("/").as_bytes());
    let mut text = String::with_capacity(32);
    for byte in digest.iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A UUID, as Kubernetes' UIDs.
pub(crate) fn uid(parts: &[&str]) -> String {
    let hex = hex(parts);
    let mut text = String::with_capacity(36);
    for (place, digit) in hex.chars().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}
