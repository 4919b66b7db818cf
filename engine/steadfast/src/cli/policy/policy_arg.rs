//! One policy, chosen on the command line.

use std::path::Path;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use clap::Args;
use steadfast_host::{LoadError, PolicyLimits};
use steadfast_modules::{ModuleRef, Trust, Version};
use steadfast_reconcile::{Select, Share};

use super::super::Failure;
use crate::config::Policy;
use crate::run::{LoadedPolicy, RefusedModule, load_policies, resolve_modules_now};

/// How errors call the arguments that name a module and its parameters.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Place {
    /// The module's.
    pub(in crate::cli) module: &'static str,
    /// The parameters'.
    pub(in crate::cli) params: &'static str,
}

impl Place {
    /// A module whose parameters are given with `--params`.
    pub(in crate::cli) const fn of(module: &'static str) -> Self {
        Self {
            module,
            params: "--params",
        }
    }
}

const PLACE: Place = Place::of("MODULE");

/// A module and what it is to be given.
#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyArg {
    /// The policy: `builtin:NAME`, a module's path, or `oci://HOST/REPOSITORY@sha256:HEX`.
    #[arg(value_name = "MODULE")]
    module: String,
    /// Its parameters, as JSON or as a TOML table such as `{ absence_window = "20s" }`.
    #[arg(long, value_name = "TABLE")]
    params: Option<String>,
}

impl PolicyArg {
    /// Loads and configures it.
    pub(in crate::cli) fn load(&self) -> Result<LoadedPolicy, Failure> {
        let policy = configured(PLACE, &self.module, self.params.as_deref())?;
        load_one(PLACE, &policy)
    }

    /// The same with another limit for its memory, in bytes.
    #[cfg(feature = "author")]
    pub(in crate::cli) fn load_within(&self, memory: Option<u64>) -> Result<LoadedPolicy, Failure> {
        let mut policy = configured(PLACE, &self.module, self.params.as_deref())?;
        policy.memory = memory.unwrap_or(policy.memory);
        load_one(PLACE, &policy)
    }

    /// The arguments that choose the same policy, behind `--policy`, as a shell reads them.
    #[cfg(feature = "author")]
    pub(in crate::cli) fn as_arguments(&self) -> String {
        let params = self
            .params
            .as_ref()
            .map(|params| format!(" --params {}", quoted(params)));
        format!("{}{}", quoted(&self.module), params.unwrap_or_default())
    }

    /// Its module, as it was written.
    #[cfg(feature = "author")]
    pub(in crate::cli) fn module(&self) -> &str {
        &self.module
    }

    /// The file of its module, if it is one.
    #[cfg(feature = "author")]
    pub(in crate::cli) fn file(&self) -> Option<std::path::PathBuf> {
        match ModuleRef::parse(&self.module) {
            Ok(ModuleRef::File(path)) => Some(path),
            Ok(ModuleRef::Builtin(_) | ModuleRef::Oci(_)) | Err(_) => None,
        }
    }

    /// The bytes of its module.
    pub(in crate::cli) fn bytes(&self) -> Result<Bytes, Failure> {
        let policy = configured(PLACE, &self.module, None)?;
        let modules = resolve_modules_now(std::slice::from_ref(&policy), &[])
            .map_err(|error| Failure::Usage(explained(PLACE, error)))?;
        let module = modules.into_iter().next();
        module
            .map(|module| module.bytes)
            .ok_or_else(|| Failure::Failed(anyhow!("the module was not found")))
    }
}

/// A word as a shell reads it.
#[cfg(feature = "author")]
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The policy as a configuration would name it, for every job and within the default limits.
pub(in crate::cli) fn configured(place: Place, module: &str, params: Option<&str>) -> Result<Policy, Failure> {
    let limits = PolicyLimits::default();
    let module = named(place.module, module)?;
    Ok(Policy {
        name: module.to_string(),
        module,
        trust: Trust::default(),
        select: Select::all(),
        rollout: Share::ALL,
        params: params
            .map_or_else(|| Ok("{}".into()), |params| as_json(place.params, params))
            .map_err(Failure::Usage)?,
        deadline: limits.deadline,
        memory: limits.memory_bytes,
        shadow: false,
    })
}

/// The parameters of a policy, if there is one. Refuses what is none, or cannot be loaded with them. `option` names the module.
#[cfg(feature = "author")]
pub(in crate::cli) fn usable_params(
    option: &'static str,
    module: Option<&str>,
    params: Option<&str>,
) -> Result<toml::Table, Failure> {
    let Some(module) = module else {
        return Ok(toml::Table::new());
    };
    let place = Place::of(option);
    let policy = configured(place, module, params)?;
    load_one(place, &policy)?;
    serde_json::from_str(&policy.params)
        .with_context(|| format!("{} has what a configuration cannot say", place.params))
        .map_err(Failure::Usage)
}

/// Loads what was chosen; what keeps it from being loaded is a mistake of the command line.
pub(in crate::cli) fn load_one(place: Place, policy: &Policy) -> Result<LoadedPolicy, Failure> {
    let loaded =
        load_policies(std::slice::from_ref(policy), &[]).map_err(|error| Failure::Usage(explained(place, error)))?;
    loaded
        .into_iter()
        .next()
        .ok_or_else(|| Failure::Failed(anyhow!("the policy was not loaded")))
}

fn named(place: &str, module: &str) -> Result<ModuleRef, Failure> {
    let refused = |rule: String, fix: &str| Failure::Usage(anyhow!("{place} `{module}`: {rule}; {fix}"));
    let parsed = ModuleRef::parse(module).map_err(|error| refused(format!("it {error}"), error.fix()))?;
    match &parsed {
        ModuleRef::File(path) if path.is_dir() => Err(refused("it is a folder".into(), &within(path))),
        ModuleRef::Builtin(name) if steadfast_host::builtin::find(name).is_none() => Err(refused(
            "there is no such built-in policy".into(),
            "write builtin:conservative, or the path of a module",
        )),
        ModuleRef::Oci(artifact) if matches!(artifact.version, Version::Tag(_)) => Err(refused(
            "a tag may name other bytes tomorrow".into(),
            "write the digest, which `steadfast policy pull` prints",
        )),
        ModuleRef::Builtin(_) | ModuleRef::File(_) | ModuleRef::Oci(_) => Ok(parsed),
    }
}

/// Which module is meant where the folder of its project is named.
fn within(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let module = whole
        .file_name()
        .map(|name| folder.join(name).with_added_extension("wasm"));
    match module {
        Some(module) if module.is_file() => format!("name the module in it, {}", module.display()),
        Some(_) | None => "name the module in it, which `steadfast policy build` makes".to_owned(),
    }
}

fn explained(Place { module, params }: Place, error: anyhow::Error) -> anyhow::Error {
    let error = match error.downcast::<RefusedModule>() {
        Ok(RefusedModule { source, .. }) => {
            let context = format!("{module} cannot be used; {}", source.fix());
            return anyhow::Error::new(source).context(context);
        }
        Err(error) => error,
    };
    let of_params = matches!(error.downcast_ref(), Some(LoadError::Params { .. }));
    error.context(if of_params {
        format!("{params} was refused; `steadfast policy inspect` lists each parameter with its type and default")
    } else {
        format!("{module} cannot be used")
    })
}

/// JSON stays what it is; a TOML table becomes JSON.
fn as_json(option: &str, params: &str) -> anyhow::Result<String> {
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(params).is_ok() {
        return Ok(params.to_owned());
    }
    let table: toml::Table = toml::from_str(&format!("params = {params}")).with_context(|| {
        format!(
            "{option} `{params}` is neither JSON nor a TOML table; write {{ absence_window = \"20s\" }} or \
             {{\"absence_window\": \"20s\"}}"
        )
    })?;
    match table.get("params") {
        Some(toml::Value::Table(params)) => Ok(serde_json::to_string(params)?),
        Some(_) | None => Err(anyhow!(
            "{option} `{params}` is a single value; write a table such as {{ absence_window = \"20s\" }}"
        )),
    }
}
