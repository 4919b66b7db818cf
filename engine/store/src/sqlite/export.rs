//! A store as lines of JSON: for other programs, and to save what reads of one that is damaged.

use std::io::{self, Write};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row as SqlRow};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use steadfast_core::journal::{JournalError, Row};
use steadfast_core::time::Timestamp;

use super::inspect::ENTRIES;
use super::opening::open_to_read;
use super::records::{Verdict, text};
use super::rows::read_row;
use super::{SqliteFailure, identity, records, rows};
use crate::format;
use crate::refusal::failed;

/// A line. Documents are as the store has them.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase")]
enum Line<'a> {
    /// The first one.
    Store {
        /// Missing, if the store has lost it.
        store: Option<String>,
        schema: i32,
        newest: u64,
        dropped_until: u64,
    },
    Record {
        job: String,
        revision: u64,
        record: Box<RawValue>,
        /// The policy's, in hex.
        memory: String,
    },
    Entry {
        sequence: u64,
        at: String,
        job: String,
        revision: u64,
        event: Box<RawValue>,
    },
    Sink {
        sink: String,
        delivered: i64,
    },
    /// A table that cannot be read, or not to its end.
    Damaged {
        table: &'a str,
        why: String,
    },
    /// A row that does not read, as it is.
    Unreadable {
        table: &'a str,
        row: String,
        why: String,
        cells: Map<String, Value>,
    },
    /// A row that was set aside, as it was.
    Quarantined {
        table: String,
        row: String,
        at: String,
        why: String,
        cells: Map<String, Value>,
    },
}

/// Writes records, journal, cursors of sinks and what was set aside, a line each. Beside a running engine it is what was
/// committed as the table was read. What cannot be read on is told by a line of its own, and the next table is gone on with;
/// returns how many such lines there are.
pub fn export(path: &Path, to: &mut dyn Write) -> Result<usize, JournalError> {
    let (connection, schema) = open_to_read(path)?;
    let mut export = Export {
        to,
        connection,
        schema,
        damaged: 0,
    };
    export.all().map_err(|failure| failure.explain("cannot export", path))?;
    Ok(export.damaged)
}

struct Export<'a> {
    to: &'a mut dyn Write,
    connection: Connection,
    schema: i32,
    /// Tables that cannot be read on.
    damaged: usize,
}

impl Export<'_> {
    fn all(&mut self) -> Result<(), SqliteFailure> {
        self.table("store", Self::store)?;
        self.table("jobs", Self::records)?;
        self.table("journal", Self::journal)?;
        self.table("sinks", Self::sinks)?;
        if self.schema >= 3 {
            self.table("quarantine", Self::quarantined)?;
        }
        Ok(())
    }

    /// Writes out a table as far as it can be read.
    fn table(
        &mut self,
        table: &str,
        write: impl FnOnce(&mut Self) -> Result<(), SqliteFailure>,
    ) -> Result<(), SqliteFailure> {
        let why = match write(self) {
            Ok(()) => return Ok(()),
            Err(SqliteFailure::Sqlite(error)) => error.to_string(),
            Err(SqliteFailure::Row(what)) => what,
            // The writing failed, not the reading.
            Err(failure @ (SqliteFailure::Reported(_) | SqliteFailure::UsedUp)) => return Err(failure),
        };
        self.damaged += 1;
        self.line(&Line::Damaged { table, why })
    }

    fn store(&mut self) -> Result<(), SqliteFailure> {
        let store = identity::id(&self.connection)?;
        let dropped_until = if self.schema >= 3 && store.is_some() {
            rows::dropped_until(&self.connection)?.0
        } else {
            0
        };
        let newest = rows::newest(&self.connection)?.0;
        let schema = self.schema;
        self.line(&Line::Store {
            store,
            schema,
            newest,
            dropped_until,
        })
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), SqliteFailure> {
        line_to(self.to, line)
    }

    fn records(&mut self) -> Result<(), SqliteFailure> {
        for found in records::read(&self.connection)? {
            match found.verdict {
                Verdict::Reads(mut record) | Verdict::Differs(mut record, _) => {
                    let memory = const_hex::encode(std::mem::take(&mut record.memory));
                    let document = format::write(&*record).and_then(RawValue::from_string);
                    self.line(&Line::Record {
                        job: found.job,
                        revision: record.revision,
                        record: document.map_err(unwritten)?,
                        memory,
                    })?;
                }
                Verdict::Unreadable(why) => {
                    let cells = self
                        .connection
                        .query_row("SELECT * FROM jobs WHERE rowid = ?1", [found.row], cells)?;
                    self.line(&Line::Unreadable {
                        table: "jobs",
                        row: found.job,
                        why,
                        cells,
                    })?;
                }
            }
        }
        Ok(())
    }

    fn journal(&mut self) -> Result<(), SqliteFailure> {
        let Self { to, connection, .. } = self;
        let mut select = connection.prepare(ENTRIES)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let line = match read_row(row)? {
                Row::Entry(entry) => Line::Entry {
                    sequence: entry.sequence.0,
                    at: entry.at.to_string(),
                    job: entry.key.to_string(),
                    revision: entry.revision,
                    event: format::write(&entry.event)
                        .and_then(RawValue::from_string)
                        .map_err(unwritten)?,
                },
                Row::Unreadable(unreadable) => Line::Unreadable {
                    table: "journal",
                    row: unreadable.sequence.0.to_string(),
                    why: unreadable.why,
                    cells: cells(row)?,
                },
            };
            line_to(*to, &line)?;
        }
        Ok(())
    }

    fn sinks(&mut self) -> Result<(), SqliteFailure> {
        let Self { to, connection, .. } = self;
        let mut select = connection.prepare("SELECT sink, delivered FROM sinks ORDER BY sink")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (sink, delivered) = (text(row.get_ref(0)?), row.get(1)?);
            line_to(*to, &Line::Sink { sink, delivered })?;
        }
        Ok(())
    }

    fn quarantined(&mut self) -> Result<(), SqliteFailure> {
        let Self { to, connection, .. } = self;
        let mut select = connection.prepare("SELECT place, source, name, at, why FROM quarantine ORDER BY place")?;
        let mut fields =
            connection.prepare("SELECT field, value FROM quarantined_cells WHERE place = ?1 ORDER BY field")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let mut cells = Map::new();
            let mut values = fields.query([row.get::<_, i64>(0)?])?;
            while let Some(value) = values.next()? {
                cells.insert(text(value.get_ref(0)?), json(value.get_ref(1)?));
            }
            let line = Line::Quarantined {
                table: text(row.get_ref(1)?),
                row: text(row.get_ref(2)?),
                at: Timestamp::from_millis(row.get(3)?).to_string(),
                why: text(row.get_ref(4)?),
                cells,
            };
            line_to(*to, &line)?;
        }
        Ok(())
    }
}

fn line_to(to: &mut dyn Write, line: &Line<'_>) -> Result<(), SqliteFailure> {
    let mut text = serde_json::to_vec(line).map_err(unwritten)?;
    text.push(b'\n');
    to.write_all(&text).map_err(unwritten)
}

fn unwritten(error: impl Into<io::Error>) -> SqliteFailure {
    SqliteFailure::Reported(failed("cannot write the export", error.into()))
}

fn cells(row: &SqlRow<'_>) -> Result<Map<String, Value>, rusqlite::Error> {
    let names: Vec<String> = row.as_ref().column_names().map(str::to_owned).collect();
    let mut cells = Map::new();
    for (place, name) in names.into_iter().enumerate() {
        cells.insert(name, json(row.get_ref(place)?));
    }
    Ok(cells)
}

/// A cell, so that every byte of it can be had back: bytes that are no text are `{"hex": ".."}`.
fn json(cell: ValueRef<'_>) -> Value {
    let hex = |bytes: &[u8]| Value::Object(Map::from_iter([("hex".to_owned(), const_hex::encode(bytes).into())]));
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_or_else(|_| hex(bytes), Value::from),
        ValueRef::Blob(bytes) => hex(bytes),
    }
}
