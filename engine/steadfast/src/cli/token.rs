//! `steadfast token`.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use secrecy::ExposeSecret as _;
use steadfast_files::FileError;
use steadfast_server::{NamedTokens, NewToken, Scope};

use super::policy::replace;
use super::{Failure, printer};

/// How long others who add an entry are waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long until it is looked again whether they are done.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token, and the entry by which an engine knows it.
    ///
    /// The token is printed to standard output, once, and kept nowhere: the entry holds its SHA-256. It is what goes into the file
    /// of `server.tokens_file`, and counts there within a second; taken out, the token opens nothing any more.
    #[command(after_help = AFTER_HELP)]
    New {
        /// Who is going to show it: 1 to 63 letters, digits, `-`, `_` and `.`, which histories and the log show.
        name: String,
        /// What it opens; several with commas between. None includes another.
        #[arg(long, value_enum, value_delimiter = ',', required = true, value_name = "SCOPE")]
        scope: Vec<Wanted>,
        /// Add the entry to this file, which is made if there is none. Without it, the entry is shown on standard error.
        #[arg(long, value_name = "FILE")]
        tokens_file: Option<PathBuf>,
    },
}

const AFTER_HELP: &str = "\
Examples:
  steadfast token new deploy-bot --scope read,intent --tokens-file tokens.toml > deploy-bot.token
  steadfast status --token-file deploy-bot.token";

/// The scopes, by their names on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Wanted {
    /// See jobs, histories, clusters, policies, events and metrics.
    Read,
    /// Say what is wanted of a job.
    Intent,
    /// Remove records, and reload the configuration.
    Admin,
}

impl From<Wanted> for Scope {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Read => Self::Read,
            Wanted::Intent => Self::Intent,
            Wanted::Admin => Self::Admin,
        }
    }
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::New {
        name,
        scope,
        tokens_file,
    } = command;
    let scopes = scope.iter().copied().map(Scope::from).collect();
    let made = NewToken::make(name, scopes).map_err(|error| Failure::Usage(error.into()))?;
    match tokens_file {
        None => printer::note(&format!(
            "add this to the file of server.tokens_file:\n\n{}",
            made.entry.trim_end()
        )),
        Some(file) => {
            add(file, &made.entry)?;
            printer::note(&format!("its entry was added to {}", file.display()));
        }
    }
    printer::data(&format!("{}\n", made.token.expose_secret()))?;
    Ok(())
}

/// Adds an entry behind what a file of tokens has. What would make of it a file that cannot be used is not written.
fn add(file: &Path, entry: &str) -> Result<(), Failure> {
    let _lock = lock(file)?;
    let before = steadfast_files::read_text(file, steadfast_files::SMALL).with_context(|| cannot_read(file))?;
    let whole = format!("{}\n\n{entry}", before.trim_end()).trim_start().to_owned();
    NamedTokens::check(file, &whole).map_err(|error| {
        Failure::Usage(anyhow::Error::new(error).context("with the new entry the file could not be used"))
    })?;
    Ok(replace(file, &whole)?)
}

/// Keeps everybody else who adds an entry waiting until it is dropped, so that no entry is lost. Makes the file if there is none; an
/// engine that follows it takes no file without a token for one.
fn lock(file: &Path) -> anyhow::Result<File> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let Some(held) = open_or_make(file)? else {
            std::thread::sleep(PAUSE);
            continue;
        };
        match flock(&held, FlockOperation::NonBlockingLockExclusive) {
            // Each who adds an entry puts another file in the place of this one.
            Ok(()) if is_named(file, &held) => return Ok(held),
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => std::thread::sleep(PAUSE),
            Err(error) => {
                printer::note(&format!(
                    "{} cannot be locked ({error}); let nobody else add a token to it at the same time",
                    file.display()
                ));
                return Ok(held);
            }
        }
    }
    bail!(
        "{} is locked by another program, which may be adding a token to it, or it is a link to nowhere; try again when that has ended",
        file.display()
    )
}

/// The file; `None` if somebody else was about to make it.
fn open_or_make(file: &Path) -> anyhow::Result<Option<File>> {
    match steadfast_files::open(file, steadfast_files::SMALL) {
        Ok(held) => return Ok(Some(held.into_inner())),
        Err(FileError::Io(error)) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| cannot_read(file)),
    }
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    match made {
        Ok(made) => Ok(Some(made)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be written", file.display())),
    }
}

/// Whether the path still names the file that was opened.
fn is_named(path: &Path, held: &File) -> bool {
    let same = held.metadata().and_then(|held| {
        let named = std::fs::metadata(path)?;
        Ok((held.dev(), held.ino()) == (named.dev(), named.ino()))
    });
    same.unwrap_or(false)
}

fn cannot_read(file: &Path) -> String {
    format!("cannot read {}", file.display())
}
