//! `steadfast policy keygen`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use steadfast_modules::{Algorithm, PrivateKey};

use super::super::{Failure, printer};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Where the keys go: PREFIX.key, for whoever signs, and PREFIX.pub, for `public_key` in the configuration.
    #[arg(long, value_name = "PREFIX")]
    out: PathBuf,
    /// The kind of key.
    #[arg(long, value_enum, default_value_t = Kind::EcdsaP256)]
    algorithm: Kind,
}

/// The kinds of keys, by their names on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// What cosign makes.
    EcdsaP256,
    /// Smaller signatures.
    Ed25519,
}

/// Makes a pair of keys; files that are there are left as they are.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let algorithm = match options.algorithm {
        Kind::EcdsaP256 => Algorithm::EcdsaP256,
        Kind::Ed25519 => Algorithm::Ed25519,
    };
    let private = PrivateKey::generate(algorithm).map_err(anyhow::Error::new)?;
    let key = PrivateKey::from_pem(&private).map_err(anyhow::Error::new)?;
    let public = key.public().to_pem().map_err(anyhow::Error::new)?;
    let file = |extension: &str| {
        let mut name = options.out.clone().into_os_string();
        name.push(extension);
        PathBuf::from(name)
    };
    let (private_file, public_file) = (file(".key"), file(".pub"));
    write_new(&private_file, &private, 0o600)?;
    write_new(&public_file, &public, 0o644)?;
    printer::data(&format!("{}\n", key.public().fingerprint().oci()))?;
    printer::note(&format!(
        "{} is not encrypted: keep it where only whoever signs can read it; {} is for everybody",
        private_file.display(),
        public_file.display()
    ));
    Ok(())
}

fn write_new(file: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
    written
        .with_context(|| {
            format!(
                "{} cannot be written; a key is never overwritten, so name a PREFIX that is free",
                file.display()
            )
        })
        .map_err(Failure::Usage)
}
