//! The stories of the example policies in Rust, `examples/policies/<name>/stories/`, each played with its policy's module.

use std::path::{Path, PathBuf};

use anyhow::Context;
use libtest_mimic::{Failed, Trial};
use steadfast_simulate::play;

use crate::{read, seed, staged, told};

/// One trial a story.
pub fn trials() -> anyhow::Result<Vec<Trial>> {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/policies");
    let mut trials = Vec::new();
    for policy in names(&policies, None)? {
        let folder = policies.join(&policy);
        if !folder.join("src/lib.rs").is_file() || !folder.join("stories").is_dir() {
            continue;
        }
        let module = prebuilt(&policy);
        for story in names(&folder.join("stories"), Some("toml"))? {
            let (policy, folder, module) = (policy.clone(), folder.clone(), module.clone());
            let trial = Trial::test(story.clone(), move || judge(&policy, &folder, &module, &story));
            trials.push(trial.with_kind("example"));
        }
    }
    Ok(trials)
}

fn judge(policy: &str, folder: &Path, module: &Path, name: &str) -> Result<(), Failed> {
    let place = format!("examples/policies/{policy}/stories/{name}.toml");
    let story = read(&place, &folder.join(format!("stories/{name}.toml")), name)?;
    let params = folder.join("params.json");
    let params = if params.is_file() {
        std::fs::read_to_string(params)?
    } else {
        "{}".into()
    };
    let bytes =
        std::fs::read(module).map_err(|error| format!("{}: {error}; policies/build makes it", module.display()))?;
    let loaded = staged::load_bytes(&bytes, &params).map_err(|error| format!("{error:#}"))?;
    let outcome = staged::decided_by(&loaded, seed(), |harness| play(&story, harness));
    let outcome = outcome.map_err(|error| format!("{error:#}"))?;
    if outcome.broken.is_empty() {
        Ok(())
    } else {
        Err(told(&story, &outcome))
    }
}

/// The built module of an example: that of `policies/prebuilt`, or the one that `STEADFAST_<NAME>_WASM` names.
fn prebuilt(policy: &str) -> PathBuf {
    let variable = format!("STEADFAST_{}_WASM", policy.to_uppercase().replace('-', "_"));
    std::env::var_os(variable).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../policies/prebuilt/{policy}.wasm")),
        PathBuf::from,
    )
}

/// The names in a folder, without their extension, in order.
fn names(folder: &Path, extension: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().and_then(|extension| extension.to_str()) == extension {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}
