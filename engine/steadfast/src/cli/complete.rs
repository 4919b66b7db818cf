//! Completion by the program itself: `source <(STEADFAST_COMPLETE=bash steadfast)`. Beside commands and options it knows jobs.

use std::time::Duration;

use clap::{CommandFactory as _, Parser};
use clap_complete::{ArgValueCandidates, CompleteEnv, CompletionCandidate};

use super::Arguments;
use super::client::{Client, ServerOptions};
use super::names;

/// A shell asks by it; one of its own, since a container may have any variable set.
const VARIABLE: &str = "STEADFAST_COMPLETE";
/// Whoever presses a key does not wait longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers a shell, if one asks; the process ends with it.
pub(super) fn answer() {
    CompleteEnv::with_factory(Arguments::command).var(VARIABLE).complete();
}

/// The jobs of the engine that the environment names.
pub(super) fn jobs() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ids()
            .unwrap_or_default()
            .into_iter()
            .map(CompletionCandidate::new)
            .collect()
    })
}

/// The options of the environment, without a command line.
#[derive(Debug, Parser)]
struct Surroundings {
    #[command(flatten)]
    server: ServerOptions,
}

/// An engine that does not answer has nothing to complete.
fn ids() -> Option<Vec<String>> {
    let surroundings = Surroundings::try_parse_from(["steadfast"]).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime.block_on(async {
        let client = Client::new(&surroundings.server).ok()?;
        tokio::time::timeout(PATIENCE, names::ids(&client)).await.ok()?.ok()
    })
}
