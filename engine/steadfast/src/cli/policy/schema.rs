//! `steadfast policy schema`: the JSON Schema of a file with a snapshot, and docs/snapshot.schema.json; or of one with laws.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use steadfast_core::decision::LookupSource;
use steadfast_core::record::AlertScope;
use steadfast_core::state::{Attention, Confidence, JobState};
use steadfast_server::explain;

use super::super::{Failure, printer};

pub(in crate::cli) const AFTER_HELP: &str = "\
Examples, for an editor that takes the schema from the file:
  steadfast policy schema > snapshot.schema.json
  { \"$schema\": \"./snapshot.schema.json\", \"snapshot\": { ... }, \"expect\": { ... } }
  steadfast policy schema laws > laws.schema.json
  #:schema ./laws.schema.json        as the first line of the laws, for Taplo (Even Better TOML)";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Of a snapshot or fixture (*.json), or of laws of one's own (*.toml, `policy verify --laws`).
    #[arg(value_enum, default_value_t = Of::Snapshot, value_name = "FILE")]
    of: Of,
}

/// The files of authors that have one; that of stories is `steadfast simulate --schema`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    Snapshot,
    Laws,
}

/// What laws may say, as their types have it.
const LAWS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/laws.schema.json"));

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    match options.of {
        Of::Snapshot => printer::json(&schema()?)?,
        Of::Laws => printer::data(LAWS)?,
    }
    Ok(())
}

/// The schema (2020-12) of a fixture, which begins as what `explain` or `policy snapshot` prints.
fn schema() -> anyhow::Result<Value> {
    let explain::SnapshotSchema { snapshot, definitions } =
        explain::snapshot_schema().context("the schema of a snapshot cannot be written")?;
    let text = |says: &str| json!({ "type": "string", "description": says });
    let list = |items: Value, says: &str| json!({ "type": "array", "items": items, "description": says });
    let wanted = json!({ "enum": LookupSource::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>() });
    let scopes: Vec<&str> = AlertScope::ALL.iter().map(|word| word.as_str()).collect();
    let alert = json!({ "anyOf": [
        { "type": "string", "description": "An alert of that name." },
        { "type": "object", "additionalProperties": false, "required": ["name", "scope"],
            "properties": { "name": { "type": "string" }, "scope": { "enum": scopes } } },
    ] });
    let words = |words: Vec<&str>, says: &str| json!({ "enum": words, "description": says });
    let expect = json!({
        "type": "object",
        "description": "What the decision must be. What is left out may be anything.",
        "additionalProperties": false,
        "properties": {
            "state": words(JobState::ALL.iter().map(|word| word.as_str()).collect(), "The state that it says."),
            "confidence": words(Confidence::ALL.iter().map(|word| word.as_str()).collect(), "How sure it is."),
            "rule": text("The name of the rule that spoke."),
            "reason": text("The reason's code."),
            "attention": words(Attention::ALL.iter().map(|word| word.as_str()).collect(), "Whether polls go on."),
            "conditions": list(json!({ "$ref": "#/$defs/ConditionType" }), "All that stand, in any order."),
            "alerts": list(alert, "All that stand, in any order."),
            "pollAfterSeconds": { "type": "number", "description": "How long until Flink is polled again." },
            "wanted": list(wanted, "All evidence that it asks for, in any order."),
            "error": text("The policy must fail, and its message contain this."),
        },
    });
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A snapshot of Steadfast's, and what a policy must make of it",
        "description": "What `steadfast explain JOB --output json` and `steadfast policy snapshot` print, and what `steadfast policy decide` and \
            `steadfast policy test` read. Other keys of the outermost object are left aside.",
        "type": "object",
        "required": ["snapshot"],
        "properties": { "snapshot": snapshot, "expect": expect },
        "$defs": definitions,
    }))
}
