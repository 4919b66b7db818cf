//! The rules between a story's parts: what is named exists, what is used is declared, nothing contradicts itself.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use steadfast_core::state::{ConditionType, JobState, Mode};
use toml::Spanned;

use super::read::File;
use super::{EndedJob, EngineStep, Expect, Found, Moment, Step, TargetSpec, Transitions, is_final};

/// What an engine must support for a story beyond application-mode jobs of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "each is the word the file uses, explained in the README of the stories"
)]
pub enum Need {
    Session,
    Standalone,
    Discovery,
    #[serde(rename = "flinkdeployment")]
    FlinkDeployment,
    Archive,
    HistoryServer,
    JobResultStore,
    Intent,
    Restart,
    Fleet,
    Ha,
    Alerts,
    Checkpoints,
    Clusters,
    Namespaces,
    PodLog,
}

/// A rule that is broken, and where.
type Broken = (Range<usize>, String);

pub(super) fn mistakes(file: &File, targets: &[TargetSpec]) -> Vec<Broken> {
    let mut checker = Checker {
        file,
        targets,
        broken: Vec::new(),
    };
    checker.head();
    checker.steps();
    checker.expects();
    checker.verdict();
    checker.needs();
    checker.broken.sort_by_key(|(span, _)| span.start);
    checker.broken
}

struct Checker<'a> {
    file: &'a File,
    targets: &'a [TargetSpec],
    broken: Vec<Broken>,
}

const TASKS: &[&str] = &[
    "created",
    "scheduled",
    "deploying",
    "running",
    "finished",
    "canceling",
    "canceled",
    "failed",
    "reconciling",
    "initializing",
];

impl Checker<'_> {
    fn check(&mut self, span: &Range<usize>, good: bool, rule: impl FnOnce() -> String) {
        if !good {
            self.broken.push((span.clone(), rule()));
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.targets.iter().any(|target| target.is_called(Some(name)))
    }

    fn head(&mut self) {
        let file = self.file;
        let slug = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        self.check(&file.id.span(), slug(file.id.get_ref()), || {
            "the id is a slug: lower-case letters, digits and hyphens".into()
        });
        for text in [&file.title, &file.source] {
            self.check(&text.span(), !text.get_ref().trim().is_empty(), || {
                "title and source must say something".into()
            });
        }
        let mut names = BTreeSet::new();
        for target in self.targets {
            let new = names.insert((&target.cluster, &target.namespace, &target.name));
            self.check(&file.id.span(), new, || {
                format!("two targets are called `{}`", target.name)
            });
        }
    }

    fn steps(&mut self) {
        let file = self.file;
        let mut last: Option<Moment> = None;
        for step in &file.steps {
            let span = step.span();
            let (at, _, _) = step.get_ref().times();
            match last {
                None => self.check(&span, at == Moment::default(), || "the first step is at \"0s\"".into()),
                Some(last) => self.check(&span, last <= at, || "steps stand in the order of their times".into()),
            }
            last = Some(at);
            self.step(&span, step.get_ref());
        }
        if last.is_none() {
            self.check(&file.id.span(), false, || "a story has at least one [[step]]".into());
        }
    }

    fn step(&mut self, span: &Range<usize>, step: &Step) {
        let (at, every, until) = step.times();
        self.check(span, every.is_some() == until.is_some(), || {
            "`every` and `until` come together".into()
        });
        if let (Some(every), Some(until)) = (every, until) {
            let comes_again = every.as_millis() > 0 && at.as_millis() + every.as_millis() <= until.as_millis();
            self.check(span, comes_again, || {
                "the step never comes again; choose a later `until`".into()
            });
        }
        if let Some(name) = &step.target {
            self.check(span, self.knows(name), || format!("no [[target]] is called `{name}`"));
        }
        let narrowed = step.cluster.is_some() || step.namespace.is_some();
        self.check(span, !narrowed || step.kubernetes.is_some(), || {
            "`cluster` and `namespace` narrow `kubernetes`; it is missing".into()
        });
        if let Some(name) = &step.cluster {
            let known = self.targets.iter().any(|target| target.cluster == *name);
            self.check(span, known, || format!("no [[target]] is in a cluster `{name}`"));
        }
        if let Some(name) = &step.namespace {
            let known = self.targets.iter().any(|target| target.namespace == *name);
            self.check(span, known, || format!("no [[target]] is in a namespace `{name}`"));
        }
        let reads_files = [Need::Archive, Need::JobResultStore]
            .iter()
            .any(|need| self.file.needs.contains(need));
        self.check(span, step.files.is_none() || reads_files, || {
            "`files` is about archive and job-result-store; `needs` names neither".into()
        });
        let removal = step.engine == Some(EngineStep::RemoveTarget);
        self.check(span, !removal || step.target.is_some(), || {
            "remove-target needs a `target`".into()
        });
        for job in step.jobs.iter().flatten() {
            self.check(span, job.state.is_flinks(), || {
                format!("Flink has no state {}", job.state)
            });
            for task in job.tasks.iter().flatten() {
                self.check(span, TASKS.contains(&task.0.as_str()), || {
                    format!("Flink has no task state `{}`", task.0)
                });
            }
        }
        for job in step.session_jobs.iter().flatten() {
            let listed = self
                .file
                .steps
                .iter()
                .flat_map(|step| step.get_ref().jobs.iter().flatten());
            let known = listed.flat_map(super::JobSpec::each).any(|each| each.id == job.job);
            self.check(span, known, || {
                format!(
                    "FlinkSessionJob `{}` stands for a job `{}` that no step lists",
                    job.name, job.job
                )
            });
        }
        let owner = step
            .deployment
            .as_ref()
            .and_then(|deployment| deployment.owner.as_deref());
        self.check(span, owner.is_none_or(|owner| owner == "FlinkDeployment"), || {
            "the only `owner` is \"FlinkDeployment\"".into()
        });
        for ended in ended(step) {
            self.check(span, is_final(ended.state), || {
                format!("{} is no end: choose FINISHED, FAILED or CANCELED", ended.state)
            });
        }
    }

    fn expects(&mut self) {
        let file = self.file;
        let never = &file.verdict.never;
        for (place, expect) in file.expects.iter().enumerate() {
            let (span, expect) = (expect.span(), expect.get_ref());
            let long_enough = expect.from.as_millis() + 5_000 <= expect.until.as_millis();
            self.check(&span, long_enough, || {
                "the span is shorter than a poll (5s): no look might fall into it".into()
            });
            self.check(&span, says_something(expect), || {
                "it expects nothing; name a state, a confidence, a condition, ...".into()
            });
            if let Some(name) = &expect.target {
                self.named(&span, name);
            }
            let allowed = expect.state.is_empty() || expect.state.iter().any(|state| !never.contains(state));
            self.check(&span, allowed, || {
                "all of its states are in the verdict's `never`".into()
            });
            let low_to_high = expect.attempt.len() < 3 && expect.attempt.is_sorted();
            self.check(&span, low_to_high, || {
                "an attempt is a number, or its lowest and highest".into()
            });
            for other in file.expects.iter().take(place).map(Spanned::get_ref) {
                self.check(&span, !contradicts(expect, other), || {
                    format!(
                        "it cannot hold together with what is expected from {} to {}",
                        other.from, other.until
                    )
                });
            }
        }
    }

    /// A target, a group, or `target/job`.
    fn named(&mut self, span: &Range<usize>, name: &str) {
        let (target, job) = name
            .split_once('/')
            .map_or((name, None), |(target, job)| (target, Some(job)));
        self.check(span, self.knows(target), || {
            format!("no [[target]] is called `{target}`")
        });
        if let Some(job) = job {
            let jobs = self
                .file
                .steps
                .iter()
                .flat_map(|step| step.get_ref().jobs.iter().flatten());
            let known = jobs.flat_map(super::JobSpec::each).any(|each| each.id == job);
            self.check(span, known, || format!("no step lists a job `{job}`"));
            let session = self
                .targets
                .iter()
                .any(|t| t.is_called(Some(target)) && t.mode == Mode::Session);
            self.check(span, session, || {
                format!("only jobs of a session cluster have records of their own, `{target}` is none")
            });
        }
    }

    fn verdict(&mut self) {
        let file = self.file;
        let span = file.id.span();
        let lists: Vec<_> = match &file.verdict.transitions {
            Transitions::All(list) => vec![list],
            Transitions::Of(lists) => {
                for name in lists.keys() {
                    self.named(&span, name);
                }
                lists.values().collect()
            }
        };
        for pace in lists.into_iter().flatten() {
            let possible = pace.states.iter().any(|state| !file.verdict.never.contains(state));
            self.check(&span, possible, || {
                format!(
                    "verdict: {:?} stands in `transitions` and in `never`",
                    words(&pace.states)
                )
            });
        }
        let ends = file.expects.iter().map(|expect| expect.get_ref().until).max();
        let last = file.steps.iter().map(|step| step.get_ref().times().0).max();
        if let (Some(ends), Some(last)) = (ends, last) {
            self.check(&span, last <= ends, || "nothing is expected after the last step".into());
            self.check(&span, file.slow || ends.as_millis() < 3_600_000, || {
                "an hour or more: say `slow = true`".into()
            });
        }
    }

    /// What a story uses stands in `needs`, and what stands there is used.
    fn needs(&mut self) {
        let file = self.file;
        let steps: Vec<&Step> = file.steps.iter().map(Spanned::get_ref).collect();
        let any = |used: &dyn Fn(&Step) -> bool| steps.iter().any(|step| used(step));
        let filled = |list: &Option<Vec<EndedJob>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let conditions: Vec<ConditionType> = file
            .expects
            .iter()
            .map(Spanned::get_ref)
            .flat_map(|e| {
                e.condition
                    .iter()
                    .flat_map(|either| either.0.iter())
                    .chain(e.no_condition.iter())
            })
            .copied()
            .collect();
        let several =
            |name: fn(&TargetSpec) -> &String| self.targets.iter().map(name).collect::<BTreeSet<_>>().len() > 1;
        let is = |test: &dyn Fn(&TargetSpec) -> bool| self.targets.iter().any(test);
        let used = [
            (Need::Session, is(&|t| t.mode == Mode::Session)),
            (Need::Standalone, is(&|t| t.mode == Mode::Standalone)),
            (Need::Clusters, several(|t| &t.cluster)),
            (Need::Namespaces, several(|t| &t.namespace)),
            (Need::Discovery, is(&|t| t.found == Found::Native)),
            (Need::FlinkDeployment, is(&|t| t.found == Found::FlinkDeployment)),
            (Need::Archive, any(&|s| filled(&s.archive))),
            (Need::HistoryServer, any(&|s| filled(&s.history))),
            (Need::JobResultStore, any(&|s| filled(&s.job_results))),
            (Need::Intent, any(&|s| s.intent.is_some())),
            (Need::Restart, any(&|s| s.engine.is_some())),
            (Need::Ha, any(&|s| s.ha == Some(true))),
            (Need::Alerts, file.verdict.alerts.unwrap_or(0) > 0),
            (Need::Fleet, conditions.contains(&ConditionType::FleetDisrupted)),
            (
                Need::Checkpoints,
                conditions.contains(&ConditionType::CheckpointsFailing),
            ),
        ];
        for (need, used) in used {
            let listed = file.needs.contains(&need);
            // These can matter without a trace in the file: that nothing is found, or that nothing is said.
            let may_be_silent = matches!(need, Need::Fleet | Need::Checkpoints | Need::Archive);
            let agrees = used == listed || (listed && may_be_silent);
            self.check(&file.id.span(), agrees, || {
                format!(
                    "needs: {need:?} is {}",
                    if used {
                        "used and not listed"
                    } else {
                        "listed and not used"
                    }
                )
            });
        }
    }
}

fn ended(step: &Step) -> impl Iterator<Item = &EndedJob> {
    [&step.archive, &step.history, &step.job_results]
        .into_iter()
        .flatten()
        .flatten()
}

fn says_something(expect: &Expect) -> bool {
    let Expect {
        from: _,
        until: _,
        target: _,
        state,
        confidence,
        condition,
        no_condition,
        reason,
        attempt,
        tracked,
    } = expect;
    !(state.is_empty()
        && confidence.is_empty()
        && condition.is_empty()
        && no_condition.is_empty()
        && reason.is_empty()
        && attempt.is_empty()
        && tracked.is_none())
}

/// Whether two expectations about the same records at one time cannot both hold.
fn contradicts(a: &Expect, b: &Expect) -> bool {
    let meet = a.from.max(b.from) < a.until.min(b.until) && a.target == b.target;
    let apart =
        |a: &[JobState], b: &[JobState]| !a.is_empty() && !b.is_empty() && !a.iter().any(|state| b.contains(state));
    let unsure =
        !a.confidence.is_empty() && !b.confidence.is_empty() && !a.confidence.iter().any(|c| b.confidence.contains(c));
    let forbids = |a: &Expect, b: &Expect| {
        a.condition
            .iter()
            .any(|either| either.0.iter().all(|one| b.no_condition.contains(one)))
    };
    meet && (apart(&a.state, &b.state) || unsure || forbids(a, b) || forbids(b, a))
}

fn words(states: &[JobState]) -> Vec<&'static str> {
    states.iter().map(|state| state.as_str()).collect()
}
