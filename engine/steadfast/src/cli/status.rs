//! `steadfast status`.

pub(super) mod rows;
mod watch;

use std::future::Future;

use clap::Args;
use serde_json::{Value, json};
use steadfast_core::time::Timestamp;

use self::watch::Watch;
use super::client::{Client, Found, ServerOptions, job_path};
use super::clusters::{self, Clusters, Coverage, Seen};
use super::filter::{Filter, Sort};
use super::follow::Events;
use super::job_arg::job;
use super::names::{self, JOBS};
use super::output::{Detail, Format, OutputOption};
use super::screen::Screen;
use super::{Failure, complete, printer};

pub(super) const AFTER_HELP: &str = "\
Examples:
  steadfast status                                  all jobs, in the order of their ids
  steadfast status --sort severity                  the worst first
  steadfast status -n payments --state failed,lost  some of them
  steadfast status orders                           the job whose id ends in /orders
  steadfast status -w -o json                       each change as a line: {\"type\":\"MODIFIED\",\"object\":{...}}
  steadfast status -o jsonpath='{.items[*].id}'     the ids alone, as -o name has them on lines";

/// Which jobs, and how.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only these jobs: CLUSTER/NAMESPACE/NAME, with /FLINK-SESSION-JOB or /FLINK-JOB-ID for one of a session cluster; -/-/NAME for a
    /// standalone one; or the end of it if only one job ends so.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job, conflicts_with_all = ["Filter", "sort"])]
    jobs: Vec<String>,
    /// Follow changes instead of showing the present once. It goes on while the engine restarts.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    output: OutputOption,
    /// The order: id, severity (worst first), state, since, confirmed or cluster; -severity turns it round [default: id].
    #[arg(long, value_name = "ORDER", value_parser = Sort::parse, allow_hyphen_values = true)]
    sort: Option<Sort>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    server: ServerOptions,
}

/// The jobs that are asked for.
struct Asked<'a> {
    /// Each by its id; none: all that the filter takes.
    jobs: Vec<String>,
    filter: &'a Filter,
    sort: Option<Sort>,
    format: &'a Format,
}

/// Shows the jobs, once or as they change.
pub(super) async fn show(options: &Options) -> Result<(), Failure> {
    // What is no job is a mistake of the command line, whatever the engine says.
    options.jobs.iter().try_for_each(|job| names::check(job))?;
    let client = Client::new(&options.server)?;
    // Followed from before the list is read: a change in between is told twice rather than missed.
    let events = if options.watch {
        Some(Events::open(&client).await?)
    } else {
        None
    };
    let filter = options.filter.counted(&client).await;
    let mut asked = Asked {
        jobs: Vec::new(),
        filter: &filter,
        sort: options.sort.clone(),
        format: &options.output.format,
    };
    for job in &options.jobs {
        asked.jobs.push(names::resolve(&client, job).await?);
    }
    let list = clusters::read(&client).await?;
    list.refuse_unknown(&client, &filter.cluster).await?;
    let lost = store_line(&client).await;
    if let Some(events) = events {
        return Watch::new(&client, events, asked).go_on(list, lost).await;
    }
    if let Some(line) = &lost {
        print_line(line, asked.format)?;
    }
    print_above(&client, &list, &asked).await?;
    let items = asked.read(&client).await?;
    let coverage = Coverage::of(asked.concerned(&list));
    print_items(&items, &asked, coverage, client.clock())?;
    if items.is_empty()
        && let Some(line) = clusters::unknown_word(&client, &filter).await
    {
        printer::note(&line);
    }
    // What is decided now is not on record, and what is shown may be long over; or what is shown is not all there is: a script
    // that counts jobs must not take it for that.
    if lost.is_some() || coverage == Coverage::Partial {
        return Err(Failure::Reported);
    }
    Ok(())
}

impl Asked<'_> {
    /// The jobs as they are now.
    async fn read(&self, client: &Client) -> Result<Vec<Value>, Failure> {
        if self.jobs.is_empty() {
            let mut query = self.filter.query();
            query.extend(self.sort.iter().map(|sort| ("sort", sort.word().to_owned())));
            return client.items(JOBS, &query).await;
        }
        let mut items = Vec::new();
        for job in &self.jobs {
            let read = names::on(client, job, async |id| client.get(&job_path(id, "")?).await);
            items.push(read.await?.1);
        }
        Ok(items)
    }

    /// The same for who has seen them before: one that is on record no more is left out.
    async fn still(&self, client: &Client) -> Result<Vec<Value>, Failure> {
        if self.jobs.is_empty() {
            return self.read(client).await;
        }
        let mut items = Vec::new();
        for job in &self.jobs {
            match client.find_job(job).await? {
                Found::Job(job) => items.push(job),
                Found::Gone | Found::NotKnown(_) => {}
            }
        }
        Ok(items)
    }

    /// Whether a job is among them.
    fn takes(&self, id: &str, job: &Value) -> bool {
        if self.jobs.is_empty() {
            self.filter.takes(job)
        } else {
            self.jobs.iter().any(|asked| asked == id)
        }
    }

    /// Whether anything of a job bears on what is shown.
    fn names(&self, id: &str) -> bool {
        self.jobs.is_empty() || self.jobs.iter().any(|asked| asked == id)
    }

    /// The clusters that bear on what is shown.
    fn concerned<'b>(&'b self, list: &'b Clusters) -> impl Iterator<Item = &'b Seen> {
        list.items.iter().filter(|cluster| {
            if self.jobs.is_empty() {
                return self.filter.concerns(cluster);
            }
            self.jobs
                .iter()
                .any(|job| job.split('/').next() == Some(cluster.name.as_str()))
        })
    }
}

/// The store takes nothing: a line that says so, or none.
async fn store_line(client: &Client) -> Option<String> {
    let ready = client.probe("/readyz").await?;
    let problem = ready.get("store")?.as_str()?;
    Some(format!("store: {problem}; what is shown is what was written before"))
}

/// Beside data for programs a line is a word to whoever reads it.
pub(super) fn print_line(line: &str, format: &Format) -> Result<(), printer::PrintError> {
    match format {
        Format::People(_) => printer::data(&format!("{line}\n")),
        Format::Data(_) => {
            printer::note(line);
            Ok(())
        }
    }
}

/// What stands above the jobs: what of the configuration and the store is not as it should be, and each cluster that cannot be read.
async fn print_above(client: &Client, list: &Clusters, asked: &Asked<'_>) -> Result<(), Failure> {
    for line in reload_line(client)
        .await
        .into_iter()
        .chain(record_lines(client, asked).await)
    {
        print_line(&line, asked.format)?;
    }
    let now = client.clock();
    for line in asked.concerned(list).filter_map(|cluster| clusters::line(cluster, now)) {
        print_line(&line, asked.format)?;
    }
    Ok(())
}

/// The jobs: several as a list, the one that was named as it is.
fn print_items(items: &[Value], asked: &Asked<'_>, coverage: Coverage, now: Timestamp) -> Result<(), Failure> {
    match asked.format {
        Format::People(detail) => {
            print_table(items, *detail, now)?;
            if items.is_empty() {
                let none = if asked.filter.is_empty() {
                    "no job is on record"
                } else {
                    "no job is as asked for"
                };
                printer::note(&coverage.none(none));
            }
        }
        Format::Data(data) => {
            let document = match items {
                [one] if asked.jobs.len() == 1 => one.clone(),
                several => json!({ "items": several }),
            };
            printer::data(&data.shown(&document)?)?;
        }
    }
    Ok(())
}

/// A table in the terminal's width; the wide one takes what it needs.
pub(super) fn print_table(items: &[Value], detail: Detail, now: Timestamp) -> Result<(), printer::PrintError> {
    let mut screen = Screen::of_stdout();
    if detail == Detail::Wide {
        screen.width = None;
    }
    printer::page(&rows::table(items, detail, now).shown(screen))
}

/// What the configuration says now was refused: a line that says so. An engine that cannot say goes without.
async fn reload_line(client: &Client) -> Option<String> {
    refused_reload(&answered(client.find("/api/v1/policies")).await?)
}

/// The same of what the engine says of its policies.
pub(super) fn refused_reload(policies: &Value) -> Option<String> {
    if text(policies, "/lastReload/result") != "refused" {
        return None;
    }
    let (at, why) = (text(policies, "/lastReload/at"), text(policies, "/lastReload/message"));
    Some(format!(
        "configuration: what it says was refused {at}, and the policies of before go on: {why}"
    ))
}

/// A line for each record that did not read, and each job of which the store takes nothing. An engine of an earlier version
/// does not say, and one whose store cannot be read says so in `/readyz`: the jobs are shown all the same.
async fn record_lines(client: &Client, asked: &Asked<'_>) -> Vec<String> {
    let store = answered(client.find("/api/v1/store")).await.unwrap_or_default();
    let of = |what: &str| -> Vec<Value> {
        let rows = store.pointer(what).and_then(Value::as_array).into_iter().flatten();
        rows.filter(|row| asked.names(text(row, "/job"))).cloned().collect()
    };
    let aside = of("/quarantined").into_iter().map(|row| {
        format!(
            "store: the record of {} did not read and was set aside {}: {}",
            text(&row, "/job"),
            text(&row, "/at"),
            text(&row, "/why")
        )
    });
    let unwritten = of("/unwritten").into_iter().map(|row| {
        format!(
            "store: what is decided of {} is not taken: {}",
            text(&row, "/job"),
            text(&row, "/why")
        )
    });
    aside.chain(unwritten).collect()
}

async fn answered(answer: impl Future<Output = Result<Option<Value>, Failure>>) -> Option<Value> {
    answer.await.ok().flatten()
}

/// The text at a place, or a dash.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
}
