//! The files of keys, as the commands take them.

use std::path::Path;

use anyhow::{Context, anyhow};
use steadfast_modules::{KeyError, PrivateKey, PublicKey};

use super::super::Failure;

/// The private key in a file.
pub(super) fn private(file: &Path) -> Result<PrivateKey, Failure> {
    PrivateKey::from_pem(&read(file)?).map_err(|error| refused(file, &error))
}

/// The public key in a file.
pub(super) fn public(file: &Path) -> Result<PublicKey, Failure> {
    PublicKey::from_pem(&read(file)?).map_err(|error| refused(file, &error))
}

fn read(file: &Path) -> Result<String, Failure> {
    let bytes = steadfast_files::read(file, steadfast_files::SMALL)
        .with_context(|| format!("the key {} cannot be read; name a PEM file", file.display()))
        .map_err(Failure::Usage)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn refused(file: &Path, error: &KeyError) -> Failure {
    Failure::Usage(anyhow!(
        "the key {} cannot be used: {error}; {}",
        file.display(),
        error.fix()
    ))
}
