//! Whether an open store is still the file that its path names.
//!
//! SQLite goes on writing to a file that was deleted, renamed or replaced, and over one that was overwritten: what it commits
//! then is nowhere to be found, or lies among pages of another history. So the file is looked at before each use: three
//! requests to the system and one page, some microseconds. While it is not what it was, nothing is read or written.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use steadfast_core::journal::JournalError;

use super::files::{Inode, beside, real};
use super::lock::Lock;
use super::mark::{self, Mark};
use crate::refusal::failed;

/// The file of an open store.
#[derive(Debug)]
pub(super) struct Guard {
    path: PathBuf,
    lock: Lock,
    store: String,
    log: Option<(PathBuf, Inode)>,
    page_size: u64,
    mark_page: Option<u64>,
    /// The newest mark that was seen in the file itself; it never goes back.
    reached: Option<u64>,
    /// Somebody wrote to the file beside SQLite: what is in memory of it may be of either.
    overwritten: Option<String>,
}

/// What became of the file.
#[derive(Debug)]
enum Finding {
    /// It is the one that was opened.
    Same,
    /// It is not there, or another one is: it may come back.
    Elsewhere(String),
    /// It is, and its content is not what it was: it does not come back.
    Overwritten(String),
}

impl Guard {
    /// Of a store that was just opened. `connection` is the one that has it.
    pub(super) fn new(path: &Path, lock: Lock, store: &str, connection: &Connection) -> rusqlite::Result<Self> {
        let log = beside(&real(path), "-wal");
        let log = fs::metadata(&log).ok().map(|file| (log, Inode::from(&file)));
        let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let mut guard = Self {
            path: path.to_owned(),
            lock,
            store: store.to_owned(),
            log,
            page_size: u64::try_from(page_size).unwrap_or(4096),
            mark_page: mark::page_number(connection)?,
            reached: None,
            overwritten: None,
        };
        guard.reached = guard.mark_in_file().map(|mark| mark.transactions);
        Ok(guard)
    }

    /// Refuses to go on while the file is not what was opened. Says what happened and what helps.
    pub(super) fn check(&mut self, connection: &Connection) -> Result<(), JournalError> {
        let finding = match &self.overwritten {
            Some(what) => Finding::Overwritten(what.clone()),
            None => self.look(connection),
        };
        let what = match finding {
            Finding::Same => return self.allow_checkpoint(connection, true),
            Finding::Elsewhere(what) => {
                // What was committed is in the log, which goes by the name: it is written into the file, wherever that is. If it
                // cannot be now, it is with the next look.
                drop(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())));
                what
            }
            Finding::Overwritten(what) => {
                // The log is not laid over a file that it is not of.
                self.allow_checkpoint(connection, false)?;
                self.overwritten = Some(what.clone());
                what
            }
        };
        Err(failed(
            format!("the store {} is not the file that was opened", self.path.display()),
            what,
        ))
    }

    fn look(&mut self, connection: &Connection) -> Finding {
        const BACK: &str =
            "Nothing is committed until it is back, or the engine was restarted: then it goes by what is there";
        let at_path = match fs::metadata(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Finding::Elsewhere(format!("it was deleted or renamed. {BACK}"));
            }
            Err(error) => return Finding::Elsewhere(format!("it cannot be looked at: {error}. {BACK}")),
        };
        if Inode::from(&at_path) != self.lock.inode() {
            return Finding::Elsewhere(format!("another file is in its place. {BACK}"));
        }
        if let Some((log, inode)) = &self.log
            && fs::metadata(log).ok().as_ref().map(Inode::from) != Some(*inode)
        {
            let log = log.display();
            return Finding::Elsewhere(format!(
                "its write-ahead log {log} was deleted, renamed or replaced. What it held is written into the store; restart the \
                 engine, which makes another one"
            ));
        }
        self.look_inside(&at_path, connection)
    }

    /// The mark in the file itself goes forward, and never beyond the newest transaction.
    fn look_inside(&mut self, file: &Metadata, connection: &Connection) -> Finding {
        const RESTART: &str =
            "Restart the engine: it goes by what is there, and sets aside the log, which is not of it";
        // Once more, if it was about to be written, or the page was moved by a VACUUM from outside.
        for _ in 0..3 {
            let Some(mark) = self.mark_in_file() else {
                self.mark_page = mark::page_number(connection).ok().flatten();
                continue;
            };
            if mark.store != self.store {
                return Finding::Overwritten(format!("it was overwritten by the store {}. {RESTART}", mark.store));
            }
            if self.reached.is_some_and(|reached| mark.transactions < reached) {
                return Finding::Overwritten(format!(
                    "it was overwritten by an older copy, which ends with its transaction {}. {RESTART}",
                    mark.transactions
                ));
            }
            self.reached = Some(mark.transactions);
            return Finding::Same;
        }
        if self.reached.is_none() {
            // The page stands in the log alone as yet.
            return Finding::Same;
        }
        Finding::Overwritten(format!(
            "it was truncated or overwritten by something else ({} bytes are left). Stop the engine, and restore the file \
             from a backup",
            file.len()
        ))
    }

    fn mark_in_file(&self) -> Option<Mark> {
        let mut page = vec![0; usize::try_from(self.page_size).ok()?];
        let offset = self.mark_page?.saturating_sub(1).saturating_mul(self.page_size);
        self.lock.file().read_exact_at(&mut page, offset).ok()?;
        Mark::on_page(&page)
    }

    /// Whether the log may be written into the file when the connection is closed.
    fn allow_checkpoint(&self, connection: &Connection, allowed: bool) -> Result<(), JournalError> {
        let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !allowed);
        set.map(drop)
            .map_err(|error| failed(format!("cannot use the store {}", self.path.display()), error))
    }
}
