//! `steadfast replay`: recorded snapshots, decided again.

pub(super) mod report;
pub(super) mod seen;
pub(super) mod source;
mod spans;

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use steadfast_core::decision::Decide;
use steadfast_core::id::PolicyName;
use steadfast_core::recording::Recorded;
use steadfast_core::replay::{PastFailures, Replay};
use tokio::runtime::Runtime;

use super::output::{Format, OutputOption};
use super::policy::policy_arg::{self, Place};
use super::{Failure, located, printer};
use crate::config::Config;
use crate::run::load_policies;
use report::{Comparison, Report};
use seen::Seen;
use source::{Extent, Source};

/// The option that names the policy.
const PLACE: Place = Place::of("--policy");

pub(super) const AFTER_HELP: &str = "\
The engine keeps the snapshots behind its decisions ([recording] in the configuration). Each is shown again to the policy
that decided it, or to the one of --policy, which takes over from the first snapshot on; what was recorded is compared with
what it would have said: the transitions, and from when to when alerts, conditions, confidence, the reason's code, pace and
look-ups are others. The same policy goes the same way, so nothing is reported; what is reported is what a change would have
changed. Between two snapshots of a job the engine decided too: what is short there is not seen, and the page says how far apart
they are. Where a decision failed when it was recorded, the same module with the same parameters fails again, and any other is
asked. The engine may be running meanwhile; nothing is written.

Examples:
  steadfast replay                                        whether the policies of config.toml still decide as they did
  steadfast replay --policy my.wasm --since 24h           what another policy would have said of the last day
  steadfast replay --policy builtin:conservative --params '{ absence_window = \"20s\" }'

Exit codes:
  0  at no snapshot would anything else have been shown
  1  at some it would have been, or not all could be compared; standard output has it
  2  the configuration, the store, the policy or the command line is wrong";

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    /// The policy that decides again, for every job: `builtin:NAME`, or a module's path [default: those of the configuration].
    #[arg(long, value_name = "MODULE")]
    policy: Option<String>,
    /// Its parameters, as JSON or as a TOML table.
    #[arg(long, value_name = "TABLE", requires = "policy")]
    params: Option<String>,
    #[command(flatten)]
    output: OutputOption,
}

/// Decides everything again, and tells what differs.
pub(super) fn run(options: &Options, runtime: &Runtime) -> Result<(), Failure> {
    let mut again = match &options.policy {
        Some(module) => Again::by_one(module, options.params.as_deref())?,
        None => Again::as_configured(&options.source.kept.config)?,
    };
    let mut extent = options.source.extent();
    let unreadable = runtime.block_on(options.source.read(|page| {
        for recorded in page {
            extent.take(recorded.at(), recorded.key());
            again.take(recorded);
        }
        again.end_batch();
    }))?;
    let report = again.finish(extent, unreadable);
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

/// The policies that decide again, and the way of each.
struct Again {
    policies: BTreeMap<PolicyName, (Box<dyn Decide>, Replay)>,
    /// The one that decides everything, whoever decided it before.
    only: Option<PolicyName>,
    /// Policies that decided before and are not configured now, and of how many snapshots.
    missing: BTreeMap<PolicyName, usize>,
    /// What was decided again.
    compared: Seen,
}

impl Again {
    fn by_one(module: &str, params: Option<&str>) -> Result<Self, Failure> {
        let loaded = policy_arg::load_one(PLACE, &policy_arg::configured(PLACE, module, params)?)?;
        let name = PolicyName::new(module);
        let replay = Replay::new(name.clone(), PastFailures::Ask);
        let decide: Box<dyn Decide> = Box::new(loaded.module);
        Ok(Self {
            policies: BTreeMap::from([(name.clone(), (decide, replay))]),
            only: Some(name),
            missing: BTreeMap::new(),
            compared: Seen::default(),
        })
    }

    fn as_configured(path: &Path) -> Result<Self, Failure> {
        let config = Config::load(path)?;
        let loaded = load_policies(&config.policies, &config.registries).map_err(|error| located(path, error))?;
        let policies = loaded.into_iter().map(|policy| {
            let name = PolicyName::new(&policy.config.name);
            let replay = Replay::new(name.clone(), PastFailures::RepeatOf(policy.build()));
            let decide: Box<dyn Decide> = Box::new(policy.module);
            (name, (decide, replay))
        });
        Ok(Self {
            policies: policies.collect(),
            only: None,
            missing: BTreeMap::new(),
            compared: Seen::default(),
        })
    }

    fn take(&mut self, recorded: &Recorded) {
        let name = self.only.as_ref().unwrap_or(&recorded.before.policy);
        match self.policies.get_mut(name) {
            Some((decide, replay)) => {
                self.compared.take(recorded);
                replay.take(recorded, decide.as_mut());
            }
            None => *self.missing.entry(name.clone()).or_default() += 1,
        }
    }

    fn end_batch(&mut self) {
        for (decide, _) in self.policies.values_mut() {
            decide.end_batch();
        }
    }

    fn finish(self, extent: Extent, unreadable: usize) -> Report {
        let mut jobs = BTreeMap::new();
        for (_, replay) in self.policies.into_values() {
            for (key, replayed) in replay.finish() {
                let of_job: &mut Comparison = jobs.entry(key).or_default();
                of_job.add(Comparison::with_recorded(replayed));
            }
        }
        Report {
            extent,
            unreadable,
            compared: self.compared,
            jobs,
            not_replayed: self.missing,
        }
    }
}
