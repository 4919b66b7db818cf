//! `steadfast simulate`: stories, played and judged.

mod cast;
pub(super) mod files;
mod told;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;
use steadfast_core::id::ClusterName;
use steadfast_core::journal::{Commit, Journal as _};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Clock as _;
use steadfast_reconcile::Recording;
use steadfast_simulate::{Environment, Harness, play};
use steadfast_store::SqliteStore;
use steadfast_world::clock::Scale;
use steadfast_world::story::Story;
use tokio::runtime::Runtime;

use super::output::junit::{ReportOption, Tried};
use super::{Failure, named_store, printer};
use crate::run::SystemClock;
pub(super) use cast::Cast;
pub(super) use told::report;
use told::{Tally, Told};

pub(super) const AFTER_HELP: &str = "\
A story is a TOML file: targets, steps that change their world, and what the record must say when. docs/simulate.md
shows how to write one. The engine that plays is the real one: its loop, its sources, its planner, and your policy in
WebAssembly. In virtual time a day takes seconds, and one seed is one run. With --real the world's servers listen on
loopback ports, and the engine reaches them as it would in production.

Each story is told on standard output: `passed`, `FAILED` with what was broken, when, and the timeline of world and
record, or `skipped` with what keeps it from being played. -o json has the same for programs, when all are over, and -o junit
for CI servers.

Examples:
  steadfast simulate stories/                                    every *.toml in the folder
  steadfast simulate --policy my.wasm --params '{\"patience\":\"90s\"}' outage.toml
  steadfast simulate --config config.toml stories/               the policies, parameters and timing you run with
  steadfast simulate --timeline outage.toml                      what happened and what was recorded, line by line
  steadfast simulate --record stories.db stories/                keep what was decided on, for `steadfast policy diff`
  steadfast simulate --schema > story.schema.json                for an editor: `#:schema ./story.schema.json` at its top
  steadfast simulate --junit report.xml stories/                 for a CI server, beside what people read
  steadfast simulate --real --scale 20 outage.toml               over sockets, a minute in three seconds

Exit codes:
  0  every story that was played passed
  1  a story failed
  2  a story, a policy, a parameter or the command line is wrong; nothing was played";

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Stories, and folders of them (every *.toml in it).
    #[arg(required_unless_present = "schema", value_name = "FILE")]
    stories: Vec<PathBuf>,
    /// Print the JSON Schema of a story, for editors, and play nothing.
    #[arg(long, conflicts_with = "stories")]
    schema: bool,
    /// The policy that decides: `builtin:NAME`, or a module's path.
    #[arg(long, default_value = "builtin:conservative", value_name = "MODULE")]
    policy: String,
    /// Its parameters, as JSON or as a TOML table such as `{ absence_window = "20s" }`.
    #[arg(long, value_name = "TABLE")]
    params: Option<String>,
    /// Take policies, parameters and timing from a configuration instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "params"])]
    config: Option<PathBuf>,
    /// What every jitter is drawn from. One seed is one run in virtual time.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Keep the snapshots behind all decisions in a store, made if need be, for `steadfast replay --policy` and `policy diff`;
    /// the jobs of a story are named STORY/NAMESPACE/NAME there. `sqlite://FILE` is FILE.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Show the timeline of stories that pass, too.
    #[arg(long)]
    timeline: bool,
    #[command(flatten)]
    output: ReportOption,
    /// Play over loopback sockets, in real time made shorter by --scale.
    #[arg(long)]
    real: bool,
    /// How many seconds of the story pass in one second.
    #[arg(long, default_value = "12", value_name = "N", requires = "real", value_parser = clap::value_parser!(u32).range(1..=100))]
    scale: u32,
}

/// What a story may say, as the types of stories have it.
const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/story.schema.json"));

/// Reads every story, then plays them one after the other.
pub(super) fn run(options: &Options, runtime: &Runtime) -> Result<(), Failure> {
    if options.schema {
        return Ok(printer::data(SCHEMA)?);
    }
    let environment = match NonZeroU32::new(options.scale) {
        Some(factor) if options.real => Environment::Loopback(Scale::times(factor)),
        Some(_) | None => Environment::InProcess,
    };
    let paths = files::paths(&options.stories, &["toml"]).map_err(Failure::Usage)?;
    let stories = files::read(&paths)?;
    let cast = match &options.config {
        Some(config) => Cast::of_configuration(config, environment.scale())?,
        None => Cast::alone(&options.policy, options.params.as_deref(), environment.scale())?,
    };
    let harness = Harness {
        timing: cast.timing,
        seed: options.seed,
        policies: &|| cast.setups(),
        environment,
        // Without --record too: the timeline tells from it how often the policy polls, and what it looks up.
        recording: Some(Recording::endless(Recording::default().every)),
        chaos: None,
    };
    let record = options.record.as_deref().map(open_for_recordings).transpose()?;
    let mut named = BTreeMap::new();
    let mut all = Vec::new();
    for (path, story) in paths.into_iter().zip(&stories) {
        let told = match environment.obstacle(story) {
            Some(obstacle) => Told::skipped(path, story, obstacle),
            None => {
                let outcome = play(story, &harness)?;
                let told = Told::played(path, story, &outcome, options.timeline);
                if let Some(store) = &record {
                    runtime.block_on(keep(store, apart(outcome.recorded, &cluster_of(story, &mut named))))?;
                }
                told
            }
        };
        // Whoever watches sees each as it ends.
        if options.output.is_for_people() {
            printer::data(&told.page())?;
        }
        all.push(told);
    }
    conclude(&options.output, &all)
}

/// Prints the sum of all, or all of it where a program reads.
fn conclude(output: &ReportOption, all: &[Told]) -> Result<(), Failure> {
    let tally = Tally::of(all);
    let stories: Vec<_> = all.iter().map(Told::document).collect();
    let cases: Vec<_> = all.iter().map(Told::case).collect();
    output.conclude(&Tried {
        suite: "steadfast simulate",
        page: &tally.summary(),
        document: &json!({ "stories": stories, "passed": tally.passed, "failed": tally.failed, "skipped": tally.skipped }),
        cases: &cases,
    })?;
    if tally.failed > 0 {
        Err(Failure::Reported)
    } else {
        Ok(())
    }
}

/// The cluster under which a story's jobs are kept: its id, numbered if there was a story of that id before.
fn cluster_of(story: &Story, named: &mut BTreeMap<String, u32>) -> ClusterName {
    let count = named.entry(story.id.clone()).or_default();
    *count += 1;
    match *count {
        1 => ClusterName::new(&story.id),
        again => ClusterName::new(format!("{}-{again}", story.id)),
    }
}

/// Jobs of one name in two stories are two jobs.
fn apart(recorded: Vec<Recorded>, cluster: &ClusterName) -> Vec<Recorded> {
    let named = |record: &JobRecord| {
        let mut record = record.clone();
        record.key.target.cluster = cluster.clone();
        record
    };
    let one = |recorded: Recorded| Recorded {
        before: Arc::new(named(&recorded.before)),
        snapshot: Snapshot {
            record: named(&recorded.snapshot.record),
            ..recorded.snapshot
        },
        ..recorded
    };
    recorded.into_iter().map(one).collect()
}

/// The option that names it.
const RECORD: &str = "--record";

/// Opens a store for recordings: a path, or a URL as `replay --store` takes it.
fn open_for_recordings(place: &Path) -> Result<SqliteStore, Failure> {
    named_store::with_slashes(RECORD, place.to_str().unwrap_or_default()).map_err(Failure::Usage)?;
    let url = place.to_str().filter(|place| place.contains("://"));
    let path = match url.map(|url| (url, url.strip_prefix("sqlite://"))) {
        None => place,
        Some((_, Some(path))) if !path.is_empty() && !path.starts_with(':') => Path::new(path),
        Some((url, _)) => {
            let scheme = url.split("://").next().unwrap_or_default();
            return Err(Failure::Usage(anyhow!(
                "--record: a recording is a SQLite file, and `{scheme}://...` names none; write PATH or sqlite://PATH, such as \
                 sqlite://rec.db"
            )));
        }
    };
    SqliteStore::open_for_recordings(path).map_err(|error| Failure::Usage(named_store::in_option(RECORD, error)))
}

/// Writes a story's snapshots behind those of the stories before.
async fn keep(store: &SqliteStore, recorded: Vec<Recorded>) -> Result<(), Failure> {
    let commit = Commit {
        changes: Vec::new(),
        recorded,
    };
    let kept = store.commit(SystemClock.now(), commit).await;
    kept.map(drop).map_err(|error| Failure::Failed(error.into()))
}
