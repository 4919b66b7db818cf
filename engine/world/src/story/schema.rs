//! The JSON Schema of stories for editors, and the page of their keys, made of the types. `UPDATE_DOCS=1` writes both.

mod page;

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use steadfast_core::state::{ConditionType, Confidence, Intent, JobState, Mode};

use super::alerts::{AlertName, Alerts, EitherAlert};
use super::file::File;
use super::one_or_many::OneOrMany;
use super::parts::LogEntry;
use super::{Alternatives, EngineStep, FlinkFault, KubernetesFault, Moment, Pace, Start, Story};

/// A schema under a name.
macro_rules! schema {
    ($type:ty, $name:literal, $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

/// One of core's words.
macro_rules! word {
    ($name:ident, $schema:literal, $words:expr) => {
        pub(super) struct $name;
        schema!($name, $schema, {
            let words: Vec<&str> = $words.iter().map(|word| word.as_str()).collect();
            json_schema!({ "type": "string", "enum": words })
        });
    };
}

word!(StateWord, "State", JobState::ALL);
word!(
    EndWord,
    "End",
    [JobState::Finished, JobState::Failed, JobState::Canceled]
);
word!(ConfidenceWord, "Confidence", Confidence::ALL);
word!(ConditionWord, "Condition", ConditionType::ALL);
word!(IntentWord, "Intent", Intent::ALL);
word!(ModeWord, "Mode", Mode::ALL);

const TIME: &str = "-?[0-9]+(\\.[0-9]+)? ?(ms|s|m|h|d)( ?[0-9]+ ?(ms|s|m|h|d))*";

/// Fixed words, and forms with something behind a colon.
fn words(fixed: &[&str], forms: &[String]) -> Schema {
    let forms = forms
        .iter()
        .map(|form| serde_json::json!({ "pattern": format!("^{form}$") }));
    let any: Vec<Value> = std::iter::once(serde_json::json!({ "enum": fixed }))
        .chain(forms)
        .collect();
    json_schema!({ "type": "string", "anyOf": any })
}

schema!(
    Moment,
    "Time",
    json_schema!({ "type": "string", "pattern": format!("^{TIME}$") })
);
schema!(
    Start,
    "Start",
    json_schema!({ "type": "string", "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})(\\[[A-Za-z0-9/_+-]+\\])?$" })
);
const KUBERNETES: [&str; 21] = [
    "ok",
    "drop",
    "refuse",
    "401",
    "403",
    "403:long",
    "410",
    "429",
    "500",
    "503",
    "html",
    "garbage",
    "array",
    "watch-silent",
    "watch-close",
    "list-fails",
    "get:403",
    "get:500",
    "get:drop",
    "bad-object",
    "operator:403",
];
schema!(KubernetesFault, "KubernetesFault", {
    let fixed = [&KUBERNETES[..], &["operator:404"]].concat();
    words(&fixed, &["429:[0-9]+".into(), format!("slow:{TIME}")])
});
const FLINK: [&str; 13] = [
    "ok",
    "drop",
    "refuse",
    "401",
    "403",
    "404-proxy",
    "429",
    "500",
    "502-html",
    "200-html",
    "503-leader",
    "garbage",
    "array",
];
schema!(
    FlinkFault,
    "FlinkFault",
    words(&FLINK, &["429:[0-9]+".into(), format!("slow:{TIME}")])
);
schema!(
    EngineStep,
    "EngineStep",
    words(&["kill", "remove-target"], &[format!("stop-for:{TIME}")])
);
schema!(
    Pace,
    "States",
    json_schema!({ "type": "string", "pattern": "^[A-Z]+(\\|[A-Z]+)*[?*]?$" })
);
schema!(
    Alternatives,
    "Conditions",
    json_schema!({ "type": "string", "pattern": "^[A-Za-z]+(\\|[A-Za-z]+)*$" })
);
const ALERT: &str = "((job|cluster|policy):)?([A-Za-z][A-Za-z0-9_.-]*|\\*)";
schema!(
    AlertName,
    "Alert",
    json_schema!({ "type": "string", "pattern": format!("^{ALERT}$") })
);
schema!(
    EitherAlert,
    "EitherAlert",
    json_schema!({ "type": "string", "pattern": format!("^{ALERT}(\\|{ALERT})*$") })
);
schema!(Alerts, "RaisedAlerts", {
    let name = serde_json::json!({ "type": "string", "pattern": format!("^{ALERT}$") });
    let time = serde_json::json!({ "type": "string", "pattern": format!("^{TIME}$") });
    let between = serde_json::json!({ "type": "array", "items": time, "minItems": 2, "maxItems": 2 });
    let table = serde_json::json!({
        "type": "object",
        "properties": {
            "name": { "description": "Its name, with what it is about before a colon, or `*`.", "anyOf": [name] },
            "target": { "description": "Whose record raises it: a target, or `target/job`.", "type": "string" },
            "raised": { "description": "When it is raised: by when, or an earliest and a latest moment.", "anyOf": [time, between] },
            "resolved": {
                "description": "When it is resolved; false: it stands at the end, true: it does not.",
                "anyOf": [time, between, { "type": "boolean" }],
            },
        },
        "required": ["name"],
        "additionalProperties": false,
    });
    json_schema!({
        "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "array", "items": { "anyOf": [name, table] } }],
    })
});
schema!(
    LogEntry,
    "LogEntry",
    json_schema!({ "type": "string", "pattern": "^[^ ]+ (FINISHED|FAILED|CANCELED)$" })
);

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

fn document(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    schema.insert("title".into(), "A story of Steadfast".into());
    schema.to_value()
}

/// Compares a document with what the types say, or writes it.
fn holds(name: &str, expected: &str) {
    let path = document(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        let present = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            present == expected,
            "docs/{name} is not what the types say; run this test with UPDATE_DOCS=1"
        );
    }
}

#[test]
fn the_schema_in_the_documents_is_that_of_the_types() {
    holds("story.schema.json", &format!("{:#}\n", schema()));
}

#[test]
fn the_page_of_stories_has_every_key() {
    let text = fs::read_to_string(document("simulate.md")).unwrap();
    let (begin, end) = ("<!-- keys: begin -->\n", "<!-- keys: end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let keys = page::keys(&schema());
    assert!(keys.contains("| `root_exception` |"), "{keys}");
    holds("simulate.md", &format!("{before}{begin}{keys}{end}{after}"));
}

/// What an editor completes is what a story takes, and a word that the reader gained is in the schema.
#[test]
fn every_word_of_the_schema_is_one_that_a_story_takes() {
    let words = |type_name: &str| -> Vec<String> {
        let schema = schema();
        let listed = schema["$defs"][type_name]["anyOf"][0]["enum"].as_array().unwrap();
        listed.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    for word in words("KubernetesFault") {
        KubernetesFault::try_from(word).unwrap();
    }
    for word in words("FlinkFault") {
        FlinkFault::try_from(word).unwrap();
    }
    for word in words("EngineStep") {
        EngineStep::try_from(word).unwrap();
    }
    let refusals = [
        (
            KubernetesFault::try_from("?".to_owned()).unwrap_err(),
            words("KubernetesFault"),
        ),
        (FlinkFault::try_from("?".to_owned()).unwrap_err(), words("FlinkFault")),
        (EngineStep::try_from("?".to_owned()).unwrap_err(), words("EngineStep")),
    ];
    for (refusal, words) in refusals {
        let told = refusal.split_once("choose ").unwrap().1;
        for word in told.split([',', ' ']).filter(|word| !word.is_empty() && *word != "or") {
            let has_a_form = ["SECONDS", "TIME"].iter().any(|form| word.ends_with(form));
            assert!(
                has_a_form || words.iter().any(|known| known == word),
                "the schema lacks `{word}`"
            );
        }
    }
}

/// Keys of a story, wherever they stand in it, that its schema does not know.
fn unknown(value: &Value, schema: &Value, root: &Value) -> Vec<String> {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(name) => root.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    if let Some(either) = schema.get("anyOf").and_then(Value::as_array) {
        let each = either.iter().map(|one| unknown(value, one, root));
        return each.min_by_key(Vec::len).unwrap_or_default();
    }
    match value {
        Value::Object(members) => {
            let of_member = |name: &str| {
                schema["properties"]
                    .get(name)
                    .or_else(|| schema.get("additionalProperties"))
            };
            let each = members.iter().map(|(name, member)| match of_member(name) {
                Some(schema) if schema.is_object() => unknown(member, schema, root),
                Some(_) | None => vec![name.clone()],
            });
            each.flatten().collect()
        }
        Value::Array(items) => items
            .iter()
            .flat_map(|item| unknown(item, &schema["items"], root))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let is_text = schema["type"] == "object" || schema["type"] == "array";
            if is_text { vec![value.to_string()] } else { Vec::new() }
        }
    }
}

#[test]
fn the_corpus_keeps_to_the_schema_and_a_key_of_nobodys_does_not() {
    let schema = schema();
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/stories");
    let mut read = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        Story::parse(&path.display().to_string(), &text).unwrap();
        let story: Value = toml::from_str(&text).unwrap();
        assert_eq!(
            unknown(&story, &schema, &schema),
            Vec::<String>::new(),
            "{}",
            path.display()
        );
        read += 1;
    }
    assert!(read > 50, "{read}");
    let story: Value = toml::from_str("[[step]]\nat = \"0s\"\njobs = [{ id = \"a\", sate = \"RUNNING\" }]\n").unwrap();
    assert_eq!(unknown(&story, &schema, &schema), ["sate"]);
}
