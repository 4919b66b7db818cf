//! `steadfast policy diff`: two policies on the same recorded snapshots.

use std::collections::BTreeMap;

use clap::Args;
use steadfast_core::decision::Decide as _;
use steadfast_core::id::PolicyName;
use steadfast_core::replay::{PastFailures, Replay};
use tokio::runtime::Runtime;

use super::super::output::{Format, OutputOption};
use super::super::replay::report::{Comparison, Report};
use super::super::replay::seen::Seen;
use super::super::replay::source::Source;
use super::super::{Failure, printer};
use super::policy_arg::{self, Place};

pub(in crate::cli) const AFTER_HELP: &str = "\
Both policies take over each job from its first recorded snapshot on, and decide all that follow, each with its own memory
and its own record. The differences show what NEW says otherwise than OLD: transitions, and from when to when alerts,
conditions, confidence, the reason's code, pace and look-ups are others. What is short may pass between two snapshots of a job; the
page says how far apart they are. Where one of them fails, what it would have shown is not known, and is not the same.

Examples:
  steadfast policy diff builtin:conservative my.wasm --since 24h
  steadfast policy diff old.wasm new.wasm --store sqlite://copy-of-production.db
  steadfast policy diff builtin:conservative builtin:conservative --new-params '{ absence_window = \"20s\" }'

Exit codes:
  0  at no snapshot do they differ
  1  they differ, or not all could be compared; standard output has where
  2  a policy, the store or the command line is wrong";

const OLD: Place = Place {
    module: "OLD",
    params: "--old-params",
};
const NEW: Place = Place {
    module: "NEW",
    params: "--new-params",
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The policy to compare with: `builtin:NAME`, or a module's path.
    #[arg(value_name = "OLD")]
    old: String,
    /// The policy to compare.
    #[arg(value_name = "NEW")]
    new: String,
    /// Parameters of OLD, as JSON or as a TOML table.
    #[arg(long, value_name = "TABLE")]
    old_params: Option<String>,
    /// Parameters of NEW.
    #[arg(long, value_name = "TABLE")]
    new_params: Option<String>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    output: OutputOption,
}

/// Decides all snapshots twice, and tells where the ways part.
pub(super) fn run(options: &Options, runtime: &Runtime) -> Result<(), Failure> {
    let load = |place, module: &str, params: &Option<String>| {
        policy_arg::load_one(place, &policy_arg::configured(place, module, params.as_deref())?)
    };
    let mut old = load(OLD, &options.old, &options.old_params)?.module;
    let mut new = load(NEW, &options.new, &options.new_params)?.module;
    let way = |name| Replay::new(PolicyName::new(name), PastFailures::Ask);
    let (mut of_old, mut of_new) = (way("old"), way("new"));
    let (mut extent, mut compared) = (options.source.extent(), Seen::default());
    let unreadable = runtime.block_on(options.source.read(|page| {
        for recorded in page {
            extent.take(recorded.at(), recorded.key());
            compared.take(recorded);
            of_old.take(recorded, &mut old);
            of_new.take(recorded, &mut new);
        }
        old.end_batch();
        new.end_batch();
    }))?;
    let (mut of_old, of_new) = (of_old.finish(), of_new.finish());
    let jobs = of_new.into_iter().map(|(key, new)| {
        let old = of_old.remove(&key).unwrap_or_default();
        (key, Comparison::between(old, new))
    });
    let report = Report {
        extent,
        unreadable,
        compared,
        jobs: jobs.collect(),
        not_replayed: BTreeMap::new(),
    };
    match &options.output.format {
        Format::People(_) => printer::data(&report.page())?,
        Format::Data(data) => printer::data(&data.shown(&report.document())?)?,
    }
    if report.is_same() {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}
