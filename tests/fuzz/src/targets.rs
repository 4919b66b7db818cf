//! The targets, each in a file of its own.

mod api;
mod config;
mod decision;
mod flink_bodies;
mod flink_list;
mod job_results;
mod kube_lists;
mod kube_lookups;
mod kube_watch;
mod kubeconfig;
mod last_words;
mod names;
mod oci;
mod policy;
mod rows;
mod store;

use crate::Target;

/// All of them.
pub const TARGETS: &[Target] = &[
    flink_list::TARGET,
    flink_bodies::TARGET,
    kube_lists::TARGET,
    kube_watch::TARGET,
    kube_lookups::TARGET,
    job_results::TARGET,
    last_words::TARGET,
    config::TARGET,
    kubeconfig::TARGET,
    policy::TARGET,
    decision::TARGET,
    api::TARGET,
    oci::TARGET,
    names::TARGET,
    rows::TARGET,
    store::TARGET,
];
