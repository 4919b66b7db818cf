//! What an engine has of what happened, with what of it does not read, and what it has no more.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::PATH;
use crate::cli::client::Client;
use crate::cli::status::text;
use crate::cli::{Failure, printer};

/// How many of the newest updates are looked through for those that changed how sure a state is.
const UPDATES: usize = 1000;
/// The kind of an entry that is in the journal and does not read. It is none of the engine's: any kind may have been there.
pub(super) const UNREADABLE: &str = "unreadable";

/// Entries, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Read {
    pub(super) items: Vec<Value>,
    /// Entries up to this sequence may have been dropped; 0: none was.
    dropped_until: u64,
    /// Whether there may be older ones, which were not asked for.
    is_cut: bool,
}

pub(super) fn sequence(item: &Value) -> u64 {
    item.get("sequence").and_then(Value::as_u64).unwrap_or(0)
}

/// The newest, so many of those that read.
pub(super) async fn newest(client: &Client, query: &[(&'static str, String)], most: usize) -> Result<Read, Failure> {
    if most == 0 {
        return Ok(Read::default());
    }
    let mut query = query.to_vec();
    query.push(("order", "newest".to_owned()));
    query.push(("limit", most.min(1000).to_string()));
    let (mut unreadable, mut dropped_until) = (Vec::new(), 0);
    let read = client.first_of(PATH, &query, most, |page| {
        let more = page.get("unreadable").and_then(Value::as_array);
        unreadable.extend(more.into_iter().flatten().cloned());
        dropped_until = page.get("droppedUntil").and_then(Value::as_u64).unwrap_or(0);
    });
    let items = read.await?;
    let is_cut = items.len() >= most;
    Ok(Read {
        dropped_until,
        ..Read::of(items, unreadable, is_cut)
    })
}

impl Read {
    /// With what does not read in its place. Behind the oldest of a list that was cut it is not asked for.
    fn of(mut items: Vec<Value>, unreadable: Vec<Value>, is_cut: bool) -> Self {
        let oldest = items.iter().map(sequence).min().filter(|_| is_cut).unwrap_or(0);
        for mut entry in unreadable {
            if let Some(fields) = entry.as_object_mut() {
                fields.insert("kind".to_owned(), json!(UNREADABLE));
            }
            if sequence(&entry) >= oldest {
                items.push(entry);
            }
        }
        items.sort_by_key(sequence);
        Self {
            items,
            dropped_until: 0,
            is_cut,
        }
    }

    pub(super) fn whole(items: Vec<Value>) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }

    /// With those updates of a job that changed how sure its state is. Most change nothing that a person would look for.
    pub(super) async fn with_changes(self, client: &Client, asked: &[(&'static str, String)]) -> Result<Self, Failure> {
        let updates = newest(client, asked, UPDATES).await?;
        Ok(self.joined(updates))
    }

    pub(super) fn joined(mut self, updates: Self) -> Self {
        let oldest = self.items.first().map(sequence).filter(|_| self.is_cut).unwrap_or(0);
        // What came before the first of them may have been changed by one that was not read.
        let first = updates.items.first().map(sequence).filter(|_| updates.is_cut);
        self.items.extend(updates.items);
        self.items.sort_by_key(sequence);
        self.items.dedup_by_key(|item| sequence(item));
        note_changes(&mut self.items, first);
        let is_shown = |item: &Value| text(item, "/kind") != "update" || item.get("before").is_some();
        self.items.retain(|item| sequence(item) >= oldest && is_shown(item));
        self
    }

    /// Without what is told once for many jobs, of which this one has a part: it began here, and may end at another. Says how many
    /// entries that were.
    pub(super) fn own(mut self) -> (Self, usize) {
        let all = self.items.len();
        self.items
            .retain(|item| matches!(text(item, "/alert/scope"), "job" | "-"));
        let left_out = all - self.items.len();
        (self, left_out)
    }

    /// So many of the newest, where there may be older ones.
    pub(super) fn needs_more(&self, most: usize) -> bool {
        self.is_cut && self.items.len() < most
    }

    /// So many of the newest.
    pub(super) fn newest(mut self, most: usize) -> Self {
        let cut = self.items.len().saturating_sub(most);
        self.items.drain(..cut);
        self.is_cut |= cut > 0;
        self
    }

    /// As the API has it.
    pub(super) fn document(&self) -> Value {
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        for mut item in self.items.iter().cloned() {
            if text(&item, "/kind") == UNREADABLE {
                item.as_object_mut().map(|fields| fields.remove("kind"));
                unreadable.push(item);
            } else {
                items.push(item);
            }
        }
        let mut document = json!({ "items": items });
        if let Some(fields) = document.as_object_mut() {
            if !unreadable.is_empty() {
                fields.insert("unreadable".to_owned(), json!(unreadable));
            }
            if self.dropped_until > 0 {
                fields.insert("droppedUntil".to_owned(), json!(self.dropped_until));
            }
        }
        document
    }

    /// What is missing of a list that goes back to the beginning is not nothing.
    pub(super) fn note_dropped(&self) {
        if self.dropped_until > 0 && !self.is_cut {
            printer::note(&format!(
                "entries up to {} may be missing here: what is older than `journal` of [retention] is dropped",
                self.dropped_until
            ));
        }
    }
}

/// Writes to each update that changed it how sure its job's state was before; null where that is not known. `from`: before it, nothing is.
pub(super) fn note_changes(items: &mut [Value], from: Option<u64>) {
    let mut known: HashMap<String, String> = HashMap::new();
    for item in items {
        if from == Some(sequence(item)) {
            known.clear();
        }
        let job = text(item, "/job").to_owned();
        let now = match text(item, "/kind") {
            "transition" => item.pointer("/transition/confidence"),
            "update" => item.pointer("/confidence"),
            "alert" | "call" => continue,
            _ => None,
        };
        let Some(now) = now.and_then(Value::as_str).map(str::to_owned) else {
            known.remove(&job);
            continue;
        };
        let is_sure = now == "confirmed";
        let before = known.insert(job, now.clone());
        // What it was before the first is not known; that it was not sure then is news all the same, but of a job that is new.
        let is_new = item.get("revision").and_then(Value::as_u64) == Some(1);
        let is_news = before.as_ref().map_or(!is_sure && !is_new, |before| *before != now);
        if is_news
            && text(item, "/kind") == "update"
            && let Some(fields) = item.as_object_mut()
        {
            fields.insert("before".to_owned(), json!(before));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(sequence: u64, confidence: &str) -> Value {
        json!({ "sequence": sequence, "job": "a/b/c", "kind": "update", "confidence": confidence })
    }

    fn transition(sequence: u64, confidence: &str) -> Value {
        json!({ "sequence": sequence, "job": "a/b/c", "kind": "transition", "transition": { "confidence": confidence } })
    }

    fn shown(read: &Read) -> Vec<(u64, &str)> {
        read.items
            .iter()
            .map(|item| (sequence(item), text(item, "/before")))
            .collect()
    }

    #[test]
    fn what_does_not_read_has_its_place_and_is_no_item_for_programs() {
        let unreadable = vec![
            json!({ "sequence": 6, "job": "a/b/c", "why": "damaged" }),
            json!({ "sequence": 2, "job": "a/b/c" }),
        ];
        let items = vec![transition(7, "stale"), transition(5, "stale")];
        let read = Read::of(items.clone(), unreadable.clone(), true);
        assert_eq!(read.items.iter().map(sequence).collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!(read.items[1]["kind"], UNREADABLE);
        let document = read.document();
        assert_eq!(document["items"].as_array().unwrap().len(), 2);
        assert_eq!(
            document["unreadable"],
            json!([{ "sequence": 6, "job": "a/b/c", "why": "damaged" }])
        );
        assert_eq!(Read::of(items, unreadable, false).items.len(), 4);
    }

    #[test]
    fn an_update_is_shown_where_it_changed_how_sure_the_state_is() {
        let history = Read::whole(vec![transition(1, "confirmed"), transition(9, "confirmed")]);
        let updates = vec![
            update(2, "confirmed"),
            update(3, "stale"),
            update(4, "stale"),
            update(6, "confirmed"),
        ];
        let read = history.clone().joined(Read::whole(updates.clone()));
        assert_eq!(shown(&read), [(1, "-"), (3, "confirmed"), (6, "stale"), (9, "-")]);
        // There may have been one before the first that was read.
        let cut = Read {
            is_cut: true,
            ..Read::whole(updates[1..].to_vec())
        };
        assert_eq!(
            shown(&history.joined(cut)),
            [(1, "-"), (3, "-"), (6, "stale"), (9, "-")]
        );
    }
}
