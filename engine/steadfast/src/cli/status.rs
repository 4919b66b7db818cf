//! `steadfast status`.

use anyhow::anyhow;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use futures::{StreamExt, TryStreamExt};
use reqwest::Response;
use serde_json::Value;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::io::StreamReader;

use super::client::{Client, ServerOptions, job_path};
use super::{Failure, Output, printer};

/// The longest event that is read, in bytes.
const LINE: usize = 1 << 20;

/// Shows the jobs, once or as they change.
pub(super) async fn show(
    server: &ServerOptions,
    watch: bool,
    output: Output,
    job: Option<&str>,
) -> Result<(), Failure> {
    let client = Client::new(server)?;
    // Followed from before the list is read: a change in between is told twice rather than missed.
    let events = if watch {
        Some(client.stream("/api/v1/events").await?)
    } else {
        None
    };
    let items = match job {
        Some(job) => vec![client.get(&job_path(job, "")?).await?],
        None => client.items("/api/v1/jobs").await?,
    };
    match output {
        Output::Table => printer::data(&format!("{}\n", table(&items))),
        Output::Json => printer::json(&Value::Array(items)),
    }
    match events {
        Some(events) => follow(&client, events, output, job).await,
        None => Ok(()),
    }
}

/// The text at a place, or a dash.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
}

fn table(items: &[Value]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_header(["JOB", "STATE", "CONFIDENCE", "ATTEMPT", "SINCE", "CONDITIONS", "REASON"]);
    for item in items {
        let conditions: Vec<&str> = item
            .pointer("/conditions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|condition| text(condition, "/type"))
            .collect();
        table.add_row([
            text(item, "/id").to_owned(),
            text(item, "/state").to_owned(),
            text(item, "/confidence").to_owned(),
            item.pointer("/attempt").map_or_else(String::new, Value::to_string),
            text(item, "/since").to_owned(),
            conditions.join(","),
            text(item, "/reason/message").to_owned(),
        ]);
    }
    table
}

/// Prints a line for each change. It does not end well: either a person ends it, or the engine goes away.
async fn follow(client: &Client, events: Response, output: Output, job: Option<&str>) -> Result<(), Failure> {
    let bytes = events.bytes_stream().map_err(std::io::Error::other);
    let mut lines = FramedRead::new(StreamReader::new(bytes), LinesCodec::new_with_max_length(LINE));
    let mut name = String::new();
    while let Some(line) = lines.next().await {
        let line =
            line.map_err(|error| Failure::Unreachable(anyhow::Error::new(error).context("the event stream broke")))?;
        if let Some(said) = line.strip_prefix("event:") {
            said.trim().clone_into(&mut name);
        }
        let Some(event) = line
            .strip_prefix("data:")
            .and_then(|data| serde_json::from_str::<Value>(data.trim()).ok())
        else {
            continue;
        };
        let subject = text(&event, "/job");
        if job.is_some_and(|job| job != subject) {
            continue;
        }
        match output {
            Output::Json => printer::data(&format!("{event}\n")),
            Output::Table if name == "forgotten" => {
                printer::data(&format!("{}  {subject}  forgotten\n", text(&event, "/at")));
            }
            Output::Table => {
                // By now it may be forgotten; the event that says so comes next.
                let Some(current) = client.find(&job_path(subject, "")?).await? else {
                    continue;
                };
                printer::data(&format!(
                    "{}  {subject}  {}  {}  {}\n",
                    text(&event, "/at"),
                    text(&current, "/state"),
                    text(&current, "/confidence"),
                    text(&current, "/reason/message")
                ));
            }
        }
    }
    Err(Failure::Unreachable(anyhow!(
        "the engine ended the event stream; it may be stopping"
    )))
}
