//! `steadfast look`: Flink and Kubernetes are asked about a job now, not when its next look is due.

use clap::Args;
use reqwest::StatusCode;

use super::client::{Client, ServerOptions, job_path};
use super::intent::is_about;
use super::job_arg::job;
use super::output::{Format, OutputOption};
use super::status::print_table;
use super::{Failure, complete, names, printer};

/// At which job.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// CLUSTER/NAMESPACE/NAME, or the end of it if only one job ends so.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job)]
    job: String,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

/// Has the engine look, and shows the job as it is then.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let look = async |id: &str| client.post_for(&job_path(id, "/look")?).await;
    let (id, (status, job)) = names::on(&client, &options.job, look).await?;
    is_about(&id, &job)?;
    match &options.output.format {
        Format::People(detail) => print_table(std::slice::from_ref(&job), *detail, client.clock())?,
        Format::Data(data) => printer::data(&data.shown(&job)?)?,
    }
    if status == StatusCode::ACCEPTED {
        printer::note("no answer has been judged yet: this is what was known before");
    }
    Ok(())
}
