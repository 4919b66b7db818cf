//! `steadfast intent`. An intent explains what will be seen; whoever takes it for the deed must be told otherwise.

use clap::ValueEnum;

use serde_json::Value;
use steadfast_core::id::JobKey;

use super::client::{Client, ServerOptions, job_path, no_engine};
use super::{Failure, printer};

/// What is wanted of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Wanted {
    /// It is meant to start: it is looked at, also if its watch sleeps. Starts nothing.
    Start,
    /// It is meant to end: its end will not be called an accident. Cancels nothing.
    Cancel,
    /// A savepoint is meant to be taken. Triggers none.
    Savepoint,
    /// Nothing is wanted any more: an end is an accident again.
    None,
}

impl Wanted {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Cancel => "cancel",
            Self::Savepoint => "savepoint",
            Self::None => "none",
        }
    }

    /// What noting it does, and what it does not do.
    fn effect(self) -> &'static str {
        match self {
            Self::Start => "a start is expected. Steadfast starts nothing: do that where you deploy",
            Self::Cancel => "an end will not be called an accident. Steadfast cancels nothing: do that in Flink",
            Self::Savepoint => "a savepoint is expected. Steadfast triggers none: do that in Flink",
            Self::None => "nothing is wanted any more, and an end will be called an accident again",
        }
    }
}

/// Has the engine note it.
pub(super) async fn note(server: &ServerOptions, job: &str, wanted: Wanted) -> Result<(), Failure> {
    let body = serde_json::json!({ "intent": wanted.word() });
    let noted = Client::new(server)?.put(&job_path(job, "/intent")?, &body).await?;
    if noted.get("id").and_then(Value::as_str) != JobKey::parse(job).map(|key| key.to_string()).as_deref() {
        return Err(no_engine("answered with something else than the job"));
    }
    printer::note(&format!("noted for {job}: {}", wanted.effect()));
    Ok(())
}
