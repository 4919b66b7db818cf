//! `steadfast store`: what the record is kept in, looked through, mended and written out.

use std::fs::FileType;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use steadfast_core::journal::JournalError;
use steadfast_core::time::Clock as _;
use steadfast_store::{Discard, Inspection, Problem, Repaired};

use super::output::{Format, OutputOption};
use super::printer::PrintError;
use super::{Failure, named_store, printer};
use crate::config::Config;
use crate::run::SystemClock;

pub(super) const CHECK_HELP: &str = "\
It reads every row, beside a running engine or not, and changes nothing. Each problem is told with its place and with what
mends it; docs/store.md has all that it looks for.

Exit codes:
  0  nothing is wrong
  1  something is wrong; standard output says what
  2  there is no store, or the command line or the configuration is wrong";

pub(super) const REPAIR_HELP: &str = "\
The engine must not be running. The files are copied first (PATH.backup-TIME); then each row that does not read is set aside,
byte for byte, and columns that say something else than their documents follow them. Numbers that cannot be gone on from are
set to what the rows say, tables and indexes are made as Steadfast makes them, and what is not Steadfast's is dropped. A job
whose record is set aside begins anew with what its sources say; `steadfast store export` has the old one.

Exit codes:
  0  nothing is wrong any more
  1  something is still wrong; standard output says what
  2  there is no store, or the command line or the configuration is wrong";

pub(super) const EXPORT_HELP: &str = "\
A line of JSON each: the store, records, entries of the journal, cursors of sinks, and the rows that do not read or were set
aside, with every byte of them. It can be written out beside a running engine; each table is as it was when it was read.
A table that cannot be read to its end has a line of kind `damaged`; the others are written out all the same.

Exit codes:
  0  all of it is written out
  1  a table could not be read to its end, or nothing could be written
  2  there is no store, or the command line or the configuration is wrong

Examples:
  steadfast store export > record.jsonl
  steadfast store export | jq -r 'select(.kind == \"record\") | .record.state'";

pub(super) const BACKUP_HELP: &str = "\
It is taken beside a running engine, which goes on meanwhile, or of a store at rest. The copy is the store as it was at one moment,
whole and without a log. It is called FILE.partial until it was looked through as `steadfast store check` does and is on the disk;
a file that is there is not written over. It is its owner's alone (mode 600), as is the store.
With `--to -` it goes to standard output, as out of a pod whose image has no shell and no tar; it stands beside the store for as
long as it is made, and what is said of it goes to standard error. docs/operate.md has the way from a backup to a restored store.

Exit codes:
  0  the copy is made, and nothing is wrong in it
  1  no copy is made; or it is, and rows of it are wrong as those of the store are: what is printed says which
  2  there is no store, or the command line or the configuration is wrong

Examples:
  steadfast store backup --to backup.db
  kubectl -n steadfast exec deploy/steadfast -- /usr/bin/steadfast store backup --config /etc/steadfast/config.toml --to - > backup.db";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look through a store: every row that does not read, and what mends it.
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        output: OutputOption,
    },
    /// Mend a store at rest, after a copy of it: what does not read is set aside, and nothing is lost.
    #[command(after_help = REPAIR_HELP)]
    Repair {
        #[command(flatten)]
        which: Which,
        /// Delete the rows that were set aside, too; the copy has them.
        #[arg(long)]
        discard_quarantined: bool,
    },
    /// Copy a store whole, beside its engine, to a file that can be put in its place.
    #[command(after_help = BACKUP_HELP)]
    Backup {
        #[command(flatten)]
        which: Which,
        /// Where to: a file that is not there yet, or `-` for standard output.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Write a store out as lines of JSON.
    #[command(after_help = EXPORT_HELP)]
    Export {
        #[command(flatten)]
        which: Which,
    },
}

/// Which store.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The configuration that names the store.
    #[arg(long, default_value = "config.toml", value_name = "FILE")]
    config: PathBuf,
    /// The store itself, such as `sqlite://copy.db`, instead of the configuration's.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl Which {
    /// The store's file, which is there.
    fn file(&self) -> Result<PathBuf, Failure> {
        let (url, fix) = match &self.store {
            Some(url) => {
                named_store::with_slashes("--store", url).map_err(Failure::Usage)?;
                (url.clone(), "with --store sqlite://PATH")
            }
            None => {
                let url = Config::load(&self.config)?.store;
                (url, "in store.url, or with --store sqlite://PATH")
            }
        };
        let path = steadfast_store::file(&url).map_err(|error| {
            Failure::Usage(match &self.store {
                Some(_) => named_store::in_option("--store", error),
                None => error.into(),
            })
        })?;
        let shown = path.display();
        let rule = match path.metadata() {
            Ok(found) if found.is_file() => return Ok(path.to_owned()),
            Ok(found) => format!("{shown} is {}, and no store", kind(found.file_type())),
            Err(error) if error.kind() == ErrorKind::NotFound => format!("there is no store {shown}"),
            Err(error) => format!("the store {shown} cannot be looked at ({error})"),
        };
        Err(Failure::Usage(anyhow!("{rule}; name it {fix}")))
    }
}

/// What is there instead of a file.
fn kind(found: FileType) -> &'static str {
    if found.is_dir() {
        "a folder"
    } else if found.is_fifo() {
        "a pipe"
    } else if found.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Does what was asked of a store.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check { which, output } => check(which, output),
        Command::Repair {
            which,
            discard_quarantined,
        } => {
            let discard = if *discard_quarantined {
                Discard::Quarantined
            } else {
                Discard::Nothing
            };
            repair(which, discard)
        }
        Command::Backup { which, to } if to.as_os_str() == "-" => backup_to_stdout(which),
        Command::Backup { which, to } => backup(which, to),
        Command::Export { which } => export(which),
    }
}

fn check(which: &Which, output: &OutputOption) -> Result<(), Failure> {
    let path = which.file()?;
    let found = steadfast_store::inspect(&path).map_err(anyhow::Error::new)?;
    match &output.format {
        Format::People(_) => printer::data(&report(&path.display().to_string(), &found))?,
        Format::Data(data) => printer::data(&data.shown(&document(&found))?)?,
    }
    verdict(&found.problems)
}

fn repair(which: &Which, discard: Discard) -> Result<(), Failure> {
    let path = which.file()?;
    let repaired = steadfast_store::repair(&path, SystemClock.now(), discard).map_err(anyhow::Error::new)?;
    let Repaired { backup, done, left } = repaired;
    printer::note(&format!("the store as it was is in {}", backup.display()));
    let mut text = String::new();
    for done in &done {
        text.push_str(&format!("{done}\n"));
    }
    if done.is_empty() {
        text.push_str("nothing was to be mended\n");
    }
    for problem in &left {
        text.push_str(&format!("still wrong: {}", line(problem)));
    }
    printer::data(&text)?;
    verdict(&left)
}

fn backup(which: &Which, to: &Path) -> Result<(), Failure> {
    let path = which.file()?;
    let found = steadfast_store::back_up(&path, to).map_err(anyhow::Error::new)?;
    printer::data(&report(&to.display().to_string(), &found))?;
    verdict(&found.problems)
}

fn backup_to_stdout(which: &Which) -> Result<(), Failure> {
    let path = which.file()?;
    if io::stdout().is_terminal() {
        let fix = "send it into a file (> backup.db), or name one with --to";
        return Err(Failure::Usage(anyhow!(
            "a copy of a store is no text for a terminal; {fix}"
        )));
    }
    let found = steadfast_store::back_up_into(&path, &mut printer::stream()).map_err(anyhow::Error::new)?;
    printer::note(report("the copy", &found).trim_end());
    verdict(&found.problems)
}

fn export(which: &Which) -> Result<(), Failure> {
    let path = which.file()?;
    let mut out = printer::stream();
    let written = steadfast_store::export(&path, &mut out);
    match written {
        Err(error) if is_gone(&error) => Ok(()),
        Err(error) => Err(Failure::Failed(error.into())),
        Ok(damaged) => match out.flush() {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(PrintError::Failed(error).into()),
            Ok(()) | Err(_) => whole(damaged),
        },
    }
}

/// An export in which something is missing is told from one that has everything.
fn whole(damaged: usize) -> Result<(), Failure> {
    if damaged == 0 {
        return Ok(());
    }
    printer::note(&format!(
        "{} could not be read to the end: the lines of kind `damaged` say which, and `steadfast store check` says more",
        printer::counted(damaged, "table")
    ));
    Err(Failure::Reported)
}

/// Whether whoever reads the export has seen enough.
fn is_gone(error: &JournalError) -> bool {
    match error {
        JournalError::Failed { source, .. } => {
            let error = source.downcast_ref::<io::Error>();
            error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
        }
        JournalError::Unusable(_) | JournalError::Refused { .. } => false,
    }
}

fn verdict(problems: &[Problem]) -> Result<(), Failure> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Reported)
}

fn line(problem: &Problem) -> String {
    let Problem { place, what, fix } = problem;
    format!("{place}: {what}\n  {fix}\n")
}

fn report(path: &str, found: &Inspection) -> String {
    let counted = |count: u64, noun| printer::counted(usize::try_from(count).unwrap_or(usize::MAX), noun);
    let mut text = format!(
        "{path}: store {}, schema {}: {}, {}, {}\n",
        found.store,
        found.schema,
        counted(found.records, "record"),
        counted(found.entries, "entry"),
        counted(found.snapshots, "snapshot")
    );
    if found.dropped_until > 0 {
        let until = found.dropped_until;
        text.push_str(&format!(
            "entries up to {until} may have been dropped, as [retention] says\n"
        ));
    }
    for row in &found.quarantined {
        text.push_str(&format!(
            "set aside {}: the record of {}: {}\n",
            row.at, row.job, row.why
        ));
    }
    for problem in &found.problems {
        text.push_str(&line(problem));
    }
    text.push_str(&match found.problems.len() {
        0 => "nothing is wrong\n".to_owned(),
        count => format!("{}\n", printer::counted(count, "problem")),
    });
    text
}

fn document(found: &Inspection) -> Value {
    let quarantined = found
        .quarantined
        .iter()
        .map(|row| json!({"job": row.job, "at": row.at.to_string(), "why": row.why}));
    let problems = found
        .problems
        .iter()
        .map(|problem| json!({"place": problem.place, "what": problem.what, "fix": problem.fix}));
    json!({
        "store": found.store,
        "schema": found.schema,
        "records": found.records,
        "entries": found.entries,
        "snapshots": found.snapshots,
        "droppedUntil": found.dropped_until,
        "quarantined": quarantined.collect::<Vec<Value>>(),
        "problems": problems.collect::<Vec<Value>>(),
    })
}
