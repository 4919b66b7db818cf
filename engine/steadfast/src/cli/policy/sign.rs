//! `steadfast policy sign`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use steadfast_modules::{MAX_MODULE, signature_file};

use super::super::{Failure, printer};
use super::keys;

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The module's file.
    #[arg(value_name = "MODULE")]
    module: PathBuf,
    /// The private key: an unencrypted PKCS#8 PEM file, as `steadfast policy keygen` and openssl make it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Writes MODULE.sig, as `cosign sign-blob` would.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let key = keys::private(&options.key)?;
    let module = steadfast_files::read(&options.module, MAX_MODULE)
        .with_context(|| format!("the module {} cannot be read", options.module.display()))
        .map_err(Failure::Usage)?;
    let signature = key.sign(&module).map_err(anyhow::Error::new)?;
    let file = signature_file(&options.module);
    std::fs::write(&file, format!("{}\n", signature.to_base64()))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    printer::note(&format!(
        "{} is signed by {}",
        options.module.display(),
        key.public().fingerprint().oci()
    ));
    Ok(())
}
