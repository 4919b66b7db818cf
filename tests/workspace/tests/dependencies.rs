//! Holds what Cargo.lock brings in to `deny.toml`: licences, sources, and no crate in two versions without a reason.
//!
//! cargo-deny does the same and more, but CI would first have to build its two hundred crates, and `cargo metadata` is there.
//! The two read one file, so that neither can know a rule that the other does not.

// Clippy knows tests by their attribute; what they share has none. A key that is not there fails the test by its name.
#![allow(clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A crate that is built on one of the platforms that `deny.toml` names.
struct Package {
    name: String,
    version: String,
    /// An SPDX expression; `None` where the manifest has none.
    license: Option<String>,
    /// `None`: of this workspace.
    source: Option<String>,
}

impl Package {
    fn read(package: &Value) -> Option<Self> {
        let text = |field: &str| package[field].as_str().map(str::to_owned);
        Some(Self {
            name: text("name")?,
            version: text("version")?,
            license: text("license"),
            source: text("source"),
        })
    }

    fn spec(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// What `cargo metadata` resolves, and `deny.toml`.
struct Workspace {
    packages: Vec<Package>,
    deny: toml::Table,
}

impl Workspace {
    fn read() -> Result<Self> {
        let deny: toml::Table = std::fs::read_to_string(root().join("deny.toml"))?.parse()?;
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["metadata", "--format-version=1", "--locked"])
            .current_dir(root());
        for target in texts(&deny["graph"]["targets"]) {
            command.args(["--filter-platform", target]);
        }
        let output = command.output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let nodes = metadata["resolve"]["nodes"].as_array().context("no resolve")?;
        let resolved: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
        let all = metadata["packages"].as_array().context("no packages")?;
        let built = all
            .iter()
            .filter(|p| p["id"].as_str().is_some_and(|id| resolved.contains(id)));
        let packages: Vec<Package> = built.filter_map(Package::read).collect();
        ensure!(packages.len() > 100, "only {} packages were read", packages.len());
        Ok(Self { packages, deny })
    }

    fn third_party(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_some())
    }
}

fn texts(list: &toml::Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect()
}

/// Whether an SPDX expression can be met with these licences. `/` is how older manifests write `OR`.
fn is_met(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let words = expression.split_whitespace().collect::<Vec<_>>().join(" ");
    // Without the brackets `(A OR B) AND C` reads as `A OR (B AND C)`; to ask for every name of a mixed one is stricter than both.
    if words.contains(" AND ") && words.contains(" OR ") {
        return words
            .split(" AND ")
            .flat_map(|part| part.split(" OR "))
            .all(|name| allowed.contains(&name));
    }
    words
        .split(" OR ")
        .any(|choice| choice.split(" AND ").all(|name| allowed.contains(&name)))
}

#[test]
fn every_licence_is_one_that_is_allowed() -> Result<()> {
    let workspace = Workspace::read()?;
    let allowed = texts(&workspace.deny["licenses"]["allow"]);
    let refused: Vec<String> = workspace
        .third_party()
        .filter(|package| {
            !package
                .license
                .as_deref()
                .is_some_and(|license| is_met(license, &allowed))
        })
        .map(|package| format!("{}: {:?}", package.spec(), package.license))
        .collect();
    ensure!(
        refused.is_empty(),
        "not among `licenses.allow` of deny.toml: {refused:#?}"
    );
    Ok(())
}

#[test]
fn an_expression_is_met_as_spdx_means_it() {
    let allowed = ["MIT", "Apache-2.0", "BSD-3-Clause"];
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-2.0/MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", false),
        ("", false),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression}");
    }
}

#[test]
fn every_crate_comes_from_an_allowed_registry() -> Result<()> {
    let workspace = Workspace::read()?;
    let registries: Vec<String> = texts(&workspace.deny["sources"]["allow-registry"])
        .into_iter()
        .map(|url| format!("registry+{url}"))
        .collect();
    let refused: Vec<String> = workspace
        .third_party()
        .filter(|package| {
            !package
                .source
                .as_ref()
                .is_some_and(|source| registries.contains(source))
        })
        .map(|package| format!("{} from {:?}", package.spec(), package.source))
        .collect();
    ensure!(
        refused.is_empty(),
        "not among `sources.allow-registry` of deny.toml: {refused:#?}"
    );
    Ok(())
}

/// Of two versions the one that is skipped goes first: what remains must be one.
#[test]
fn two_versions_of_a_crate_have_a_reason() -> Result<()> {
    let workspace = Workspace::read()?;
    let skipped: BTreeSet<&str> = workspace.deny["bans"]["skip"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["crate"].as_str())
        .collect();
    let mut versions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in workspace
        .third_party()
        .filter(|package| !skipped.contains(package.spec().as_str()))
    {
        versions.entry(&package.name).or_default().push(package.spec());
    }
    versions.retain(|_, specs| specs.len() > 1);
    ensure!(
        versions.is_empty(),
        "in two versions, and none in `bans.skip` of deny.toml: {versions:#?}"
    );
    let built: BTreeSet<String> = workspace.third_party().map(Package::spec).collect();
    let gone: Vec<&&str> = skipped.iter().filter(|spec| !built.contains(**spec)).collect();
    ensure!(
        gone.is_empty(),
        "in `bans.skip` of deny.toml, and not built any more: {gone:#?}"
    );
    Ok(())
}
