//! `-o json`: all that was verified, for programs. Spans and moments are seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use steadfast_core::evidence::FaultKind;
use steadfast_core::record::JobRecord;
use steadfast_coverage::NeverRan;
use steadfast_verify::beginning::Scene;
use steadfast_verify::look::Look;
use steadfast_verify::{Beginning, DepthReport, Report, Settings, report};

use super::coverage::Coverage;
use super::outcome::{Came, Kept, Outcome, Tally};
use super::told;
use crate::run::LoadedPolicy;

/// All there is to tell.
pub(super) struct Whole<'a> {
    pub(super) loaded: &'a LoadedPolicy,
    pub(super) settings: &'a Settings,
    pub(super) found: &'a Report,
    /// Which of the module's code ran.
    pub(super) coverage: &'a Coverage,
    /// Each depth with how long it took.
    pub(super) depths: &'a [(DepthReport, Duration)],
    pub(super) took: Duration,
    pub(super) outcomes: &'a [Outcome<'a>],
}

impl Whole<'_> {
    /// As JSON.
    pub(super) fn document(&self) -> anyhow::Result<Value> {
        let Tally {
            hold,
            broken,
            silent,
            not_tried,
        } = Tally::of(self.outcomes);
        let module = &self.loaded.module;
        let description = module.description();
        let document = Document {
            policy: Policy {
                name: &description.name,
                version: &description.version,
                module: self.loaded.config.module.to_string(),
                sha256: module.digest(),
                contract: module.contract(),
                params: serde_json::from_str(&self.loaded.config.params)?,
            },
            explored: self.explored(),
            laws: self.outcomes.iter().map(|outcome| law(outcome, self.found)).collect(),
            hold,
            broken,
            say_nothing: silent,
            not_tried,
        };
        Ok(serde_json::to_value(document)?)
    }

    fn explored(&self) -> Explored<'_> {
        let (found, settings) = (self.found, self.settings);
        let (code, code_not_seen) = match self.coverage.never_ran() {
            Ok(never_ran) => (Some(never_ran), None),
            Err(why) => (None, Some(why)),
        };
        let depths: Vec<Depth> = self
            .depths
            .iter()
            .map(|(depth, took)| Depth::of(*depth, *took))
            .collect();
        let words = |groups: &[Vec<FaultKind>]| {
            let group = |group: &Vec<FaultKind>| group.iter().map(|kind| kind.as_str()).collect();
            groups.iter().map(group).collect()
        };
        Explored {
            depth: settings.depth,
            beyond: settings.beyond,
            complete: found.complete,
            ended_early: found.ended,
            seconds: self.took.as_secs_f64(),
            states: depths.iter().map(|depth| depth.states).sum(),
            looks: depths.iter().map(|depth| depth.looks).sum(),
            not_gone_on_from: depths.iter().map(|depth| depth.left).sum(),
            depths,
            kinds: found.kinds,
            looks_along_lines: found.along_lines,
            waits: settings.waits.iter().map(Duration::as_secs_f64).collect(),
            spans_along_lines: settings.spans.iter().map(Duration::as_secs_f64).collect(),
            labels_tried: settings.labels.len(),
            beginnings: found.beginnings.iter().map(Began::of).collect(),
            depends_on_date: found.tried.was_tried.then_some(found.tried.date),
            not_begun: found.tried.not_begun.iter().map(Began::of).collect(),
            alerts_never_raised: found.unheard.iter().map(String::as_str).collect(),
            faults_alike: Alike {
                flink: words(&found.alike.of_flink),
                kubernetes: words(&found.alike.of_kubernetes),
            },
            rules_that_never_spoke: told::mute(found, self.loaded.module.description()),
            code,
            code_not_seen,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    policy: Policy<'a>,
    explored: Explored<'a>,
    laws: Vec<LawOutcome<'a>>,
    /// How many laws came out how.
    hold: usize,
    broken: usize,
    say_nothing: usize,
    not_tried: usize,
}

#[derive(Serialize)]
struct Policy<'a> {
    /// What the module says it is called.
    name: &'a str,
    version: &'a str,
    /// As it was named.
    module: String,
    sha256: &'a str,
    contract: String,
    params: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explored<'a> {
    /// What was asked for, ...
    depth: u32,
    beyond: u32,
    /// ... and to which depth everything was tried.
    complete: u32,
    ended_early: bool,
    seconds: f64,
    depths: Vec<Depth>,
    states: usize,
    looks: usize,
    /// States beyond the depth, of no new kind.
    not_gone_on_from: usize,
    /// Kinds of state from which lines were followed.
    kinds: usize,
    looks_along_lines: usize,
    waits: Vec<f64>,
    spans_along_lines: Vec<f64>,
    labels_tried: usize,
    /// A date or labels are there because they make a difference.
    beginnings: Vec<Began<'a>>,
    /// Left out if that was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    depends_on_date: Option<bool>,
    /// What lies beyond the depth.
    not_begun: Vec<Began<'a>>,
    /// Those that laws name.
    alerts_never_raised: Vec<&'a str>,
    faults_alike: Alike,
    rules_that_never_spoke: Vec<&'a str>,
    /// Which of the policy's own code never ran, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<NeverRan>,
    /// ... or why that is not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    code_not_seen: Option<&'a str>,
}

#[derive(Serialize)]
struct Depth {
    depth: u32,
    states: usize,
    looks: usize,
    merged: usize,
    left: usize,
    seconds: f64,
}

impl Depth {
    fn of(report: DepthReport, took: Duration) -> Self {
        let DepthReport {
            depth,
            states,
            transitions: looks,
            merged,
            left,
        } = report;
        Self {
            depth,
            states,
            looks,
            merged,
            left,
            seconds: took.as_secs_f64(),
        }
    }
}

#[derive(Serialize)]
struct Alike {
    flink: Vec<Vec<&'static str>>,
    kubernetes: Vec<Vec<&'static str>>,
}

#[derive(Serialize)]
struct Began<'a> {
    scene: &'static str,
    at: String,
    labels: BTreeMap<&'a str, &'a str>,
    /// The same for people.
    says: String,
}

impl<'a> Began<'a> {
    fn of(beginning: &'a Beginning) -> Self {
        Self {
            scene: match beginning.scene {
                Scene::Running => "running",
                Scene::Start => "start",
                Scene::Session => "session",
                Scene::Standalone => "standalone",
            },
            at: beginning.at.to_string(),
            labels: beginning.labels.iter().collect(),
            says: beginning.to_string(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LawOutcome<'a> {
    name: &'a str,
    says: &'a str,
    /// `holds`, `broken`, `says-nothing` or `not-tried`.
    result: &'static str,
    /// To which depth it holds, or at which it is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<u32>,
    /// Why it says nothing, or was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterexample: Option<Told<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    from: Began<'a>,
    steps: &'a [Step],
    so: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    story: Option<Story<'a>>,
    /// Why there is no story.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_story: Option<&'a str>,
}

#[derive(Serialize)]
struct Story<'a> {
    file: String,
    /// What fails on it.
    command: &'a str,
}

/// A look of a counterexample, or several in a row that are alike.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    at: f64,
    what: String,
    before: Recorded,
    after: Recorded,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failed>,
    /// How many looks in a row came out so, ...
    times: usize,
    /// ... and when the last of them was taken.
    until: f64,
}

#[derive(Serialize)]
struct Failed {
    kind: &'static str,
    message: String,
}

/// A record, as far as laws judge it.
#[derive(Serialize)]
struct Recorded {
    state: &'static str,
    confidence: &'static str,
    reason: Reason,
    attention: &'static str,
    conditions: Vec<&'static str>,
    alerts: Vec<Alert>,
}

#[derive(Serialize)]
struct Reason {
    code: String,
    message: String,
}

#[derive(Serialize)]
struct Alert {
    name: String,
    scope: &'static str,
}

/// The looks of a counterexample in order.
pub(super) fn steps(looks: &[Look]) -> Vec<Step> {
    let one = |told: report::Told<'_>| Step {
        at: told.at.as_secs_f64(),
        what: told.look.step.to_string(),
        before: recorded(&told.look.before),
        after: recorded(told.look.record()),
        failure: told.look.failure.as_ref().map(|failure| Failed {
            kind: failure.kind.as_str(),
            message: failure.message.to_string(),
        }),
        times: told.again + 1,
        until: told.until.as_secs_f64(),
    };
    report::told(looks).into_iter().map(one).collect()
}

fn recorded(record: &JobRecord) -> Recorded {
    Recorded {
        state: record.state.as_str(),
        confidence: record.confidence.as_str(),
        reason: Reason {
            code: record.reason.code.to_string(),
            message: record.reason.message.to_string(),
        },
        attention: record.attention.as_str(),
        conditions: record
            .conditions
            .iter()
            .map(|condition| condition.kind.as_str())
            .collect(),
        alerts: record
            .alerts
            .iter()
            .map(|alert| Alert {
                name: alert.name.clone(),
                scope: alert.scope.as_str(),
            })
            .collect(),
    }
}

fn law<'a>(outcome: &'a Outcome<'_>, found: &Report) -> LawOutcome<'a> {
    let (name, says) = (outcome.law.name(), outcome.law.says());
    let holds = LawOutcome {
        name,
        says,
        result: "holds",
        depth: Some(found.complete),
        because: None,
        counterexample: None,
    };
    match &outcome.came_to {
        Came::Holds => holds,
        Came::SaysNothing(why) => LawOutcome {
            result: "says-nothing",
            depth: None,
            because: Some(why),
            ..holds
        },
        Came::NotTried(why) => LawOutcome {
            result: "not-tried",
            depth: None,
            because: Some(why),
            ..holds
        },
        Came::Broken(broken) => {
            let (story, no_story) = match &broken.story {
                Kept::Written { file, command } => {
                    let file = file.display().to_string();
                    (Some(Story { file, command }), None)
                }
                Kept::Not(why) => (None, Some(why.as_str())),
            };
            LawOutcome {
                result: "broken",
                depth: Some(broken.counterexample.depth),
                counterexample: Some(Told {
                    from: Began::of(&broken.counterexample.from),
                    steps: &broken.steps,
                    so: &broken.counterexample.broken.why,
                    story,
                    no_story,
                }),
                ..holds
            }
        }
    }
}
