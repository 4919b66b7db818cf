//! The rules of a story's steps.

use std::ops::Range;

use steadfast_core::state::JobState;

use super::Checker;
use crate::story::{EndedJob, EngineStep, JobSpec, Moment, Need, Step, is_final};

/// What Flink calls the states of tasks (`ExecutionState`), in lower case.
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
    pub(super) fn steps(&mut self) {
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
        self.times(span, step);
        self.whom_it_means(span, step);
        self.jobs(span, step);
        self.operator_resources(span, step);
        self.ended_jobs(span, step);
        if let Some(labels) = step
            .deployment
            .as_ref()
            .and_then(|deployment| deployment.labels.as_ref())
        {
            self.labels(span, labels);
        }
    }

    fn times(&mut self, span: &Range<usize>, step: &Step) {
        let (at, every, until) = step.times();
        self.check(span, every.is_some() == until.is_some(), || {
            "`every` and `until` come together".into()
        });
        if let (Some(every), Some(until)) = (every, until) {
            let comes_again =
                every.as_millis() > 0 && at.as_millis().saturating_add(every.as_millis()) <= until.as_millis();
            self.check(span, comes_again, || {
                "the step never comes again; choose a later `until`".into()
            });
        }
    }

    /// Targets, clusters and namespaces that a step names are those of the story, and what needs a name has one.
    fn whom_it_means(&mut self, span: &Range<usize>, step: &Step) {
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
    }

    fn jobs(&mut self, span: &Range<usize>, step: &Step) {
        for job in step.jobs.iter().flatten() {
            self.check(span, job.state.is_flinks(), || {
                format!("Flink has no state {}", job.state)
            });
            self.check(span, job.exception_at.is_none() || job.root_exception.is_some(), || {
                "`exception_at` is the time of a `root_exception`; it is missing".into()
            });
            let written = job.written_state.as_deref();
            let is_state = |word: &str| JobState::parse(word).is_some_and(JobState::is_flinks);
            self.check(span, !written.is_some_and(is_state), || {
                "`written_state` is no state of Flink's; say such a one with `state`".into()
            });
            for task in job.tasks.iter().flatten() {
                self.check(span, task.0 == "total" || TASKS.contains(&task.0.as_str()), || {
                    format!("Flink has no task state `{}`", task.0)
                });
            }
        }
    }

    fn operator_resources(&mut self, span: &Range<usize>, step: &Step) {
        for (job, named) in step
            .session_jobs
            .iter()
            .flatten()
            .filter_map(|job| Some((job, job.job.as_ref()?)))
        {
            let listed = self
                .file
                .steps
                .iter()
                .flat_map(|step| step.get_ref().jobs.iter().flatten());
            let known = listed.flat_map(JobSpec::each).any(|each| each.id == *named);
            self.check(span, known, || {
                format!(
                    "FlinkSessionJob `{}` stands for a job `{named}` that no step lists",
                    job.name
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
    }

    fn ended_jobs(&mut self, span: &Range<usize>, step: &Step) {
        for ended in ended(step) {
            self.check(span, is_final(ended.state), || {
                format!("{} is no end: choose FINISHED, FAILED or CANCELED", ended.state)
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
