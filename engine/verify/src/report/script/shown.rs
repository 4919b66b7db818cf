//! The job's own world, as a step says it.

use std::fmt::Write;

use steadfast_core::evidence::FaultKind;
use steadfast_core::state::{JobState, Mode};

use super::Script;
use super::faults::flink_fault;
use crate::world::{Existence, FlinkModel, Health, PodModel, Pods};

impl Script {
    /// The job's own world as it is now. `words`: what the JobManager's log says of its end.
    pub(super) fn show(&mut self, words: Option<JobState>) -> Result<(), String> {
        let fault = match self.world.flink {
            // Such a Flink answers, and leaves open what became of the job.
            FlinkModel::Lists | FlinkModel::Lacks | FlinkModel::LeavesOut | FlinkModel::Silent(FaultKind::Other) => {
                "ok"
            }
            FlinkModel::Silent(kind) => flink_fault(kind)?,
        };
        let mut says = format!("flink = \"{fault}\"\n");
        match self.world.mode {
            Mode::Application | Mode::Session => self.resources(words, &mut says),
            Mode::Standalone => {}
        }
        self.jobs(&mut says);
        self.step(Some("orders"), &says);
        Ok(())
    }

    /// Deployment and pods.
    fn resources(&mut self, words: Option<JobState>, says: &mut String) {
        let (run, deployment, pod) = (self.world.run, self.world.deployment, self.world.pod);
        let deleting = match deployment.there {
            Existence::Up => false,
            Existence::Going { .. } => true,
            Existence::Gone => {
                says.push_str("deployment = { present = false }\npods = []\n");
                return;
            }
        };
        let (replicas, ready) = match pod.count {
            Pods::One | Pods::Two => (1, u32::from(pod.health == Health::Ready)),
            Pods::None => (1, 0),
            Pods::ScaledToZero => (0, 0),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            says,
            "deployment = {{ uid = \"u{}\", replicas = {replicas}, ready = {ready}, deleting = {deleting} }}",
            deployment.uid
        );
        let log = words.map_or_else(String::new, |state| {
            self.needs.insert("pod-log");
            format!(", log = [\"j{} {state}\"]", run.job)
        });
        let _ = writeln!(says, "pods = [{}]", pods(deployment.uid, pod, deleting, &log));
    }

    fn jobs(&self, says: &mut String) {
        let (flink, run) = (self.world.flink, self.world.run);
        if flink == FlinkModel::Lacks {
            says.push_str("jobs = []\n");
            return;
        }
        let start = self.moment(run.started_at);
        let left_out = if matches!(flink, FlinkModel::LeavesOut | FlinkModel::Silent(FaultKind::Other)) {
            ", listed = false, asked = \"500\""
        } else {
            ""
        };
        let checkpoints = if self.checkpoints_fail {
            ", checkpoints = { failed = 1000 }"
        } else {
            ""
        };
        let _ = writeln!(
            says,
            "jobs = [{{ id = \"j{}\", state = \"{}\", start = \"{start}\"{left_out}{checkpoints} }}]",
            run.job, run.state
        );
    }
}

/// The JobManager's pods, the newest first.
fn pods(uid: u16, newest: PodModel, deleting: bool, log: &str) -> String {
    let name = |number: u16| match number {
        0 => format!("jm-{uid}"),
        number => format!("jm-{uid}-{number}"),
    };
    let is_well = newest.health == Health::Ready;
    let waits = if is_well {
        ""
    } else {
        ", waiting = \"CrashLoopBackOff\""
    };
    let ended = if newest.restarts > 0 {
        ", terminated = \"Error\""
    } else {
        ""
    };
    let first = format!(
        "{{ name = \"{}\", ready = {is_well}, restarts = {}, deleting = {deleting}{waits}{ended}{log} }}",
        name(newest.number),
        newest.restarts
    );
    match newest.count {
        Pods::One => first,
        Pods::Two => {
            let before = name(newest.number.saturating_sub(1));
            format!("{first}, {{ name = \"{before}\", ready = true, restarts = 0, deleting = {deleting} }}")
        }
        Pods::None | Pods::ScaledToZero => String::new(),
    }
}
