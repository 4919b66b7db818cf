//! What was written, as rows.

use serde_json::Value;

use crate::cli::screen::{BAD, GOOD, PLAIN, of_state};
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
    columns.push(Column::cut("WHY", 12));
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
        cells.push(text(item, "/job").into());
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
        "call" => {
            let about = item.pointer("/call/alert").and_then(Value::as_str);
            let about = about.map_or_else(String::new, |alert| format!(" {alert}"));
            let what = format!("{}{about}", text(item, "/call/what"));
            [what.into(), "".into(), caller(item).into()]
        }
        _ => {
            let confidence = item.pointer("/confidence").and_then(Value::as_str).unwrap_or_default();
            [Cell::styled("", PLAIN), confidence.into(), "".into()]
        }
    };
    cells.extend(said);
    cells
}

/// Who called, as far as they showed it.
fn caller(item: &Value) -> String {
    let of = |key: &str| item.pointer(&format!("/call/{key}")).and_then(Value::as_str);
    let by = match (of("by"), of("through")) {
        (Some(by), _) => format!("by {by}"),
        (None, Some(through)) if through != "nothing" => format!("through {through}"),
        (None, _) => String::new(),
    };
    let says = of("says").map_or_else(String::new, |says| format!(", for {says}"));
    let from = of("from").map_or_else(String::new, |from| format!(", from {from}"));
    format!("{by}{says}{from}").trim_start_matches(", ").to_owned()
}

/// A time without its milliseconds.
fn seconds(at: &str) -> String {
    match at.split_once('.') {
        Some((seconds, rest)) if rest.ends_with('Z') => format!("{seconds}Z"),
        Some(_) | None => at.to_owned(),
    }
}
