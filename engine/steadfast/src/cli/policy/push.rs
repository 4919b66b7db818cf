//! `steadfast policy push`.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use clap::Args;
use serde_json::json;
use steadfast_host::inspect::{Form, Inspection, inspect};
use steadfast_modules::{MAX_MODULE, Outline, PublishError, publish};

use super::super::output::{Format, OutputOption};
use super::super::{Failure, printer};
use super::keys;
use super::registries::{RegistryOptions, reference};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The module's file.
    #[arg(value_name = "MODULE")]
    module: PathBuf,
    /// Where it goes: `oci://HOST/REPOSITORY:TAG`.
    #[arg(value_name = "REFERENCE")]
    to: String,
    /// The private key that signs it, as `cosign sign` would; the signature is there before the tag names the module.
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    registries: RegistryOptions,
}

/// Pushes the module, and prints where it is by its digest.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let target = reference(&options.to)?;
    let key = options.sign.as_deref().map(keys::private).transpose()?;
    let module = steadfast_files::read(&options.module, MAX_MODULE)
        .with_context(|| format!("the module {} cannot be read", options.module.display()))
        .map_err(Failure::Usage)?;
    let outside = inspect(&module).map_err(|error| Failure::Usage(error.into()))?;
    let registries = options.registries.known()?;
    let pushed = publish(
        &registries,
        &target,
        Bytes::from(module),
        &outline(outside),
        key.as_ref(),
    )
    .await;
    let published = pushed.map_err(|error| match &error {
        PublishError::NoTag { .. } => Failure::Usage(anyhow!("{error}; {}", error.fix())),
        PublishError::Registry(refused) => {
            let fix = format!("`{}` was not pushed; {}", options.to, refused.fix());
            Failure::Failed(anyhow::Error::new(error).context(fix))
        }
        PublishError::Signatures { .. } | PublishError::Manifest(_) | PublishError::Key(_) => {
            let fix = format!("`{}` was not pushed; {}", options.to, error.fix());
            Failure::Failed(anyhow::Error::new(error).context(fix))
        }
    })?;
    let by = published.signed_by.as_ref().map(|key| key.oci().to_string());
    match &options.output.format {
        Format::People(_) => printer::data(&format!("{}\n", published.reference))?,
        Format::Data(data) => {
            let document = json!({
                "reference": published.reference.to_string(),
                "sha256": published.sha256.to_string(),
                "signedBy": by,
            });
            printer::data(&data.shown(&document)?)?;
        }
    }
    match by {
        Some(key) => printer::note(&format!("sha256 {}, signed by {key}", published.sha256)),
        None => printer::note(&format!("sha256 {}, not signed", published.sha256)),
    }
    Ok(())
}

/// What the registry's configuration says of the module; the contract's types count as an import there.
fn outline(outside: Inspection) -> Outline {
    match outside.form {
        Form::TypedModule | Form::UntypedModule => Outline::Module,
        Form::Component => {
            let contract = outside
                .contract
                .map(|version| format!("{}/types@{version}", steadfast_wit::PACKAGE));
            Outline::Component {
                imports: contract.into_iter().chain(outside.imports).collect(),
                exports: outside.exports,
            }
        }
    }
}
