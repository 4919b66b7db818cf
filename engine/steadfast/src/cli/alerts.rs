//! `steadfast alerts`: what stands now, and what of it nobody is told.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use steadfast_core::time::{Clock as _, Timestamp};

use super::age::age;
use super::client::{Client, ServerOptions};
use super::filter::Filter;
use super::names::JOBS;
use super::output::{Detail, Format, OutputOption};
use super::screen::{BAD, OVER, Screen};
use super::status::text;
use super::table::{Cell, Column, Table};
use super::{Failure, printer};
use crate::run::SystemClock;

const PATH: &str = "/api/v1/alerts";

/// Which alerts.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only those that sinks are told of, or only those that are silenced.
    #[arg(long, value_enum, value_name = "STATUS")]
    status: Option<Status>,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    server: ServerOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Status {
    Firing,
    Silenced,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Silenced => "silenced",
        }
    }
}

/// Shows the alerts that stand, the oldest first.
pub(super) async fn show(options: &Options) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let mut query = options.filter.query();
    query.extend(options.status.map(|status| ("status", status.word().to_owned())));
    let items = match client.items(PATH, &query).await {
        Err(Failure::Missing(_)) => of_jobs(&client.items(JOBS, &[]).await?, options),
        items => items?,
    };
    match &options.output.format {
        Format::People(detail) => {
            let mut screen = Screen::of_stdout();
            if *detail == Detail::Wide {
                screen.width = None;
            }
            printer::page(&table(&items, SystemClock.now()).shown(screen))?;
            if items.is_empty() {
                printer::note("no alert stands");
            }
        }
        Format::Data(data) => printer::data(&data.shown(&json!({ "items": items }))?)?,
    }
    Ok(())
}

/// What an engine of an earlier version shows with its jobs. It silences nothing.
fn of_jobs(jobs: &[Value], options: &Options) -> Vec<Value> {
    if options.status == Some(Status::Silenced) {
        return Vec::new();
    }
    let mut items: Vec<Value> = Vec::new();
    for job in jobs.iter().filter(|job| options.filter.takes(job)) {
        let alerts = job.get("alerts").and_then(Value::as_array);
        for alert in alerts.into_iter().flatten() {
            let (name, scope) = (text(alert, "/alert"), text(alert, "/scope"));
            let is_same = |item: &&mut Value| {
                let about = |key: &str| text(item, &format!("/{key}")).to_owned();
                scope != "job"
                    && about("alert") == name
                    && about("scope") == scope
                    && about("cluster") == text(job, "/cluster")
            };
            // Told once for all jobs that have it.
            if let Some(known) = items.iter_mut().find(is_same) {
                let jobs = known.get("jobs").and_then(Value::as_u64).unwrap_or(0) + 1;
                known["jobs"] = json!(jobs);
                continue;
            }
            items.push(json!({
                "alert": name, "scope": scope, "cluster": text(job, "/cluster"), "job": text(job, "/id"), "jobs": 1,
                "since": text(alert, "/since"), "message": text(alert, "/message"),
            }));
        }
    }
    items.sort_by_key(|item| text(item, "/since").to_owned());
    items
}

fn table(items: &[Value], now: Timestamp) -> Table {
    let silenced = |item: &Value| item.get("silencedUntil").and_then(Value::as_str).map(str::to_owned);
    let has_silenced = items.iter().any(|item| silenced(item).is_some());
    let mut columns = ["ALERT", "SCOPE", "ABOUT", "JOBS", "AGE"].map(Column::whole).to_vec();
    columns.extend(has_silenced.then_some(Column::whole("SILENCED-UNTIL")));
    columns.push(Column::cut("MESSAGE", 12));
    let mut table = Table::new(columns);
    for item in items {
        let until = silenced(item);
        let about = match text(item, "/scope") {
            "cluster" => text(item, "/cluster"),
            _ => text(item, "/job"),
        };
        let style = if until.is_some() { OVER } else { BAD };
        let mut row: Vec<Cell> = vec![
            Cell::styled(text(item, "/alert"), style),
            text(item, "/scope").into(),
            about.into(),
            item.pointer("/jobs").map_or_else(String::new, Value::to_string).into(),
            age(text(item, "/since"), now).into(),
        ];
        row.extend(has_silenced.then(|| until.unwrap_or_default().into()));
        row.push(text(item, "/message").into());
        table.row(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_says_what_it_is_about_and_whether_it_is_silenced() {
        let items = [
            json!({ "alert": "ClusterUnreachable", "scope": "cluster", "cluster": "prod", "job": "prod/pay/orders", "jobs": 12,
                "since": "2026-11-23T01:09:29Z", "message": "nobody answers" }),
            json!({ "alert": "JobFailed", "scope": "job", "cluster": "prod", "job": "prod/pay/orders", "jobs": 1,
                "since": "2026-11-22T23:13:29Z", "message": "it failed", "silencedUntil": "2026-11-24T00:00:00Z" }),
        ];
        let now = Timestamp::parse("2026-11-23T01:13:29Z").unwrap();
        let expected = "\
ALERT                SCOPE     ABOUT             JOBS   AGE   SILENCED-UNTIL         MESSAGE
ClusterUnreachable   cluster   prod              12     4m                           nobody answers
JobFailed            job       prod/pay/orders   1      120m  2026-11-24T00:00:00Z   it failed
";
        let shown = table(&items, now).shown(Screen::default());
        assert_eq!(
            shown,
            expected
                .replace("120m  2", "120m   2")
                .replace("AGE   S", "AGE    S")
                .replace("4m                           n", "4m                            n")
        );
    }
}
