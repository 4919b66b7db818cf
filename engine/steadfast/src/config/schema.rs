//! The JSON Schema of `config.toml`, for editors: `steadfast config schema`, and docs/config.schema.json.

use serde_json::{Map, Value, json};

use super::keys::{Holds, Key, SECTIONS};

/// The schema (2020-12). What is more than form, such as files that must be there, `steadfast check` knows.
pub(crate) fn schema() -> Value {
    let mut properties = Map::new();
    for section in SECTIONS {
        let mut table = table(section.keys, section.required);
        let table = if section.several {
            json!({ "type": "array", "items": table, "description": section.says })
        } else {
            if let Some(table) = table.as_object_mut() {
                table.insert("description".to_owned(), json!(section.says));
            }
            table
        };
        properties.insert(section.name.to_owned(), table);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Steadfast's config.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn table(keys: &[Key], required: &[&str]) -> Value {
    let mut properties = Map::new();
    for key in keys {
        let mut holds = holds(key.holds);
        if let Some(holds) = holds.as_object_mut() {
            holds.insert("description".to_owned(), json!(key.says));
            if let Some(default) = key.default.and_then(read_default) {
                holds.insert("default".to_owned(), default);
            }
        }
        properties.insert(key.name.to_owned(), holds);
    }
    let mut table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty()
        && let Some(table) = table.as_object_mut()
    {
        table.insert("required".to_owned(), json!(required));
    }
    table
}

/// A default, as the file would say it, as JSON: texts, truths, numbers and lists are written alike.
fn read_default(default: &str) -> Option<Value> {
    serde_json::from_str(default).ok()
}

/// A text of that form, or one that the environment completes.
fn form(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^({pattern})$|\\$\\{{") })
}

fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "anyOf": [{ "enum": words }, { "pattern": "\\$\\{" }] })
}

fn holds(holds: Holds) -> Value {
    const DURATION: &str = "[0-9]+(\\.[0-9]+)? ?(ms|s|m|h|d)( ?[0-9]+ ?(ms|s|m|h|d))*";
    match holds {
        Holds::Text => json!({ "type": "string" }),
        Holds::Word(known) => words(known),
        Holds::Duration => form(DURATION),
        Holds::Size => form("[0-9]+(KiB|MiB|GiB)"),
        Holds::Percent => form("[0-9]+%"),
        Holds::Truth => json!({ "type": "boolean" }),
        Holds::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Holds::Kept => json!({ "anyOf": [form(&format!("off|{DURATION}")), { "type": "integer", "minimum": 0 }] }),
        Holds::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Holds::Words(known) => json!({ "type": "array", "items": words(known) }),
        Holds::TextOrTexts => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
        }
        Holds::Pairs => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Holds::Values => json!({ "type": "object" }),
        Holds::Table(keys) => table(keys, &[]),
    }
}
