//! Values as a mistake quotes them: without what may be a secret.

use steadfast_core::secret_url::SecretUrl;

/// A store's address as a mistake quotes it: a path, or scheme and host of one that may hold a password.
pub(super) fn quoted_store(text: &str) -> String {
    if text.contains("://") {
        format!(" `{}`", SecretUrl::from(text))
    } else if text.contains([':', '@', '?', '=']) {
        String::new()
    } else {
        format!(" `{text}`")
    }
}

/// An address without user and query, in which there may be a secret.
pub(super) fn without_user(text: &str) -> String {
    let address = text.split(['?', '#']).next().unwrap_or(text);
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    // A digest stands behind an @ too; it is no secret, and what stands before it may be one.
    match rest.rsplit_once('@') {
        Some((before, digest)) if digest.starts_with("sha256:") && !before.contains('@') => address.to_owned(),
        Some((_, host)) => format!("{scheme}{host}"),
        None => address.to_owned(),
    }
}

/// Whether a text is a word, such as may have been misspelt, and no address with whatever belongs to it.
pub(super) fn is_word(text: &str) -> bool {
    text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_and_no_query_of_an_address_is_quoted() {
        for (text, quoted) in [
            ("s3://key:s3cret@bucket/x?key=s3cret", "s3://bucket/x"),
            ("oci://ann:s3cret@host/x@sha256:12", "oci://sha256:12"),
            ("oci://host/x@sha256:12", "oci://host/x@sha256:12"),
            ("ann:s3cret@host", "host"),
            ("https://example.com/mine.wasm", "https://example.com/mine.wasm"),
        ] {
            assert_eq!(without_user(text), quoted);
        }
    }

    #[test]
    fn a_store_is_quoted_as_far_as_it_holds_no_password() {
        for (text, quoted) in [
            ("steadfast.db", " `steadfast.db`"),
            ("mysql://ann:s3cret@db/x", " `mysql://db`"),
            ("ann:s3cret@db", ""),
        ] {
            assert_eq!(quoted_store(text), quoted);
        }
    }
}
