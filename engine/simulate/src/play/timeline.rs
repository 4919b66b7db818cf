//! What happened and what was recorded, for a reader who wants to know why a story failed.

use std::collections::BTreeMap;
use std::fmt;

use steadfast_world::story::{Moment, Step};

use crate::judge::Shown;

/// Lines in order of time. A record has a line only when it changed.
#[derive(Debug, Default)]
pub struct Timeline {
    lines: Vec<(Moment, String)>,
    last: BTreeMap<String, String>,
}

impl Timeline {
    /// A step happened.
    pub(super) fn step(&mut self, at: Moment, step: &Step) {
        let Step {
            target,
            kubernetes,
            cluster,
            namespace,
            flink,
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
            engine,
            ..
        } = step;
        let mut told = Vec::new();
        tell(&mut told, "target", target);
        tell(&mut told, "kubernetes", kubernetes);
        tell(&mut told, "cluster", cluster);
        tell(&mut told, "namespace", namespace);
        tell(&mut told, "flink", flink);
        if let Some(deployment) = deployment {
            told.push(if deployment.present {
                format!(
                    "deployment {} {}/{}",
                    deployment.uid, deployment.ready, deployment.replicas
                )
            } else {
                "no deployment".into()
            });
        }
        let pods = pods.as_ref().map(|pods| {
            pods.iter()
                .map(|pod| pod.waiting.as_deref().unwrap_or(&pod.phase))
                .collect::<Vec<_>>()
        });
        tell(&mut told, "pods", &pods);
        tell(&mut told, "task managers", &task_managers.as_ref().map(Vec::len));
        tell(&mut told, "resource", resource);
        tell(&mut told, "session jobs", &session_jobs.as_ref().map(Vec::len));
        tell(&mut told, "events", &events.as_ref().map(Vec::len));
        let jobs = jobs.as_ref().map(|jobs| {
            jobs.iter()
                .map(|job| format!("{} {}", job.id, job.state))
                .collect::<Vec<_>>()
        });
        tell(&mut told, "jobs", &jobs);
        for (name, ended) in [("archive", archive), ("history", history), ("job results", job_results)] {
            tell(&mut told, name, &ended.as_ref().map(Vec::len));
        }
        tell(&mut told, "files", files);
        tell(&mut told, "ha", ha);
        tell(&mut told, "intent", intent);
        tell(&mut told, "engine", engine);
        self.lines.push((at, format!("world   {}", told.join(", "))));
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

fn tell<T: fmt::Debug>(told: &mut Vec<String>, name: &str, value: &Option<T>) {
    if let Some(value) = value {
        told.push(format!("{name} {value:?}"));
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in &self.lines {
            writeln!(f, "{:>10}  {line}", at.to_string())?;
        }
        Ok(())
    }
}
