//! The pure heart of Steadfast: what is known, what was decided, and what follows from it.
//!
//! Nothing here performs I/O, reads a clock or draws a random number on its own: time and
//! randomness are parameters, so that one input always gives one result.
//!
//! The modules follow the flow of data: [`evidence`] and [`facts`] are gathered on the
//! [`board`], frozen into a [`snapshot`] by [`observe`], judged by a policy into a [`decision`],
//! turned by the [`planner`] into a change of the [`record`], committed to the [`journal`], and
//! shown through the [`projection`].

pub mod alert;
pub mod backoff;
pub mod board;
pub mod call;
pub mod closeup;
pub mod cluster_alerts;
pub mod cluster_lists;
pub mod counterfactual;
pub mod decision;
pub mod duration;
pub mod error_chain;
pub mod event;
pub mod evidence;
pub mod explanation;
pub mod facts;
pub mod foreign_lines;
pub mod foreign_text;
pub mod glob;
pub mod id;
pub mod incarnation;
pub mod intents;
pub mod journal;
pub mod kube_update;
pub mod labels;
pub mod lookup;
pub mod loopback;
pub mod observe;
pub mod planner;
pub mod projection;
pub mod record;
pub mod recording;
pub mod replay;
pub mod requested_jobs;
pub mod rule;
pub mod schedule;
pub mod secret_url;
pub mod severity;
pub mod shadow;
pub mod shown;
pub mod silences;
pub mod snapshot;
pub mod state;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod timing;
mod told_since;
pub mod trace;
pub mod tracking;
pub mod wake;
