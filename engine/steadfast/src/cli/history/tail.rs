//! `steadfast events --follow`.

use serde_json::{Map, Value, json};
use steadfast_core::journal::EventKind;

use super::EventsOptions;
use super::row::{Jobs, cells, table};
use crate::cli::follow::{Events, Heard};
use crate::cli::output::{Data, Detail, Format};
use crate::cli::screen::Screen;
use crate::cli::table::Table;
use crate::cli::{Failure, printer};

/// Shows what is there already, and each event as it comes.
pub(super) async fn follow(mut events: Events<'_>, items: Vec<Value>, options: &EventsOptions) -> Result<(), Failure> {
    let screen = |detail: Detail| {
        let mut screen = Screen::of_stdout();
        if detail == Detail::Wide {
            screen.width = None;
        }
        screen
    };
    match &options.output.format {
        Format::People(detail) if !items.is_empty() => {
            printer::endless_page(&table(&items, Jobs::Several).shown(screen(*detail)))?;
        }
        Format::People(_) => {}
        Format::Data(data) => items.iter().try_for_each(|item| print(data, item))?,
    }
    let sequence = |item: &Value| item.get("sequence").and_then(Value::as_u64);
    let mut read = items.last().and_then(sequence);
    let mut says_kinds = true;
    loop {
        let item = match events.next().await? {
            Heard::Event { name, data } => {
                // Once: whoever waits for calls of such an engine would wait for ever.
                let is_earlier = name == "update" && data.get("kind").is_none();
                if is_earlier
                    && std::mem::replace(&mut says_kinds, false)
                    && options.part.kind.contains(&EventKind::Call)
                {
                    printer::note(
                        "this engine is of an earlier version, which tells calls as updates: `steadfast events --kind call` reads them",
                    );
                }
                item(&name, data)
            }
            Heard::Gap => {
                read = None;
                printer::note(
                    "the engine's history is another one, or events were missed: `steadfast events --since` reads them",
                );
                continue;
            }
        };
        // The stream was there before the list was read, and what came last may come again with the next stream.
        if read.is_some_and(|read| sequence(&item) <= Some(read)) {
            continue;
        }
        read = sequence(&item).or(read);
        if !options.takes(&item) {
            continue;
        }
        match &options.output.format {
            Format::People(detail) => {
                printer::endless_page(&Table::joined(cells(&item, Jobs::Several), screen(*detail)))?;
            }
            Format::Data(data) => print(data, &item)?,
        }
    }
}

fn print(data: &Data, item: &Value) -> Result<(), Failure> {
    let mark = if matches!(data, Data::Yaml) { "---\n" } else { "" };
    Ok(printer::endless(&format!("{mark}{}", data.line(item)?))?)
}

/// An event in the shape of the history. Of an engine that does not say what kind it is, its name does.
pub(super) fn item(name: &str, mut event: Value) -> Value {
    let kind = event.get("kind").and_then(Value::as_str).unwrap_or(name).to_owned();
    let mut item = Map::new();
    for key in ["sequence", "at", "job", "revision", "why"] {
        if let Some(value) = event.get(key) {
            item.insert(key.to_owned(), value.clone());
        }
    }
    if matches!(kind.as_str(), "transition" | "alert")
        && let Some(body) = event.get_mut("body").map(Value::take)
    {
        item.insert(kind.clone(), body);
    }
    if let Some(call) = event.get_mut("call").map(Value::take).filter(|_| kind == "call") {
        item.insert("call".to_owned(), call);
    }
    if kind == "update"
        && let Some(confidence) = event.pointer("/record/confidence")
    {
        item.insert("confidence".to_owned(), confidence.clone());
    }
    item.insert("kind".to_owned(), json!(kind));
    Value::Object(item)
}
