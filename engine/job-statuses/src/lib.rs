//! `JobStatus`: the record of a job as a resource of the cluster that it runs in, for `kubectl`, for `kubectl wait` and for whatever
//! else reads Kubernetes.
//!
//! The record stays in the store. The resource is a projection of it: made of what is committed, compared with what the cluster has
//! at the start and every now and then, written where it differs, and deleted with its record. Nothing is ever read back from it.
//!
//! 1. [`desired`]: from a record to the resource, purely;
//! 2. [`Book`](book::Book): which resources differ from their records, and which is due, purely;
//! 3. [`Bucket`](bucket::Bucket): how many writes there may be;
//! 4. [`Keeper`]: the loop, over a [`Cluster`].

mod book;
mod bucket;
mod cluster;
mod desired;
mod keeper;
mod metrics;
mod name;
mod resource;
mod standing;
mod task;
mod trouble;

#[cfg(test)]
mod testing;

pub use bucket::{BURST, WRITES_A_SECOND};
pub use cluster::{Cluster, Found, Listed, Place, is_installed};
pub use keeper::{Following, Keeper, Settings};
pub use metrics::Metrics;
pub use name::{label_value, object_name};
pub use resource::{GROUP, PLURAL, VERSION};
pub use standing::Standing;
