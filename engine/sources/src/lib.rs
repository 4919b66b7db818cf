//! Where evidence comes from: Kubernetes and Flink. Every error becomes a fault, and a fault is unknown.
//!
//! Nothing here decides anything. [`kubernetes`] lists and watches, [`flink`] reads REST answers, [`last_words`] reads
//! logs, [`job_results`] reads what outlives a cluster. All bytes to Flink travel through [`transport`], all files
//! through [`job_results::Files`], and all JSON is read by `json`.

// Tests read what they have written.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod authorized;
pub mod budget;
pub mod flink;
pub mod job_results;
pub mod kubernetes;
pub mod last_words;
pub mod route;
pub mod transport;

pub(crate) use steadfast_http::json;
