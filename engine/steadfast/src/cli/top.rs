//! `steadfast top`: the jobs on a whole screen, the worst first, as they change.

mod draw;
mod read;
mod view;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tokio::task::JoinHandle;

use self::view::{Action, View};
use super::client::{Client, ServerOptions, job_path};
use super::filter::Filter;
use super::{Failure, explain};

/// How long a key is waited for before the screen is drawn again: ages go on.
const KEY: Duration = Duration::from_millis(250);

/// How long after a letter the jobs are read anew: more letters may come.
const TYPED: Duration = Duration::from_millis(150);

pub(super) const AFTER_HELP: &str = "\
Keys:
  j k, arrows, PageDown PageUp, g G   move
  /                                   type a part of an id, of all jobs; Enter keeps it, Escape drops it
  Enter                               why the job's record says what it says; Escape goes back
  q, Ctrl-C                           quit

Under 70 columns, a `?` behind a state says that it is not confirmed.";

/// Which jobs.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// How often the jobs are read.
    #[arg(long, default_value = "2s", value_name = "SPAN", value_parser = span)]
    every: Duration,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    server: ServerOptions,
}

fn span(text: &str) -> Result<Duration, String> {
    let span = steadfast_core::duration::parse_duration(text).filter(|span| *span >= Duration::from_millis(100));
    span.ok_or_else(|| "write a span of 100ms or more, such as 2s".to_owned())
}

/// Shows them until a person has seen enough.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::Usage(anyhow!(
            "this is no terminal; `steadfast status --sort severity` shows the same once, and with --watch as it changes"
        )));
    }
    // An engine that is not there is told on the terminal as it was.
    let filter = options.filter.counted(&client).await;
    let first = read::jobs(&client, &filter, "").await?;
    let mut view = View::new(options.server.address());
    view.take(Ok(first), client.clock());
    let mut terminal = ratatui::try_init().context("the terminal cannot be set up")?;
    let ended = follow(&mut terminal, &client, (&filter, options.every), view).await;
    ratatui::restore();
    ended
}

async fn follow(
    terminal: &mut DefaultTerminal,
    client: &Client,
    (filter, every): (&Filter, Duration),
    mut view: View,
) -> Result<(), Failure> {
    let read_in = |pause: Duration, wanted: String| async move {
        tokio::time::sleep(pause).await;
        read::jobs(client, filter, &wanted).await
    };
    let mut reading = Box::pin(read_in(every, String::new()));
    let mut key = key();
    loop {
        terminal
            .draw(|frame| draw::draw(frame, &mut view))
            .context("the terminal cannot be written")?;
        // Both are kept over the turns: a key that is waited for must not be lost, nor a read begin anew.
        let action = tokio::select! {
            pressed = &mut key => {
                key = self::key();
                match pressed.context("the keyboard cannot be read")?.context("the keyboard cannot be read")? {
                    Some(Event::Key(pressed)) if pressed.kind != KeyEventKind::Release => view.press(pressed),
                    Some(_) | None => Action::Nothing,
                }
            }
            answer = &mut reading => {
                reading = Box::pin(read_in(every, view.wanted.clone()));
                let read = match answer {
                    Ok(read) => Ok(read),
                    Err(failure) => Err(said(failure)?),
                };
                view.take(read, client.clock());
                Action::Nothing
            }
        };
        match action {
            Action::Nothing => {}
            Action::Quit => return Ok(()),
            Action::Search => reading = Box::pin(read_in(TYPED, view.wanted.clone())),
            Action::Explain(id) => {
                let page = match client.get(&job_path(&id, "/explain")?).await {
                    Ok(answer) => explain::page(&id, &answer),
                    Err(failure) => said(failure)?,
                };
                view.explain(id, &page);
            }
        }
    }
}

/// What went wrong, in words; what asking again does not mend ends it.
fn said(failure: Failure) -> Result<String, Failure> {
    match failure {
        Failure::Unreachable(error)
        | Failure::Missing(error)
        | Failure::NotKnown(error)
        | Failure::NoSuchJob(error) => Ok(format!("{error:#}")),
        other @ (Failure::Failed(_)
        | Failure::Config(_)
        | Failure::Usage(_)
        | Failure::Refused(_)
        | Failure::UnknownParameter(_)
        | Failure::Reported
        | Failure::Unread) => Err(other),
    }
}

/// The next key, or nothing for a while.
fn key() -> JoinHandle<io::Result<Option<Event>>> {
    tokio::task::spawn_blocking(|| {
        if event::poll(KEY)? {
            event::read().map(Some)
        } else {
            Ok(None)
        }
    })
}

#[cfg(test)]
mod tests;
