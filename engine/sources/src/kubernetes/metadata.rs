//! What every object of Kubernetes says of itself.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use steadfast_core::id::{Namespace, Uid};
use steadfast_core::time::Timestamp;

/// Namespace, name and UID; `None` if the object lacks its name or its UID.
pub(super) fn identity(metadata: &ObjectMeta) -> Option<(Namespace, String, Uid)> {
    let namespace = Namespace::new(metadata.namespace.as_deref().unwrap_or("default"));
    Some((namespace, metadata.name.clone()?, Uid::new(metadata.uid.as_deref()?)))
}

/// A moment as the API writes it, which is to the second.
pub(super) fn timestamp(time: Option<&Time>) -> Option<Timestamp> {
    time.map(|time| Timestamp::from_millis(time.0.as_millisecond()))
}
