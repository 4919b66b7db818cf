//! The event stream of an engine, followed beyond a restart of it.
//!
//! An engine that restarts ends the stream. It is asked again, with the last event as the engine wrote it: sequence,
//! store and time. So it either goes on without a gap, or says that its history is another one, and then whoever
//! follows has to read the jobs anew.

use std::time::Duration;

use anyhow::anyhow;
use futures::{StreamExt, TryStreamExt};
use reqwest::Response;
use serde_json::Value;
use tokio::io::AsyncRead;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;

use super::client::Client;
use super::{Failure, printer};

/// The longest line that is read, in bytes.
const LINE: usize = 1 << 20;
/// How long to wait before each time the engine is asked again: three seconds in all, as long as a restart takes.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
];

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
    pauses: [Duration; 4],
}

type Lines = FramedRead<Box<dyn AsyncRead + Send + Unpin>, LinesCodec>;

/// An event, as far as it says where to go on.
#[derive(Debug)]
struct Last {
    sequence: u64,
    store: String,
    at: String,
}

impl<'a> Events<'a> {
    /// Follows from now on.
    pub(super) async fn open(client: &'a Client) -> Result<Self, Failure> {
        Ok(Self {
            lines: lines(client.stream("/api/v1/events").await?),
            client,
            name: String::new(),
            last: None,
            pauses: PAUSES,
        })
    }

    /// What comes next. Fails when the engine is gone for longer than a restart takes.
    pub(super) async fn next(&mut self) -> Result<Heard, Failure> {
        loop {
            let line = match self.lines.next().await {
                Some(Ok(line)) => line,
                Some(Err(LinesCodecError::MaxLineLengthExceeded)) => {
                    return Err(Failure::Unreachable(anyhow!(
                        "the event stream has a line of more than {LINE} bytes, which no engine sends"
                    )));
                }
                Some(Err(_)) | None => {
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
                self.last = None;
                return Ok(Heard::Gap);
            }
            self.last = Last::of(&data).or(self.last.take());
            let name = self.name.clone();
            return Ok(Heard::Event { name, data });
        }
    }

    /// Goes on behind the last event. Before there was one, nobody knows what came in between.
    async fn resume(&mut self) -> Result<Option<Heard>, Failure> {
        printer::note("the engine ended the event stream; asking again");
        let path = self
            .last
            .as_ref()
            .map_or_else(|| "/api/v1/events".to_owned(), Last::path);
        for pause in self.pauses {
            tokio::time::sleep(pause).await;
            if let Ok(response) = self.client.stream(&path).await {
                self.lines = lines(response);
                return Ok(self.last.is_none().then_some(Heard::Gap));
            }
        }
        Err(Failure::Unreachable(anyhow!(
            "the engine ended the event stream; it may be stopping"
        )))
    }
}

fn lines(response: Response) -> Lines {
    let bytes = response.bytes_stream().map_err(std::io::Error::other);
    let reader: Box<dyn AsyncRead + Send + Unpin> = Box::new(StreamReader::new(Box::pin(bytes)));
    FramedRead::new(reader, LinesCodec::new_with_max_length(LINE))
}

impl Last {
    fn of(data: &Value) -> Option<Self> {
        let text = |name| data.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            sequence: data.get("sequence").and_then(Value::as_u64)?,
            store: text("store")?,
            at: text("at")?,
        })
    }

    fn path(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("after", &self.sequence.to_string())
            .append_pair("store", &self.store)
            .append_pair("at", &self.at)
            .finish();
        format!("/api/v1/events?{query}")
    }
}

#[cfg(test)]
mod tests;
