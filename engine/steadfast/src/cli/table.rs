//! A table as kubectl prints one: as wide as its cells, no wider than the terminal, and nothing behind the last column.
//!
//! Libraries of tables wrap what is too long, or pad the last column; one line a row is what can be read at 80 columns and by
//! `grep` and `awk`.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::screen::{Colors, PLAIN, Screen};
use super::terminal::{Passes, plain};

/// Between two columns.
pub(crate) const GAP: usize = 3;
/// Under so many columns a sentence says nothing.
pub(crate) const ROOM: usize = 30;
/// What stands before one below its row.
const INDENT: &str = "  ";
/// What stands for the rest of a text that was cut.
const CUT: &str = "…";

/// A column: what stands above it, and how narrow it may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    head: &'static str,
    least: Option<usize>,
    /// Where it has less room than [`ROOM`], it goes below its row.
    goes_below: bool,
}

impl Column {
    /// One that is always shown whole.
    pub(crate) const fn whole(head: &'static str) -> Self {
        Self {
            head,
            least: None,
            goes_below: false,
        }
    }

    /// One that is cut where the table is too wide, to no less than so many columns.
    pub(crate) const fn cut(head: &'static str, least: usize) -> Self {
        Self {
            head,
            least: Some(least),
            goes_below: false,
        }
    }

    /// The last one of a table, a sentence: what there is no room for beside the others stands on a line of its own.
    pub(crate) const fn sentence(head: &'static str) -> Self {
        Self {
            head,
            least: Some(ROOM),
            goes_below: true,
        }
    }
}

/// A cell: one line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A text in a colour. Whatever it holds takes up one line, and commands nothing.
    pub(crate) fn styled(text: &str, style: Style) -> Self {
        Self {
            text: plain(text, Passes::Lines).replace(['\n', '\t'], " ").trim().to_owned(),
            style,
        }
    }

    fn width(&self) -> usize {
        self.text.width()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::styled(text, PLAIN)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::styled(&text, PLAIN)
    }
}

/// Columns and their rows.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// A row has a cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Cells that stand beside each other without columns; empty ones are left out.
    pub(crate) fn joined(cells: Vec<Cell>, screen: Screen) -> String {
        let (mut text, mut room) = (String::new(), screen.width.unwrap_or(usize::MAX));
        for (index, cell) in cells.iter().filter(|cell| !cell.text.is_empty()).enumerate() {
            let gap = if index == 0 { "" } else { "  " };
            if room <= gap.len() {
                break;
            }
            room -= gap.len();
            let shown = cut(&cell.text, room);
            room -= shown.width();
            text.push_str(gap);
            text.push_str(&painted(&shown, cell.style, screen.colors));
        }
        text.push('\n');
        text
    }

    /// The header and the rows, each on a line of its own.
    pub(crate) fn shown(&self, screen: Screen) -> String {
        if let Some(room) = screen.width.filter(|room| self.is_too_wide_for_a_sentence(*room)) {
            return self.with_sentences_below(screen, room);
        }
        let widths = self.widths(screen.width);
        let header: Vec<Cell> = self.columns.iter().map(|column| Cell::from(column.head)).collect();
        let mut text = String::new();
        for row in std::iter::once(&header).chain(&self.rows) {
            text.push_str(&line(row, &widths, screen));
            text.push('\n');
        }
        text
    }

    /// Whether the last column is a sentence, and has too little room beside the others.
    fn is_too_wide_for_a_sentence(&self, room: usize) -> bool {
        let widths = self.widths(None);
        let [others @ .., sentence] = widths.as_slice() else {
            return false;
        };
        let beside = others.iter().sum::<usize>() + GAP * others.len();
        let is_sentence = self.columns.last().is_some_and(|column| column.goes_below);
        is_sentence && beside + (*sentence).min(ROOM) > room
    }

    /// Each row on two lines.
    fn with_sentences_below(&self, screen: Screen, room: usize) -> String {
        let mut above = self.clone();
        above.columns.pop();
        let sentences: Vec<Option<Cell>> = above.rows.iter_mut().map(Vec::pop).collect();
        let shown = above.shown(screen);
        let mut lines = shown.lines();
        let mut text = format!("{}\n", lines.next().unwrap_or_default());
        for (line, sentence) in lines.zip(sentences) {
            text.push_str(&format!("{line}\n"));
            if let Some(cell) = sentence.filter(|cell| !cell.is_empty()) {
                let shown = cut(&cell.text, room.saturating_sub(INDENT.len()));
                let indent = cut(INDENT, room);
                text.push_str(&format!("{indent}{}\n", painted(&shown, cell.style, screen.colors)));
            }
        }
        text
    }

    /// How wide each column is shown.
    fn widths(&self, room: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|column| column.head.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let Some(room) = room else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        // From the right: what stands there explains what stands to the left.
        for (width, column) in widths.iter_mut().zip(&self.columns).rev() {
            let least = column.least.unwrap_or(usize::MAX).max(column.head.width());
            let taken = width.saturating_sub(least).min(excess);
            *width -= taken;
            excess -= taken;
        }
        widths
    }
}

/// A row; what does not fit into the screen even so is cut.
pub(crate) fn line(row: &[Cell], widths: &[usize], screen: Screen) -> String {
    let mut text = String::new();
    let mut room = screen.width.unwrap_or(usize::MAX);
    let last = row.iter().rposition(|cell| !cell.text.is_empty());
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        let shown = cut(&cell.text, (*width).min(room));
        text.push_str(&painted(&shown, cell.style, screen.colors));
        room = room.saturating_sub(*width);
        if last.is_none_or(|last| index >= last) || room <= GAP {
            break;
        }
        text.push_str(&" ".repeat(width.saturating_sub(shown.width()) + GAP));
        room -= GAP;
    }
    text
}

/// The text in no more columns than that.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(CUT.width());
    let mut kept = String::new();
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if wide > room {
            break;
        }
        room -= wide;
        kept.push(character);
    }
    let mut kept = kept.trim_end().to_owned();
    if width > 0 {
        kept.push_str(CUT);
    }
    kept
}

/// The same with the end kept: of the ids of jobs it says more than the beginning, which many share.
#[cfg(feature = "top")]
pub(crate) fn cut_front(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(CUT.width());
    let fits = |character: &char| {
        let wide = character.width().unwrap_or(0);
        let is_room = wide <= room;
        room = room.saturating_sub(wide);
        is_room
    };
    let kept: Vec<char> = text.chars().rev().take_while(fits).collect();
    let cut = if width > 0 { CUT } else { "" };
    std::iter::once(cut.to_owned())
        .chain(kept.iter().rev().map(char::to_string))
        .collect()
}

/// The text in its colour.
pub(crate) fn painted(text: &str, style: Style, colors: Colors) -> String {
    match colors {
        Colors::On if style != PLAIN && !text.is_empty() => format!("{style}{text}{style:#}"),
        Colors::On | Colors::Off => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::screen::BAD;

    fn table() -> Table {
        let mut table = Table::new(vec![
            Column::whole("JOB"),
            Column::whole("STATE"),
            Column::cut("CONDITIONS", 12),
            Column::cut("REASON", 10),
        ]);
        let conditions = "FlinkUnreachable,CrashLoop";
        table.row(vec![
            "prod/default/orders".into(),
            Cell::styled("FAILED", BAD),
            conditions.into(),
            "it ended\nwith Größe: 漢字漢字漢字".into(),
        ]);
        table.row(vec!["prod/default/b".into(), "RUNNING".into(), "".into(), "".into()]);
        table
    }

    fn at(width: Option<usize>) -> String {
        table().shown(Screen {
            width,
            colors: Colors::Off,
        })
    }

    #[test]
    fn where_no_terminal_is_nothing_is_cut_and_the_last_column_is_not_padded() {
        let expected = "\
JOB                   STATE     CONDITIONS                   REASON
prod/default/orders   FAILED    FlinkUnreachable,CrashLoop   it ended with Größe: 漢字漢字漢字
prod/default/b        RUNNING
";
        assert_eq!(at(None), expected);
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_and_the_reason_goes_first() {
        for width in 1..120 {
            let shown = at(Some(width));
            assert!(shown.lines().all(|line| line.width() <= width), "{width}:\n{shown}");
        }
        let at_80 = at(Some(80));
        assert!(
            at_80.contains("FlinkUnreachable,CrashLoop   it ended with Größ…"),
            "{at_80}"
        );
        let at_60 = at(Some(60));
        assert!(at_60.contains("FlinkUnreachab…   it ended…"), "{at_60}");
    }

    #[test]
    fn a_sentence_without_room_stands_below_its_row() {
        let mut table = table();
        table.columns[3] = Column::sentence("REASON");
        let at = |width| {
            let colors = Colors::Off;
            table.shown(Screen { width, colors })
        };
        assert_eq!(at(None), self::at(None));
        assert_eq!(at(Some(95)), self::at(Some(95)), "it has all its room");
        let below = "\
JOB                   STATE     CONDITIONS
prod/default/orders   FAILED    FlinkUnreachable,CrashLoop
  it ended with Größe: 漢字漢字漢字
prod/default/b        RUNNING
";
        assert_eq!(at(Some(80)), below);
        for width in 1..120 {
            let shown = at(Some(width));
            assert!(shown.lines().all(|line| line.width() <= width), "{width}:\n{shown}");
        }
    }

    #[test]
    fn colours_are_ours_alone_and_take_no_room() {
        let mut table = Table::new(vec![Column::whole("A"), Column::whole("B")]);
        table.row(vec![Cell::styled("\u{1b}[31mred", BAD), "x".into()]);
        let screen = |colors| Screen { width: None, colors };
        assert_eq!(
            table.shown(screen(Colors::Off)),
            "A               B\n\\u001b[31mred   x\n"
        );
        let shown = table.shown(screen(Colors::On));
        assert!(
            shown.ends_with("\u{1b}[1m\u{1b}[31m\\u001b[31mred\u{1b}[0m   x\n"),
            "{shown:?}"
        );
    }
}
