//! `docs/policy-contract.md` is made from the WIT: `UPDATE_DOCS=1 cargo test -p steadfast-wit` writes it, and without
//! that the test holds it current.

// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;

use steadfast_wit::{PACKAGE, POLICY_WIT, PREVIOUS_VERSION, VERSION};
use wit_parser::{Docs, Function, Resolve, Type, TypeDef, TypeDefKind, WorldItem};

const HEAD: &str = "\
What a policy exports and all it may know, made from `engine/wit/wit/policy.wit` (`steadfast policy wit` prints it). Durations are
milliseconds, moments milliseconds since the Unix epoch in UTC.

A module says which version it was built for, and the engine serves two: the current one and the one before it. What an older
version has no word for is left out of what its modules see, or becomes the nearest word it has. A module of any other version is
refused with an error that names both.
";

#[test]
fn the_reference_is_what_the_contract_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy-contract.md");
    let made = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == made,
        "{} is not what the WIT says; run UPDATE_DOCS=1 cargo test -p steadfast-wit",
        path.display()
    );
}

#[test]
fn every_function_has_its_words() {
    let resolve = contract();
    let exports = resolve.worlds.iter().flat_map(|(_, world)| &world.exports);
    let functions: Vec<&Function> = exports
        .filter_map(|(_, item)| match item {
            WorldItem::Function(function) => Some(function),
            WorldItem::Interface { .. } | WorldItem::Type { .. } => None,
        })
        .collect();
    assert_eq!(functions.len(), 3);
    for function in functions {
        assert!(function.docs.contents.is_some(), "{} has no words", function.name);
    }
}

fn contract() -> Resolve {
    let mut resolve = Resolve::default();
    resolve.push_str("policy.wit", POLICY_WIT).unwrap();
    resolve
}

fn reference() -> String {
    let resolve = contract();
    let mut page = format!("# The policy contract: {PACKAGE}@{VERSION} (and {PREVIOUS_VERSION})\n\n{HEAD}");
    page.push_str("\n## Functions\n");
    for (_, world) in &resolve.worlds {
        for (_, item) in &world.exports {
            if let WorldItem::Function(function) = item {
                write!(
                    page,
                    "\n### `{}`\n\n{}\n",
                    signature(&resolve, function),
                    prose(&function.docs)
                )
                .unwrap();
            }
        }
    }
    for (_, interface) in &resolve.interfaces {
        if interface.functions.is_empty() {
            continue;
        }
        let name = interface.name.as_deref().unwrap_or_default();
        write!(page, "\n## What it may call: `{name}`\n\n{}\n", prose(&interface.docs)).unwrap();
        for (_, function) in &interface.functions {
            write!(
                page,
                "\n### `{}`\n\n{}\n",
                signature(&resolve, function),
                prose(&function.docs)
            )
            .unwrap();
        }
    }
    page.push_str("\n## Types\n");
    for (_, interface) in &resolve.interfaces {
        for (name, id) in &interface.types {
            let kind = resolve.types.get(*id).unwrap();
            write!(page, "\n### `{name}`\n").unwrap();
            let said = prose(&kind.docs);
            if !said.is_empty() {
                write!(page, "\n{said}\n").unwrap();
            }
            page.push_str(&body(&resolve, kind));
        }
    }
    page
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters: Vec<String> = function
        .params
        .iter()
        .map(|parameter| format!("{}: {}", parameter.name, written(resolve, &parameter.ty)))
        .collect();
    let result = function
        .result
        .map_or_else(String::new, |result| format!(" -> {}", written(resolve, &result)));
    format!("{}({}){result}", function.name, parameters.join(", "))
}

/// A type's fields or cases, as a table.
fn body(resolve: &Resolve, kind: &TypeDef) -> String {
    // The contract uses no other kinds; a new one shows as an empty body in review.
    #[allow(clippy::wildcard_enum_match_arm)]
    match &kind.kind {
        TypeDefKind::Record(record) => {
            let rows = record.fields.iter();
            let rows = rows.map(|field| {
                format!(
                    "| `{}` | {} | {} |\n",
                    field.name,
                    linked(resolve, &field.ty),
                    prose(&field.docs)
                )
            });
            format!("\n| field | type | |\n|---|---|---|\n{}", rows.collect::<String>())
        }
        TypeDefKind::Enum(cases) => {
            let rows = cases.cases.iter();
            let rows = rows.map(|case| format!("| `{}` | {} |\n", case.name, prose(&case.docs)));
            format!("\n| case | |\n|---|---|\n{}", rows.collect::<String>())
        }
        TypeDefKind::Variant(variant) => {
            let rows = variant.cases.iter().map(|case| {
                let with = case.ty.map_or_else(String::new, |of| linked(resolve, &of));
                format!("| `{}` | {with} | {} |\n", case.name, prose(&case.docs))
            });
            format!("\n| case | of | |\n|---|---|---|\n{}", rows.collect::<String>())
        }
        TypeDefKind::Type(of) => format!("\nA `{}`.\n", written(resolve, of)),
        _ => String::new(),
    }
}

fn prose(docs: &Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().replace('\n', " ")
}

/// A type as the WIT writes it, with a link to the named one in it.
fn linked(resolve: &Resolve, of: &Type) -> String {
    let text = written(resolve, of);
    let inner = text.rsplit('<').next().unwrap_or_default().trim_end_matches('>');
    let is_named = resolve
        .types
        .iter()
        .any(|(_, kind)| kind.name.as_deref() == Some(inner));
    if is_named {
        format!("[`{text}`](#{inner})")
    } else {
        format!("`{text}`")
    }
}

fn written(resolve: &Resolve, of: &Type) -> String {
    let Type::Id(id) = of else {
        return format!("{of:?}").to_lowercase();
    };
    let kind = resolve.types.get(*id).unwrap();
    if let Some(name) = &kind.name {
        return name.clone();
    }
    let or_none = |of: &Option<Type>| of.map_or_else(|| "_".to_owned(), |of| written(resolve, &of));
    #[allow(clippy::wildcard_enum_match_arm)]
    match &kind.kind {
        TypeDefKind::Option(of) => format!("option<{}>", written(resolve, of)),
        TypeDefKind::List(of) => format!("list<{}>", written(resolve, of)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", or_none(&result.ok), or_none(&result.err)),
        other => format!("{other:?}"),
    }
}
