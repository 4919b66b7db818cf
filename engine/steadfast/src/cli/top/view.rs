//! What stands on the screen, and what keys do to it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::widgets::TableState;
use serde_json::Value;
use steadfast_core::time::Timestamp;

use super::read::Read;
use crate::cli::status::text;
use crate::cli::terminal::{Passes, plain};

/// How far PageUp and PageDown go.
const PAGE: usize = 10;

/// The end of a page, however many rows it takes: where it is drawn, it is known.
const END: usize = usize::MAX / 2;

/// The screen.
#[derive(Debug)]
pub(super) struct View {
    pub(super) server: String,
    pub(super) read: Read,
    /// When it was read.
    pub(super) as_of: Timestamp,
    /// Why it could not be read anew.
    pub(super) fault: Option<String>,
    /// The part of an id that is looked for.
    pub(super) wanted: String,
    pub(super) mode: Mode,
    pub(super) table: TableState,
    /// The job that is chosen: rows move.
    chosen: Option<String>,
}

/// What keys are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    List,
    Typing,
    Page {
        job: String,
        lines: Vec<String>,
        from: usize,
    },
}

/// What a key asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    Quit,
    /// Another text is looked for: the engine is to be asked.
    Search,
    Explain(String),
}

impl View {
    pub(super) fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            read: Read::default(),
            as_of: Timestamp::from_millis(0),
            fault: None,
            wanted: String::new(),
            mode: Mode::List,
            table: TableState::default(),
            chosen: None,
        }
    }

    /// What was read by the engine's clock, or why it could not be: then what is shown stays, and says so.
    pub(super) fn take(&mut self, read: Result<Read, String>, now: Timestamp) {
        match read {
            Ok(read) => {
                self.read = read;
                self.as_of = now;
                self.fault = None;
            }
            Err(fault) => self.fault = Some(fault),
        }
        self.keep_choice();
    }

    /// The jobs that are shown: of what was read, which may have been asked for with another text.
    pub(super) fn jobs(&self) -> Vec<&Value> {
        let wanted = self.wanted.to_lowercase();
        let is_wanted = |job: &&Value| text(job, "/id").to_lowercase().contains(&wanted);
        self.read.jobs.iter().filter(is_wanted).collect()
    }

    /// Shows why a job's record says what it says.
    pub(super) fn explain(&mut self, job: String, page: &str) {
        let lines = page
            .lines()
            .map(|line| plain(line, Passes::Lines).into_owned())
            .collect();
        self.mode = Mode::Page { job, lines, from: 0 };
    }

    pub(super) fn press(&mut self, key: KeyEvent) -> Action {
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Action::Quit;
        }
        match &mut self.mode {
            Mode::Typing => self.typed(key.code),
            Mode::Page { from, .. } => {
                if key.code == KeyCode::Char('q') {
                    return Action::Quit;
                }
                match moved(key.code, *from, END) {
                    Some(to) => *from = to,
                    None if matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Backspace) => {
                        self.mode = Mode::List
                    }
                    None => {}
                }
                Action::Nothing
            }
            Mode::List => self.listed(key.code),
        }
    }

    fn typed(&mut self, key: KeyCode) -> Action {
        let before = self.wanted.clone();
        if let KeyCode::Char(character) = key {
            self.wanted.push(character);
        } else if key == KeyCode::Backspace {
            self.wanted.pop();
        } else if key == KeyCode::Enter {
            self.mode = Mode::List;
        } else if key == KeyCode::Esc {
            self.wanted.clear();
            self.mode = Mode::List;
        }
        self.keep_choice();
        self.searched(&before)
    }

    fn searched(&self, before: &str) -> Action {
        if self.wanted == before {
            Action::Nothing
        } else {
            Action::Search
        }
    }

    fn listed(&mut self, key: KeyCode) -> Action {
        let jobs = self.jobs();
        let last = jobs.len().saturating_sub(1);
        if let Some(to) = moved(key, self.table.selected().unwrap_or(0), last) {
            self.chosen = jobs.get(to).map(|job| text(job, "/id").to_owned());
            self.keep_choice();
            return Action::Nothing;
        }
        if key == KeyCode::Char('q') {
            return Action::Quit;
        }
        if key == KeyCode::Char('/') {
            self.mode = Mode::Typing;
        } else if key == KeyCode::Esc {
            let before = std::mem::take(&mut self.wanted);
            self.keep_choice();
            return self.searched(&before);
        } else if key == KeyCode::Enter
            && let Some(job) = &self.chosen
        {
            return Action::Explain(job.clone());
        }
        Action::Nothing
    }

    /// The chosen job stays the chosen one wherever its row has gone to; if it is not shown any more, the row it had is chosen.
    fn keep_choice(&mut self) {
        let ids: Vec<String> = self.jobs().iter().map(|job| text(job, "/id").to_owned()).collect();
        let at = self
            .chosen
            .as_ref()
            .and_then(|chosen| ids.iter().position(|id| id == chosen));
        let at = at.unwrap_or_else(|| self.table.selected().unwrap_or(0).min(ids.len().saturating_sub(1)));
        self.chosen = ids.get(at).cloned();
        self.table.select(self.chosen.is_some().then_some(at));
    }
}

/// Where a key that moves leads to.
fn moved(key: KeyCode, from: usize, last: usize) -> Option<usize> {
    let to = if matches!(key, KeyCode::Char('j') | KeyCode::Down) {
        from + 1
    } else if matches!(key, KeyCode::Char('k') | KeyCode::Up) {
        from.saturating_sub(1)
    } else if key == KeyCode::PageDown {
        from + PAGE
    } else if key == KeyCode::PageUp {
        from.saturating_sub(PAGE)
    } else if matches!(key, KeyCode::Char('g') | KeyCode::Home) {
        0
    } else if matches!(key, KeyCode::Char('G') | KeyCode::End) {
        last
    } else {
        return None;
    };
    Some(to.min(last))
}
