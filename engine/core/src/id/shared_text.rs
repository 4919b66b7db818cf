//! Texts that many ids have in common, such as the namespace of ten thousand jobs: one in memory, whoever read it.
//!
//! A fleet's maps are ordered by ids, and each look-up compares a dozen of them. Where their clusters and namespaces are the same text in
//! the same place, nothing of it has to be read; reading them was a tenth of the processor time of a large fleet.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// A text of which there is one in memory. It is compared as text.
#[derive(Clone, Debug)]
pub(super) struct SharedText(Arc<str>);

/// Those that somebody has, and some that nobody has any more.
static KNOWN: Mutex<Known> = Mutex::new(Known {
    texts: BTreeSet::new(),
    sweep_at: 1024,
});

struct Known {
    texts: BTreeSet<Arc<str>>,
    /// With so many, those that nobody has are let go.
    sweep_at: usize,
}

impl SharedText {
    pub(super) fn new(text: &str) -> Self {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.texts.get(text) {
            return Self(Arc::clone(text));
        }
        if known.texts.len() >= known.sweep_at {
            known.texts.retain(|text| Arc::strong_count(text) > 1);
            known.sweep_at = known.texts.len().saturating_mul(2).max(1024);
        }
        let text: Arc<str> = Arc::from(text);
        known.texts.insert(Arc::clone(&text));
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for SharedText {}

impl PartialOrd for SharedText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedText {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            Ordering::Equal
        } else {
            self.0.cmp(&other.0)
        }
    }
}

impl Hash for SharedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_one_and_texts_are_ordered_as_texts() {
        let (one, same, other) = (
            SharedText::new("prod"),
            SharedText::new("prod"),
            SharedText::new("test"),
        );
        assert!(Arc::ptr_eq(&one.0, &same.0));
        assert_eq!((one.cmp(&same), one.cmp(&other)), (Ordering::Equal, Ordering::Less));
        assert_eq!(one.as_str(), "prod");
        assert_ne!(one, other);
    }

    #[test]
    fn what_nobody_has_any_more_does_not_pile_up() {
        let kept = SharedText::new("kept");
        for n in 0..100_000 {
            SharedText::new(&format!("gone-{n}"));
        }
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).texts.len();
        assert!(known < 50_000, "{known}");
        assert!(Arc::ptr_eq(&SharedText::new("kept").0, &kept.0));
    }
}
