//! `steadfast policy inspect`.

use clap::Args;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::json;
use steadfast_host::inspect::{Inspection, inspect};
use steadfast_host::{Description, Parameter};

use super::super::output::{Format, OutputOption};
use super::super::{Failure, printer};
use super::policy_arg::PolicyArg;

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    policy: PolicyArg,
    #[command(flatten)]
    output: OutputOption,
}

/// Tells what the bytes say, even of a module that cannot be loaded; then what the policy says of itself.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let bytes = options.policy.bytes()?;
    let outside = inspect(&bytes).map_err(|error| Failure::Usage(error.into()))?;
    let loaded = options.policy.load();
    let description = loaded.as_ref().ok().map(|loaded| loaded.module.description());
    match &options.output.format {
        Format::People(_) => printer::data(&page(&outside, description))?,
        Format::Data(data) => printer::data(&data.shown(&document(&outside, description))?)?,
    }
    loaded.map(drop)
}

fn page(outside: &Inspection, description: Option<&Description>) -> String {
    let none_or = |list: &[String]| {
        if list.is_empty() {
            "none".to_owned()
        } else {
            list.join(", ")
        }
    };
    let mut rows = vec![
        ("form", outside.form.as_str().to_owned()),
        ("size", format!("{} bytes", outside.bytes)),
        ("sha256", outside.digest.clone()),
        (
            "contract",
            outside.contract.clone().unwrap_or_else(|| "it names none".to_owned()),
        ),
        ("imports", none_or(&outside.imports)),
        (
            "prints",
            if outside.prints {
                "yes: the contract's `output`, which tells it nothing"
            } else {
                "no"
            }
            .to_owned(),
        ),
        ("exports", none_or(&outside.exports)),
    ];
    let mut tail = String::new();
    if let Some(description) = description {
        rows.push((
            "is",
            format!("{} {}: {}", description.name, description.version, description.summary),
        ));
        if !description.parameters.is_empty() {
            tail.push_str(&format!("\nparameters\n{}\n", parameters(&description.parameters)));
        }
        if !description.rules.is_empty() {
            tail.push_str("\nrules\n");
            for rule in &description.rules {
                tail.push_str(&format!("  {}: {}\n", rule.name, rule.says));
            }
        }
    }
    let head: String = rows
        .iter()
        .map(|(name, value)| format!("{name:<10}{value}\n"))
        .collect();
    head + &tail
}

/// Each parameter with its kind, default and help.
pub(in crate::cli) fn parameters(parameters: &[Parameter]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    for parameter in parameters {
        table.add_row(vec![
            format!("  {}", parameter.name),
            parameter.kind.clone(),
            parameter.default.clone(),
            parameter.help.clone(),
        ]);
    }
    table
}

fn document(outside: &Inspection, description: Option<&Description>) -> serde_json::Value {
    let policy = description.map(|description| {
        json!({
            "name": description.name,
            "version": description.version,
            "summary": description.summary,
            "parameters": description.parameters.iter().map(|parameter| json!({
                "name": parameter.name,
                "kind": parameter.kind,
                "default": parameter.default,
                "help": parameter.help,
            })).collect::<Vec<_>>(),
            "rules": description.rules.iter().map(|rule| json!({
                "name": rule.name,
                "says": rule.says,
                "because": rule.because,
                "changedBy": rule.changed_by,
            })).collect::<Vec<_>>(),
        })
    });
    json!({
        "form": outside.form.as_str(),
        "bytes": outside.bytes,
        "sha256": outside.digest,
        "contract": outside.contract,
        "imports": outside.imports,
        "prints": outside.prints,
        "exports": outside.exports,
        "policy": policy,
    })
}
