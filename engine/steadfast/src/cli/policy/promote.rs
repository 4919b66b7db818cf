//! `steadfast policy promote`: a shadow decides, and the one it replaces becomes the shadow.

mod edit;
mod record;
mod write;

pub(in crate::cli) use write::replace;

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use steadfast_core::secret_url::SecretUrl;
use tokio::runtime::Runtime;

use super::super::client::{Client, ServerOptions};
use super::super::{Failure, located, printer, reload};
use crate::config::{Config, MAX_TEXT};
use crate::run::load_policies;

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The shadow, as the configuration names it; or a policy that is rolled out in part, to grow its share.
    #[arg(value_name = "NAME")]
    name: String,
    /// The share of its jobs that it decides; the others stay with the policy that decides them now.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    percent: u8,
    /// The configuration; its comments and its order of everything else stay.
    #[arg(long, default_value = "config.toml", value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    server: ServerOptions,
}

/// Edits the configuration, and asks the running engine to take it up.
pub(super) fn run(options: &Options, runtime: &Runtime) -> Result<(), Failure> {
    let path = &options.config;
    let text = steadfast_files::read_text(path, MAX_TEXT)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::Usage)?;
    // What is wrong already is reported as what it is, and not as a consequence of the promotion.
    Config::parse(path, &text)?;
    let promoted = edit::promote(&text, &options.name, options.percent)
        .map_err(|error| Failure::Usage(error.context(format!("{} was not changed", path.display()))))?;
    let config = Config::parse(path, &promoted.text)?;
    load_policies(&config.policies, &config.registries).map_err(|error| located(path, error))?;
    // Before the engine sees the file: its counts begin anew then.
    if let Some(told) = runtime.block_on(record::of(&options.name, &options.server)) {
        printer::note(&told);
    }
    write::replace(path, &promoted.text)?;
    // The file is written: whether somebody can be told of it or not, the engine is to take it up.
    let printed = printer::data(&promoted.summary);
    runtime.block_on(reload(options))?;
    Ok(printed?)
}

/// Only an engine that answers and refuses is a failure: without one, the next start reads the file.
async fn reload(options: &Options) -> Result<(), Failure> {
    match reload::ask(&Client::new(&options.server)?).await {
        Ok(reply) => {
            printer::note(&format!("the engine has taken it up{}", reload::restart(&reply)));
            Ok(())
        }
        Err(Failure::Unreachable(error)) if error.downcast_ref().is_some_and(reqwest::Error::is_connect) => {
            printer::note(&format!(
                "no engine answered at {}: one that runs takes the file up by itself when it sees the change, on \
                 SIGHUP, or on POST /api/v1/reload",
                SecretUrl::new(options.server.address())
            ));
            Ok(())
        }
        Err(
            Failure::Unreachable(error) | Failure::Refused(error) | Failure::Missing(error) | Failure::NotKnown(error),
        ) => Err(Failure::Unreachable(anyhow!(
            "{} is changed, but the engine goes on as before: {error:#}",
            options.config.display()
        ))),
        Err(other) => Err(other),
    }
}
