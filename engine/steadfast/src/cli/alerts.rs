//! `steadfast alerts`: what stands now, and what of it nobody is told.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use steadfast_core::time::{Clock as _, Timestamp};

use super::age::age;
use super::client::{Client, ServerOptions};
use super::clusters::{self, Coverage};
use super::filter::Filter;
use super::names::JOBS;
use super::output::{Detail, Format, OutputOption};
use super::screen::{BAD, OVER, Screen};
use super::status::{print_line, text};
use super::table::{Cell, Column, Table};
use super::{Failure, printer};
use crate::run::SystemClock;

const PATH: &str = "/api/v1/alerts";

pub(super) const AFTER_HELP: &str = "\
Exit code 1: a cluster of the configuration was never read since the engine started, so that alerts may be missing; a line above them
names it, on standard error with `--output json` and the like.";

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
    let filter = options.filter.counted(&client).await;
    let list = clusters::read(&client).await?;
    let concerned = || list.items.iter().filter(|cluster| filter.concerns(cluster));
    let now = SystemClock.now();
    for line in concerned().filter_map(|cluster| clusters::line(cluster, now)) {
        print_line(&line, &options.output.format)?;
    }
    let mut query = filter.query();
    query.extend(options.status.map(|status| ("status", status.word().to_owned())));
    let items = match client.items(PATH, &query).await {
        Err(Failure::Missing(_)) => of_jobs(&client.items(JOBS, &[]).await?, options.status, &filter),
        items => items?,
    };
    let coverage = Coverage::of(concerned());
    match &options.output.format {
        Format::People(detail) => {
            let mut screen = Screen::of_stdout();
            if *detail == Detail::Wide {
                screen.width = None;
            }
            printer::page(&table(&items, now).shown(screen))?;
            if items.is_empty() {
                printer::note(&coverage.none(none(options)));
            }
        }
        Format::Data(data) => printer::data(&data.shown(&json!({ "items": items }))?)?,
    }
    match coverage {
        Coverage::Whole => Ok(()),
        Coverage::Partial => Err(Failure::Reported),
    }
}

fn none(options: &Options) -> &'static str {
    if options.filter.is_empty() && options.status.is_none() {
        "no alert stands"
    } else {
        "no alert as asked for stands"
    }
}

/// What an engine of an earlier version shows with its jobs. It silences nothing.
fn of_jobs(jobs: &[Value], status: Option<Status>, filter: &Filter) -> Vec<Value> {
    if status == Some(Status::Silenced) {
        return Vec::new();
    }
    let mut items: Vec<Value> = Vec::new();
    for job in jobs.iter().filter(|job| filter.takes(job)) {
        let alerts = job.get("alerts").and_then(Value::as_array);
        for alert in alerts.into_iter().flatten() {
            let (name, scope) = (text(alert, "/alert"), text(alert, "/scope"));
            let is_same = |item: &&mut Value| {
                let about = |key: &str| text(item, &format!("/{key}")).to_owned();
                scope != "job"
                    && about("alert") == name
                    && about("scope") == scope
                    && match scope {
                        "policy" => about("policy") == text(job, "/policy"),
                        _ => about("cluster") == text(job, "/cluster"),
                    }
            };
            // Told once for all jobs that have it.
            if let Some(known) = items.iter_mut().find(is_same) {
                let jobs = known.get("jobs").and_then(Value::as_u64).unwrap_or(0) + 1;
                known["jobs"] = json!(jobs);
                continue;
            }
            items.push(json!({
                "alert": name, "scope": scope, "cluster": text(job, "/cluster"), "policy": text(job, "/policy"), "job": text(job, "/id"),
                "jobs": 1,
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
            "policy" => text(item, "/policy"),
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
            json!({ "alert": "PolicyFailing", "scope": "policy", "policy": "strict", "cluster": "prod", "job": "prod/pay/orders",
                "jobs": 3, "since": "2026-11-23T01:09:29Z", "message": "it traps" }),
            json!({ "alert": "JobFailed", "scope": "job", "cluster": "prod", "job": "prod/pay/orders", "jobs": 1,
                "since": "2026-11-22T23:13:29Z", "message": "it failed", "silencedUntil": "2026-11-24T00:00:00Z" }),
        ];
        let now = Timestamp::parse("2026-11-23T01:13:29Z").unwrap();
        let expected = "\
ALERT                SCOPE     ABOUT             JOBS   AGE    SILENCED-UNTIL         MESSAGE
ClusterUnreachable   cluster   prod              12     4m                            nobody answers
PolicyFailing        policy    strict            3      4m                            it traps
JobFailed            job       prod/pay/orders   1      120m   2026-11-24T00:00:00Z   it failed
";
        assert_eq!(table(&items, now).shown(Screen::default()), expected);
    }

    #[test]
    fn what_an_earlier_engine_shows_with_its_jobs_is_told_once_for_whom_it_is_about() {
        let job = |id: &str, policy: &str| {
            let alerts = [
                ("JobFailed", "job"),
                ("PolicyFailing", "policy"),
                ("ClusterUnreachable", "cluster"),
            ];
            let alerts =
                alerts.map(|(alert, scope)| json!({ "alert": alert, "scope": scope, "since": "", "message": "" }));
            json!({ "id": id, "cluster": "prod", "policy": policy, "alerts": alerts })
        };
        let jobs = [job("prod/a/x", "one"), job("prod/a/y", "one"), job("prod/a/z", "two")];
        let items = of_jobs(&jobs, None, &Filter::default());
        let mut told: Vec<String> = items
            .iter()
            .map(|item| format!("{} {} {}", text(item, "/alert"), text(item, "/policy"), item["jobs"]))
            .collect();
        told.sort();
        assert_eq!(
            told,
            [
                "ClusterUnreachable one 3",
                "JobFailed one 1",
                "JobFailed one 1",
                "JobFailed two 1",
                "PolicyFailing one 2",
                "PolicyFailing two 1"
            ]
        );
    }
}
