//! `steadfast policy test`: everything a module is held to before it decides anything.

mod described;
mod fixture;
mod steadiness;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use steadfast_core::snapshot::Snapshot;
use steadfast_simulate::{Environment, Harness, play};

use super::super::output::junit::{CameTo, Case, ReportOption, Tried};
use super::super::simulate::{Cast, files, report};
use super::super::{Failure, printer};
use super::policy_arg::PolicyArg;
use super::sample;
use described::Spoke;

pub(in crate::cli) const AFTER_HELP: &str = "\
Held to, whatever files are given: the module imports nothing that tells it anything; it decides every snapshot of the demo's six jobs without a
failure and within its limits, and gives the same decision for the same snapshot when it is asked again, in the opposite
order, and on a fresh instance. What it says of itself holds: each parameter is of a known kind, is taken, and changes nothing when it is given as
its default; each rule that spoke is described. Then the files: stories (*.toml, docs/simulate.md) are played in virtual time; fixtures
(*.json) are single snapshots with what is expected of the decision. `steadfast explain JOB --output json` prints a snapshot
to begin with, and `steadfast policy snapshot` takes one out of a recording; add to it, for example:

  \"expect\": { \"state\": \"RUNNING\", \"confidence\": \"stale\", \"rule\": \"silence\", \"conditions\": [\"FlinkUnreachable\"] }

Examples:
  steadfast policy test my.wasm
  steadfast policy test my.wasm stories/ snapshots/
  steadfast policy test my.wasm -o jsonpath='{.checks[?@.passed==false].what}'
  steadfast policy test my.wasm stories/ --junit report.xml
  steadfast policy test my.wasm --params '{ patience = \"90s\" }' stories/outage.toml

Exit codes:
  0  all passed
  1  something failed; standard output has it
  2  a file, the policy or the command line is wrong; nothing was tried";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    policy: PolicyArg,
    /// Stories (*.toml), fixtures (*.json), and folders of them.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Give a fixture's memory to the policy even if its record says that another one left it.
    #[arg(long)]
    keep_memory: bool,
    #[command(flatten)]
    output: ReportOption,
}

/// One thing the policy was held to.
struct Verdict {
    what: String,
    broken: Option<String>,
}

/// Tries everything, and tells each.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let files = files::paths(&options.files, &["toml", "json"]).map_err(Failure::Usage)?;
    let (fixtures, stories): (Vec<PathBuf>, Vec<PathBuf>) = files
        .into_iter()
        .partition(|path| path.extension().is_some_and(|extension| extension == "json"));
    let stories = files::read(&stories)?;
    let mut fixtures = fixture::read(&fixtures)?;
    let module = options.policy.load()?.module;
    if !options.keep_memory {
        fixture::forget_anothers(&mut fixtures, &options.policy, &module);
    }
    let spoke = Spoke::default();
    let mut policy = spoke.over(Box::new(module.another()));
    let cast = Cast::chosen(&options.policy)?;

    let mut decided = sample::snapshots(&options.policy)?;
    let (refused, fitting): (Vec<_>, Vec<_>) = fixtures.iter().partition(|fixture| fixture.expects_a_failure());
    let snapshots_of = |fixtures: &[&fixture::Fixture]| -> Vec<Snapshot> {
        fixtures.iter().map(|fixture| fixture.snapshot.clone()).collect()
    };
    decided.extend(snapshots_of(&fitting));
    let mut verdicts = vec![purity()];
    let steadiness = steadiness::of(policy.as_mut(), &decided, &snapshots_of(&refused));
    verdicts.extend(steadiness.verdicts);
    let mut stories = stories.as_slice();
    if steadiness.is_hopeless {
        stories = &[];
    } else {
        verdicts.extend(fixtures.iter().map(|fixture| fixture.judge(policy.as_mut())));
    }
    let mut page: String = verdicts.iter().map(Verdict::line).collect();
    let mut checks: Vec<Value> = verdicts.iter().map(Verdict::document).collect();
    let mut failed = verdicts.iter().filter(|verdict| verdict.broken.is_some()).count();
    let harness = Harness {
        timing: cast.timing,
        seed: 7,
        policies: &|| spoke.over_all(cast.setups()),
        environment: Environment::InProcess,
        recording: None,
        chaos: None,
    };
    for story in stories {
        let outcome = play(story, &harness)?;
        page.push_str(&report(story, &outcome));
        let broken = outcome.broken.iter();
        let broken: Vec<String> = broken.map(|one| format!("at {}: {}", one.at, one.what)).collect();
        checks.push(
            json!({ "what": format!("{}: {}", story.id, story.title), "passed": broken.is_empty(), "broken": broken }),
        );
        failed += usize::from(!outcome.broken.is_empty());
    }
    // On what the stories showed, too.
    decided.extend(spoke.shown());
    let rules = spoke.verdict(module.description());
    let described = (!steadiness.is_hopeless).then(|| described::parameters(&module, &decided));
    for verdict in described.iter().chain([&rules]) {
        page.push_str(&verdict.line());
        checks.push(verdict.document());
        failed += usize::from(verdict.broken.is_some());
    }
    let all = checks.len();
    let passed = all - failed;
    page.push_str(&format!(
        "{}: {passed} passed, {failed} failed\n",
        printer::counted(all, "check")
    ));
    options.output.conclude(&Tried {
        suite: "steadfast policy test",
        page: &page,
        document: &json!({ "checks": checks, "passed": passed, "failed": failed }),
        cases: &cases(&checks),
    })?;
    if failed > 0 { Err(Failure::Reported) } else { Ok(()) }
}

/// What the module would not have been loaded without.
fn purity() -> Verdict {
    Verdict {
        what: "purity: it imports nothing that tells it anything, and took its parameters within its limits".into(),
        broken: None,
    }
}

/// The checks as a CI server is told of them.
fn cases(checks: &[Value]) -> Vec<Case> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |check: &Value| Case {
        class: "policy".to_owned(),
        name: check.get("what").map(text).unwrap_or_default(),
        came_to: match check.get("broken").and_then(Value::as_array) {
            Some(broken) if !broken.is_empty() => CameTo::Failed {
                broken: broken.iter().map(text).collect(),
                more: String::new(),
            },
            Some(_) | None => CameTo::Passed,
        },
    };
    checks.iter().map(one).collect()
}

impl Verdict {
    /// In the shape of a story's.
    fn document(&self) -> Value {
        json!({ "what": self.what, "passed": self.broken.is_none(), "broken": Vec::from_iter(&self.broken) })
    }

    fn line(&self) -> String {
        match &self.broken {
            None => format!("passed {}\n", self.what),
            Some(how) => format!("FAILED {}\n  broken: {}\n", self.what, printer::one_line(how)),
        }
    }
}
