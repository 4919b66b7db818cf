//! What happened and what was recorded, for a reader who wants to know why a story failed.

use std::collections::BTreeMap;
use std::fmt;

use steadfast_world::story::{DeploymentSpec, JobSpec, Moment, PodSpec, Start, Step};

use crate::judge::Shown;

/// Lines in order of time. A record has a line only when it changed.
#[derive(Debug, Default)]
pub struct Timeline {
    /// When the story begins, if that matters: then each line shows its hour and day, too.
    start: Option<Start>,
    lines: Vec<(Moment, String)>,
    last: BTreeMap<String, String>,
}

impl Timeline {
    /// Of a story that begins then, before anything happened.
    pub(super) fn beginning(start: Option<Start>) -> Self {
        Self {
            start,
            ..Self::default()
        }
    }

    /// What happened, in order of time.
    pub fn lines(&self) -> impl Iterator<Item = (Moment, &str)> {
        let mut lines: Vec<_> = self.lines.iter().map(|(at, line)| (*at, line.as_str())).collect();
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter()
    }

    /// A step happened.
    pub(super) fn step(&mut self, at: Moment, step: &Step) {
        self.lines.push((at, format!("world   {}", changes(step).join(", "))));
    }

    /// Something that is known of a moment only when all is over.
    pub(super) fn line(&mut self, at: Moment, line: String) {
        self.lines.push((at, line));
    }

    /// A look showed a record.
    pub(super) fn shown(&mut self, at: Moment, name: &str, shown: Option<&Shown>) {
        let text = shown.map_or_else(
            || "not listed".to_owned(),
            |s| {
                format!(
                    "{} {} attempt {} {:?} ({})",
                    s.state, s.confidence, s.attempt, s.conditions, s.reason
                )
            },
        );
        if self.last.get(name) != Some(&text) {
            self.lines.push((at, format!("record  {name}: {text}")));
            self.last.insert(name.to_owned(), text);
        }
    }
}

/// What a step changes, in the order of its keys. What it does not name stays as it was, and is left out.
fn changes(step: &Step) -> Vec<String> {
    let Step {
        target,
        kubernetes,
        cluster,
        namespace,
        flink,
        cluster_id,
        deployment,
        pods,
        task_managers,
        resource,
        session_jobs,
        events,
        jobs,
        archive,
        history,
        job_results,
        files,
        ha,
        intent,
        host_clock,
        engine,
        ..
    } = step;
    let all = [
        change("target", target),
        change("kubernetes", kubernetes),
        change("cluster", cluster),
        change("namespace", namespace),
        change("flink", flink),
        change("cluster id", cluster_id),
        deployment.as_ref().map(deployment_words),
        change("pods", &pods.as_deref().map(pod_words)),
        count("task managers", task_managers),
        change("resource", resource),
        count("session jobs", session_jobs),
        count("events", events),
        change("jobs", &jobs.as_deref().map(job_words)),
        count("archive", archive),
        count("history", history),
        count("job results", job_results),
        change("files", files),
        change("ha", ha),
        change("intent", intent),
        change("host clock", host_clock),
        change("engine", engine),
    ];
    all.into_iter().flatten().collect()
}

fn change<T: fmt::Debug>(name: &str, value: &Option<T>) -> Option<String> {
    value.as_ref().map(|value| format!("{name} {value:?}"))
}

fn count<T>(name: &str, values: &Option<Vec<T>>) -> Option<String> {
    change(name, &values.as_ref().map(Vec::len))
}

fn deployment_words(deployment: &DeploymentSpec) -> String {
    if deployment.present {
        let labels = deployment.labels.iter().flatten();
        let labels: String = labels.map(|(name, value)| format!(" {name}={value}")).collect();
        format!(
            "deployment {} {}/{}{labels}",
            deployment.uid, deployment.ready, deployment.replicas
        )
    } else {
        "no deployment".into()
    }
}

fn pod_words(pods: &[PodSpec]) -> Vec<&str> {
    pods.iter()
        .map(|pod| pod.waiting.as_deref().unwrap_or(&pod.phase))
        .collect()
}

fn job_words(jobs: &[JobSpec]) -> Vec<String> {
    jobs.iter().map(|job| format!("{} {}", job.id, job.state)).collect()
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.lines() {
            let hour = self
                .start
                .as_ref()
                .map_or_else(String::new, |start| format!("  {}", start.shows(at)));
            writeln!(f, "{:>10}{hour}  {line}", at.to_string())?;
        }
        Ok(())
    }
}
