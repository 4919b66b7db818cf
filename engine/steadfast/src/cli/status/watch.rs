//! `steadfast status --watch`: changes as they come, without an end.
//!
//! For programs each is a line of one shape, `{"type", "object"}`, as kubectl's `--output-watch-events` has it: ADDED, MODIFIED and
//! DELETED with a job, CLUSTER with a cluster, STORE with what the store says. DELETED is also a job that is selected no more.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use steadfast_core::time::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

use super::rows::{alerts, conditions, confidence, seen};
use super::{Asked, print_above, print_line, print_table, store_line, text};
use crate::cli::client::{Client, Found};
use crate::cli::clusters::{self, Clusters, Told};
use crate::cli::follow::{Absence, Events, Heard};
use crate::cli::output::{Data, Format};
use crate::cli::screen::{BAD, DOUBT, Screen, of_state};
use crate::cli::table::{Cell, Table};
use crate::cli::{Failure, names, printer};

/// How often the clusters are asked for while changes are followed: what can be read of them is no event of the journal.
const CLUSTERS: Duration = Duration::from_secs(2);

/// A watch, and what it has shown so far.
pub(super) struct Watch<'a> {
    client: &'a Client,
    events: Option<Events<'a>>,
    asked: Asked<'a>,
    shown: BTreeMap<String, Value>,
    told: Told,
    lost: Option<String>,
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Added,
    Modified,
    Deleted,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

impl<'a> Watch<'a> {
    pub(super) fn new(client: &'a Client, events: Events<'a>, asked: Asked<'a>) -> Self {
        Self {
            client,
            events: Some(events),
            asked,
            shown: BTreeMap::new(),
            told: Told::default(),
            lost: None,
        }
    }

    /// Shows what is there, and each change. It ends only with an error that asking again does not mend, or when a person interrupts
    /// it.
    pub(super) async fn go_on(mut self, list: Clusters, lost: Option<String>) -> Result<(), Failure> {
        let items = self.asked.read(self.client).await?;
        self.lost = lost;
        match self.asked.format {
            Format::People(detail) => {
                if let Some(line) = &self.lost {
                    print_line(line, self.asked.format)?;
                }
                print_above(self.client, &list, &self.asked).await?;
                print_table(&items, *detail, self.client.clock())?;
            }
            Format::Data(data) => {
                if let Some(line) = &self.lost {
                    print_store(data, Some(line))?;
                }
                for cluster in self.asked.concerned(&list) {
                    print_object(data, "CLUSTER", &json!(**cluster))?;
                }
                for item in &items {
                    print_object(data, Change::Added.word(), item)?;
                }
            }
        }
        self.told = Told::new(&list);
        self.shown = items
            .into_iter()
            .map(|item| (text(&item, "/id").to_owned(), item))
            .collect();
        let Some(mut events) = self.events.take() else {
            return Ok(());
        };
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
                        _ = ticks.tick() => self.look_beside().await?,
                    }
                }
            };
            match heard {
                Heard::Event { name, data } => self.take(&name, &data).await?,
                Heard::Gap => self.read_anew().await?,
            }
        }
    }

    /// What an event says of its job.
    async fn take(&mut self, name: &str, event: &Value) -> Result<(), Failure> {
        let id = text(event, "/job").to_owned();
        if !self.asked.names(&id) {
            return Ok(());
        }
        if name == "unreadable" {
            let sequence = event.pointer("/sequence").map_or_else(String::new, Value::to_string);
            printer::note(&format!(
                "entry {sequence} of {id} does not read: {}",
                text(event, "/why")
            ));
        }
        let job = match event.get("record") {
            _ if name == "forgotten" => None,
            Some(Value::Null) => None,
            Some(record) => Some(record.clone()),
            None => match self.ask(&id).await? {
                Found::Job(job) => Some(job),
                Found::Gone => None,
                // If it was removed, an event says so.
                Found::NotKnown(_) => return Ok(()),
            },
        };
        let at = Timestamp::parse(text(event, "/at")).unwrap_or_else(|| self.client.clock());
        self.become_(&id, job, at)
    }

    /// A job as it is now; it may be gone. An engine that is away is asked until it is back.
    async fn ask(&self, id: &str) -> Result<Found, Failure> {
        let mut absence = Absence::default();
        loop {
            match self.client.find_job(id).await {
                Ok(job) => {
                    absence.end();
                    return Ok(job);
                }
                Err(failure) => absence.wait(failure, Duration::MAX).await?,
            }
        }
    }

    /// Nobody knows what changed meanwhile: what differs is told. A job that is not on record any more is gone only if everything that
    /// may have it was read.
    async fn read_anew(&mut self) -> Result<(), Failure> {
        let mut absence = Absence::default();
        let (unread, items) = loop {
            // In this order: what was read before the list is in it.
            let read =
                async { Ok::<_, Failure>((names::unread(self.client).await?, self.asked.still(self.client).await?)) };
            match read.await {
                Ok(read) => break read,
                Err(failure) => absence.wait(failure, Duration::MAX).await?,
            }
        };
        absence.end();
        let now = self.client.clock();
        let mut gone: Vec<String> = self.shown.keys().cloned().collect();
        for item in items {
            let id = text(&item, "/id").to_owned();
            gone.retain(|known| *known != id);
            self.become_(&id, Some(item), now)?;
        }
        for id in gone {
            if unread.is_some() && matches!(self.ask(&id).await?, Found::NotKnown(_)) {
                continue;
            }
            self.become_(&id, None, now)?;
        }
        Ok(())
    }

    /// Tells what became of a job, if it is anything new.
    fn become_(&mut self, id: &str, job: Option<Value>, at: Timestamp) -> Result<(), Failure> {
        let before = self.shown.get(id);
        let (change, object) = match (job.filter(|job| self.asked.takes(id, job)), before) {
            (Some(job), None) => (Change::Added, job),
            (Some(job), Some(before)) if self.is_news(before, &job) => (Change::Modified, job),
            (Some(_), Some(_)) | (None, None) => return Ok(()),
            (None, Some(before)) => (Change::Deleted, before.clone()),
        };
        match change {
            Change::Added | Change::Modified => drop(self.shown.insert(id.to_owned(), object.clone())),
            Change::Deleted => drop(self.shown.remove(id)),
        }
        match self.asked.format {
            Format::People(_) => printer::endless_page(&line(change, &object, at, Screen::of_stdout()))?,
            Format::Data(data) => print_object(data, change.word(), &object)?,
        }
        Ok(())
    }

    /// People are told what they can see; programs of each commit.
    fn is_news(&self, before: &Value, job: &Value) -> bool {
        match self.asked.format {
            Format::People(_) => seen(before) != seen(job),
            Format::Data(_) => before.get("revision") != job.get("revision") || seen(before) != seen(job),
        }
    }

    /// What is no event: the store, and what can be read of the clusters. An engine that is away for a moment is the event stream's
    /// business.
    async fn look_beside(&mut self) -> Result<(), Failure> {
        let Ok(list) = clusters::read(self.client).await else {
            return Ok(());
        };
        let lost = store_line(self.client).await;
        if lost.is_some() != self.lost.is_some() {
            match self.asked.format {
                Format::People(_) => {
                    let back = "store: it takes what is decided again";
                    printer::endless(&format!("{}\n", lost.as_deref().unwrap_or(back)))?;
                }
                Format::Data(data) => print_store(data, lost.as_deref())?,
            }
        }
        self.lost = lost;
        let changed = self.told.changes(&list);
        for cluster in self.asked.concerned(&changed) {
            match self.asked.format {
                Format::People(_) => {
                    printer::endless(&format!("{}\n", clusters::change(cluster, self.client.clock())))?;
                }
                Format::Data(data) => print_object(data, "CLUSTER", &json!(**cluster))?,
            }
        }
        Ok(())
    }
}

fn print_store(data: &Data, lost: Option<&str>) -> Result<(), Failure> {
    print_object(data, "STORE", &json!({ "writable": lost.is_none(), "problem": lost }))
}

/// An object and what became of it. Names, expressions and templates are of jobs that are there.
fn print_object(data: &Data, what: &str, object: &Value) -> Result<(), Failure> {
    let is_job = matches!(what, "ADDED" | "MODIFIED");
    let text = match data {
        Data::Json => data.line(&json!({ "type": what, "object": object }))?,
        Data::Yaml => format!("---\n{}", data.line(&json!({ "type": what, "object": object }))?),
        Data::Name | Data::JsonPath(_) | Data::Template(_) if is_job => data.line(object)?,
        Data::Name | Data::JsonPath(_) | Data::Template(_) => return Ok(()),
    };
    Ok(printer::endless(&text)?)
}

/// A change on one line: when, of what, and what is so now.
fn line(change: Change, job: &Value, at: Timestamp, screen: Screen) -> String {
    let mut cells: Vec<Cell> = vec![at.to_string().into(), text(job, "/id").into()];
    match change {
        Change::Deleted => cells.push("forgotten, or selected no more".into()),
        Change::Added | Change::Modified => {
            let state = text(job, "/state");
            cells.push(Cell::styled(state, of_state(state)));
            cells.push(confidence(job));
            // Without columns their names say which of both they are.
            for (what, names, style) in [("alerts", alerts(job), BAD), ("conditions", conditions(job), DOUBT)] {
                if !names.is_empty() {
                    cells.push(Cell::styled(&format!("{what}={names}"), style));
                }
            }
            cells.push(text(job, "/reason/message").into());
        }
    }
    Table::joined(cells, screen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_when_and_what_is_so_now() {
        let job = json!({
            "id": "-/-/orders", "state": "FAILED", "confidence": "confirmed", "alerts": [{"alert": "JobFailed"}],
            "conditions": [{"type": "CrashLoop"}, {"type": "ImagePull"}], "reason": {"message": "it failed"},
        });
        let at = Timestamp::from_millis(1_795_396_409_838);
        assert_eq!(
            line(Change::Modified, &job, at, Screen::default()),
            "2026-11-23T01:13:29.838Z  -/-/orders  FAILED  confirmed  alerts=JobFailed  conditions=CrashLoop,ImagePull  it failed\n"
        );
        let narrow = Screen {
            width: Some(60),
            ..Screen::default()
        };
        assert_eq!(
            line(Change::Modified, &job, at, narrow),
            "2026-11-23T01:13:29.838Z  -/-/orders  FAILED  confirmed  al…\n"
        );
        assert!(
            line(Change::Deleted, &job, at, Screen::default())
                .ends_with("-/-/orders  forgotten, or selected no more\n")
        );
    }
}
