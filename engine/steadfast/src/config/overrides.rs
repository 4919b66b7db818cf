//! `--set KEY=VALUE`: what the command line says of a configuration, over what its file says.
//!
//! It is said once, when the process begins, and holds whenever the file is read again. Its places lie behind those of the file's
//! text, so that a mistake can be told by where it was written.

use std::borrow::Cow;
use std::ops::Range;
use std::str::FromStr;
use std::sync::OnceLock;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::Mistake;
use super::keys::may_be_several;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    key: String,
    value: String,
}

static OF_PROCESS: OnceLock<Vec<Override>> = OnceLock::new();

/// What the command line says, from now on. Only the first call counts.
pub fn set(overrides: Vec<Override>) {
    let _said_before = OF_PROCESS.set(overrides);
}

pub(super) fn of_process() -> &'static [Override] {
    OF_PROCESS.get().map_or(&[], Vec::as_slice)
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').unwrap_or_default();
        let key = key.trim();
        if key.split('.').count() < 2 || key.split('.').any(str::is_empty) {
            return Err(
                "write TABLE.KEY=VALUE, such as timing.poll=2s, or with the name of one of several, such as \
                 kubernetes.prod.flink_rest=proxy"
                    .to_owned(),
            );
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.trim().to_owned(),
        })
    }
}

impl Override {
    /// A number, a truth, a list or a table as TOML writes it; anything else is a text.
    fn value(&self, place: &Range<usize>) -> Spanned<DeValue<'_>> {
        let value = match DeValue::parse(&self.value) {
            Ok(parsed) if !matches!(parsed.get_ref(), DeValue::Datetime(_)) => parsed.into_inner(),
            Ok(_) | Err(_) => DeValue::String(Cow::Borrowed(&self.value)),
        };
        placed(value, place)
    }
}

/// All of it at one place.
fn placed<'a>(value: DeValue<'a>, place: &Range<usize>) -> Spanned<DeValue<'a>> {
    let value = match value {
        DeValue::Array(array) => {
            let items = array.into_iter().map(|item| placed(item.into_inner(), place));
            DeValue::Array(items.collect::<DeArray<'a>>())
        }
        DeValue::Table(table) => {
            let mut moved = DeTable::new();
            for (key, value) in table {
                moved.insert(
                    Spanned::new(place.clone(), key.into_inner()),
                    placed(value.into_inner(), place),
                );
            }
            DeValue::Table(moved)
        }
        plain @ (DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)) => plain,
    };
    Spanned::new(place.clone(), value)
}

/// The place of each, behind a text of that length.
fn places(overrides: &[Override], behind: usize) -> impl Iterator<Item = (Range<usize>, &Override)> {
    let mut start = behind + 1;
    overrides.iter().map(move |one| {
        // The key and the value have places of their own, and none is empty.
        let end = start + one.key.len() + 1;
        let place = start..end;
        start = end + 1;
        (place, one)
    })
}

/// The key that a place behind a text of that length belongs to.
pub(super) fn key_at(place: &Range<usize>, behind: usize) -> Option<&'static str> {
    let all = of_process();
    places(all, behind).find_map(|(of, one)| of.contains(&place.start).then_some(one.key.as_str()))
}

/// Puts them over what a file says whose text has that length.
pub(super) fn apply<'a>(table: &mut DeTable<'a>, overrides: &'a [Override], behind: usize) -> Vec<Mistake> {
    let put = |(place, one): (Range<usize>, &'a Override)| put(table, one, &place).err();
    places(overrides, behind).filter_map(put).collect()
}

fn put<'a>(table: &mut DeTable<'a>, one: &'a Override, place: &Range<usize>) -> Result<(), Mistake> {
    let (section, rest) = one.key.split_once('.').unwrap_or_default();
    if may_be_several(section) != Some(true) {
        return put_below(table, &one.key, one, place);
    }
    let entries = table.get_mut(section).map(Spanned::get_mut);
    let mut entries = match entries {
        Some(DeValue::Array(entries)) => entries.iter_mut(),
        _ => Default::default(),
    };
    let found = entries.find_map(|entry| {
        let DeValue::Table(entry) = entry.get_mut() else {
            return None;
        };
        let name = if section == "registry" { "host" } else { "name" };
        let named = entry.get(name)?.get_ref().as_str()?;
        let key = rest.strip_prefix(named)?.strip_prefix('.')?;
        Some((key, entry))
    });
    match found {
        Some((key, entry)) => put_below(entry, key, one, place),
        None => Err(Mistake::new(
            place.clone(),
            format!("no [[{section}]] of the file has the name that `{rest}` begins with"),
            format!("write {section}.NAME.KEY=VALUE with the name of one that is there"),
        )),
    }
}

fn put_below<'a>(
    table: &mut DeTable<'a>,
    key: &'a str,
    one: &'a Override,
    place: &Range<usize>,
) -> Result<(), Mistake> {
    let (first, below) = match key.split_once('.') {
        Some((first, below)) => (first, Some(below)),
        None => (key, None),
    };
    let Some(below) = below else {
        table.remove(first);
        table.insert(Spanned::new(place.clone(), Cow::Borrowed(first)), one.value(place));
        return Ok(());
    };
    if table.get(first).is_none() {
        let empty = Spanned::new(place.clone(), DeValue::Table(DeTable::new()));
        table.insert(Spanned::new(place.clone(), Cow::Borrowed(first)), empty);
    }
    match table.get_mut(first).map(Spanned::get_mut) {
        Some(DeValue::Table(table)) => put_below(table, below, one, place),
        _ => Err(Mistake::new(
            place.clone(),
            format!("`{first}` is no table"),
            format!("write {first}=VALUE"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(text: &str, set: &[&str]) -> Result<String, Vec<String>> {
        let set: Vec<Override> = set.iter().map(|one| one.parse().unwrap()).collect();
        let mut table = DeTable::parse(text).unwrap();
        let mistakes = apply(table.get_mut(), &set, text.len());
        if !mistakes.is_empty() {
            return Err(mistakes.into_iter().map(|mistake| mistake.rule).collect());
        }
        let table: toml::Table = serde::Deserialize::deserialize(toml::de::Deserializer::from(table)).unwrap();
        Ok(toml::to_string(&table).unwrap())
    }

    #[test]
    fn the_command_line_is_over_the_file() {
        let text = "[timing]\npoll = \"5s\"\n[[kubernetes]]\nname = \"prod.eu\"\n[[kubernetes]]\nname = \"test\"\n";
        let set = [
            "timing.poll=2s",
            "server.insecure=true",
            "server.tls.cert_file=a.crt",
            "kubernetes.prod.eu.namespaces=[\"a\"]",
        ];
        let read = over(text, &set).unwrap();
        for says in [
            "poll = \"2s\"",
            "insecure = true",
            "[server.tls]\ncert_file = \"a.crt\"",
            "name = \"prod.eu\"\nnamespaces = [\"a\"]",
        ] {
            assert!(read.contains(says), "{says}:\n{read}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_told() {
        let text = "[timing]\npoll = \"5s\"\n";
        for (set, says) in [
            ("kubernetes.prod.flink_rest=proxy", "no [[kubernetes]]"),
            ("timing.poll.x=1", "`poll` is no table"),
        ] {
            assert!(over(text, &[set]).unwrap_err()[0].contains(says), "{set}");
        }
        for wrong in ["poll=2s", "timing.poll", "=x", "a..b=1", ""] {
            assert!(wrong.parse::<Override>().is_err(), "{wrong}");
        }
    }
}
