//! Where a page ended, as clients carry it: opaque, so that it may change.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The cursor behind that item's key.
pub(crate) fn write<K: Serialize>(key: &K) -> Option<String> {
    serde_json::to_vec(key).ok().map(const_hex::encode)
}

/// The key in a cursor; `None` if this is no cursor of such keys.
pub(crate) fn read<K: DeserializeOwned>(cursor: &str) -> Option<K> {
    serde_json::from_slice(&const_hex::decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use steadfast_core::id::JobKey;

    use super::*;

    #[test]
    fn reads_back_and_refuses_what_is_none() {
        let key = JobKey::parse("local/ä ö/s/ffffffffa021a4190000000000000000").unwrap();
        assert_eq!(read(&write(&key).unwrap()), Some(key));
        for wrong in ["", "0", "zz", "7b7d", "ää", "+1+1"] {
            assert_eq!(read::<JobKey>(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cursor_that_a_client_still_holds_is_read() {
        assert_eq!(write(&"a/b").as_deref(), Some("22612f6222"));
        assert_eq!(read("22612f6222"), Some("a/b".to_owned()));
    }
}
