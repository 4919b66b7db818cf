//! Who the store is: its id, in a row of its own, and the mark by which the file and its log know each other.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::journal::JournalError;

use super::mark::Mark;
use super::records::text;
use crate::bounds;

/// What is wrong with it.
#[derive(Clone, Debug)]
pub(super) enum Flaw {
    /// There is no row for it.
    Gone,
    /// It is no id: sixteen hex digits.
    NoId(String),
    /// The mark is missing, or is no mark of this store. Nothing hangs on it while the store is at rest.
    Mark(String),
}

impl Flaw {
    pub(super) fn place(&self) -> &'static str {
        match self {
            Self::Gone | Self::NoId(_) => "the store's id",
            Self::Mark(_) => "the store's mark",
        }
    }

    pub(super) fn what(&self) -> String {
        match self {
            Self::Gone => "the row that has it is missing".to_owned(),
            Self::NoId(id) => format!("`{}` is none: it has sixteen hex digits", shown(id)),
            Self::Mark(why) => why.clone(),
        }
    }

    pub(super) fn fix(&self) -> &'static str {
        match self {
            Self::Gone | Self::NoId(_) => {
                "stop the engine; `steadfast store repair` draws a new one, and consumers are told of a reset"
            }
            Self::Mark(_) => "`steadfast store repair` writes it anew; the engine does so as it starts",
        }
    }
}

fn shown(id: &str) -> String {
    let text: String = id.chars().take(40).collect();
    ForeignText::from(text).to_string()
}

/// The id as it stands; `None` without a row.
pub(super) fn id(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT id FROM store", [], |row| Ok(text(row.get_ref(0)?)))
        .optional()
}

fn is_id(id: &str) -> bool {
    id.len() == 16 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The id, for who wants to go on with the store.
pub(super) fn known(path: &Path, connection: &Connection) -> rusqlite::Result<Result<String, JournalError>> {
    let why = match id(connection)? {
        Some(id) if is_id(&id) => return Ok(Ok(id)),
        Some(id) => Flaw::NoId(id).what(),
        None => Flaw::Gone.what(),
    };
    Ok(Err(JournalError::Unusable(format!(
        "the store {} has lost its id: {why}. It was left as it is: `steadfast store repair` draws a new one, after a copy, and \
         consumers are told of a reset",
        path.display()
    ))))
}

/// What is wrong. Stores from before there were marks have none.
pub(super) fn find(connection: &Connection, has_mark: bool) -> rusqlite::Result<Vec<Flaw>> {
    let mut flaws = Vec::new();
    let id = id(connection)?;
    match &id {
        None => flaws.push(Flaw::Gone),
        Some(id) if !is_id(id) => flaws.push(Flaw::NoId(id.clone())),
        Some(_) => {}
    }
    if has_mark && let Some(why) = wrong_mark(connection, id.as_deref())? {
        flaws.push(Flaw::Mark(why));
    }
    Ok(flaws)
}

fn mark(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT mark FROM head", [], |row| Ok(text(row.get_ref(0)?)))
        .optional()
}

fn wrong_mark(connection: &Connection, id: Option<&str>) -> rusqlite::Result<Option<String>> {
    let Some(text) = mark(connection)? else {
        return Ok(Some("it is missing".to_owned()));
    };
    let Some(mark) = Mark::parse(&text) else {
        return Ok(Some(format!("`{}` is none", shown(&text))));
    };
    if Some(mark.store.as_str()) != id {
        return Ok(Some(format!("it is of the store {}", shown(&mark.store))));
    }
    Ok((!counts(mark.transactions)).then(|| "it counts no transactions any more".to_owned()))
}

fn counts(transactions: u64) -> bool {
    i64::try_from(transactions).is_ok_and(|transactions| transactions <= bounds::MOST)
}

/// Draws a new id, if there is none.
pub(super) fn mend_id(write: &Connection, done: &mut Vec<String>) -> rusqlite::Result<()> {
    match id(write)? {
        Some(id) if is_id(&id) => return Ok(()),
        Some(_) => {
            write.execute("UPDATE store SET id = lower(hex(randomblob(8)))", [])?;
        }
        None => {
            // Nobody knows any more what was dropped; what stands before the first entry may have been.
            write.execute(
                "INSERT INTO store (only, id, dropped_until) VALUES (1, lower(hex(randomblob(8))),
                     ifnull((SELECT max(min(sequence) - 1, 0) FROM journal), 0))",
                [],
            )?;
        }
    }
    let id = id(write)?.unwrap_or_default();
    done.push(format!(
        "the store has a new id, {id}, since its own does not read: consumers of its events are told of a reset"
    ));
    Ok(())
}

/// Writes the mark anew, if it is none of this store's. What it says is of no account while the log is empty.
pub(super) fn mend_mark(write: &Connection, done: &mut Vec<String>) -> rusqlite::Result<()> {
    let id = id(write)?;
    let (Some(why), Some(id)) = (wrong_mark(write, id.as_deref())?, id) else {
        return Ok(());
    };
    let before = mark(write)?
        .and_then(|text| Mark::parse(&text))
        .map(|mark| mark.transactions);
    let transactions = before.filter(|before| counts(*before)).unwrap_or(1);
    write.execute("DELETE FROM head", [])?;
    write.execute(
        "INSERT INTO head (only, mark) VALUES (1, ?1)",
        [format!("{id}:{transactions:019}:{:010}", 0)],
    )?;
    done.push(format!("the store's mark is written anew: {why}"));
    Ok(())
}
