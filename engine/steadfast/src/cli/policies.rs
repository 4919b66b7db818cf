//! `steadfast policy list`, and `steadfast policies`, as it was called before.

mod running;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::client::ServerOptions;
use super::output::{Detail, Format, OutputOption};
use super::policy::inspect::parameters;
use super::screen::Screen;
use super::table::{Column, Table};
use super::{Failure, located, printer};
use crate::config::Config;
use crate::run::{LoadedPolicy, load_policies};

/// Which policies.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// List those of this configuration, without asking an engine.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

/// As `steadfast policies` always did: of a configuration, also of one that is not named.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let config = options.config.as_deref().unwrap_or(Path::new("config.toml"));
    of_configuration(config, &options.output.format)
}

/// Lists the policies of a running engine, or of a configuration.
pub(super) fn list(options: &Options, runtime: &Runtime) -> Result<(), Failure> {
    match &options.config {
        Some(config) => of_configuration(config, &options.output.format),
        None => runtime.block_on(running::show(&options.server, &options.output.format)),
    }
}

/// Lists every policy of a configuration; the wide list says where each came from, and what can be tuned.
fn of_configuration(path: &Path, format: &Format) -> Result<(), Failure> {
    let config = Config::load(path)?;
    let policies = load_policies(&config.policies, &config.registries);
    let policies = policies.map_err(|error| located(path, error))?;
    match format {
        Format::People(Detail::Usual) => printer::page(&table(&policies).shown(Screen::of_stdout()))?,
        Format::People(Detail::Wide) => printer::data(&policies.iter().map(block).collect::<String>())?,
        Format::Data(data) => {
            let items: Vec<Value> = policies.iter().map(document).collect();
            printer::data(&data.shown(&json!({ "items": items }))?)?;
        }
    }
    Ok(())
}

fn role(policy: &LoadedPolicy) -> &'static str {
    if policy.config.shadow { "shadow" } else { "decides" }
}

fn table(policies: &[LoadedPolicy]) -> Table {
    let mut table = Table::new(vec![
        Column::whole("NAME"),
        Column::whole("ROLE"),
        Column::whole("ROLLOUT"),
        Column::whole("VERSION"),
        Column::cut("MODULE", 20),
        Column::cut("SUMMARY", 12),
    ]);
    for policy in policies {
        let description = policy.module.description();
        table.row(vec![
            policy.config.name.as_str().into(),
            role(policy).into(),
            policy.config.rollout.to_string().into(),
            description.version.as_str().into(),
            policy.provenance.reference.to_string().into(),
            description.summary.as_str().into(),
        ]);
    }
    table
}

fn block(policy: &LoadedPolicy) -> String {
    let (description, source) = (policy.module.description(), &policy.provenance);
    let mut text = format!("{} ({}, {})\n", policy.config.name, role(policy), policy.config.rollout);
    text.push_str(&format!("  module      {}\n", source.reference));
    if let Some(manifest) = &source.manifest {
        text.push_str(&format!("  manifest    {}\n", manifest.oci()));
    }
    text.push_str(&format!(
        "  sha256      {}\n  from        {}, {}\n",
        source.sha256,
        source.from,
        source.trust()
    ));
    text.push_str(&format!(
        "  is          {} {}: {}\n",
        description.name, description.version, description.summary
    ));
    text.push_str(&format!("  configured  {}\n", policy.config.params));
    if !description.parameters.is_empty() {
        text.push_str(&format!("{}\n", parameters(&description.parameters)));
    }
    text
}

/// The same for programs; its parameters are `steadfast policy inspect --output json`'s.
fn document(policy: &LoadedPolicy) -> Value {
    let (description, source) = (policy.module.description(), &policy.provenance);
    json!({
        "name": policy.config.name,
        "role": role(policy),
        "rollout": policy.config.rollout.to_string(),
        "module": source.reference.to_string(),
        "manifest": source.manifest.as_ref().map(|manifest| manifest.oci().to_string()),
        "sha256": source.sha256.to_string(),
        "from": source.from.to_string(),
        "trust": source.trust().to_string(),
        "is": { "name": description.name, "version": description.version, "summary": description.summary },
        "params": serde_json::from_str::<Value>(&policy.config.params).unwrap_or_default(),
    })
}

/// Where a policy's module came from and why it may be run, on one line.
pub(super) fn provenance(policy: &LoadedPolicy) -> String {
    let source = &policy.provenance;
    format!(
        "policy {}: {}, sha256 {}, from {}, {}",
        policy.config.name,
        source.reference,
        source.sha256,
        source.from,
        source.trust()
    )
}
