//! The story as it is seen from three sides: the world across the page, and below it, side by side, what Steadfast's record says
//! and what a naive watcher would.

use std::collections::BTreeMap;
use std::time::Duration;

use anstyle::Style;
use steadfast_core::id::{ClusterName, JobKey, Namespace, TargetId};
use steadfast_core::projection::JobView;
use steadfast_core::state::Confidence;

use crate::cli::printer::{self, PrintError};
use crate::cli::screen::{self, Screen};
use crate::cli::table::{Cell, Column, GAP, ROOM, Table, line};
use crate::run::Running;

/// What stands in front of what happens in the world.
const WORLD: Style = anstyle::AnsiColor::Cyan.on_default().bold();
/// In columns: the time, the job, Steadfast's word, the naive watcher's.
const WIDTHS: [usize; 4] = [7, 8, 22, 13];

/// What has been printed so far.
pub(super) struct Timeline {
    scenes: std::iter::Peekable<std::slice::Iter<'static, (u64, &'static str)>>,
    cluster: ClusterName,
    screen: Screen,
    shown: BTreeMap<JobKey, Sight>,
}

/// What is said of a job on the two sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sight {
    steadfast: String,
    naive: String,
}

impl Sight {
    fn of(view: &JobView, running: &Running) -> Self {
        Self {
            steadfast: word(view),
            naive: naive(running, &view.record.key).unwrap_or_default(),
        }
    }
}

impl Timeline {
    pub(super) fn new(scenes: &'static [(u64, &'static str)], cluster: &str, screen: Screen) -> Self {
        Self {
            scenes: scenes.iter().peekable(),
            cluster: ClusterName::new(cluster),
            screen,
            shown: BTreeMap::new(),
        }
    }

    /// What the columns are.
    pub(super) fn head(&self) -> Result<(), PrintError> {
        let why = if self.is_narrow() { "" } else { "WHY STEADFAST SAYS SO" };
        self.print(["", "JOB", "STEADFAST", "NAIVE WATCHER", why].map(Cell::from))
    }

    /// Prints what has changed since the last look.
    pub(super) fn look(&mut self, now: Duration, running: &Running) -> Result<(), PrintError> {
        while let Some((at, what)) = self.scenes.next_if(|(at, _)| Duration::from_secs(*at) <= now) {
            self.happens(Duration::from_secs(*at), what)?;
        }
        for view in running.projection.page(None, usize::MAX, |_| true) {
            let key = &view.record.key;
            let sight = Sight::of(&view, running);
            let before = self.shown.get(key).cloned().unwrap_or_default();
            if sight != before {
                self.changed(now, &view, &before, &sight)?;
                self.shown.insert(key.clone(), sight);
            }
        }
        Ok(())
    }

    /// Something happens in the world, across all columns.
    pub(super) fn happens(&self, at: Duration, what: &str) -> Result<(), PrintError> {
        let clock = Cell::styled(&clock(at), screen::OVER);
        let text = line(
            &[clock, Cell::styled(what, WORLD)],
            &[WIDTHS[0], usize::MAX],
            self.screen,
        );
        printer::page(&format!("{text}\n"))
    }

    /// A side on which nothing has changed has a mark in the place of its word.
    fn changed(&self, at: Duration, view: &JobView, before: &Sight, now: &Sight) -> Result<(), PrintError> {
        let state = view.record.state.as_str();
        let doubt = match view.confidence() {
            Confidence::Confirmed => screen::of_state(state),
            Confidence::Inferred | Confidence::Stale => screen::of_state(state).italic(),
        };
        let (steadfast, why) = if now.steadfast == before.steadfast {
            (Cell::styled("·", screen::OVER), Cell::from(""))
        } else {
            let why = Cell::styled(&view.record.reason.message, screen::OVER);
            (Cell::styled(&now.steadfast, doubt), why)
        };
        let naive = if now.naive == before.naive {
            Cell::styled("·", screen::OVER)
        } else {
            Cell::styled(&now.naive, screen::of_state(&now.naive))
        };
        let name = Cell::from(&*view.record.key.target.name);
        self.print([Cell::styled(&clock(at), screen::OVER), name, steadfast, naive, why])
    }

    /// Whether there is too little room for a reason beside the other columns.
    fn is_narrow(&self) -> bool {
        let beside = WIDTHS.iter().sum::<usize>() + GAP * WIDTHS.len();
        self.screen.width.is_some_and(|width| width < beside + ROOM)
    }

    fn print(&self, row: [Cell; 5]) -> Result<(), PrintError> {
        printer::page(&self.lines(row))
    }

    /// A row, and below it the reason where there is no room for it beside.
    fn lines(&self, row: [Cell; 5]) -> String {
        let [time, job, steadfast, naive] = WIDTHS;
        if !self.is_narrow() {
            let text = line(&row, &[time, job, steadfast, naive, usize::MAX], self.screen);
            return format!("{text}\n");
        }
        let [clock, name, record, shadow, why] = row;
        let mut text = line(
            &[clock, name, record, shadow],
            &[time, job, steadfast, naive],
            self.screen,
        );
        text.push('\n');
        if !why.is_empty() {
            text.push_str(&line(&[Cell::from(""), why], &[time, usize::MAX], self.screen));
            text.push('\n');
        }
        text
    }

    /// Each job at the end: the truth, the record, and what the naive watcher says.
    pub(super) fn summary(&self, truth: &[(&str, &str)], running: &Running) -> String {
        let heads = ["JOB", "IN TRUTH", "STEADFAST", "NAIVE WATCHER"];
        let mut table = Table::new(heads.map(Column::whole).to_vec());
        for (name, truth) in truth {
            let key = JobKey::application(TargetId::new(&self.cluster, &Namespace::new("default"), name));
            let view = running.projection.get(&key);
            let recorded = view.as_ref().map_or_else(|| "-".to_owned(), word);
            let state = view.map_or("-", |view| view.record.state.as_str());
            let naive = naive(running, &key).unwrap_or_else(|| "-".to_owned());
            let styled = screen::of_state(&naive);
            table.row(vec![
                Cell::from(*name),
                Cell::from(*truth),
                Cell::styled(&recorded, screen::of_state(state)),
                Cell::styled(&naive, styled),
            ]);
        }
        format!("\n{}", table.shown(self.screen))
    }
}

fn clock(at: Duration) -> String {
    format!("{:>6.1}s", at.as_secs_f64())
}

fn word(view: &JobView) -> String {
    format!("{}, {}", view.record.state, view.record.confidence)
}

fn naive(running: &Running, key: &JobKey) -> Option<String> {
    let shadows = running.shadows.of(key);
    let (_, view) = shadows.iter().find(|(policy, _)| policy.as_str() == "naive")?;
    Some(view.shown.shows.state.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_little_room_the_reason_has_a_line_of_its_own() {
        let lines = |width| {
            let screen = Screen {
                width: Some(width),
                ..Screen::default()
            };
            let timeline = Timeline::new(&[], "local", screen);
            timeline.lines(
                [
                    "   1.0s",
                    "orders",
                    "RUNNING, confirmed",
                    "LOST",
                    "Flink lists it as it did before",
                ]
                .map(Cell::from),
            )
        };
        assert_eq!(
            lines(80),
            "1.0s      orders     RUNNING, confirmed       LOST\n          Flink lists it as it did before\n"
        );
        assert_eq!(lines(120).lines().count(), 1);
    }
}
