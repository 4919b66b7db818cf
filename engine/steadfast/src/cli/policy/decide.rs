//! `steadfast policy decide`: one decision on one snapshot.

mod page;
mod watch;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use steadfast_core::decision::{Decide as _, Decision, PolicyFailure};
use steadfast_core::planner::{Next, fitted, plan};
use steadfast_core::rule::Rule;
use steadfast_core::snapshot::Snapshot;
use steadfast_server::explain;
use tokio::runtime::Runtime;

use super::super::output::{Format, OutputOption};
use super::super::{Failure, printer};
use super::memory::{Memory, forget_anothers};
use super::policy_arg::PolicyArg;
use super::snapshot_file::{SnapshotFile, is_standard_input};

pub(in crate::cli) const AFTER_HELP: &str = "\
The snapshot may be what `steadfast explain JOB --output json` prints of a running engine, what `steadfast policy snapshot` takes out
of a recording, or a fixture of `policy test`: each is read as it is given. Nothing is changed anywhere.

A memory is of use only to the policy that left it. Where the record names another one, the decision is made without, as the engine
would make it, and a line says so; `--keep-memory` is for a policy that the configuration calls by a name of its own.

Examples:
  steadfast explain orders --output json | steadfast policy decide my.wasm -
  steadfast policy decide my.wasm snapshots/outage.json --params '{ patience = \"90s\" }'
  steadfast policy decide my.wasm outage.json --watch              again after each change of one of the two
  steadfast policy decide my.wasm outage.json -o jsonpath='{.decision.state}'

Exit codes:
  0  it decided, and the engine would take all of it; standard output has it
  1  it failed, or its decision would be trimmed; standard output has why
  2  the snapshot, the policy or the command line is wrong";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    policy: PolicyArg,
    /// The file with the snapshot; `-` is standard input.
    #[arg(value_name = "SNAPSHOT")]
    snapshot: PathBuf,
    /// Give the snapshot's memory to the policy even if the record says that another one left it.
    #[arg(long)]
    keep_memory: bool,
    /// Decide again whenever the module or the snapshot has changed, until it is interrupted.
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    output: OutputOption,
}

/// What came of it.
struct Judged {
    /// How the command line names the module.
    module: String,
    snapshot: Snapshot,
    /// Whether the snapshot had one that was left out.
    memory: Memory,
    /// As the engine would take it.
    outcome: Result<Decision, PolicyFailure>,
    /// The rule that spoke, in the policy's words.
    rule: Option<Rule>,
    /// What the engine would trim of it.
    trimmed: Option<String>,
    /// What the policy printed meanwhile.
    printed: String,
}

/// Decides, once or again and again.
pub(super) fn run(options: &Options, runtime: &Runtime) -> Result<(), Failure> {
    if !options.watch {
        return decide(options);
    }
    if is_standard_input(&options.snapshot) {
        return Err(Failure::Usage(anyhow!(
            "standard input is read once; --watch needs the snapshot in a file"
        )));
    }
    let module = options.policy.file();
    let files = module.into_iter().chain([options.snapshot.clone()]).collect();
    runtime.block_on(watch::each_time(files, || decide(options)))
}

fn decide(options: &Options) -> Result<(), Failure> {
    let file = SnapshotFile::read(&options.snapshot).map_err(|mistake| Failure::Usage(anyhow!(mistake)))?;
    let judged = Judged::of(options, file.snapshot)?;
    match &options.output.format {
        Format::People(_) => printer::data(&page::page(&judged))?,
        Format::Data(data) => printer::data(&data.shown(&judged.document()?)?)?,
    }
    if judged.outcome.is_err() || judged.trimmed.is_some() {
        return Err(Failure::Reported);
    }
    Ok(())
}

impl Judged {
    fn of(options: &Options, mut snapshot: Snapshot) -> Result<Self, Failure> {
        let policy = &options.policy;
        let mut decides = policy.load()?.module;
        let memory = if options.keep_memory {
            Memory::Given
        } else {
            forget_anothers(&mut snapshot.record, policy, &decides, "its")
        };
        let outcome = decides.decide(&snapshot);
        let plan = plan(&snapshot.record, &snapshot, outcome.clone());
        let trimmed = plan.complaint();
        let outcome = match plan.next {
            Next::Watch { .. } => outcome.and_then(|decision| fitted(decision, &snapshot.timing)),
            // A decision of which nothing is left is a failure too.
            Next::Retry(failure) => Err(failure),
        };
        let rule = outcome.as_ref().ok().and_then(|decision| decides.rule(&decision.rule));
        Ok(Self {
            module: policy.module().to_owned(),
            snapshot,
            memory,
            outcome,
            rule,
            trimmed,
            printed: decides.printed().to_owned(),
        })
    }

    fn document(&self) -> Result<Value, Failure> {
        let judgement = explain::Judgement::new(self.rule.as_ref(), &self.outcome);
        let mut document = serde_json::to_value(judgement).map_err(anyhow::Error::new)?;
        if let Some(document) = document.as_object_mut() {
            document.insert("policy".to_owned(), json!(self.module));
            document.insert("trimmed".to_owned(), json!(self.trimmed));
            document.insert("printed".to_owned(), json!(self.printed));
            document.insert("memoryGiven".to_owned(), json!(self.memory == Memory::Given));
        }
        Ok(document)
    }
}
