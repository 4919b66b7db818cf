//! Completion by the program itself: `source <(STEADFAST_COMPLETE=bash steadfast)`, and as kubectl asks a plugin's. Beside commands and
//! options it knows jobs.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use clap::{CommandFactory as _, Parser};
use clap_complete::engine::complete;
use clap_complete::{ArgValueCandidates, ArgValueCompleter, CompleteEnv, CompletionCandidate};
use serde_json::Value;

use super::client::{Client, ServerOptions};
use super::{Arguments, Failure, names, printer};

/// A shell asks by it; one of its own, since a container may have any variable set.
const VARIABLE: &str = "STEADFAST_COMPLETE";
/// The name by which kubectl looks for what completes the words behind `kubectl steadfast`.
const KUBECTL: &str = "kubectl_complete-steadfast";
/// What kubectl takes for "these, and no files" (cobra's ShellCompDirectiveNoFileComp), for the same without a blank behind them (and
/// ShellCompDirectiveNoSpace), and for "ask the shell for files".
const NO_FILES: &str = ":4";
const NO_BLANK: &str = ":6";
const FILES: &str = ":0";
/// Whoever presses a key does not wait longer.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) const AFTER_HELP: &str = "\
Examples:
  steadfast completions bash > ~/.local/share/bash-completion/completions/steadfast
  source <(STEADFAST_COMPLETE=bash steadfast)      the program itself completes; it knows the jobs of STEADFAST_SERVER, too

For `kubectl steadfast` kubectl asks a program by the name of kubectl_complete-steadfast, which a link makes of this one:
  ln -s \"$(command -v steadfast)\" ~/.local/bin/kubectl-steadfast
  ln -s \"$(command -v steadfast)\" ~/.local/bin/kubectl_complete-steadfast";

/// Answers a shell or kubectl, if one asks. For a shell the process ends with it.
pub(super) fn answer() -> Option<Result<(), Failure>> {
    let mut words = std::env::args_os();
    let called = words.next().unwrap_or_default();
    if Path::new(&called).file_name().is_some_and(|name| name == KUBECTL) {
        return Some(for_kubectl(words.collect()));
    }
    CompleteEnv::with_factory(Arguments::command).var(VARIABLE).complete();
    None
}

/// As kubectl calls it: the words behind the plugin's name, of which the last is to be completed and may be empty. On each line there is
/// a word, with a tab and its meaning behind it; the last one says whether the shell is to offer files, too.
fn for_kubectl(words: Vec<OsString>) -> Result<(), Failure> {
    let mut line = vec![OsString::from("steadfast")];
    line.extend(words);
    // Somebody else may call it so with no word at all.
    if line.len() == 1 {
        line.push(OsString::new());
    }
    let (last, here) = (line.len() - 1, std::env::current_dir().ok());
    let found = complete(&mut Arguments::command(), line, last, here.as_deref()).unwrap_or_default();
    let goes_on = |candidate: &CompletionCandidate| candidate.get_value().as_encoded_bytes().ends_with(b"/");
    let directive = match found.is_empty() {
        true => FILES,
        false if found.iter().all(goes_on) => NO_BLANK,
        false => NO_FILES,
    };
    let mut text = String::new();
    for candidate in found.iter().filter(|candidate| !candidate.is_hide_set()) {
        // What is no text cannot be a line of it.
        let Some(word) = candidate.get_value().to_str() else {
            continue;
        };
        text.push_str(word);
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        if let Some(meaning) = help.lines().next().filter(|meaning| !meaning.is_empty()) {
            text.push_str(&format!("\t{}", meaning.replace('\t', " ")));
        }
        text.push('\n');
    }
    Ok(printer::data(&format!("{text}{directive}\n"))?)
}

/// The jobs of the engine that the environment names.
pub(super) fn jobs() -> ArgValueCompleter {
    ArgValueCompleter::new(|written: &OsStr| {
        let ids = asked(async |client| names::ids(&client).await).unwrap_or_default();
        let found = written.to_str().map(|written| matching(written, &ids));
        found.into_iter().flatten().map(CompletionCandidate::new).collect()
    })
}

/// The ids that begin so, or else the ends of ids that do, as far as one job alone ends so.
fn matching(written: &str, ids: &[String]) -> Vec<String> {
    let whole: Vec<String> = ids.iter().filter(|id| id.starts_with(written)).cloned().collect();
    if !whole.is_empty() {
        return whole;
    }
    let ends = |id: &str, end: &str| id.strip_suffix(end).is_some_and(|before| before.ends_with('/'));
    let behind = |id: &String| -> Option<String> {
        // The shortest is what was meant.
        let mut starts = id.match_indices('/').filter_map(|(at, _)| id.get(at + 1..));
        let end = starts.rfind(|end| end.starts_with(written))?;
        Some(if ids.iter().filter(|other| ends(other, end)).count() == 1 {
            end.to_owned()
        } else {
            id.clone()
        })
    };
    ids.iter().filter_map(behind).collect()
}

/// The names of the alerts that stand.
pub(super) fn alerts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let alerts = asked(async |client| client.items("/api/v1/alerts", &[]).await).unwrap_or_default();
        let name = |alert: &Value| alert.get("alert")?.as_str().map(str::to_owned);
        let names: BTreeSet<String> = alerts.iter().filter_map(name).collect();
        names.into_iter().map(CompletionCandidate::new).collect()
    })
}

/// The options of the environment, without a command line.
#[derive(Debug, Parser)]
struct Surroundings {
    #[command(flatten)]
    server: ServerOptions,
}

/// An engine that does not answer has nothing to complete.
fn asked<T>(ask: impl AsyncFnOnce(Client) -> Result<Vec<T>, Failure>) -> Option<Vec<T>> {
    let surroundings = Surroundings::try_parse_from(["steadfast"]).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime.block_on(async {
        let client = Client::new(&surroundings.server).ok()?;
        tokio::time::timeout(PATIENCE, ask(client)).await.ok()?.ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_completed_by_its_id_or_by_the_end_of_it() {
        let ids = ["prod/pay/orders", "prod/shop/orders", "prod/pay/refunds", "-/-/clicks"].map(str::to_owned);
        for (written, found) in [
            ("prod/p", &["prod/pay/orders", "prod/pay/refunds"][..]),
            ("ref", &["refunds"]),
            ("pay/o", &["pay/orders"]),
            ("cl", &["clicks"]),
            // Either of them may be meant.
            ("or", &["prod/pay/orders", "prod/shop/orders"]),
            ("x", &[]),
        ] {
            assert_eq!(matching(written, &ids), found, "{written}");
        }
    }
}
