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

#[cfg(test)]
mod tests {
    use super::*;

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
