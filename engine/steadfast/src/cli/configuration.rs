//! `steadfast config`: a configuration's beginning, what it comes to, and what it may say.

mod init;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tokio::runtime::Runtime;

use super::output::{Format, OutputOption};
use super::{Failure, printer};
use crate::config::overrides::{self, Override};
use crate::config::{effective, schema};

pub(super) const SCHEMA_HELP: &str = "\
Example, for an editor with Taplo:
  steadfast config schema > config.schema.json
  #:schema ./config.schema.json      as the first line of config.toml";

/// A configuration, as commands that read one are told of it.
#[derive(Clone, Debug, Args)]
pub(super) struct ConfigOptions {
    /// The configuration.
    #[arg(short, long, default_value = "config.toml", value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Say a key in place of the file, such as timing.poll=2s or kubernetes.prod.flink_rest=proxy [repeatable].
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<Override>,
}

impl ConfigOptions {
    /// What the command line says holds from now on, whenever the file is read.
    pub(super) fn file(&self) -> &std::path::Path {
        overrides::set(self.set.clone());
        &self.config
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a configuration of what is found: the cluster of your kubeconfig, and what runs there.
    #[command(after_help = init::AFTER_HELP)]
    Init(init::Options),
    /// Show each key with its value, and where that came from: default, file, environment or --set.
    Show {
        #[command(flatten)]
        config: ConfigOptions,
        #[command(flatten)]
        output: OutputOption,
    },
    /// Print the JSON Schema of config.toml, for editors.
    #[command(after_help = SCHEMA_HELP)]
    Schema,
}

pub(super) fn run(command: &Command, runtime: &Runtime) -> Result<(), Failure> {
    match command {
        Command::Init(options) => runtime.block_on(init::run(options)),
        Command::Show { config, output } => {
            let path = config.file();
            let settings = effective::settings(path)?;
            match &output.format {
                Format::People(_) => printer::data(&effective::page(path, &settings))?,
                Format::Data(data) => printer::data(&data.shown(&effective::document(&settings))?)?,
            }
            Ok(())
        }
        Command::Schema => Ok(printer::json(&schema::schema())?),
    }
}
