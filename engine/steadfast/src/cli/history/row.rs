//! What was written, as rows.

use serde_json::Value;

use super::read::{UNREADABLE, sequence};
use crate::cli::screen::{BAD, DOUBT, GOOD, PLAIN, of_state};
use crate::cli::status::text;
use crate::cli::table::{Cell, Column, Table};

/// Of which jobs the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jobs {
    /// All of one, which was named.
    Same,
    Several,
}

pub(super) fn table(items: &[Value], jobs: Jobs) -> Table {
    let mut columns = vec![Column::whole("TIME")];
    if jobs == Jobs::Several {
        columns.push(Column::whole("JOB"));
    }
    columns.extend(["KIND", "WHAT", "CONFIDENCE"].map(Column::whole));
    columns.push(Column::sentence("WHY"));
    let mut table = Table::new(columns);
    for item in items {
        table.row(cells(item, jobs));
    }
    table
}

/// When, of what, what, how certain, and why or by whom.
pub(super) fn cells(item: &Value, jobs: Jobs) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![seconds(text(item, "/at")).into()];
    if jobs == Jobs::Several {
        cells.push(about(item).into());
    }
    let kind = text(item, "/kind");
    cells.push(kind.into());
    let said = match kind {
        "transition" => {
            let to = text(item, "/transition/to");
            let what = format!("{} -> {to}", text(item, "/transition/from"));
            [
                Cell::styled(&what, of_state(to)),
                text(item, "/transition/confidence").into(),
                text(item, "/transition/reason/message").into(),
            ]
        }
        "alert" => {
            let status = text(item, "/alert/status");
            let style = if status == "firing" { BAD } else { GOOD };
            let silenced = item.pointer("/alert/silenced").and_then(Value::as_bool) == Some(true);
            let told = if silenced { ", silenced" } else { "" };
            let what = format!("{} {status}{told}", text(item, "/alert/alert"));
            [
                Cell::styled(&what, style),
                "".into(),
                text(item, "/alert/message").into(),
            ]
        }
        "call" => [asked(item).into(), "".into(), caller(item).into()],
        UNREADABLE => {
            let entry = format!("entry {}", sequence(item));
            [Cell::styled(&entry, DOUBT), "".into(), text(item, "/why").into()]
        }
        _ => {
            let confidence = item.pointer("/confidence").and_then(Value::as_str).unwrap_or_default();
            let before = item.pointer("/before").and_then(Value::as_str);
            let what = before.map_or_else(String::new, |before| format!("{before} -> {confidence}"));
            let style = if confidence == "confirmed" { PLAIN } else { DOUBT };
            [Cell::styled(&what, style), confidence.into(), "".into()]
        }
    };
    cells.extend(said);
    cells
}

/// What was asked for.
fn asked(item: &Value) -> String {
    let what = text(item, "/call/what");
    let alert = text(item, "/call/alert");
    match what {
        "silence" => {
            let until = item.pointer("/call/until").and_then(Value::as_str);
            let until = until.map_or_else(String::new, |until| {
                format!(" until {}", moment(until, text(item, "/at")))
            });
            format!("{alert} silenced{until}")
        }
        "unsilence" => format!("silence of {alert} ended"),
        "none" => "intent taken back".to_owned(),
        "start" | "cancel" | "savepoint" => format!("intent {what}"),
        other => other.to_owned(),
    }
}

/// Why, and who called, as far as they showed it.
fn caller(item: &Value) -> String {
    let of = |key: &str| item.pointer(&format!("/call/{key}")).and_then(Value::as_str);
    let by = of("by").map(|by| format!("by {by}"));
    let through = match (of("by"), of("through")) {
        (Some(_), _) | (None, None) => None,
        (None, Some("nothing")) => Some("without a token".to_owned()),
        (None, Some("token-file")) => Some("with the token that many share".to_owned()),
        (None, Some(through)) => Some(format!("through {through}")),
    };
    let says = of("says").map(|says| format!("for {says}"));
    let from = of("from").map(|from| format!("from {from}"));
    let who = [by, says, from, through]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    match of("comment") {
        Some(comment) => format!("{comment}; {who}"),
        None => who,
    }
}

/// The job that an entry is about, or what it shares with others.
fn about(item: &Value) -> String {
    let job = text(item, "/job");
    match text(item, "/alert/scope") {
        "cluster" => format!("cluster {}", job.split('/').next().unwrap_or_default()),
        "policy" => format!("policy of {job}"),
        _ => job.to_owned(),
    }
}

/// A time to the minute, with its date if it is on another day than that.
fn moment(at: &str, day: &str) -> String {
    match (at.split_once('T'), day.split_once('T')) {
        (Some((date, time)), Some((today, _))) => {
            let time = time.get(..5).unwrap_or(time);
            if date == today {
                time.to_owned()
            } else {
                format!("{date} {time}")
            }
        }
        _ => at.to_owned(),
    }
}

/// A time without its milliseconds.
fn seconds(at: &str) -> String {
    match at.split_once('.') {
        Some((seconds, rest)) if rest.ends_with('Z') => format!("{seconds}Z"),
        Some(_) | None => at.to_owned(),
    }
}
