//! Where evidence comes from: Kubernetes and Flink. Every error becomes a fault, and a fault is unknown.
//!
//! Nothing here decides anything. [`kubernetes`] sends news of lists and watches, [`flink`] reads REST answers,
//! [`last_words`] reads logs, and [`transport`] is the seam through which all bytes to Flink travel.

pub mod flink;
pub mod kubernetes;
pub mod last_words;
pub mod route;
pub mod transport;
