//! `steadfast policy pull`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use steadfast_files::FileError;
use steadfast_modules::{Digest, ModuleRef, OciRef, Resolver, Trust};

use super::super::{Failure, printer};
use super::keys;
use super::registries::{RegistryOptions, reference};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Where it is: `oci://HOST/REPOSITORY@sha256:HEX` or `oci://HOST/REPOSITORY:TAG`.
    #[arg(value_name = "REFERENCE")]
    from: String,
    /// Where the module goes [default: the repository's last part with `.wasm`].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Refuse it unless one of these keys signed it; may be given more than once.
    #[arg(long, value_name = "FILE")]
    public_key: Vec<PathBuf>,
    /// Refuse it unless its bytes have this digest.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    #[command(flatten)]
    registries: RegistryOptions,
}

/// Pulls the module into a file, and prints what pins it. Pulling runs nothing, so a tag will do without a pin.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let artifact = reference(&options.from)?;
    let trust = trust(options)?;
    let output = options.output.clone().unwrap_or_else(|| file_of(&artifact));
    // Without a cache: what is asked for is what the registry has now.
    let resolver = Resolver::new(|_| None, options.registries.known()?, None);
    let pulled = resolver.resolve(&ModuleRef::Oci(artifact.clone()), &trust).await;
    let module = pulled.map_err(|error| {
        let fix = format!("`{}` was not pulled; {}", options.from, error.fix());
        Failure::Failed(anyhow::Error::new(error).context(fix))
    })?;
    write(&output, &module.bytes)?;
    let manifest = module.provenance.manifest;
    let mut text = String::new();
    if let Some(manifest) = manifest {
        text.push_str(&format!("module      {}\n", artifact.at(manifest)));
    }
    text.push_str(&format!("sha256      {}\n", module.provenance.sha256));
    if let Some(key) = module.provenance.signed_by {
        text.push_str(&format!("signed by   {}\n", key.oci()));
    }
    printer::data(&text)?;
    printer::note(&format!("written to {}", output.display()));
    Ok(())
}

fn trust(options: &Options) -> Result<Trust, Failure> {
    let keys = options.public_key.iter();
    let sha256 = options.sha256.as_deref().map(Digest::parse).transpose();
    Ok(Trust {
        sha256: sha256.map_err(|error| Failure::Usage(anyhow!("--sha256: {error}; write what `sha256sum` prints")))?,
        keys: keys.map(|file| keys::public(file)).collect::<Result<_, _>>()?,
        signature: None,
    })
}

fn file_of(artifact: &OciRef) -> PathBuf {
    let name = artifact.repository.rsplit('/').next().unwrap_or_default();
    PathBuf::from(format!("{name}.wasm"))
}

/// Another file of that name is not overwritten.
fn write(file: &Path, module: &[u8]) -> Result<(), Failure> {
    match steadfast_files::read(file, module.len()) {
        Ok(there) if there == module => return Ok(()),
        Err(FileError::Io(error)) if error.kind() == ErrorKind::NotFound => {}
        Ok(_) | Err(_) => {
            return Err(Failure::Failed(anyhow!(
                "{} is there already and holds something else; remove it, or name another file with --output",
                file.display()
            )));
        }
    }
    std::fs::write(file, module)
        .with_context(|| format!("{} cannot be written", file.display()))
        .map_err(Failure::Failed)
}
