//! The promotion as an edit of the text: comments, and whatever else stands in the file, stay.

use anyhow::{Context, anyhow, bail};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// An edited configuration.
#[derive(Debug)]
pub(super) struct Promoted {
    pub(super) text: String,
    /// What has changed, for people.
    pub(super) summary: String,
}

/// Lets the named shadow decide `percent` of its jobs, before the policy that decides them now. With the whole of
/// them, a policy for the same jobs becomes the shadow. One that decides a part of its jobs may be given more.
pub(super) fn promote(text: &str, name: &str, percent: u8) -> anyhow::Result<Promoted> {
    let mut document: DocumentMut = text.parse().context("it cannot be read as TOML")?;
    let Some(Item::ArrayOfTables(policies)) = document.get_mut("policy") else {
        bail!("it has no [[policy]] entries that can be edited; write each under its own [[policy]] heading");
    };
    let before: Vec<String> = policies.iter().map(described).collect();
    let mut entries: Vec<Table> = policies.iter().cloned().collect();
    let place = entries
        .iter()
        .position(|entry| name_of(entry) == name)
        .ok_or_else(|| anyhow!("no [[policy]] is named `{name}`; there are {}", names(&entries)))?;
    let mut promoted = entries.remove(place);
    if !is_shadow(&promoted) && share_of(&promoted) == "100%" {
        bail!(
            "`{name}` is not a shadow: it decides all its jobs already; promote one of {}",
            shadows(&entries)
        );
    }
    let replaced = entries
        .iter()
        .position(|entry| !is_shadow(entry) && takes_all_of(entry, &promoted))
        .or_else(|| entries.iter().position(|entry| !is_shadow(entry)));
    set(&mut promoted, "shadow", value(false));
    if percent < 100 {
        set(&mut promoted, "rollout", value(format!("{percent}%")));
    } else {
        promoted.remove("rollout");
        let former = replaced.and_then(|at| entries.get_mut(at));
        if let Some(former) = former.filter(|former| select_of(former) == select_of(&promoted)) {
            set(former, "shadow", value(true));
        }
    }
    // One that decides already stands where it should.
    let new_place = if place < replaced.unwrap_or(entries.len()) {
        place
    } else {
        replaced.unwrap_or(place)
    };
    entries.insert(new_place, promoted);
    reorder(policies, entries);
    let summary = difference(&before, &policies.iter().map(described).collect::<Vec<_>>());
    Ok(Promoted {
        text: with_ends_of(text, document.to_string()),
        summary,
    })
}

/// The new text with the line ends of the old one, where those are all CRLF: an edit writes LF.
fn with_ends_of(old: &str, new: String) -> String {
    let crlf = old.matches("\r\n").count();
    if crlf > 0 && crlf == old.matches('\n').count() {
        new.replace("\r\n", "\n").replace('\n', "\r\n")
    } else {
        new
    }
}

fn name_of(entry: &Table) -> &str {
    entry.get("name").and_then(Item::as_str).unwrap_or_default()
}

fn is_shadow(entry: &Table) -> bool {
    entry.get("shadow").and_then(Item::as_bool).unwrap_or(false)
}

fn share_of(entry: &Table) -> &str {
    entry.get("rollout").and_then(Item::as_str).unwrap_or("100%")
}

/// The globs of an entry: those of namespaces, and those of names.
fn select_of(entry: &Table) -> [Vec<String>; 2] {
    ["namespace", "name"].map(|key| {
        let globs = entry
            .get("select")
            .and_then(|select| select.get(key))
            .and_then(Item::as_array);
        globs.map_or_else(
            || vec!["*".to_owned()],
            |globs| {
                globs
                    .iter()
                    .filter_map(|glob| glob.as_str().map(str::to_owned))
                    .collect()
            },
        )
    })
}

/// Whether whatever `other` selects is selected by `entry` too, as far as the globs tell.
fn takes_all_of(entry: &Table, other: &Table) -> bool {
    let pairs = select_of(entry).into_iter().zip(select_of(other));
    pairs.into_iter().all(|(wide, narrow)| {
        narrow
            .iter()
            .all(|glob| wide.iter().any(|wider| wider == "*" || wider == glob))
    })
}

/// Sets a key and keeps what is written beside it.
fn set(entry: &mut Table, key: &str, item: Item) {
    let suffix = entry
        .get(key)
        .and_then(Item::as_value)
        .map(|known| known.decor().clone());
    let mut item = item;
    if let (Some(decor), Some(new)) = (suffix, item.as_value_mut()) {
        *new.decor_mut() = decor;
    }
    entry.insert(key, item);
}

/// Puts the entries in their new order into the places where entries stood.
fn reorder(policies: &mut ArrayOfTables, mut entries: Vec<Table>) {
    let mut places = Vec::new();
    for entry in policies.iter_mut() {
        each_place(entry, &mut |place| places.extend(*place));
    }
    places.sort_unstable();
    let mut places = places.into_iter();
    for entry in &mut entries {
        each_place(entry, &mut |place| *place = place.and(places.next()));
    }
    policies.clear();
    entries.into_iter().for_each(|entry| policies.push(entry));
}

/// Visits where a table with a heading of its own stands, and the tables below it.
fn each_place(table: &mut Table, visit: &mut impl FnMut(&mut Option<isize>)) {
    let mut place = table.position();
    visit(&mut place);
    table.set_position(place);
    let mut below: Vec<&mut Table> = table.iter_mut().filter_map(|(_, item)| item.as_table_mut()).collect();
    below.sort_by_key(|table| table.position());
    below.into_iter().for_each(|table| each_place(table, visit));
}

/// An entry in a line.
fn described(entry: &Table) -> String {
    let role = if is_shadow(entry) { "shadow" } else { "decides" };
    format!("{} ({role}, {})", name_of(entry), share_of(entry))
}

/// The lines that went and those that came, in the order in which the selection is tried.
fn difference(before: &[String], after: &[String]) -> String {
    let gone = before
        .iter()
        .filter(|line| !after.contains(line))
        .map(|line| format!("- {line}\n"));
    let lines = after.iter().map(|line| {
        let mark = if before.contains(line) { ' ' } else { '+' };
        format!("{mark} {line}\n")
    });
    gone.chain(lines).collect()
}

fn names(entries: &[Table]) -> String {
    quoted(entries.iter())
}

fn shadows(entries: &[Table]) -> String {
    quoted(entries.iter().filter(|entry| is_shadow(entry)))
}

fn quoted<'a>(entries: impl Iterator<Item = &'a Table>) -> String {
    let names: Vec<String> = entries.map(|entry| format!("`{}`", name_of(entry))).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests;
