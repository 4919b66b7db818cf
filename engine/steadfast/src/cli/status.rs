//! `steadfast status`.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

use super::client::{Client, ServerOptions, job_path};
use super::follow::{Events, Heard};
use super::{Failure, Output, printer};

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
        Some(Events::open(&client).await?)
    } else {
        None
    };
    print_list(&client, output, job).await?;
    match events {
        Some(events) => follow(&client, events, output, job).await,
        None => Ok(()),
    }
}

async fn print_list(client: &Client, output: Output, job: Option<&str>) -> Result<(), Failure> {
    let items = match job {
        Some(job) => vec![client.get(&job_path(job, "")?).await?],
        None => client.items("/api/v1/jobs").await?,
    };
    match output {
        Output::Table => printer::data(&format!("{}\n", table(&items))),
        Output::Json => printer::json(&Value::Array(items)),
    }
    Ok(())
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

/// Prints a line for each change, and the list again where changes may have been missed. It ends only with an error:
/// when the engine goes away for good, or a person interrupts it.
async fn follow(client: &Client, mut events: Events<'_>, output: Output, job: Option<&str>) -> Result<(), Failure> {
    loop {
        match events.next().await? {
            Heard::Event { name, data } => print_event(client, &name, &data, output, job).await?,
            Heard::Gap => {
                printer::note("changes may have been missed; the jobs as they are now:");
                print_list(client, output, job).await?;
            }
        }
    }
}

async fn print_event(
    client: &Client,
    name: &str,
    event: &Value,
    output: Output,
    job: Option<&str>,
) -> Result<(), Failure> {
    let subject = text(event, "/job");
    if job.is_some_and(|job| job != subject) {
        return Ok(());
    }
    match output {
        Output::Json => printer::data(&format!("{event}\n")),
        Output::Table if name == "forgotten" => {
            printer::data(&format!("{}  {subject}  forgotten\n", text(event, "/at")));
        }
        Output::Table => {
            // By now it may be forgotten; the event that says so comes next.
            let Some(current) = client.find(&job_path(subject, "")?).await? else {
                return Ok(());
            };
            printer::data(&format!(
                "{}  {subject}  {}  {}  {}\n",
                text(event, "/at"),
                text(&current, "/state"),
                text(&current, "/confidence"),
                text(&current, "/reason/message")
            ));
        }
    }
    Ok(())
}
