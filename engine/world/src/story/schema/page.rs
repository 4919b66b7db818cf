//! The tables of docs/simulate.md, made of the schema.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// What the sections are called, by the type they are about. One that is missing here is named by the key that has it.
const TITLES: [(&str, &str); 4] = [
    ("Target", "`[[target]]`"),
    ("Step", "`[[step]]`"),
    ("Expect", "`[[expect]]`"),
    ("Verdict", "`[verdict]`"),
];

/// A table of keys for the file and for each type that has keys, in the order in which they are come to.
pub(super) fn keys(schema: &Value) -> String {
    let page = Page { schema };
    let mut text = String::new();
    let mut open = vec![("The file".to_owned(), schema.clone())];
    let mut seen = BTreeSet::new();
    while !open.is_empty() {
        let (title, table) = open.remove(0);
        write!(text, "\n### {title}\n\n| key | takes | |\n|---|---|---|\n").unwrap();
        let mut within = Vec::new();
        for (name, member) in members(&table) {
            let required = table["required"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == name));
            let takes = page.takes(member);
            let says = says(member);
            let or = page
                .default(member)
                .map_or_else(String::new, |default| format!("; {default} if not said"));
            let must = if required { ", required" } else { "" };
            writeln!(
                text,
                "| `{name}` | {takes}{must} | {}{or} |",
                says.trim_end_matches('.')
            )
            .unwrap();
            within.extend(
                page.types_of(member)
                    .into_iter()
                    .map(|type_name| (name.clone(), type_name)),
            );
        }
        // The parts of the file in the order in which one writes them.
        within.sort_by_key(|(_, type_name)| TITLES.iter().position(|(known, _)| known == type_name));
        let mut place = 0;
        for (key, type_name) in within {
            if seen.insert(type_name.clone()) {
                let known = TITLES.iter().find(|(known, _)| *known == type_name);
                let title = known.map_or_else(|| format!("`{key}`"), |(_, title)| (*title).to_owned());
                let table = page.definition(&type_name).clone();
                // What stands in a table comes right behind it.
                let at = if seen.len() <= TITLES.len() { open.len() } else { place };
                open.insert(at, (title, table));
                place += 1;
            }
        }
    }
    text.push('\n');
    text
}

fn members(table: &Value) -> Vec<(&String, &Value)> {
    table["properties"]
        .as_object()
        .map(Map::iter)
        .into_iter()
        .flatten()
        .collect()
}

/// The comment on a field, on one line.
fn says(member: &Value) -> String {
    let text = member["description"].as_str().unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

struct Page<'a> {
    schema: &'a Value,
}

impl Page<'_> {
    fn definition(&self, name: &str) -> &Value {
        &self.schema["$defs"][name]
    }

    /// The type behind a reference, alone, nullable or in a list.
    fn reference(member: &Value) -> Option<&str> {
        let direct = member.get("$ref").and_then(Value::as_str);
        let of_any = || {
            let any = member.get("anyOf")?.as_array()?;
            any.iter().find_map(|one| one.get("$ref")?.as_str())
        };
        direct.or_else(of_any)?.strip_prefix("#/$defs/")
    }

    /// The types with keys of their own that a member holds.
    fn types_of(&self, member: &Value) -> Vec<String> {
        let own = Self::reference(member);
        let items = member.get("items").and_then(Self::reference);
        let named = own.into_iter().chain(items);
        named
            .filter(|name| self.definition(name).get("properties").is_some())
            .map(str::to_owned)
            .collect()
    }

    fn takes(&self, member: &Value) -> String {
        if let Some(items) = member.get("items") {
            let table = Self::reference(items).filter(|name| self.definition(name).get("properties").is_some());
            return match table {
                Some(_) => "tables".to_owned(),
                None => format!("list of: {}", self.takes(items)),
            };
        }
        if let Some(name) = Self::reference(member) {
            let of_list = member
                .get("anyOf")
                .is_some_and(|any| any.to_string().contains("\"array\""));
            let one = self.of_type(name);
            return if of_list {
                format!("one or a list of: {one}")
            } else {
                one
            };
        }
        if let Some(any) = member.get("anyOf").and_then(Value::as_array) {
            let one = any.iter().find(|one| one["type"] != "array" && one["type"] != "null");
            let of_list = any.iter().any(|one| one["type"] == "array");
            let one = one.map_or_else(String::new, |one| self.takes(one));
            return if of_list {
                format!("one or a list of: {one}")
            } else {
                one
            };
        }
        simple(member)
    }

    fn of_type(&self, name: &str) -> String {
        let definition = self.definition(name);
        if definition.get("properties").is_some() {
            return "table".to_owned();
        }
        match name {
            "Time" => return "time".to_owned(),
            "Start" => return "moment".to_owned(),
            "State" => return "a [state](concepts.md)".to_owned(),
            "States" => return "states".to_owned(),
            "Conditions" => return "conditions, `\\|` between alternatives".to_owned(),
            "Alert" => return "an alert: `JobFailed`, `cluster:FlinkUnreachable`, `*`".to_owned(),
            "EitherAlert" => return "an alert, `\\|` between alternatives".to_owned(),
            "RaisedAlerts" => return "whole number, or a list of alerts and of tables".to_owned(),
            "LogEntry" => return "a job and its end, such as `j1 FINISHED`".to_owned(),
            "Transitions" => return "list of states, or a table of such lists".to_owned(),
            _ => {}
        }
        let words = fixed_words(definition);
        let forms = definition["anyOf"].as_array().into_iter().flatten();
        let forms = forms.filter_map(|one| one["pattern"].as_str());
        let forms = forms.filter_map(|form| {
            let word = form.trim_start_matches('^').split_once(':')?.0;
            Some(format!(
                "`{word}:{}`",
                if form.contains("ms|s") { "TIME" } else { "SECONDS" }
            ))
        });
        let all: Vec<String> = words.iter().map(|word| format!("`{word}`")).chain(forms).collect();
        all.join(", ")
    }

    /// What holds where the key is missing, if the type says so.
    fn default(&self, member: &Value) -> Option<String> {
        let default = member.get("default")?;
        match default {
            Value::Null => None,
            Value::Bool(false) => None,
            Value::String(text) if text.is_empty() => None,
            Value::Array(list) if list.is_empty() => None,
            Value::Object(_) => None,
            Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => Some(format!("`{default}`")),
        }
    }
}

/// The words of an enum, documented or not.
fn fixed_words(definition: &Value) -> Vec<&str> {
    let own = definition["enum"].as_array().into_iter().flatten();
    let either = ["anyOf", "oneOf"]
        .into_iter()
        .flat_map(|key| definition[key].as_array().into_iter().flatten());
    let either: Vec<&Value> = either.collect();
    let consts = either.iter().filter_map(|one| one["const"].as_str());
    let enums = either
        .iter()
        .flat_map(|one| one["enum"].as_array().into_iter().flatten());
    own.chain(enums).filter_map(Value::as_str).chain(consts).collect()
}

fn simple(member: &Value) -> String {
    let kind = &member["type"];
    let kind = match kind.as_array() {
        Some(kinds) => kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default(),
        None => kind.clone(),
    };
    match kind.as_str() {
        Some("string") => "text",
        Some("boolean") => "`true` or `false`",
        Some("integer") => "whole number",
        Some("number") => "number",
        Some("object") => "table",
        _ => "",
    }
    .to_owned()
}
