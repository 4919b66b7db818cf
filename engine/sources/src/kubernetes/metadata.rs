//! What every object of Kubernetes says of itself: the one place where its names are read.
//!
//! A name is an identity: it makes paths, keys and the record's own address. One that cannot be a name of Kubernetes' is
//! not cut or mended, which could make it another object's; the object is malformed.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use steadfast_core::id::{Namespace, Uid};
use steadfast_core::labels::Labels;
use steadfast_core::time::Timestamp;

/// The longest name (RFC 1123 has 253 characters for a DNS subdomain name).
const NAME: usize = 253;
/// The longest UID; Kubernetes' own have 36 characters.
const UID: usize = 128;
/// The longest name of a label: a name's length, a slash, and 63 characters.
const LABEL: usize = NAME + 1 + LABEL_VALUE;
/// The longest value of a label.
const LABEL_VALUE: usize = 63;

/// Namespace, name and UID; `None` if the object lacks its name or its UID, or one of them cannot be such.
pub(super) fn identity(metadata: &ObjectMeta) -> Option<(Namespace, String, Uid)> {
    let (namespace, name) = namespaced_name(metadata.namespace.as_deref(), metadata.name.as_deref()?)?;
    let uid = metadata.uid.as_deref().filter(|uid| is_visible(uid, UID))?;
    Some((namespace, name, Uid::new(uid)))
}

/// A namespace, `default` where none is named, and a name; `None` if one of them cannot be such.
pub(super) fn namespaced_name(namespace: Option<&str>, name: &str) -> Option<(Namespace, String)> {
    let namespace = object_name(namespace.unwrap_or("default"))?;
    Some((Namespace::new(namespace), object_name(name)?))
}

/// The name of an object; `None` if it cannot be one. Kinds differ in what they allow; all of them allow less than a segment
/// of a path (k8s.io/apimachinery, `path.IsValidPathSegmentName`).
pub(super) fn object_name(name: &str) -> Option<String> {
    let is_segment = !matches!(name, "." | "..") && !name.contains(['/', '%', '?', '#']);
    (is_segment && is_visible(name, NAME)).then(|| name.to_owned())
}

/// `metadata.labels`; `None` if one of them cannot be a label: policies are chosen by them.
pub(super) fn labels(labels: Option<BTreeMap<String, String>>) -> Option<Labels> {
    let labels = labels.unwrap_or_default();
    let is_label = |(name, value): (&String, &String)| {
        is_visible(name, LABEL) && (value.is_empty() || is_visible(value, LABEL_VALUE))
    };
    labels.iter().all(is_label).then(|| labels.into())
}

/// A moment as the API writes it, which is to the second. One that cannot be gone on from counts as the last one that can: that an
/// object goes is said by the presence of its moment.
pub(super) fn timestamp(time: Option<&Time>) -> Option<Timestamp> {
    time.map(|time| Timestamp::from_millis(time.0.as_second().saturating_mul(1_000)).min(Timestamp::LATEST))
}

/// Whether a text is made of letters, digits and marks of ASCII alone, at least one and at most so many.
fn is_visible(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
