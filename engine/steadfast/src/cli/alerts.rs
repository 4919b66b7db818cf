//! `steadfast alerts`: what stands now, and what of it nobody is told.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use steadfast_core::time::Timestamp;

use super::age::age;
use super::client::{Client, Found, ServerOptions};
use super::clusters::{self, Coverage};
use super::filter::Filter;
use super::names::JOBS;
use super::output::{Detail, Format, OutputOption};
use super::screen::{BAD, OVER, Screen};
use super::status::{print_line, text};
use super::table::{Cell, Column, Table};
use super::{Failure, printer};

const PATH: &str = "/api/v1/alerts";
/// Of how many jobs it is asked why something is silenced.
const MOST_COMMENTS: usize = 100;

pub(super) const AFTER_HELP: &str = "\
Exit code 1: a cluster of the configuration was never read since the engine started, so that alerts may be missing; a line above them
names it, on standard error with `--output json` and the like.";

/// Which alerts.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only those that sinks are told of, or only those that are silenced, with silences whose alert does not stand now.
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
    list.refuse_unknown(&client, &filter.cluster).await?;
    let concerned = || list.items.iter().filter(|cluster| filter.concerns(cluster));
    let now = client.clock();
    for line in concerned().filter_map(|cluster| clusters::line(cluster, now)) {
        print_line(&line, &options.output.format)?;
    }
    let mut query = filter.query();
    query.extend(options.status.map(|status| ("status", status.word().to_owned())));
    let items = match client.items(PATH, &query).await {
        Err(Failure::Missing(_)) => of_jobs(&client.items(JOBS, &[]).await?, options.status, &filter),
        items => items?,
    };
    let silences = match options.status {
        Some(Status::Silenced) => waiting(&client, &filter).await?,
        Some(Status::Firing) | None => Vec::new(),
    };
    let coverage = Coverage::of(concerned());
    match &options.output.format {
        Format::People(detail) => {
            let items = [items, silences.iter().map(row_of).collect()].concat();
            let comments = match detail {
                Detail::Wide => comments(&client, &items).await?,
                Detail::Usual => Comments::new(),
            };
            let mut screen = Screen::of_stdout();
            if *detail == Detail::Wide {
                screen.width = None;
            }
            printer::page(&table(&items, &comments, now).shown(screen))?;
            if items.is_empty() {
                printer::note(&coverage.none(none(options)));
                if let Some(line) = clusters::unknown_word(&client, &filter).await {
                    printer::note(&line);
                }
            }
        }
        Format::Data(data) => {
            let document = match options.status {
                Some(Status::Silenced) => json!({ "items": items, "silences": silences }),
                Some(Status::Firing) | None => json!({ "items": items }),
            };
            printer::data(&data.shown(&document)?)?;
        }
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

/// Silences that silence nothing that stands: they are for when it does, or their alert's name is mistyped.
async fn waiting(client: &Client, filter: &Filter) -> Result<Vec<Value>, Failure> {
    // A job that has none of the alerts may be silenced for it.
    let jobs = client.items(JOBS, &filter.of_any_alert().query()).await?;
    let mut silences = Vec::new();
    for job in &jobs {
        let standing: Vec<&str> = listed(job, "alerts").map(|alert| text(alert, "/alert")).collect();
        for silence in listed(job, "silences") {
            let alert = text(silence, "/alert");
            if !standing.contains(&alert) && filter.takes_alert(alert) {
                silences.push((job, silence));
            }
        }
    }
    if silences.is_empty() {
        return Ok(Vec::new());
    }
    let shared = client.items(PATH, &[("status", "silenced".to_owned())]).await?;
    silences.retain(|(job, silence)| {
        let alert = text(silence, "/alert");
        !shared.iter().any(|row| is_silenced_by(row, job, alert))
    });
    let named = |(job, silence): (&Value, &Value)| {
        let mut silence = silence.clone();
        if let Some(fields) = silence.as_object_mut() {
            fields.insert("job".to_owned(), json!(text(job, "/id")));
        }
        silence
    };
    Ok(silences.into_iter().map(named).collect())
}

/// Whether a row about a cluster or a policy is one that a silence of this job is of, which need not have the alert itself.
pub(super) fn is_silenced_by(row: &Value, job: &Value, alert: &str) -> bool {
    let about = match text(row, "/scope") {
        "cluster" => "/cluster",
        "policy" => "/policy",
        _ => return false,
    };
    text(row, "/alert") == alert && text(row, about) == text(job, about)
}

fn listed<'a>(job: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    job.get(list).and_then(Value::as_array).into_iter().flatten()
}

/// Such a silence in the shape of an alert.
fn row_of(silence: &Value) -> Value {
    json!({
        "alert": text(silence, "/alert"), "scope": "job", "job": text(silence, "/job"), "jobs": 0, "since": text(silence, "/since"),
        "silencedUntil": text(silence, "/until"), "silencedJob": text(silence, "/job"), "message": "no such alert stands there now",
    })
}

/// Why each alert is silenced, by the job that the silence is noted at and the alert.
type Comments = BTreeMap<(String, String), String>;

async fn comments(client: &Client, items: &[Value]) -> Result<Comments, Failure> {
    let noted: BTreeSet<&str> = items
        .iter()
        .filter_map(|item| item.get("silencedJob")?.as_str())
        .collect();
    let mut comments = Comments::new();
    for id in noted.into_iter().take(MOST_COMMENTS) {
        let Found::Job(job) = client.find_job(id).await? else {
            continue;
        };
        for silence in listed(&job, "silences") {
            if let Some(comment) = silence.get("comment").and_then(Value::as_str) {
                comments.insert((id.to_owned(), text(silence, "/alert").to_owned()), comment.to_owned());
            }
        }
    }
    Ok(comments)
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

fn table(items: &[Value], comments: &Comments, now: Timestamp) -> Table {
    let silenced = |item: &Value| item.get("silencedUntil").and_then(Value::as_str).map(str::to_owned);
    let has_silenced = items.iter().any(|item| silenced(item).is_some());
    let mut columns = ["ALERT", "SCOPE", "ABOUT", "JOBS", "AGE"].map(Column::whole).to_vec();
    columns.extend(has_silenced.then_some(Column::whole("SILENCED-UNTIL")));
    columns.extend((!comments.is_empty()).then_some(Column::whole("COMMENT")));
    columns.push(Column::sentence("MESSAGE"));
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
        let noted = (text(item, "/silencedJob").to_owned(), text(item, "/alert").to_owned());
        let comment = comments.get(&noted).cloned().unwrap_or_default();
        row.extend((!comments.is_empty()).then(|| comment.into()));
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
        assert_eq!(table(&items, &Comments::new(), now).shown(Screen::default()), expected);
        let mut items = items;
        items[2]["silencedJob"] = json!("prod/pay/orders");
        let noted = ("prod/pay/orders".to_owned(), "JobFailed".to_owned());
        let comments = Comments::from([(noted, "being repaired".to_owned())]);
        let wide = table(&items, &comments, now).shown(Screen::default());
        assert!(wide.contains("COMMENT          MESSAGE"), "{wide}");
        assert!(
            wide.ends_with("2026-11-24T00:00:00Z   being repaired   it failed\n"),
            "{wide}"
        );
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
