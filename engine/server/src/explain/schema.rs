//! The JSON Schema of a snapshot, for who writes one into a file: made of the API's description, which is made of the types.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Where the API's description keeps its types, and where a schema that stands alone does.
const COMPONENTS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";
/// What those of `/explain` are called by.
const PREFIX: &str = "explain.";
/// The type of a snapshot.
const SNAPSHOT: &str = "explain.Snapshot";

/// A schema (2020-12), in parts that another schema can take in.
#[derive(Clone, Debug)]
pub struct SnapshotSchema {
    /// What is said of a snapshot: a reference into `definitions`.
    pub snapshot: Value,
    /// For `$defs`: each type by its name.
    pub definitions: Map<String, Value>,
}

impl SnapshotSchema {
    /// The names of all keys that a snapshot has at any place.
    pub fn keys(&self) -> BTreeSet<&str> {
        let properties = self.definitions.values().map(|definition| definition.get("properties"));
        let properties = properties.filter_map(|properties| properties.and_then(Value::as_object));
        let cases = self
            .definitions
            .values()
            .filter_map(|definition| definition.get("oneOf")?.as_array());
        let cases = cases.flatten().filter_map(|case| case.get("properties")?.as_object());
        properties
            .chain(cases)
            .flat_map(Map::keys)
            .map(String::as_str)
            .collect()
    }
}

/// The schema of what [`Snapshot`](super::Snapshot) reads: what `/explain` shows, where what may be left out may be left out, and
/// spans and bytes may be written as recordings have them.
///
/// Fails only if serde does.
pub fn snapshot_schema() -> Result<SnapshotSchema, serde_json::Error> {
    let document = crate::openapi::described()?;
    let described = document.pointer("/components/schemas").and_then(Value::as_object);
    let mut definitions = Map::new();
    let mut left = vec![SNAPSHOT.to_owned()];
    while let Some(name) = left.pop() {
        let own = own_name(&name);
        if definitions.contains_key(&own) {
            continue;
        }
        let mut definition = described.and_then(|all| all.get(&name)).cloned().unwrap_or(json!({}));
        left.extend(moved(&mut definition));
        widen(&own, &mut definition);
        definitions.insert(own, definition);
    }
    Ok(SnapshotSchema {
        snapshot: json!({ "$ref": format!("{DEFINITIONS}{}", own_name(SNAPSHOT)) }),
        definitions,
    })
}

/// `explain.Evidence_explain.Pods` is `Evidence_Pods`.
fn own_name(name: &str) -> String {
    name.replace(PREFIX, "")
}

/// Lets references lead into `$defs`, and gives the names that they lead to.
fn moved(schema: &mut Value) -> Vec<String> {
    match schema {
        Value::Object(members) => {
            let mut names = Vec::new();
            for (key, member) in members {
                let name = member.as_str().and_then(|target| target.strip_prefix(COMPONENTS));
                match name.filter(|_| key == "$ref").map(str::to_owned) {
                    Some(name) => {
                        *member = Value::String(format!("{DEFINITIONS}{}", own_name(&name)));
                        names.push(name);
                    }
                    None => names.extend(moved(member)),
                }
            }
            names
        }
        Value::Array(items) => items.iter_mut().flat_map(moved).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// What is read is more than what is shown.
fn widen(name: &str, definition: &mut Value) {
    let description = definition.get("description").cloned().unwrap_or_default();
    match name {
        "Seconds" => {
            let parts = json!({ "type": "object", "required": ["secs", "nanos"], "properties": {
                "secs": { "type": "integer", "minimum": 0 }, "nanos": { "type": "integer", "minimum": 0 },
            }});
            *definition = json!({ "description": description, "anyOf": [{ "type": "number", "minimum": 0 }, parts] });
        }
        "Hex" => {
            let digits = json!({ "type": "string", "pattern": "^(0x)?([0-9a-fA-F]{2})*$" });
            let bytes = json!({ "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 255 } });
            *definition = json!({ "description": description, "anyOf": [digits, bytes] });
        }
        _ => require_what_must_be_there(definition),
    }
}

/// What has a default, or may be null, may be left out.
fn require_what_must_be_there(definition: &mut Value) {
    let Some(members) = definition.as_object_mut() else {
        return;
    };
    let properties = members
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let Some(required) = members.get_mut("required").and_then(Value::as_array_mut) else {
        return;
    };
    required.retain(|key| {
        let property = key.as_str().and_then(|key| properties.get(key));
        key != "ageSeconds" && property.is_some_and(|property| !may_be_null(property))
    });
}

fn may_be_null(property: &Value) -> bool {
    let is_null =
        |types: &Value| types == "null" || types.as_array().is_some_and(|all| all.iter().any(|one| one == "null"));
    property.get("type").is_some_and(is_null)
        || property
            .get("oneOf")
            .and_then(Value::as_array)
            .is_some_and(|cases| cases.iter().any(|case| case.get("type").is_some_and(is_null)))
}
