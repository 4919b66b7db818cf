//! A value or a list of values.

use std::ops::Deref;

use serde::Deserialize;

/// A value or a list of values, as a story may write either.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Written<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub struct OneOrMany<T>(Vec<T>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "not a known word, nor a list of known words")]
enum Written<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> From<Written<T>> for OneOrMany<T> {
    fn from(written: Written<T>) -> Self {
        match written {
            Written::One(one) => Self(vec![one]),
            Written::Many(many) => Self(many),
        }
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for OneOrMany<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}
