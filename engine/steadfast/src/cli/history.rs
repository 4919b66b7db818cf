//! `steadfast history` and `steadfast events`: what was written about one job, and about all of them.

mod read;
mod row;
mod tail;

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use steadfast_core::journal::EventKind;
use steadfast_core::time::Timestamp;

use self::read::{Read, UNREADABLE, newest, note_changes};
use self::row::table;
use self::tail::follow;
use super::client::{Client, ServerOptions, job_path};
use super::clusters;
use super::filter::{Since, one_of};
use super::follow::Events;
use super::job_arg::job;
use super::output::{Detail, Format, OutputOption};
use super::screen::Screen;
use super::status::text;
use super::{Failure, complete, names, printer};

const PATH: &str = "/api/v1/history";
/// How many of the newest are shown where nobody says since when.
const USUAL: usize = 100;
/// The most that is read.
const MOST: usize = 100_000;

/// Which part of what was written.
#[derive(Clone, Debug, Args)]
pub(super) struct Part {
    /// Only what was written for less than this, such as 2h; or since a time (RFC 3339) or later.
    #[arg(long, value_name = "SPAN|TIME", value_parser = Since::parse)]
    since: Option<Since>,
    /// Only what was written before a time (RFC 3339), or so long ago and more, such as 2h.
    #[arg(long, value_name = "SPAN|TIME", value_parser = Since::parse)]
    until: Option<Since>,
    /// Only these [repeatable, or with commas; default: all but update].
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "KIND",
        value_parser = one_of(EventKind::ALL, EventKind::as_str)
    )]
    kind: Vec<EventKind>,
    /// How many of the newest [default: 100; with --since all].
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

impl Part {
    /// Updates are for programs: most change nothing that a person would look for.
    fn kinds(&self) -> Vec<EventKind> {
        if self.kind.is_empty() {
            let usual = EventKind::ALL.iter().filter(|kind| **kind != EventKind::Update);
            return usual.copied().collect();
        }
        self.kind.clone()
    }

    /// With spans counted from now by the engine's clock.
    async fn counted(&self, client: &Client) -> Self {
        let mut part = self.clone();
        for moment in [&mut part.since, &mut part.until] {
            if let Some(since) = *moment {
                *moment = Some(since.counted(client).await);
            }
        }
        part
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        self.query_of(&self.kinds())
    }

    fn query_of(&self, kinds: &[EventKind]) -> Vec<(&'static str, String)> {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let mut query = vec![("kind", kinds.join(","))];
        query.extend(self.since.map(|since| ("since", since.at().to_string())));
        query.extend(self.until.map(|until| ("until", until.at().to_string())));
        query
    }

    fn limit(&self) -> usize {
        let usual = if self.since.is_some() { MOST } else { USUAL };
        self.limit.unwrap_or(usual).min(MOST)
    }
}

/// Of which job.
#[derive(Debug, Args)]
pub(super) struct HistoryOptions {
    /// CLUSTER/NAMESPACE/NAME, or the end of it if only one job ends so.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job)]
    job: String,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

/// Of which jobs.
#[derive(Debug, Args)]
pub(super) struct EventsOptions {
    /// Go on with what is written from now on, also while the engine restarts.
    #[arg(short, long, conflicts_with = "until")]
    follow: bool,
    /// Only of jobs of this namespace [repeatable, or with commas].
    #[arg(short, long, value_delimiter = ',', value_name = "NAME")]
    namespace: Vec<String>,
    /// What kubectl needs for what is so here anyway.
    #[arg(short = 'A', long = "all-namespaces", hide = true, conflicts_with = "namespace")]
    _all_namespaces: bool,
    /// Only of jobs of this cluster; `-`: standalone ones.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    cluster: Vec<String>,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

impl EventsOptions {
    fn query(&self, part: &Part) -> Vec<(&'static str, String)> {
        let mut query = part.query();
        for (name, words) in [("namespace", &self.namespace), ("cluster", &self.cluster)] {
            if !words.is_empty() {
                query.push((name, words.join(",")));
            }
        }
        query
    }

    /// Whether an event of the stream is among those, as the engine would select it.
    fn takes(&self, item: &Value) -> bool {
        let id = item.get("job").and_then(Value::as_str).unwrap_or_default();
        let mut parts = id.split('/');
        let mut any = |wanted: &[String]| {
            let part = parts.next().unwrap_or_default();
            wanted.is_empty() || wanted.iter().any(|one| one == part)
        };
        let kind = item.get("kind").and_then(Value::as_str).unwrap_or_default();
        // What does not read may have been of any kind.
        let is_of_kind = kind == UNREADABLE || self.part.kinds().iter().any(|one| one.as_str() == kind);
        any(&self.cluster) && any(&self.namespace) && is_of_kind
    }
}

/// Shows what was written about a job, newest last.
pub(super) async fn of_job(options: &HistoryOptions) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let job = match names::resolve(&client, &options.job).await {
        Err(Failure::NoSuchJob(error)) => {
            return Err(Failure::NoSuchJob(anyhow!(
                "{error:#}; of a forgotten job write the whole id"
            )));
        }
        job => job?,
    };
    let part = options.part.counted(&client).await;
    let of = |mut query: Vec<(&'static str, String)>| {
        query.push(("job", job.clone()));
        query
    };
    let is_for_people = matches!(options.output.format, Format::People(_));
    let (mut read, shared) = match newest(&client, &of(part.query()), part.limit()).await {
        Err(Failure::Missing(_)) => (Read::whole(transitions(&client, &job, &part).await?), 0),
        read if is_for_people => own(&client, &of(part.query()), read?, part.limit()).await?,
        read => (read?, 0),
    };
    // When it became stale is no transition, and for a person the most that happened in an outage.
    if part.kind.is_empty() && is_for_people {
        let updates = of(part.query_of(&[EventKind::Update]));
        read = match read.clone().with_changes(&client, &updates).await {
            Err(Failure::Missing(_)) => read,
            more => more?.newest(part.limit()),
        };
    }
    if read.items.is_empty() && shared == 0 {
        // A job that never was has no history either, and that is another thing.
        names::on(&client, &job, async |id| client.get(&job_path(id, "")?).await).await?;
    }
    if is_for_people && shared > 0 {
        printer::note(&format!(
            "{} about its cluster or its policy not shown: `steadfast events` has what is told once for many jobs",
            printer::counted(shared, "entry")
        ));
        if read.items.is_empty() {
            return Ok(());
        }
    }
    print(read, &options.output.format, row::Jobs::Same)
}

/// What is about the job alone, so many of the newest, and how many entries that leaves out.
async fn own(
    client: &Client,
    query: &[(&'static str, String)],
    first: Read,
    limit: usize,
) -> Result<(Read, usize), Failure> {
    let (mut own, mut left_out) = first.own();
    let mut asked = limit;
    while own.needs_more(limit) && asked < MOST {
        asked = asked.saturating_mul(4).min(MOST);
        (own, left_out) = newest(client, query, asked).await?.own();
    }
    Ok((own.newest(limit), left_out))
}

/// Shows what was written about all jobs, newest last, and what is written from now on.
pub(super) async fn of_all(options: &EventsOptions) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let events = if options.follow {
        Some(Events::open(&client).await?)
    } else {
        None
    };
    let limit = match (options.follow, options.part.since, options.part.limit) {
        (true, None, None) => 0,
        _ => options.part.limit(),
    };
    let part = options.part.counted(&client).await;
    let read = match newest(&client, &options.query(&part), limit).await {
        Err(Failure::Missing(_)) => {
            return Err(Failure::Missing(anyhow!(
                "this engine is of an earlier version, which has no history of all jobs: `steadfast history JOB` has one job's; or \
                 upgrade the engine"
            )));
        }
        read => read?,
    };
    if read.items.is_empty() {
        // One that is mistyped would look like one of which nothing was written.
        let list = clusters::read(&client).await?;
        list.refuse_unknown(&client, &options.cluster).await?;
        if let Some(line) = clusters::unknown_namespace(&client, &options.namespace).await {
            printer::note(&line);
        }
    }
    let Some(events) = events else {
        return print(read, &options.output.format, row::Jobs::Several);
    };
    follow(events, read.items, options).await
}

/// What an engine of an earlier version has of a job's history.
async fn transitions(client: &Client, job: &str, part: &Part) -> Result<Vec<Value>, Failure> {
    let read = async |id: &str| client.items(&job_path(id, "/transitions")?, &[]).await;
    let (_, items) = names::on(client, job, read).await?;
    let item = |transition: Value| {
        let (sequence, at) = (transition.get("sequence"), transition.get("at"));
        json!({ "sequence": sequence, "at": at, "job": job, "kind": "transition", "transition": transition })
    };
    let is_asked = |item: &Value| {
        let at = item.get("at").and_then(Value::as_str).and_then(Timestamp::parse);
        let Some(at) = at else { return true };
        // As the engine takes it: what was written at that moment is in it.
        part.since.is_none_or(|since| at >= since.at()) && part.until.is_none_or(|until| at < until.at())
    };
    let items: Vec<Value> = items.into_iter().map(item).filter(is_asked).collect();
    let cut = items.len().saturating_sub(part.limit());
    Ok(items.into_iter().skip(cut).collect())
}

/// An entry that is in the journal and does not read.
fn note_unreadable(entry: &Value) {
    let sequence = entry.get("sequence").map_or_else(String::new, Value::to_string);
    let (job, why) = (text(entry, "/job"), text(entry, "/why"));
    printer::note(&format!("entry {sequence} of {job} does not read: {why}"));
}

fn print(read: Read, format: &Format, jobs: row::Jobs) -> Result<(), Failure> {
    match format {
        Format::People(detail) => {
            let mut screen = Screen::of_stdout();
            if *detail == Detail::Wide {
                screen.width = None;
            }
            let mut shown = read.clone();
            note_changes(&mut shown.items, None);
            printer::page(&table(&shown.items, jobs).shown(screen))?;
            if shown.items.is_empty() {
                printer::note("nothing was written of what is asked for");
            }
        }
        Format::Data(data) => {
            // An expression or a template may not show them.
            let is_unreadable = |item: &&Value| text(item, "/kind") == UNREADABLE;
            read.items.iter().filter(is_unreadable).for_each(note_unreadable);
            printer::data(&data.shown(&read.document())?)?;
        }
    }
    read.note_dropped();
    Ok(())
}

#[cfg(test)]
mod tests;
