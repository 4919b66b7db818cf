//! `steadfast clusters`, and what `steadfast status` says above the jobs: which clusters cannot be read, since when, and why.

mod read;

use clap::Args;
use steadfast_core::time::Timestamp;
use steadfast_server::{Cluster, Kind, KindState, Reach};

pub(super) use self::read::{Clusters, Seen, read, unknown_namespace, unknown_word};
use super::client::{Client, ServerOptions};
use super::output::{Detail, Format, OutputOption};
use super::screen::{DOUBT, GOOD, PLAIN, Screen};
use super::table::{Cell, Column, Table};
use super::{Failure, printer};

/// How they are shown.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

/// Whether what is shown of clusters is all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coverage {
    Whole,
    /// One of them was never read since the engine started: jobs may be missing.
    Partial,
}

impl Coverage {
    pub(super) fn of<'a>(mut clusters: impl Iterator<Item = &'a Seen>) -> Self {
        if clusters.any(|cluster| cluster.never_read) {
            Self::Partial
        } else {
            Self::Whole
        }
    }

    /// What is said where there is nothing to show, such as `no alert stands`.
    pub(super) fn none(self, text: &str) -> String {
        match self {
            Self::Whole => text.to_owned(),
            Self::Partial => format!("{text}, as far as clusters were read"),
        }
    }
}

const PATH: &str = "/api/v1/clusters";
/// How many lists a line names; the rest are a number.
const NAMED: usize = 4;

/// Shows every cluster of the configuration.
pub(super) async fn show(options: &Options) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    match &options.output.format {
        Format::People(detail) => {
            let list = read(&client).await?;
            let mut screen = Screen::of_stdout();
            if *detail == Detail::Wide {
                screen.width = None;
            }
            printer::page(&table(&list, client.clock()).shown(screen))?;
            let unwatched: String = list.items.iter().filter_map(|cluster| unwatched(cluster)).collect();
            printer::data(&unwatched)?;
        }
        Format::Data(data) => printer::data(&data.shown(&client.get(PATH).await?)?)?,
    }
    Ok(())
}

fn table(list: &Clusters, now: Timestamp) -> Table {
    let mut table = Table::new(vec![
        Column::whole("CLUSTER"),
        Column::whole("STATE"),
        Column::whole("AGE"),
        Column::whole("JOBS"),
        Column::whole("NOT-CONFIRMED"),
        Column::whole("SILENT-FLINKS"),
        Column::cut("READS", 12),
        Column::sentence("REASON"),
    ]);
    for cluster in &list.items {
        let (state, style) = match cluster.state {
            Reach::Pending => ("pending", DOUBT),
            Reach::Reached => ("reached", GOOD),
            Reach::Retrying => ("not-readable", DOUBT),
        };
        let since = cluster.unknown_since.as_deref().or(cluster.reachable_since.as_deref());
        table.row(vec![
            cluster.name.as_str().into(),
            Cell::styled(state, style),
            since
                .map_or_else(|| "-".to_owned(), |since| super::age::age(since, now))
                .into(),
            cluster.jobs.to_string().into(),
            cluster.unconfirmed.to_string().into(),
            format!("{} of {}", cluster.flinks.silent, cluster.flinks.watched).into(),
            reads(cluster).into(),
            reason(cluster).into(),
        ]);
    }
    if let Some(standalone) = list.standalone {
        table.row(vec![
            "-".into(),
            Cell::styled("standalone", PLAIN),
            "-".into(),
            standalone.jobs.to_string().into(),
            standalone.unconfirmed.to_string().into(),
            format!("{} of {}", standalone.flinks.silent, standalone.flinks.watched).into(),
            "-".into(),
            "".into(),
        ]);
    }
    table
}

/// Why it is not wholly readable; nothing if it is.
fn reason(cluster: &Cluster) -> &str {
    let lost = cluster.kinds.iter().find(|kind| kind.state == KindState::Retrying);
    let fault = lost.map(|kind| kind.fault.as_deref().unwrap_or("no reason given"));
    fault.or(cluster.fault.as_deref()).unwrap_or_default()
}

/// A line about Deployments that nothing watches, or none.
fn unwatched(cluster: &Cluster) -> Option<String> {
    let count = cluster.unwatched.len() + cluster.unwatched_omitted;
    let (first, more) = cluster
        .unwatched
        .split_at_checked(NAMED)
        .unwrap_or((&cluster.unwatched, &[]));
    let names = first.join(", ");
    let more = match more.len() + cluster.unwatched_omitted {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (count > 0).then(|| {
        format!(
            "{}: {} of Flink's that nothing watches: {names}{more}; its arguments do not show what runs there: add a [[job]] with its \
             name, and mode = \"session\" for a session\n",
            cluster.name,
            printer::counted(count, "Deployment"),
        )
    })
}

/// Each list: how many objects its last complete one had, or why there is none.
fn reads(cluster: &Cluster) -> String {
    let lists = cluster.kinds.iter().map(|kind| {
        let what = named(kind);
        match (kind.state, kind.last_list_objects) {
            (KindState::Reached, Some(objects)) => format!("{what} {objects}"),
            (KindState::Reached, None) => format!("{what} incomplete"),
            (KindState::Pending, _) => format!("{what} pending"),
            (KindState::Retrying, _) => format!("{what} unknown"),
            (KindState::NotServed, _) => format!("{what} not served"),
        }
    });
    lists.collect::<Vec<_>>().join(", ")
}

/// What is new of a cluster, for whoever follows.
pub(super) fn change(cluster: &Seen, now: Timestamp) -> String {
    let readable = || format!("{}: readable, {}", cluster.name, reads(cluster));
    format!("{now}  {}", line(cluster, now).unwrap_or_else(readable))
}

/// The cluster is not wholly readable: a line that says so, or none.
pub(super) fn line(cluster: &Seen, now: Timestamp) -> Option<String> {
    let name = &cluster.name;
    let lost: Vec<&Kind> = cluster
        .kinds
        .iter()
        .filter(|kind| kind.state == KindState::Retrying)
        .collect();
    let Some(first) = lost.first() else {
        let waits = "not read yet, the first lists are under way";
        return cluster
            .never_read
            .then(|| format!("{name}: {waits}; {}", known(cluster)));
    };
    let since = lost.iter().filter_map(|kind| kind.unknown_since.as_deref()).min();
    let since = since.map_or_else(String::new, |since| format!(" since {}", moment(since, now)));
    let fault = first.fault.as_deref().unwrap_or("no reason given");
    let what = match unreadable(cluster, &lost) {
        Some(lists) => format!("{lists} not readable"),
        None => "not readable".to_owned(),
    };
    Some(format!(
        "{name}: {what}{since}: {fault}; {}",
        consequence(cluster, &lost)
    ))
}

/// Which lists cannot be read; `None`: none of Kubernetes' own can.
fn unreadable(cluster: &Cluster, lost: &[&Kind]) -> Option<String> {
    let is_lost = |kind: &Kind| kind.state == KindState::Retrying;
    if cluster.kinds.iter().filter(|kind| !is_operators(kind)).all(is_lost) {
        return None;
    }
    let names: Vec<String> = lost.iter().take(NAMED).map(|kind| named(kind)).collect();
    let more = match lost.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more lists"),
    };
    Some(format!("{}{more}", names.join(", ")))
}

/// What follows for the jobs that are shown.
fn consequence(cluster: &Seen, lost: &[&Kind]) -> String {
    if lost.iter().all(|kind| kind.kind == "FlinkStateSnapshot") {
        return "savepoints that these ask for are seen with the next look at Flink's checkpoints only".to_owned();
    }
    if lost.iter().all(|kind| is_operators(kind)) {
        // Without the operator there is nothing to miss, and a way to say so.
        return "jobs that only a FlinkDeployment names are not known; without the operator, set discover = [\"native\"]"
            .to_owned();
    }
    known(cluster)
}

fn known(cluster: &Seen) -> String {
    let others = if cluster.never_read {
        ", others are not known"
    } else {
        ""
    };
    let said = of_jobs(cluster, others);
    match (cluster.ended, cluster.jobs.saturating_sub(cluster.ended)) {
        (0, _) => said,
        (1, 0) => format!("its 1 job had ended before{others}"),
        (ended, 0) => format!("its {ended} jobs had ended before{others}"),
        (ended, _) => format!("{said}; {ended} more had ended before"),
    }
}

/// The same of those that had not ended.
fn of_jobs(cluster: &Seen, others: &str) -> String {
    let jobs = cluster.jobs.saturating_sub(cluster.ended);
    match (jobs, jobs.saturating_sub(cluster.unconfirmed)) {
        (0, _) if cluster.never_read => "its jobs are not known".to_owned(),
        (0, _) => "no job of it was on record before".to_owned(),
        (1, 0) => format!("its 1 job is as last seen{others}"),
        (jobs, 0) => format!("its {jobs} jobs are as last seen{others}"),
        // Their Flinks answer.
        (jobs, confirmed) => format!(
            "{}; Flink confirms {confirmed} of its {jobs} jobs{others}",
            unseen(cluster)
        ),
    }
}

/// What the lists that are missing would show.
fn unseen(cluster: &Cluster) -> &'static str {
    let is_lost = |name: &str| {
        let mut kinds = cluster.kinds.iter();
        kinds.any(|kind| kind.kind == name && matches!(kind.state, KindState::Retrying | KindState::Pending))
    };
    match (is_lost("Deployment"), is_lost("Pod")) {
        (true, false) => "that a Deployment is made, changed or deleted is not seen",
        (false, true) => "what becomes of pods is not seen",
        (true, true) | (false, false) => "what becomes of Deployments and pods is not seen",
    }
}

fn is_operators(kind: &Kind) -> bool {
    matches!(
        kind.kind.as_str(),
        "FlinkDeployment" | "FlinkSessionJob" | "FlinkStateSnapshot"
    )
}

/// `Deployments`, or `Deployments in team-a`.
fn named(kind: &Kind) -> String {
    match &kind.namespace {
        Some(namespace) => format!("{}s in {namespace}", kind.kind),
        None => format!("{}s", kind.kind),
    }
}

/// `03:31:07 UTC (25 s)`, with the date if it was not today.
fn moment(text: &str, now: Timestamp) -> String {
    let Some(at) = Timestamp::parse(text) else {
        return text.to_owned();
    };
    let (text, today) = (at.to_string(), now.to_string());
    let clock = match (text.split_once('T'), today.split_once('T')) {
        (Some((day, time)), Some((today, _))) => {
            let time = time.split('.').next().unwrap_or(time);
            if day == today {
                format!("{time} UTC")
            } else {
                format!("{day} {time} UTC")
            }
        }
        _ => text.clone(),
    };
    format!("{clock} ({})", age(now.since(at).as_secs()))
}

/// Seconds in the two largest units.
fn age(seconds: u64) -> String {
    match (seconds / 60, seconds / 3600, seconds / 86_400) {
        (0, ..) => format!("{seconds} s"),
        (minutes, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (minutes, hours, 0) => format!("{hours} h {} min", minutes % 60),
        (_, hours, days) => format!("{days} d {} h", hours % 24),
    }
}

/// What was last said of the clusters, and what is new of it.
#[derive(Debug, Default)]
pub(super) struct Told(Vec<Seen>);

impl Told {
    pub(super) fn new(list: &Clusters) -> Self {
        Self(list.items.clone())
    }

    /// The clusters of which something else can be read now than was told last. That a list came, or a retry failed in other
    /// words, is no change.
    pub(super) fn changes(&mut self, list: &Clusters) -> Clusters {
        let reading = |cluster: &Seen| -> Vec<(String, KindState)> {
            cluster.kinds.iter().map(|kind| (named(kind), kind.state)).collect()
        };
        let changed = list.items.iter().filter(|cluster| {
            let before = self.0.iter().find(|before| before.name == cluster.name);
            before.is_none_or(|before| reading(before) != reading(cluster))
        });
        let changed = Clusters {
            items: changed.cloned().collect(),
            ..Clusters::default()
        };
        self.0.clone_from(&list.items);
        changed
    }
}

#[cfg(test)]
mod tests;
