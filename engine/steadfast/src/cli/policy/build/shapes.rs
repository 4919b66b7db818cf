//! What the contract asks a policy to answer, for a language in which a value of any type can stand for one.

use anyhow::anyhow;
use serde_json::{Map, Value, json};
use wit_parser::{Resolve, Type, TypeDefKind, WorldItem};

/// The shape of the answer of each function that a policy exports, by its name. `text`, `bytes`, `u64` and `s64` are
/// what they are called; `{"words": [...]}` is one of these texts, `{"list": shape}` any number of them, `{"fields": [[name, shape], ...]}`
/// a record. What else there is is `any`.
pub(super) fn answers(contract: &str) -> anyhow::Result<Value> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("policy.wit", contract)?;
    let world = resolve.select_world(&[package], Some("policy"))?;
    let world = resolve
        .worlds
        .get(world)
        .ok_or_else(|| anyhow!("the contract has no world `policy`"))?;
    let mut answers = Map::new();
    for item in world.exports.values() {
        if let WorldItem::Function(function) = item {
            answers.insert(function.name.clone(), optional(&resolve, function.result.as_ref()));
        }
    }
    Ok(Value::Object(answers))
}

fn optional(resolve: &Resolve, kind: Option<&Type>) -> Value {
    kind.map_or_else(|| json!("any"), |kind| shape(resolve, kind))
}

/// An error is thrown, so that what is answered is the other half of a result.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "an answer has few of the contract's many kinds of type"
)]
fn shape(resolve: &Resolve, kind: &Type) -> Value {
    let id = match kind {
        Type::Id(id) => *id,
        Type::String => return json!("text"),
        Type::U64 => return json!("u64"),
        Type::S64 => return json!("s64"),
        _ => return json!("any"),
    };
    match resolve.types.get(id).map(|defined| &defined.kind) {
        Some(TypeDefKind::Type(other)) => shape(resolve, other),
        Some(TypeDefKind::Result(result)) => optional(resolve, result.ok.as_ref()),
        Some(TypeDefKind::List(Type::U8)) => json!("bytes"),
        Some(TypeDefKind::List(item)) => json!({ "list": shape(resolve, item) }),
        Some(TypeDefKind::Enum(words)) => {
            let words: Vec<&str> = words.cases.iter().map(|case| case.name.as_str()).collect();
            json!({ "words": words })
        }
        Some(TypeDefKind::Record(record)) => {
            let fields = record.fields.iter();
            let fields: Vec<Value> = fields
                .map(|field| json!([camel_case(&field.name), shape(resolve, &field.ty)]))
                .collect();
            json!({ "fields": fields })
        }
        Some(_) | None => json!("any"),
    }
}

/// `poll-after` as JavaScript has it: `pollAfter`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}
