//! The pure heart of Steadfast: what is known, what was decided, and what follows from it.
//!
//! Nothing here performs I/O, reads a clock or draws a random number on its own: time and
//! randomness are parameters, so that one input always gives one result.
//!
//! The modules follow the flow of data: [`evidence`] and [`facts`] are gathered on the
//! [`board`], frozen into a [`snapshot`], judged by a policy into a [`decision`], turned by the
//! [`planner`] into a change of the [`record`], committed to the [`journal`], and shown through
//! the [`projection`].

pub mod alert;
pub mod alternative;
pub mod backoff;
pub mod board;
pub mod decision;
pub mod evidence;
pub mod explanation;
pub mod facts;
pub mod id;
pub mod incarnation;
pub mod journal;
pub mod labels;
pub mod loopback;
pub mod news;
pub mod planner;
pub mod projection;
pub mod record;
pub mod recording;
pub mod replay;
pub mod schedule;
pub mod shadow;
pub mod snapshot;
pub mod state;
pub mod time;
pub mod tracked;
