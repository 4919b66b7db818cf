//! Changes a JSON document that stands in an input: members and elements are dropped, doubled, moved and replaced.

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};

use super::{NUMBERS, TEXTS, one_of, word};

/// Changes one of the documents of an input; `None` if it holds none.
pub(super) fn change(input: &[u8], words: &[&str], rng: &mut StdRng) -> Option<Vec<u8>> {
    let begins = |at: &usize| {
        let is_first = *at == 0 || *at < 8 || input[*at - 1] == b'\n';
        is_first && matches!(input[*at], b'{' | b'[')
    };
    let starts: Vec<usize> = (0..input.len()).filter(begins).collect();
    if starts.is_empty() {
        return None;
    }
    let start = starts[rng.random_range(0..starts.len())];
    let mut documents = serde_json::Deserializer::from_slice(&input[start..]).into_iter::<Value>();
    let mut document = documents.next()?.ok()?;
    let end = start + documents.byte_offset();
    change_somewhere(&mut document, words, rng);
    let mut text = document.to_string();
    // A map has each key once: what has one twice is made of the text.
    if rng.random_bool(0.05) {
        text = text.replacen(',', &format!(",\"{}\":null,", one_of(words, rng)), 1);
    }
    Some([&input[..start], text.as_bytes(), &input[end..]].concat())
}

/// Goes down to a place and changes what is there.
fn change_somewhere(value: &mut Value, words: &[&str], rng: &mut StdRng) {
    let goes_on = rng.random_bool(0.85);
    match value {
        Value::Object(members) if goes_on && !members.is_empty() => {
            let at = rng.random_range(0..members.len());
            if rng.random_bool(0.15) {
                change_members(members, at, words, rng);
            } else if let Some(member) = members.values_mut().nth(at) {
                change_somewhere(member, words, rng);
            }
        }
        Value::Array(items) if goes_on && !items.is_empty() => {
            let at = rng.random_range(0..items.len());
            match rng.random_range(0..8) {
                0 => drop(items.remove(at)),
                1 => items.insert(at, items[at].clone()),
                2 => items.swap(0, at),
                _ => change_somewhere(&mut items[at], words, rng),
            }
        }
        // A document within a text, as archives have it.
        Value::String(text) if goes_on && text.starts_with(['{', '[']) => {
            if let Ok(mut within) = serde_json::from_str(text) {
                change_somewhere(&mut within, words, rng);
                *text = within.to_string();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            *value = another(value, words, rng);
        }
    }
}

fn change_members(members: &mut Map<String, Value>, at: usize, words: &[&str], rng: &mut StdRng) {
    let Some(key) = members.keys().nth(at).cloned() else {
        return;
    };
    let Some(value) = members.remove(&key) else { return };
    match rng.random_range(0..4) {
        0 => {}
        1 => drop(members.insert(word(words, rng).to_owned(), value)),
        2 => {
            members.insert(key, value.clone());
            members.insert(word(words, rng).to_owned(), value);
        }
        // Two members in each other's place.
        _ => {
            let other = members.keys().next().cloned();
            if let Some(other) = other
                && let Some(taken) = members.insert(other, value)
            {
                members.insert(key, taken);
            }
        }
    }
}

/// Another value in the place of one.
fn another(value: &Value, words: &[&str], rng: &mut StdRng) -> Value {
    match rng.random_range(0..10) {
        0 => Value::Null,
        1 => Value::Bool(rng.random_bool(0.5)),
        2 | 3 => serde_json::from_str(one_of(&NUMBERS, rng)).unwrap_or_default(),
        4 => Value::Array(vec![value.clone()]),
        5 => Value::Array(Vec::new()),
        6 => Value::Object(Map::from_iter([(word(words, rng).to_owned(), value.clone())])),
        7 => Value::String(word(words, rng).repeat(rng.random_range(1..400))),
        8 => match value.as_str() {
            Some(text) => Value::String(format!("{text}{}", one_of(&TEXTS, rng))),
            None => Value::String(value.to_string()),
        },
        _ => Value::String(word(words, rng).to_owned()),
    }
}
