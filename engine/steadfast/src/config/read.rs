//! Reading the text: every mistake the TOML reader can find, not only its first.

use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::file::File;
use super::keys::may_be_several;
use super::{Mistake, environment, overrides};

/// More than this many mistakes help nobody.
const MOST: usize = 50;

/// Reads a file's text, with what the command line and the environment say. What is refused is noted and taken out, and the rest is
/// read again.
pub(super) fn read(text: &str) -> Result<File, Vec<Mistake>> {
    let (mut table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors.iter().take(MOST).map(Mistake::of_toml).collect());
    }
    let mut mistakes = overrides::apply(table.get_mut(), overrides::of_process(), text.len());
    mistakes.extend(take_out_misplaced(table.get_mut()));
    mistakes.extend(environment::fill(table.get_mut(), &environment::of_process));
    let mut taken_out = Vec::new();
    while mistakes.len() < MOST {
        let error = match File::deserialize(Deserializer::from(table.clone())) {
            Ok(file) if mistakes.is_empty() => return Ok(file),
            Ok(_) => break,
            Err(error) => error,
        };
        let Some(place) = error.span() else {
            mistakes.push(Mistake::of_toml(&error));
            break;
        };
        // A key that is missing only because its value was refused is no second mistake.
        let is_echo = taken_out
            .iter()
            .any(|taken: &Taken| taken.from == place && error.message() == format!("missing field `{}`", taken.key));
        if !is_echo {
            mistakes.push(Mistake::of_toml(&error));
        }
        let whole = table.span();
        match take_out(table.get_mut(), &whole, &place) {
            Some(taken) => taken_out.push(taken),
            None => break,
        }
    }
    Err(mistakes)
}

/// Takes out single tables where a list of them belongs, and lists where there is one table.
fn take_out_misplaced(table: &mut DeTable<'_>) -> Vec<Mistake> {
    let mut misplaced = Vec::new();
    for (key, value) in table.iter() {
        if let Some((rule, fix)) = is_misplaced(key.get_ref(), value.get_ref()) {
            misplaced.push((key.clone(), Mistake::new(key.span(), rule, fix)));
        }
    }
    let mistakes = misplaced.into_iter().map(|(key, mistake)| {
        table.remove(&key);
        mistake
    });
    mistakes.collect()
}

/// What is wrong, and what mends it.
fn is_misplaced(name: &str, value: &DeValue<'_>) -> Option<(String, String)> {
    match value {
        DeValue::Table(table) if may_be_several(name) == Some(true) => {
            let below = table.iter().next().filter(|(_, value)| value.get_ref().is_table());
            Some(match below {
                Some((below, _)) => (
                    format!("[{name}.{}] belongs to no [[{name}]]", below.get_ref()),
                    format!("write [[{name}]] and its keys above it"),
                ),
                None => (
                    format!("[{name}] is one table, and there may be several"),
                    format!("write [[{name}]]"),
                ),
            })
        }
        DeValue::Array(_) if may_be_several(name) == Some(false) => Some((
            format!("[[{name}]] is one of several tables, and there is one"),
            format!("write [{name}]"),
        )),
        DeValue::Table(_)
        | DeValue::Array(_)
        | DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    }
}

/// Where the entry of a table with that name says `key`, or else its name.
pub(super) fn place_in_entry(text: &str, (table_name, name): (&str, &str), key: &str) -> Option<Range<usize>> {
    let (mut table, _) = DeTable::parse_recoverable(text);
    // The name is another one in the file where it is the environment's.
    environment::fill(table.get_mut(), &environment::of_process);
    let entries = table.get_ref().get(table_name)?.get_ref().as_array()?;
    let entry = entries.iter().find_map(|entry| {
        let entry = entry.get_ref().as_table()?;
        (entry.get("name")?.get_ref().as_str() == Some(name)).then_some(entry)
    })?;
    let said = entry.iter().find(|(name, _)| name.get_ref() == key);
    said.map(|(name, _)| name.span())
        .or_else(|| Some(entry.get("name")?.span()))
}

/// A key that was taken out.
struct Taken {
    key: String,
    /// The place of its table.
    from: Range<usize>,
}

/// Removes the key, the value or the list's element at that place from a table that stands at `from`.
fn take_out(table: &mut DeTable<'_>, from: &Range<usize>, place: &Range<usize>) -> Option<Taken> {
    let found = table
        .iter()
        .find(|(key, value)| key.span() == *place || value.span() == *place)
        .map(|(key, _)| key.clone());
    let Some(key) = found else {
        return table
            .iter_mut()
            .find_map(|(key, value)| take_out_below(key.get_ref(), value, place));
    };
    table.remove(&key);
    Some(Taken {
        key: key.into_inner().into_owned(),
        from: from.clone(),
    })
}

fn take_out_below(key: &str, value: &mut Spanned<DeValue<'_>>, place: &Range<usize>) -> Option<Taken> {
    let from = value.span();
    match value.get_mut() {
        DeValue::Table(table) => take_out(table, &from, place),
        DeValue::Array(array) => {
            if !array.iter().any(|element| element.span() == *place) {
                return array.iter_mut().find_map(|element| take_out_below(key, element, place));
            }
            let all = std::mem::replace(array, DeArray::new());
            *array = all.into_iter().filter(|element| element.span() != *place).collect();
            Some(Taken {
                key: key.to_owned(),
                from,
            })
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            None
        }
    }
}
