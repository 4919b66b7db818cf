//! The labels of a Kubernetes object.

use std::collections::BTreeMap;
use std::sync::Arc;

/// `metadata.labels`, by name. Clones share one map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels(Arc<BTreeMap<String, String>>);

impl Labels {
    /// The value of a label, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Each label with its value, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl From<BTreeMap<String, String>> for Labels {
    fn from(labels: BTreeMap<String, String>) -> Self {
        Self(Arc::new(labels))
    }
}

/// Whether Kubernetes takes a text as the name of a label: `name`, or a DNS subdomain of at most 253 bytes, a slash and the name.
pub fn is_name(text: &str) -> bool {
    match text.split_once('/') {
        None => is_segment(text),
        Some((domain, name)) => domain.len() <= 253 && domain.split('.').all(is_part_of_domain) && is_segment(name),
    }
}

/// Whether Kubernetes takes a text as the value of a label: it may be empty.
pub fn is_value(text: &str) -> bool {
    text.is_empty() || is_segment(text)
}

/// At most 63 letters, digits, `-`, `_` and `.`, with a letter or a digit at both ends.
fn is_segment(text: &str) -> bool {
    let at_ends = |c: char| c.is_ascii_alphanumeric();
    let within = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.len() <= 63 && text.starts_with(at_ends) && text.ends_with(at_ends) && text.bytes().all(within)
}

fn is_part_of_domain(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(known) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_those_that_kubernetes_takes() {
        let longest = "a".repeat(63);
        for name in ["team", "a", "A_b.c-1", "example.com/team", "x/y", "a-b.c1/Z", &longest] {
            assert!(is_name(name), "{name}");
        }
        let too_long = "a".repeat(64);
        let far = format!("{}/team", "a.".repeat(127) + "a");
        for text in [
            "", "-a", "a-", "a b", "-x.com/a", "x-.com/a", "X.com/a", "x..com/a", "a/b/c", "/a", "a/", &too_long, &far,
        ] {
            assert!(!is_name(text), "{text}");
        }
        assert!(is_value("") && is_value("0600") && is_value(&longest));
        assert!(!is_value("a/b") && !is_value("_a") && !is_value(&too_long));
    }

    #[test]
    fn labels_are_found_by_their_names_and_read_in_their_order() {
        let map = [("team", "search"), ("app", "orders")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let labels = Labels::from(BTreeMap::from(map));
        assert_eq!((labels.get("team"), labels.get("zone")), (Some("search"), None));
        assert_eq!(
            labels.iter().collect::<Vec<_>>(),
            [("app", "orders"), ("team", "search")]
        );
    }
}
