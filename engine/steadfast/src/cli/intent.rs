//! `steadfast intent`. An intent explains what will be seen; whoever takes it for the deed must be told otherwise.

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::client::{Client, ServerOptions, job_path, no_engine};
use super::job_arg::job;
use super::output::{Format, OutputOption};
use super::{Failure, complete, names, printer};

/// What is wanted of which job.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// CLUSTER/NAMESPACE/NAME, or the end of it if only one job ends so.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job)]
    job: String,
    /// What is wanted.
    #[arg(value_enum)]
    intent: Wanted,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

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
pub(super) async fn note(options: &Options) -> Result<(), Failure> {
    let (client, wanted) = (Client::new(&options.server)?, options.intent);
    let body = serde_json::json!({ "intent": wanted.word() });
    let put = async |id: &str| client.put(&job_path(id, "/intent")?, &body).await;
    let (job, noted) = names::on(&client, &options.job, put).await?;
    is_about(&job, &noted)?;
    printer::note(&format!("noted for {job}: {}", wanted.effect()));
    match &options.output.format {
        Format::People(_) => Ok(()),
        Format::Data(data) => Ok(printer::data(&data.shown(&noted)?)?),
    }
}

/// Whether an engine answered with the job that was written about.
pub(super) fn is_about(job: &str, answer: &Value) -> Result<(), Failure> {
    if answer.get("id").and_then(Value::as_str) == Some(job) {
        return Ok(());
    }
    Err(no_engine("answered with something else than the job"))
}
