//! `steadfast forget`.

use clap::Args;
use serde_json::json;

use super::client::{Client, ServerOptions, job_path};
use super::job_arg::job;
use super::output::{Format, OutputOption};
use super::{Failure, complete, names, printer};

/// Which record is removed.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// CLUSTER/NAMESPACE/NAME, or the end of it if only one job ends so.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job)]
    job: String,
    /// Even if the job is seen alive, and will be back at once without its history.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

/// Has the engine remove it.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let below = if options.force { "?force=true" } else { "" };
    let delete = async |id: &str| client.delete(&job_path(id, below)?).await;
    let (job, ()) = names::on(&client, &options.job, delete).await?;
    printer::note(&format!("{job} is forgotten"));
    match &options.output.format {
        Format::People(_) => Ok(()),
        Format::Data(data) => Ok(printer::data(&data.shown(&json!({ "id": job, "forgotten": true }))?)?),
    }
}
