//! The rules between a story's parts: what is named exists, what is used is declared, nothing contradicts itself.

mod bounds;
mod expects;
mod labels;
mod steps;

use std::collections::BTreeSet;
use std::ops::Range;

use steadfast_core::state::{ConditionType, JobState, Mode};
use toml::Spanned;

pub(super) use bounds::exceeded;

use super::file::File;
use super::{Alerts, EndedJob, Found, Need, Resolved, Step, TargetSpec, Transitions};

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
    checker.alerts();
    checker.needs();
    checker.broken.sort_by_key(|(span, _)| span.start);
    checker.broken
}

struct Checker<'a> {
    file: &'a File,
    targets: &'a [TargetSpec],
    broken: Vec<Broken>,
}

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
        let mut handles = BTreeSet::new();
        for target in self.targets {
            let new = handles.insert(&target.handle);
            self.check(&file.id.span(), new, || {
                format!(
                    "two targets are called `{}`: say `deployment` where the name of their Deployments is the same",
                    target.handle
                )
            });
            let new = names.insert((&target.cluster, &target.namespace, &target.name));
            self.check(&file.id.span(), new, || {
                format!("two targets of one namespace have a Deployment `{}`", target.name)
            });
        }
        for target in &file.targets {
            let (span, target) = (target.span(), target.get_ref());
            let stands_alone = target.count.is_some() || target.mode == Mode::Standalone;
            self.check(&span, !(target.deployment.is_some() && stands_alone), || {
                "`deployment` is about one target in Kubernetes".into()
            });
            self.labels(&span, &target.labels);
            let has_deployment = target.mode != Mode::Standalone;
            self.check(&span, has_deployment || target.labels.is_empty(), || {
                "labels are those of a Deployment, and a standalone target has none".into()
            });
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
            let steps = || self.file.steps.iter().map(|step| step.get_ref());
            let jobs = steps().flat_map(|step| step.jobs.iter().flatten());
            let mut requested = steps().flat_map(|step| step.session_jobs.iter().flatten());
            let known = jobs.flat_map(super::JobSpec::each).any(|each| each.id == job)
                || requested.any(|resource| resource.name == job);
            self.check(span, known, || {
                format!("no step lists a job, or has a FlinkSessionJob, `{job}`")
            });
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

    /// Whether an alert is to be raised. That none is, an engine without alerts shows as well.
    fn wants_alerts(&self) -> bool {
        let verdict = &self.file.verdict;
        let mut expects = self.file.expects.iter().map(Spanned::get_ref);
        verdict.alerts.as_ref().is_some_and(Alerts::are_any) || expects.any(|expect| !expect.alert.is_empty())
    }

    /// What the verdict says of alerts: their records exist, and no time lies before another that it follows.
    fn alerts(&mut self) {
        let file = self.file;
        let span = file.id.span();
        let Some(Alerts::Are(wanted)) = &file.verdict.alerts else {
            return;
        };
        for alert in wanted {
            if let Some(name) = &alert.target {
                self.named(&span, name);
            }
            let resolved = match alert.resolved {
                Some(Resolved::Within(within)) => Some(within),
                Some(Resolved::AtTheEnd(_)) | None => None,
            };
            let in_order = [alert.raised, resolved]
                .into_iter()
                .flatten()
                .all(|within| within.from <= within.until);
            let raised_first = alert
                .raised
                .zip(resolved)
                .is_none_or(|(raised, resolved)| raised.from <= resolved.until);
            self.check(&span, in_order && raised_first, || {
                format!("verdict: {alert}: a time is an earliest and a latest moment, and none is resolved before it is raised")
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
            (Need::Alerts, self.wants_alerts()),
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
                let word = need.as_str();
                if used {
                    format!("needs: `{word}` is used and not listed; write `needs = [\"{word}\"]`, or add it")
                } else {
                    format!("needs: `{word}` is listed and not used; take it out")
                }
            });
        }
    }
}

fn words(states: &[JobState]) -> Vec<&'static str> {
    states.iter().map(|state| state.as_str()).collect()
}
