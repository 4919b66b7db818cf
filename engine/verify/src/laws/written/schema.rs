//! The JSON Schema of laws for editors, made of the types. `UPDATE_DOCS=1` writes docs/laws.schema.json.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use steadfast_core::state::{Attention, ConditionType, Confidence, Intent, JobState};

use super::words::{Any, File, FlinkWord, ToldWord};

/// Words under a name.
macro_rules! words {
    ($type:ty, $name:literal, $words:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let words: Vec<&str> = $words;
                json_schema!({ "type": "string", "enum": words })
            }
        }
    };
}

pub(super) struct StateWord;
pub(super) struct ConfidenceWord;
pub(super) struct AttentionWord;
pub(super) struct ConditionWord;
pub(super) struct IntentWord;

words!(
    StateWord,
    "State",
    JobState::ALL.iter().map(|word| word.as_str()).collect()
);
words!(
    ConfidenceWord,
    "Confidence",
    Confidence::ALL.iter().map(|word| word.as_str()).collect()
);
words!(
    AttentionWord,
    "Attention",
    Attention::ALL.iter().map(|word| word.as_str()).collect()
);
words!(
    ConditionWord,
    "Condition",
    ConditionType::ALL.iter().map(|word| word.as_str()).collect()
);
words!(
    IntentWord,
    "Intent",
    Intent::ALL.iter().map(|word| word.as_str()).collect()
);
words!(FlinkWord, "FlinkWord", {
    let states = JobState::ALL.iter().filter(|state| state.is_flinks());
    let states = states.map(|word| word.as_str());
    ["never-asked", "unknown", "absent"].into_iter().chain(states).collect()
});
words!(ToldWord, "ToldWord", vec!["nothing", "FINISHED", "FAILED", "CANCELED"]);

impl<T: JsonSchema> JsonSchema for Any<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Any{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    schema.insert("title".into(), "Laws of one's own, for Steadfast".into());
    schema.to_value()
}

#[test]
fn the_schema_in_the_documents_is_that_of_the_types() {
    let (path, expected) = (root().join("docs/laws.schema.json"), format!("{:#}\n", schema()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == expected,
        "docs/laws.schema.json is not what the types say; run this test with UPDATE_DOCS=1"
    );
}

/// What a schema objects to in a value. It knows what these schemas use, and no more.
fn objections(value: &Value, schema: &Value, place: &str, root: &Value) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return objections(value, root.pointer(name.trim_start_matches('#')).unwrap(), place, root);
    }
    let mut found = Vec::new();
    for several in ["anyOf", "oneOf"] {
        if let Some(either) = schema[several].as_array() {
            let each = either.iter().map(|one| objections(value, one, place, root));
            let fitting = each.clone().filter(Vec::is_empty).count();
            if fitting == 0 || (several == "oneOf" && fitting > 1) {
                found.push(format!("{place} fits {fitting} of {several}"));
                found.extend(each.flatten());
            }
        }
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{place} is {value}"));
    }
    if let Some(least) = schema["minimum"].as_u64()
        && value.as_u64().is_some_and(|number| number < least)
    {
        found.push(format!("{place} is less than {least}"));
    }
    let is_a = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        _ => panic!("{place}: a type {name}"),
    };
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            one.as_str().into_iter().collect()
        }
    };
    if !types.is_empty() && !types.into_iter().any(is_a) {
        found.push(format!("{place} is of another type"));
    }
    if let Some(items) = value.as_array() {
        let each = items.iter().enumerate();
        found.extend(each.flat_map(|(n, item)| objections(item, &schema["items"], &format!("{place}[{n}]"), root)));
    }
    if let Some(members) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten();
        let lacking = required
            .filter_map(Value::as_str)
            .filter(|key| !members.contains_key(*key));
        found.extend(lacking.map(|key| format!("{place} lacks {key}")));
        for (key, wanted) in schema["dependentRequired"].as_object().into_iter().flatten() {
            let mut wanted = wanted.as_array().unwrap().iter().filter_map(Value::as_str);
            if members.contains_key(key) && !wanted.all(|other| members.contains_key(other)) {
                found.push(format!("{place} has {key} without what belongs to it"));
            }
        }
        for (key, member) in members {
            match schema["properties"].get(key) {
                Some(schema) => found.extend(objections(member, schema, &format!("{place}.{key}"), root)),
                None if schema["additionalProperties"] == false => found.push(format!("{place} has {key}")),
                None => {}
            }
        }
    }
    found
}

fn of_text(text: &str) -> Vec<String> {
    let schema = schema();
    objections(&toml::from_str(text).unwrap(), &schema, "", &schema)
}

/// The files that people are given to copy from, and the page that describes them.
#[test]
fn the_laws_that_people_copy_are_read_and_keep_to_the_schema() {
    let page = fs::read_to_string(root().join("docs/verify.md")).unwrap();
    let blocks = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let mut texts: Vec<(String, String)> = blocks
        .filter(|block| block.contains("[[law]]"))
        .map(|block| ("docs/verify.md".to_owned(), block.to_owned()))
        .collect();
    assert!(!texts.is_empty());
    for entry in fs::read_dir(root().join("examples/laws")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        let named = first.strip_prefix("#:schema ").unwrap();
        assert!(
            path.parent().unwrap().join(named).is_file(),
            "{}: {named}",
            path.display()
        );
        texts.push((path.display().to_string(), text));
    }
    assert!(texts.len() > 1);
    for (place, text) in texts {
        if let Err(error) = super::parse(&place, &text) {
            panic!("{place}: {error}");
        }
        assert_eq!(of_text(&text), Vec::<String>::new(), "{place}");
    }
}

/// What the reader refuses the schema refuses too, as far as one line tells.
#[test]
fn a_mistyped_law_keeps_to_no_schema() {
    let law = |rest: &str| format!("[[law]]\nname = \"a\"\nsays = \"x\"\n{rest}\n");
    for (rest, objection) in [
        ("never = { sate = \"LOST\" }", ".law[0].never has sate"),
        ("never = { state = \"LOOST\" }", ".law[0].never.state is \"LOOST\""),
        (
            "never = { conditions = [\"CrashLoops\"] }",
            "conditions[0] is \"CrashLoops\"",
        ),
        ("never = {}\nwhile = { flink = \"gone\" }", ".while.flink is \"gone\""),
        ("never = {}\nwhile = { flink = \"LOST\" }", ".while.flink is \"LOST\""),
        ("never = {}\nwhile = { fleet = 1 }", ".while.fleet"),
        ("never = {}\nwithin = 2", "has within without"),
        ("must = {}\nwithin = 0", "less than 1"),
        ("never = {}\nmust = {}", "fits 2 of oneOf"),
        ("", "fits 0 of oneOf"),
    ] {
        let text = law(rest);
        let found = of_text(&text);
        assert!(found.iter().any(|one| one.contains(objection)), "{rest}: {found:?}");
        assert!(super::parse("laws.toml", &text).is_err(), "{rest}");
    }
    assert_eq!(of_text(&law("never = { state = \"LOST\" }")), Vec::<String>::new());
    // Every word that the schema has is read.
    for word in schema()["$defs"]["FlinkWord"]["enum"].as_array().unwrap() {
        FlinkWord::try_from(word.as_str().unwrap().to_owned()).unwrap();
    }
    for word in schema()["$defs"]["ToldWord"]["enum"].as_array().unwrap() {
        ToldWord::try_from(word.as_str().unwrap().to_owned()).unwrap();
    }
}
