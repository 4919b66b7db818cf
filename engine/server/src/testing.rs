//! An API under test: a real store in memory, and an engine behind it that answers as it is told.

mod closeup;
mod control;
mod damaged;
mod engine;
mod records;
mod requests;
mod server;

pub(crate) use records::{AT, SESSION_JOB, key, moved, record};
pub(crate) use requests::{read, request};
pub(crate) use server::TestServer;
