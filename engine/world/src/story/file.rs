//! A story's file as it is written, before the rules between its parts are checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use steadfast_core::state::Mode;
use toml::Spanned;

use super::{Expect, Found, Need, Start, Step, Verdict};

/// The file as it is written.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Its name: lower-case letters, digits and hyphens, as in the name of its file.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) id: Spanned<String>,
    /// What happens, in a sentence.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) title: Spanned<String>,
    /// Where such a thing was seen: an issue, a paper, a log.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) source: Spanned<String>,
    /// What the engine must support beside an application-mode job of the configuration.
    #[serde(default)]
    pub(super) needs: Vec<Need>,
    /// When it begins, where hours and days matter, such as `"2026-03-29T00:30:00+01:00"`; with the zone behind it, as in
    /// `"2026-03-29T00:30:00+01:00[Europe/Berlin]"`, the timeline shows hours by the clocks of that zone, which may change within
    /// the story. 2026-01-01T00:00:00Z, if not said.
    pub(super) start: Option<Start>,
    /// It takes an hour or more.
    #[serde(default)]
    pub(super) slow: bool,
    /// It has waits that no scale shortens (`Retry-After`): over sockets it is played with `--scale 1` alone.
    #[serde(default)]
    pub(super) realtime: bool,
    /// The Flink clusters that it is about.
    #[serde(rename = "target")]
    #[cfg_attr(test, schemars(with = "Vec<TargetFile>"))]
    pub(super) targets: Vec<Spanned<TargetFile>>,
    /// What happens, in the order of time; the first at `"0s"`.
    #[serde(rename = "step")]
    #[cfg_attr(test, schemars(with = "Vec<Step>"))]
    pub(super) steps: Vec<Spanned<Step>>,
    /// What the record must show, and when.
    #[serde(default, rename = "expect")]
    #[cfg_attr(test, schemars(with = "Vec<Expect>"))]
    pub(super) expects: Vec<Spanned<Expect>>,
    /// What must hold over the whole.
    #[serde(default)]
    pub(super) verdict: Verdict,
}

/// A Flink cluster of the story.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Target"))]
#[serde(deny_unknown_fields)]
pub(super) struct TargetFile {
    /// What the story calls it, and its Deployment and Flink's cluster id if `deployment` says no other.
    pub(super) name: String,
    /// The name of its Deployment, and Flink's cluster id, if not `name`: so two clusters can have one of the same name,
    /// whose jobs then have the same ids.
    pub(super) deployment: Option<String>,
    /// How Flink runs there: one application, a session with many jobs, or standalone, without Kubernetes.
    #[serde(default = "application")]
    #[cfg_attr(test, schemars(with = "super::schema::ModeWord"))]
    pub(super) mode: Mode,
    /// That many instead of one, called `name-0`, `name-1` and so on.
    pub(super) count: Option<u32>,
    /// Its namespace.
    #[serde(default = "default_namespace")]
    pub(super) namespace: String,
    /// Its Kubernetes cluster.
    #[serde(default = "local")]
    pub(super) cluster: String,
    /// How the engine comes to know of it: by a `[[job]]` of its configuration, by the labels of Flink's native integration,
    /// or by its FlinkDeployment. The operator's resources are read in the clusters that have a target found by one.
    #[serde(default)]
    pub(super) found: Found,
    /// What its pods and its Service name `rest`. Within the process Flink answers on that port alone; over sockets each
    /// Flink has a port of its own.
    #[serde(default = "rest_port")]
    pub(super) rest_port: u16,
    /// Labels that its Deployments carry beside Flink's own, such as `{ team = "payments" }`. The record has them, of a
    /// session's jobs too.
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
}

fn application() -> Mode {
    Mode::Application
}

fn default_namespace() -> String {
    "default".into()
}

/// Flink's default.
fn rest_port() -> u16 {
    8081
}

fn local() -> String {
    "local".into()
}
