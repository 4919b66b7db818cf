//! `steadfast silence`: an alert of a job that somebody knows about, and nobody is to be told of for a while.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use steadfast_core::duration::parse_duration;
use steadfast_core::time::{Clock as _, Timestamp};

use super::client::{Client, ServerOptions, job_path, segment};
use super::intent::is_about;
use super::job_arg::job;
use super::output::{Format, OutputOption};
use super::{Failure, complete, names, printer};
use crate::run::SystemClock;

pub(super) const AFTER_HELP: &str = "\
While a silence stands, sinks are not told that the alert fires; it is shown all the same. A silence outlives its alert until its time,
at most for 30 days; if the alert stands then, sinks are told.

Examples:
  steadfast silence orders JobFailed --for 2h --comment 'being repaired'
  steadfast silence orders JobFailed --end";

/// Which alert of which job, and for how long.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("time").required(true).args(["span", "until", "end"]))]
pub(super) struct Options {
    /// CLUSTER/NAMESPACE/NAME, or the end of it if only one job ends so.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job)]
    job: String,
    /// The alert's name, as `steadfast alerts` shows it.
    #[arg(value_name = "ALERT")]
    alert: String,
    /// For how long, such as 2h.
    #[arg(long = "for", value_name = "SPAN", value_parser = span)]
    span: Option<Duration>,
    /// Until when (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// End the silence now.
    #[arg(long, conflicts_with_all = ["comment", "author"])]
    end: bool,
    /// Why, for whoever sees it.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// For whom; the engine knows who the token belongs to anyway.
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a span such as 30m, 2h or 7d".to_owned())
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "write a time such as 2026-11-23T01:13:29Z".to_owned())
}

/// Has the engine begin or end a silence.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let below = format!("/silences/{}", segment(&options.alert));
    let now = SystemClock.now();
    let until = options.until.or(options.span.map(|span| now.after(span)));
    let write = async |id: &str| {
        let path = job_path(id, &below)?;
        let Some(until) = until else {
            return client.delete_for(&path).await;
        };
        let mut body = json!({ "until": until.to_string() });
        for (key, text) in [("comment", &options.comment), ("author", &options.author)] {
            if let (Some(text), Some(body)) = (text, body.as_object_mut()) {
                body.insert(key.to_owned(), json!(text));
            }
        }
        client.put(&path, &body).await
    };
    let (id, job) = names::on(&client, &options.job, write).await?;
    is_about(&id, &job)?;
    let alert = &options.alert;
    printer::note(&match until {
        Some(until) => {
            format!("{alert} of {id} is silenced until {until}: sinks are not told of it, and it is shown all the same")
        }
        None => format!("{alert} of {id} is silenced no more: sinks are told of it if it stands"),
    });
    match &options.output.format {
        Format::People(_) => Ok(()),
        Format::Data(data) => Ok(printer::data(&data.shown(&job)?)?),
    }
}
