//! Where evidence comes from: Kubernetes and Flink. Every error becomes a fault, and a fault is unknown.
//!
//! Nothing here decides anything. [`kubernetes`] sends news of lists and watches, [`flink`] reads REST answers,
//! [`last_words`] reads logs, [`ends`] reads what outlives a cluster. All bytes to Flink travel through [`transport`],
//! all files through [`ends::Files`].

pub mod ends;
pub mod flink;
pub mod kubernetes;
pub mod last_words;
pub mod route;
pub mod transport;
