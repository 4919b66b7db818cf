//! A story's file as it is written, before the rules between its parts are checked.

use serde::Deserialize;
use steadfast_core::state::Mode;
use toml::Spanned;

use super::{Expect, Found, Need, Step, Verdict};

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) id: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) source: Spanned<String>,
    #[serde(default)]
    pub(super) needs: Vec<Need>,
    #[serde(default)]
    pub(super) slow: bool,
    #[serde(default)]
    pub(super) realtime: bool,
    #[serde(rename = "target")]
    pub(super) targets: Vec<Spanned<TargetFile>>,
    #[serde(rename = "step")]
    pub(super) steps: Vec<Spanned<Step>>,
    #[serde(default, rename = "expect")]
    pub(super) expects: Vec<Spanned<Expect>>,
    #[serde(default)]
    pub(super) verdict: Verdict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetFile {
    pub(super) name: String,
    pub(super) deployment: Option<String>,
    #[serde(default = "application")]
    pub(super) mode: Mode,
    pub(super) count: Option<u32>,
    #[serde(default = "default_namespace")]
    pub(super) namespace: String,
    #[serde(default = "local")]
    pub(super) cluster: String,
    #[serde(default)]
    pub(super) found: Found,
    #[serde(default = "rest_port")]
    pub(super) rest_port: u16,
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
