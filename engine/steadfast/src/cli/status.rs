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
    let lost = store_line(&client).await;
    if let Some(line) = &lost {
        print_line(line, output)?;
    }
    print_reload(&client, output).await?;
    print_records(&client, output, job).await?;
    print_list(&client, &list, output, job).await?;
    match events {
        Some(events) => follow(&client, events, (Told::new(&list), lost), output, job).await,
        // What is decided now is not on record, and what is shown may be long over.
        None if lost.is_some() => Err(Failure::Reported),
        // What is shown is then not all there is: a script that counts jobs must not take it for that.
        None if concerned(&list, job).any(|cluster| cluster.never_read) => Err(Failure::Reported),
        None => Ok(()),
    }
}

/// The store takes nothing: a line that says so, or none.
async fn store_line(client: &Client) -> Option<String> {
    let ready = client.probe("/readyz").await?;
    let problem = ready.get("store")?.as_str()?;
    Some(format!("store: {problem}; what is shown is what was written before"))
}

/// Beside data for programs a line is a word to whoever reads it.
fn print_line(line: &str, output: Output) -> Result<(), PrintError> {
    match output {
        Output::Table => printer::data(&format!("{line}\n")),
        Output::Json => {
            printer::note(line);
            Ok(())
        }
    }
}

/// The clusters that bear on what is shown.
fn concerned<'a>(list: &'a ClusterList, job: Option<&'a str>) -> impl Iterator<Item = &'a Cluster> {
    let of_job = job.and_then(|job| job.split('/').next());
    list.items
        .iter()
        .filter(move |cluster| of_job.is_none_or(|name| name == cluster.name))
}

/// The jobs, and above them each cluster that cannot be read.
async fn print_list(client: &Client, list: &ClusterList, output: Output, job: Option<&str>) -> Result<(), Failure> {
    for line in concerned(list, job).filter_map(|cluster| clusters::line(cluster, SystemClock.now())) {
        print_line(&line, output)?;
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

/// What the configuration says now was refused: a line that says so. An engine that cannot say goes without.
async fn print_reload(client: &Client, output: Output) -> Result<(), PrintError> {
    let Ok(Some(policies)) = client.find("/api/v1/policies").await else {
        return Ok(());
    };
    if text(&policies, "/lastReload/result") != "refused" {
        return Ok(());
    }
    let (at, why) = (
        text(&policies, "/lastReload/at"),
        text(&policies, "/lastReload/message"),
    );
    let line = format!("configuration: what it says was refused {at}, and the policies of before go on: {why}");
    print_line(&line, output)
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
        print_line(&line, output)?;
    }
    Ok(())
}

/// The text at a place, or a dash.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
}

/// Intents and alerts have a column where there are any, so that the table stays narrow.
fn table(items: &[Value]) -> Table {
    let alerts = |item: &Value| names(item, "/alerts", "/alert");
    let intent = |item: &Value| {
        item.pointer("/intent/intent")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let has_alerts = items.iter().any(|item| !alerts(item).is_empty());
    let has_intents = items.iter().any(|item| !intent(item).is_empty());
    let mut header = vec!["JOB", "STATE", "CONFIDENCE", "ATTEMPT", "SINCE", "CONDITIONS"];
    header.extend(has_alerts.then_some("ALERTS"));
    header.extend(has_intents.then_some("INTENT"));
    header.push("REASON");
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    for item in items {
        let mut row = vec![
            text(item, "/id").to_owned(),
            text(item, "/state").to_owned(),
            text(item, "/confidence").to_owned(),
            item.pointer("/attempt").map_or_else(String::new, Value::to_string),
            text(item, "/since").to_owned(),
            names(item, "/conditions", "/type"),
        ];
        row.extend(has_alerts.then(|| alerts(item)));
        row.extend(has_intents.then(|| intent(item)));
        row.push(text(item, "/reason/message").to_owned());
        table.add_row(row);
    }
    table
}

/// What the items of a list are called.
fn names(item: &Value, list: &str, name: &str) -> String {
    let all = item.pointer(list).and_then(Value::as_array).into_iter().flatten();
    all.map(|one| text(one, name)).collect::<Vec<_>>().join(",")
}

/// Prints a line for each change, and the list again where changes may have been missed. It ends only with an error:
/// when the engine goes away for good, or a person interrupts it.
async fn follow(
    client: &Client,
    mut events: Events<'_>,
    (mut told, mut lost): (Told, Option<String>),
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
                    _ = ticks.tick() => {
                        print_store(client, &mut lost, output).await?;
                        print_clusters(client, &mut told, output, job).await?;
                    }
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

/// Prints a line when the store is lost, and when it is back.
async fn print_store(client: &Client, lost: &mut Option<String>, output: Output) -> Result<(), PrintError> {
    let now = store_line(client).await;
    match (lost.is_some(), &now) {
        (false, Some(line)) => print_line(line, output)?,
        (true, None) => print_line("store: it takes what is decided again", output)?,
        (false, None) | (true, Some(_)) => {}
    }
    *lost = now;
    Ok(())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn alerts_and_intents_have_a_column_where_there_are_any() {
        let job =
            |alerts: Value, intent: Value| json!({"id": "prod/default/orders", "alerts": alerts, "intent": intent});
        let shown = |items: &[Value]| table(items).to_string();
        let plain = shown(&[job(json!([]), Value::Null)]);
        assert!(!plain.contains("ALERTS") && !plain.contains("INTENT"), "{plain}");
        let alerts = json!([{"alert": "JobFailed"}, {"alert": "NoCheckpoint"}]);
        let told = shown(&[job(alerts, Value::Null), job(json!([]), json!({"intent": "cancel"}))]);
        for said in ["ALERTS", "JobFailed,NoCheckpoint", "INTENT", "cancel"] {
            assert!(told.contains(said), "{told}");
        }
    }
}
