//! The event stream of an engine, followed beyond its restarts.
//!
//! An engine that ends, or that nothing is heard of, is asked again, however long it takes, with the last event as it wrote it:
//! sequence, store and time; before there was one, with the end of its journal when it was first asked. So it either goes on without a
//! gap, or says that its history is another one, and then whoever follows has to read the jobs anew.

use std::time::Duration;

use anyhow::anyhow;
use futures::{StreamExt, TryStreamExt};
use reqwest::Response;
use serde_json::Value;
use tokio::io::AsyncRead;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;

use super::client::{Client, with_query};
use super::{Failure, printer};

/// The longest line that is read, in bytes: a job may come with its event.
const LINE: usize = 4 << 20;
/// An engine says something every 15 seconds; one of which nothing is heard for so long is away, though no connection ended.
const SILENCE: Duration = Duration::from_secs(50);
const PATH: &str = "/api/v1/events";
/// Where the end of the journal is told.
const STORE: &str = "/api/v1/store";

/// What the engine said.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    /// Something happened to a job.
    Event { name: String, data: Value },
    /// What happened in between is not known: the jobs are to be read anew.
    Gap,
}

/// The stream, and the last event that came with it.
pub(super) struct Events<'a> {
    client: &'a Client,
    lines: Lines,
    name: String,
    last: Option<Last>,
    jobs: Jobs,
    absence: Absence,
}

type Lines = FramedRead<Box<dyn AsyncRead + Send + Unpin>, LinesCodec>;

/// Where to go on: behind an event, or behind what was the end of the journal.
#[derive(Debug)]
struct Last {
    sequence: u64,
    store: String,
    /// When the event was decided; `None`: it was not seen.
    at: Option<String>,
}

/// Whether each event comes with its job. An engine of an earlier version has no such events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jobs {
    Come,
    Stay,
}

/// An engine that is away: how long to wait until it is asked again, and whether the person at the terminal knows.
#[derive(Debug)]
pub(super) struct Absence {
    shortest: Duration,
    pause: Duration,
    is_told: bool,
}

impl Absence {
    pub(super) fn new(shortest: Duration) -> Self {
        Self {
            shortest,
            pause: shortest,
            is_told: false,
        }
    }

    /// Waits after a failure, longer each time, for that long at the most. What asking again does not mend is given back.
    pub(super) async fn wait(&mut self, failure: Failure, most: Duration) -> Result<(), Failure> {
        let (Failure::Unreachable(error) | Failure::Missing(error)) = failure else {
            return Err(failure);
        };
        if !self.is_told {
            printer::note(&format!("the engine is away, and is asked until it is back: {error:#}"));
            self.is_told = true;
        }
        self.pause(most).await;
        Ok(())
    }

    async fn pause(&mut self, most: Duration) {
        tokio::time::sleep(self.pause.min(most)).await;
        self.pause = (self.pause * 2).min(self.shortest * 25);
    }

    /// It has answered.
    pub(super) fn end(&mut self) {
        if self.is_told {
            printer::note("the engine is back");
        }
        *self = Self::new(self.shortest);
    }
}

impl Default for Absence {
    /// Up to five seconds between two tries.
    fn default() -> Self {
        Self::new(Duration::from_millis(200))
    }
}

impl<'a> Events<'a> {
    /// Follows from now on.
    pub(super) async fn open(client: &'a Client) -> Result<Self, Failure> {
        // Asked for first, so that the first stream, too, begins at a known place, and an engine that ends before it has told anything
        // is asked for what came behind it. One of an earlier version does not say.
        // Whatever else keeps that from being told ends this, for what comes before the first event could be missed unnoticed.
        let store = client.find(STORE).await?;
        let last = store.as_ref().and_then(Last::end);
        let (response, jobs) = match client.stream(&path(Jobs::Come, last.as_ref())).await {
            Err(Failure::UnknownParameter(_)) => (client.stream(&path(Jobs::Stay, last.as_ref())).await?, Jobs::Stay),
            answer => (answer?, Jobs::Come),
        };
        Ok(Self {
            lines: lines(response),
            client,
            name: String::new(),
            last,
            jobs,
            absence: Absence::default(),
        })
    }

    /// What comes next. Fails only where asking again mends nothing, such as a token that is not taken any more.
    pub(super) async fn next(&mut self) -> Result<Heard, Failure> {
        loop {
            let line = match tokio::time::timeout(SILENCE, self.lines.next()).await {
                Ok(Some(Ok(line))) => line,
                Ok(Some(Err(LinesCodecError::MaxLineLengthExceeded))) => {
                    return Err(Failure::Refused(anyhow!(
                        "the event stream has a line of more than {LINE} bytes, which no engine sends"
                    )));
                }
                Ok(Some(Err(_)) | None) | Err(_) => {
                    if let Some(gap) = self.resume().await? {
                        return Ok(gap);
                    }
                    continue;
                }
            };
            if let Some(name) = line.strip_prefix("event:") {
                name.trim().clone_into(&mut self.name);
            }
            let data = line.strip_prefix("data:");
            let Some(data) = data.and_then(|data| serde_json::from_str::<Value>(data.trim()).ok()) else {
                continue;
            };
            if self.name == "reset" {
                self.last = Last::end(&data);
                return Ok(Heard::Gap);
            }
            // The time of one that does not read is not known: what is heard behind it says where to go on.
            if self.name != "unreadable" {
                self.last = Last::of(&data).or(self.last.take());
            }
            let name = self.name.clone();
            return Ok(Heard::Event { name, data });
        }
    }

    /// Goes on behind the last event. Before there was one, nobody knows what came in between.
    async fn resume(&mut self) -> Result<Option<Heard>, Failure> {
        // An engine that ends a stream at once each time is not asked without a pause either.
        self.absence.pause(Duration::MAX).await;
        loop {
            match self.client.stream(&path(self.jobs, self.last.as_ref())).await {
                Ok(response) => {
                    self.lines = lines(response);
                    self.absence.end();
                    return Ok(self.last.is_none().then_some(Heard::Gap));
                }
                // It came back as an earlier version.
                Err(Failure::UnknownParameter(_)) if self.jobs == Jobs::Come => self.jobs = Jobs::Stay,
                Err(failure) => self.absence.wait(failure, Duration::MAX).await?,
            }
        }
    }
}

fn lines(response: Response) -> Lines {
    let bytes = response.bytes_stream().map_err(std::io::Error::other);
    let reader: Box<dyn AsyncRead + Send + Unpin> = Box::new(StreamReader::new(Box::pin(bytes)));
    FramedRead::new(reader, LinesCodec::new_with_max_length(LINE))
}

/// What is asked for behind an event.
fn path(jobs: Jobs, last: Option<&Last>) -> String {
    let mut asked = Vec::new();
    if let Some(last) = last {
        asked.push(("after", last.sequence.to_string()));
        asked.push(("store", last.store.clone()));
        asked.extend(last.at.clone().map(|at| ("at", at)));
    }
    match jobs {
        Jobs::Come => asked.push(("job", "true".to_owned())),
        Jobs::Stay => {}
    }
    with_query(PATH, &asked)
}

impl Last {
    fn of(data: &Value) -> Option<Self> {
        let text = |name| data.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            sequence: data.get("sequence").and_then(Value::as_u64)?,
            store: text("store")?,
            at: Some(text("at")?),
        })
    }

    /// The end of a journal, as an engine or a stream tells it.
    fn end(data: &Value) -> Option<Self> {
        Some(Self {
            sequence: data.get("newest").and_then(Value::as_u64)?,
            store: data.get("store").and_then(Value::as_str)?.to_owned(),
            at: None,
        })
    }
}

#[cfg(test)]
mod tests;
