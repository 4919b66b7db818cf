//! What the commands that speak with registries have in common.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use steadfast_modules::{OciRef, Registries};

use super::super::Failure;
use crate::config::Config;
use crate::run::known;

#[derive(Debug, Args)]
pub(super) struct RegistryOptions {
    /// A configuration whose [[registry]] entries say who we are; else what `docker login` has kept counts.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl RegistryOptions {
    pub(super) fn known(&self) -> Result<Registries, Failure> {
        let hosts = match &self.config {
            Some(file) => Config::load(file)?.registries,
            None => Vec::new(),
        };
        Ok(known(&hosts))
    }
}

/// The reference on the command line.
pub(super) fn reference(text: &str) -> Result<OciRef, Failure> {
    if !text.starts_with("oci://") {
        return Err(Failure::Usage(anyhow!(
            "`{text}` does not begin with oci://; write oci://HOST/REPOSITORY:TAG or oci://HOST/REPOSITORY@sha256:HEX"
        )));
    }
    OciRef::parse(text).map_err(|error| Failure::Usage(anyhow!("`{text}` {error}; {}", error.fix())))
}
