//! WATCH: a stream of changes, read line by line under a size limit.
//!
//! An event that cannot be read breaks the watch, where a list would skip the object: the event may be the deletion of
//! an object that matters, and the list that follows says which objects there are.

use std::io;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::kube_update::{Object, ObjectKind};
use steadfast_http::retry_after;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::io::StreamReader;

use super::decode;
use super::list::status_fault;
use crate::json;
use crate::transport::{MAX_BODY, connection_fault, send, within};

/// An event, with the resource version to go on from.
#[derive(Debug)]
pub(super) enum WatchEvent {
    Changed(Object, String),
    Deleted(Object, String),
    Bookmark(String),
    /// Something about an object whose name cannot be read. Whatever it is, the next list tells: it is incomplete while the
    /// object is there. To end the watch for it would make everybody's events late.
    Unnamed(String),
}

/// How a watch ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The server closed it, as it does from time to time.
    Closed,
    /// Its version is too old.
    Expired,
    /// Anything else: what happened meanwhile counts as not seen.
    Broken(Fault),
}

type Lines = futures::stream::BoxStream<'static, Result<String, tokio_util::codec::LinesCodecError>>;

/// An open watch.
pub(super) struct Watch {
    lines: Lines,
    kind: ObjectKind,
    path: String,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    change: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Versioned {
    metadata: VersionedMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionedMetadata {
    resource_version: String,
}

#[derive(Deserialize)]
struct ErrorStatus {
    code: u16,
    #[serde(default)]
    message: String,
}

/// Opens a watch; its headers must come within the deadline, its lines may take any time.
pub(super) async fn open(
    client: &kube::Client,
    path: &str,
    kind: ObjectKind,
    deadline: Duration,
) -> Result<Watch, Ended> {
    let response = within(deadline, path, send(client, path))
        .await
        .map_err(Ended::Broken)?;
    let status = response.status().as_u16();
    let collection = path.split('?').next().unwrap_or(path);
    match status {
        200 => {}
        410 => return Err(Ended::Expired),
        _ => {
            return Err(Ended::Broken(Fault {
                retry_after: retry_after(response.headers()),
                ..status_fault(collection, status, b"")
            }));
        }
    }
    let bytes = response.into_body().into_data_stream().map_err(io::Error::other);
    let lines = FramedRead::new(StreamReader::new(bytes), LinesCodec::new_with_max_length(MAX_BODY)).boxed();
    Ok(Watch {
        lines,
        kind,
        path: collection.to_owned(),
    })
}

impl Watch {
    /// The next event. Waits for ever: a silent watch is no failure, since nothing may have happened; only a list can
    /// say. Dropped before it is done, it loses nothing.
    pub(super) async fn next(&mut self) -> Result<WatchEvent, Ended> {
        let line = match self.lines.next().await {
            None => return Err(Ended::Closed),
            Some(Ok(line)) => line,
            Some(Err(error)) => return Err(Ended::Broken(connection_fault(&self.path, &error))),
        };
        read(self.kind, &line).map_err(|ended| match ended {
            Ended::Broken(fault) => Ended::Broken(Fault {
                message: format!("{}: {}", self.path, fault.message).into(),
                ..fault
            }),
            Ended::Closed | Ended::Expired => ended,
        })
    }
}

/// Reads one line of a watch's stream.
pub(super) fn read(kind: ObjectKind, line: &str) -> Result<WatchEvent, Ended> {
    let broken = |message: String| Ended::Broken(Fault::new(FaultKind::Malformed, message));
    let Line { change, object } = json::from_str(line).map_err(|error| broken(error.to_string()))?;
    if change == "ERROR" {
        let status: ErrorStatus = json::from_str(object.get()).map_err(|error| broken(error.to_string()))?;
        return Err(match status.code {
            410 => Ended::Expired,
            code => Ended::Broken(status_fault(&status.message, code, b"")),
        });
    }
    let version = json::from_str::<Versioned>(object.get())
        .map_err(|error| broken(format!("an event without a resource version: {error}")))?
        .metadata
        .resource_version;
    if change == "BOOKMARK" {
        return Ok(WatchEvent::Bookmark(version));
    }
    let event = match change.as_str() {
        "ADDED" | "MODIFIED" => WatchEvent::Changed,
        "DELETED" => WatchEvent::Deleted,
        other => return Err(broken(format!("an event of unknown type `{other}`"))),
    };
    Ok(match decode::object(kind, object.get()) {
        Ok(object) => event(object, version),
        Err(error) => {
            tracing::debug!("an event about an object without a readable name: {error}");
            WatchEvent::Unnamed(version)
        }
    })
}
