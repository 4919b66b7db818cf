//! The screen, drawn.

use anstyle::{AnsiColor, Effects};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table};
use serde_json::Value;
use steadfast_core::severity::Severity;
use steadfast_core::time::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::view::{Mode, View};
use crate::cli::age::age;
use crate::cli::status::rows::{alerts, conditions};
use crate::cli::status::text;
use crate::cli::table::cut_front;
use crate::cli::terminal::{Passes, plain};

/// How many clusters that cannot be read have a line; the rest are a number.
const MOST_UNREAD: usize = 3;
/// The widest that ids are shown: what they are longer is cut.
const WIDEST_ID: usize = 60;
/// In columns: the state, its confidence, its age, and the gaps around them.
const STATE: u16 = 12;
const CONFIDENCE: u16 = 10;
const AGE: u16 = 7;
const GAPS: u16 = 4;
/// Under so many columns the id, the state and its age have all the room.
const NARROW: u16 = 70;

pub(super) fn draw(frame: &mut Frame<'_>, view: &mut View) {
    let unread = unread(view);
    let [head, above, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::try_from(unread.len()).unwrap_or(u16::MAX)),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(header(view)), head);
    frame.render_widget(Paragraph::new(unread), above);
    if let Mode::Page { lines, from, .. } = &mut view.mode {
        let rows: Vec<String> = lines
            .iter()
            .flat_map(|line| wrapped(line, usize::from(body.width)))
            .collect();
        // The end of the page is at the foot of the screen.
        *from = (*from).min(rows.len().saturating_sub(usize::from(body.height)));
        let rows: Vec<Line<'_>> = rows.into_iter().skip(*from).map(Line::raw).collect();
        frame.render_widget(Paragraph::new(rows), body);
    } else {
        jobs(frame, view, body);
    }
    frame.render_widget(Paragraph::new(footer(view)), foot);
}

/// A line in as many rows as it needs, broken between words where there are some.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let (mut rows, mut row) = (Vec::new(), String::new());
    for word in line.split_inclusive(' ') {
        if row.width() + word.trim_end().width() > width && !row.trim().is_empty() {
            rows.push(std::mem::take(&mut row));
        }
        for character in word.chars() {
            if row.width() + character.width().unwrap_or(0) > width && character != ' ' {
                rows.push(std::mem::take(&mut row));
            }
            row.push(character);
        }
    }
    rows.push(row);
    rows
}

/// How many there are of what, and of when that is.
fn header(view: &View) -> Line<'static> {
    let server = view
        .server
        .split_once("://")
        .map_or(view.server.as_str(), |(_, place)| place);
    let mut spans = vec![Span::styled(
        format!("steadfast {}", place(server)),
        Style::new().add_modifier(Modifier::BOLD),
    )];
    for (severity, count) in Severity::ALL.iter().zip(&view.read.counts) {
        let word = severity.as_str();
        if *count > 0 {
            spans.push(Span::raw("  "));
            spans.push(Span::styled(format!("{count} {word}"), of_severity(word)));
        }
    }
    let (_, time) = view
        .as_of
        .to_string()
        .split_once('T')
        .map(|(day, time)| (day.to_owned(), time.to_owned()))
        .unwrap_or_default();
    let time = time.split('.').next().unwrap_or_default().to_owned();
    match &view.fault {
        Some(fault) => spans.push(Span::styled(
            format!("  as of {time} UTC: {}", plain(fault, Passes::Colors)),
            Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        )),
        None => spans.push(Span::raw(format!("  {time} UTC"))),
    }
    Line::from(spans)
}

/// A line for each cluster that is not wholly readable, as far as there is room.
fn unread(view: &View) -> Vec<Line<'static>> {
    let style = Style::new().fg(Color::Yellow);
    let all = &view.read.unread;
    let shown = all.iter().take(MOST_UNREAD);
    let mut lines: Vec<Line<'static>> = shown
        .map(|line| Line::styled(plain(line, Passes::Colors).into_owned(), style))
        .collect();
    if all.len() > MOST_UNREAD {
        let more = all.len() - MOST_UNREAD;
        lines.push(Line::styled(
            format!("{more} more clusters are not readable: `steadfast clusters`"),
            style,
        ));
    }
    lines
}

/// An address without a user.
fn place(server: &str) -> String {
    server.rsplit('@').next().unwrap_or_default().to_owned()
}

fn footer(view: &View) -> Line<'static> {
    match &view.mode {
        Mode::Typing => Line::raw(format!("/{}_", view.wanted)),
        Mode::Page { job, .. } => Line::raw(format!("{job}   j k move   Esc back   q quit")),
        Mode::List => {
            let (shown, total) = (view.jobs().len(), view.read.total());
            let worst = if view.read.is_cut { "the worst " } else { "" };
            let wanted = match (view.wanted.as_str(), view.read.is_cut) {
                ("", false) => String::new(),
                ("", true) => format!("   the worst {shown} of {total}"),
                (wanted, _) => format!("   /{wanted}: {worst}{shown} of {total}, Esc shows all"),
            };
            Line::raw(format!("j k move   / find   Enter why   q quit{wanted}"))
        }
    }
}

fn jobs(frame: &mut Frame<'_>, view: &mut View, area: Rect) {
    let is_narrow = area.width < NARROW;
    let now = view.as_of;
    let shown = view.jobs();
    let widest = shown.iter().map(|job| text(job, "/id").width()).max().unwrap_or(3);
    let beside = STATE + AGE + GAPS + if is_narrow { 0 } else { CONFIDENCE };
    let room = usize::from(area.width.saturating_sub(beside)).max(8);
    let id = widest.clamp(3, WIDEST_ID).min(room);
    let rows: Vec<Row<'static>> = shown
        .iter()
        .map(|job| {
            Row::new(if is_narrow {
                few_cells(job, now, id)
            } else {
                cells(job, now, id)
            })
        })
        .collect();
    let id = Constraint::Length(u16::try_from(id).unwrap_or(u16::MAX));
    let [state, confidence, age] = [STATE, CONFIDENCE, AGE].map(Constraint::Length);
    let (heads, widths) = if is_narrow {
        (
            vec!["JOB", "STATE", "AGE", "STANDS"],
            vec![id, state, age, Constraint::Fill(1)],
        )
    } else {
        (
            vec!["JOB", "STATE", "CONFIDENCE", "AGE", "STANDS", "REASON"],
            vec![id, state, confidence, age, Constraint::Max(24), Constraint::Fill(1)],
        )
    };
    let head = Row::new(heads);
    let mut table = Table::new(rows, widths)
        .header(head.style(Style::new().add_modifier(Modifier::BOLD)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    if view.fault.is_some() {
        // What is old must not look alive.
        table = table.style(Style::new().add_modifier(Modifier::DIM));
    }
    frame.render_stateful_widget(table, area, &mut view.table);
}

fn word(job: &Value, pointer: &str) -> String {
    plain(text(job, pointer), Passes::Colors).into_owned()
}

fn cells(job: &Value, now: Timestamp, id: usize) -> Vec<Cell<'static>> {
    vec![
        Cell::from(cut_front(&word(job, "/id"), id)),
        Cell::from(word(job, "/state")).style(of_state(text(job, "/state"))),
        Cell::from(word(job, "/confidence")).style(of_confidence(job)),
        Cell::from(age(text(job, "/since"), now)),
        Cell::from(plain(&standing(job), Passes::Colors).into_owned()).style(Style::new().fg(Color::Yellow)),
        Cell::from(word(job, "/reason/message")),
    ]
}

/// The same where there is little room. A state that is not confirmed has a mark.
fn few_cells(job: &Value, now: Timestamp, id: usize) -> Vec<Cell<'static>> {
    let doubt = if text(job, "/confidence") == "confirmed" {
        ""
    } else {
        "?"
    };
    vec![
        Cell::from(cut_front(&word(job, "/id"), id)),
        Cell::from(format!("{}{doubt}", word(job, "/state"))).style(of_state(text(job, "/state"))),
        Cell::from(age(text(job, "/since"), now)),
        Cell::from(plain(&standing(job), Passes::Colors).into_owned()).style(Style::new().fg(Color::Yellow)),
    ]
}

/// Alerts before conditions.
fn standing(job: &Value) -> String {
    let both = [alerts(job), conditions(job)];
    both.into_iter()
        .filter(|names| !names.is_empty())
        .collect::<Vec<_>>()
        .join(",")
}

fn of_confidence(job: &Value) -> Style {
    match text(job, "/confidence") {
        "confirmed" => Style::new(),
        _ => Style::new().fg(Color::Yellow),
    }
}

fn of_state(state: &str) -> Style {
    as_drawn(crate::cli::screen::of_state(state))
}

fn of_severity(severity: &str) -> Style {
    as_drawn(crate::cli::screen::of_severity(severity))
}

/// The colours of tables.
fn as_drawn(style: anstyle::Style) -> Style {
    let color = |color: AnsiColor| match color {
        AnsiColor::Green | AnsiColor::BrightGreen => Color::Green,
        AnsiColor::Red | AnsiColor::BrightRed => Color::Red,
        AnsiColor::Yellow | AnsiColor::BrightYellow => Color::Yellow,
        AnsiColor::Magenta | AnsiColor::BrightMagenta => Color::Magenta,
        AnsiColor::Black
        | AnsiColor::Blue
        | AnsiColor::Cyan
        | AnsiColor::White
        | AnsiColor::BrightBlack
        | AnsiColor::BrightBlue
        | AnsiColor::BrightCyan
        | AnsiColor::BrightWhite => Color::Reset,
    };
    let mut drawn = Style::new();
    if let Some(anstyle::Color::Ansi(ansi)) = style.get_fg_color() {
        drawn = drawn.fg(color(ansi));
    }
    let effects = style.get_effects();
    for (effect, modifier) in [(Effects::BOLD, Modifier::BOLD), (Effects::DIMMED, Modifier::DIM)] {
        if effects.contains(effect) {
            drawn = drawn.add_modifier(modifier);
        }
    }
    drawn
}
