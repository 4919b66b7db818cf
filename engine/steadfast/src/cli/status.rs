//! `steadfast status`.

use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;
use steadfast_core::time::Clock;
use steadfast_server::{Cluster, ClusterList};
use tokio::time::{MissedTickBehavior, interval};

use super::client::{Client, ServerOptions, job_path};
use super::clusters::{self, Told};
use super::follow::{Events, Heard};
use super::printer::PrintError;
use super::{Failure, Output, printer};
use crate::run::SystemClock;

/// How often the clusters are asked for while changes are followed: what can be read of them is no event of the journal.
const CLUSTERS: Duration = Duration::from_secs(2);

/// Shows the jobs, once or as they change.
pub(super) async fn show(
    server: &ServerOptions,
    watch: bool,
    output: Output,
    job: Option<&str>,
) -> Result<(), Failure> {
    // What is no job is a mistake of the command line, whatever the engine says.
    job.map(|job| job_path(job, "")).transpose()?;
    let client = Client::new(server)?;
    // Followed from before the list is read: a change in between is told twice rather than missed.
    let events = if watch {
        Some(Events::open(&client).await?)
    } else {
        None
    };
    let list = clusters::read(&client).await?;
    print_records(&client, output, job).await?;
    print_list(&client, &list, output, job).await?;
    match events {
        Some(events) => follow(&client, events, Told::new(&list), output, job).await,
        // What is shown is then not all there is: a script that counts jobs must not take it for that.
        None if concerned(&list, job).any(|cluster| cluster.never_read) => Err(Failure::Reported),
        None => Ok(()),
    }
}

/// The clusters that bear on what is shown.
fn concerned<'a>(list: &'a ClusterList, job: Option<&'a str>) -> impl Iterator<Item = &'a Cluster> {
    let of_job = job.and_then(|job| job.split('/').next());
    list.items
        .iter()
        .filter(move |cluster| of_job.is_none_or(|name| name == cluster.name))
}

/// The jobs, and above them each cluster that cannot be read: beside data for programs that is a word to whoever reads it.
async fn print_list(client: &Client, list: &ClusterList, output: Output, job: Option<&str>) -> Result<(), Failure> {
    for line in concerned(list, job).filter_map(|cluster| clusters::line(cluster, SystemClock.now())) {
        match output {
            Output::Table => printer::data(&format!("{line}\n"))?,
            Output::Json => printer::note(&line),
        }
    }
    let items = match job {
        Some(job) => vec![client.get(&job_path(job, "")?).await?],
        None => client.items("/api/v1/jobs").await?,
    };
    match output {
        Output::Table => printer::data(&format!("{}\n", table(&items)))?,
        Output::Json => printer::json(&Value::Array(items))?,
    }
    Ok(())
}

/// A line for each record that did not read, and each job of which the store takes nothing. An engine of an earlier version
/// does not say, and one whose store cannot be read says so in `/readyz`: the jobs are shown all the same.
async fn print_records(client: &Client, output: Output, job: Option<&str>) -> Result<(), PrintError> {
    let Ok(Some(store)) = client.find("/api/v1/store").await else {
        return Ok(());
    };
    let of = |what: &str| {
        store
            .pointer(what)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let is_asked = |row: &Value| job.is_none_or(|job| job == text(row, "/job"));
    let aside = of("/quarantined");
    let aside = aside.iter().filter(|row| is_asked(row)).map(|row| {
        format!(
            "store: the record of {} did not read and was set aside {}: {}",
            text(row, "/job"),
            text(row, "/at"),
            text(row, "/why")
        )
    });
    let unwritten = of("/unwritten");
    let unwritten = unwritten.iter().filter(|row| is_asked(row)).map(|row| {
        format!(
            "store: what is decided of {} is not taken: {}",
            text(row, "/job"),
            text(row, "/why")
        )
    });
    for line in aside.chain(unwritten) {
        match output {
            Output::Table => printer::data(&format!("{line}\n"))?,
            Output::Json => printer::note(&line),
        }
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
async fn follow(
    client: &Client,
    mut events: Events<'_>,
    mut told: Told,
    output: Output,
    job: Option<&str>,
) -> Result<(), Failure> {
    let mut ticks = interval(CLUSTERS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let heard = {
            // Kept over the ticks: a stream that is being opened anew must not begin from the start each time.
            let next = events.next();
            tokio::pin!(next);
            loop {
                tokio::select! {
                    biased;
                    heard = &mut next => break heard?,
                    _ = ticks.tick() => print_clusters(client, &mut told, output, job).await?,
                }
            }
        };
        match heard {
            Heard::Event { name, data } => print_event(client, &name, &data, output, job).await?,
            Heard::Gap => {
                printer::note("changes may have been missed; the jobs as they are now:");
                let list = clusters::read(client).await?;
                told = Told::new(&list);
                print_list(client, &list, output, job).await?;
            }
        }
    }
}

/// Prints a line for each cluster of which other things can be read now than before.
async fn print_clusters(client: &Client, told: &mut Told, output: Output, job: Option<&str>) -> Result<(), PrintError> {
    // An engine that is away for a moment is the event stream's business.
    let Ok(list) = clusters::read(client).await else {
        return Ok(());
    };
    let changed = ClusterList {
        items: told.changes(&list),
        standalone: None,
    };
    for cluster in concerned(&changed, job) {
        match output {
            Output::Table => printer::endless(&format!("{}\n", clusters::change(cluster, SystemClock.now())))?,
            Output::Json => printer::endless(&format!("{}\n", serde_json::json!({ "cluster": cluster })))?,
        }
    }
    Ok(())
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
        Output::Json => printer::endless(&format!("{event}\n"))?,
        Output::Table if name == "forgotten" => {
            printer::endless(&format!("{}  {subject}  forgotten\n", text(event, "/at")))?;
        }
        Output::Table if name == "unreadable" => {
            printer::endless(&format!(
                "entry {} of {subject} does not read: {}\n",
                event.pointer("/sequence").map_or_else(String::new, Value::to_string),
                text(event, "/why")
            ))?;
        }
        Output::Table => {
            // By now it may be forgotten; the event that says so comes next.
            let Some(current) = client.find(&job_path(subject, "")?).await? else {
                return Ok(());
            };
            printer::endless(&format!(
                "{}  {subject}  {}  {}  {}\n",
                text(event, "/at"),
                text(&current, "/state"),
                text(&current, "/confidence"),
                text(&current, "/reason/message")
            ))?;
        }
    }
    Ok(())
}
