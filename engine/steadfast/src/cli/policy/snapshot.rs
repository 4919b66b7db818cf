//! `steadfast policy snapshot`: what a policy was shown of a job at a time, taken out of a recording.

use std::collections::BTreeSet;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;
use steadfast_core::id::JobKey;
use steadfast_core::recording::Recorded;
use steadfast_core::time::Timestamp;
use steadfast_server::explain;
use tokio::runtime::Runtime;

use super::super::output::{Data, Format, OutputOption};
use super::super::replay::source::{Kept, since};
use super::super::{Failure, printer};

pub(in crate::cli) const AFTER_HELP: &str = "\
The engine keeps the snapshots behind its decisions ([recording] in the configuration), and `steadfast simulate --record` those of
stories. The one that is printed is the newest of the job that was decided at that time or before. It is JSON, as `steadfast
explain JOB --output json` prints it: `policy decide` reads it, and with \"expect\" added `policy test` does.

Examples:
  steadfast policy snapshot orders                                        the newest one
  steadfast policy snapshot prod/shop/orders --at 2026-01-31T12:00:00Z    as it was at noon
  steadfast policy snapshot orders --at 2h --store sqlite://copy.db | steadfast policy decide my.wasm -

Exit codes:
  0  it is on standard output
  1  there is none of that job, or none so early
  2  the store or the command line is wrong";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The job, by its id or the end of it: CLUSTER/NAMESPACE/NAME, with what tells it apart in a session cluster behind it.
    #[arg(value_name = "JOB")]
    job: String,
    /// At which time: so long ago (`24h`), or a moment (`2026-01-31T12:00:00Z`) [default: the newest].
    #[arg(long, value_name = "TIME", value_parser = since)]
    at: Option<Timestamp>,
    #[command(flatten)]
    kept: Kept,
    #[command(flatten)]
    output: OutputOption,
}

/// Looks for it, and prints it.
pub(super) fn run(options: &Options, runtime: &Runtime) -> Result<(), Failure> {
    let mut search = Search::new(&options.job, options.at);
    runtime.block_on(options.kept.read(Timestamp::from_millis(0), |page| {
        page.iter().for_each(|recorded| search.take(recorded));
    }))?;
    let recorded = search.found()?;
    let failure = recorded.failure.clone();
    let transition = recorded.transition.as_ref();
    printer::note(&format!(
        "{} as policy `{}` was shown it at {}",
        recorded.key(),
        recorded.before.policy,
        recorded.at()
    ));
    let document = json!({
        "policy": recorded.before.policy.to_string(),
        "decided": {
            "rule": recorded.rule,
            "failure": failure.map(|failure| json!({ "kind": failure.kind.as_str(), "message": failure.message.as_str() })),
            "to": transition.map(|transition| transition.to.as_str()),
        },
        "snapshot": explain::Snapshot::from(&recorded.snapshot),
    });
    let data = match &options.output.format {
        Format::People(_) => &Data::Json,
        Format::Data(data) => data,
    };
    Ok(printer::data(&data.shown(&document)?)?)
}

/// Goes through a recording.
struct Search<'a> {
    wanted: &'a str,
    at: Option<Timestamp>,
    /// The newest one until then, of each job that may be meant.
    newest: Vec<Recorded>,
    /// The first one of a job that may be meant, where it was decided later.
    later: Option<(JobKey, Timestamp)>,
    /// All jobs.
    jobs: BTreeSet<JobKey>,
}

impl<'a> Search<'a> {
    fn new(wanted: &'a str, at: Option<Timestamp>) -> Self {
        Self {
            wanted,
            at,
            newest: Vec::new(),
            later: None,
            jobs: BTreeSet::new(),
        }
    }

    fn take(&mut self, recorded: &Recorded) {
        let key = recorded.key();
        if !self.jobs.contains(key) {
            self.jobs.insert(key.clone());
        }
        let name = key.to_string();
        if name != self.wanted && !name.ends_with(&format!("/{}", self.wanted)) {
            return;
        }
        if self.at.is_some_and(|at| recorded.at() > at) {
            self.later.get_or_insert_with(|| (key.clone(), recorded.at()));
            return;
        }
        match self.newest.iter_mut().find(|newest| newest.key() == key) {
            Some(newest) => *newest = recorded.clone(),
            None => self.newest.push(recorded.clone()),
        }
    }

    fn found(mut self) -> Result<Recorded, Failure> {
        if let Some(exact) = self.newest.iter().position(|one| one.key().to_string() == self.wanted) {
            return Ok(self.newest.swap_remove(exact));
        }
        let wanted = self.wanted;
        let listed = |jobs: &mut dyn Iterator<Item = &JobKey>| jobs.map(|job| format!("\n  {job}")).collect::<String>();
        match (self.newest.pop(), self.newest.as_slice()) {
            (Some(only), []) => Ok(only),
            (Some(last), others) => {
                let jobs = listed(&mut others.iter().chain([&last]).map(Recorded::key));
                Err(Failure::Usage(anyhow!(
                    "`{wanted}` may be any of several jobs; write one of them:{jobs}"
                )))
            }
            (None, _) => Err(Failure::Failed(match self.later {
                Some((key, first)) => {
                    anyhow!("the first snapshot of {key} is of {first}; ask for --at that time or later")
                }
                None if self.jobs.is_empty() => {
                    anyhow!("the store holds no snapshots; [recording] or `simulate --record` keeps them")
                }
                None => anyhow!(
                    "there is no snapshot of `{wanted}`; there are some of:{}",
                    listed(&mut self.jobs.iter())
                ),
            })),
        }
    }
}
