//! What a JobManager printed.

use steadfast_core::state::JobState;

use crate::clock::{WorldClock, whole_seconds};
use crate::model::Target;
use crate::story::{Moment, PodSpec};

/// A start, and for each end the dispatcher's line (Flink 1.13 to 2.2), then the shutdown of the entrypoint.
pub(super) fn of(target: &Target, pod: &PodSpec, clock: &WorldClock) -> String {
    let at = whole_seconds(clock.at(Moment::default()));
    let line = |class: &str, text: &str| format!("{at} INFO  org.apache.flink.runtime.{class} [] - {text}\n");
    let mut log = line(
        "entrypoint.ClusterEntrypoint",
        "Starting KubernetesApplicationClusterEntrypoint.",
    );
    for entry in &pod.log {
        let job = target.flink_id(&entry.job);
        log += &line(
            "dispatcher.StandaloneDispatcher",
            &format!("Job {job} reached terminal state {}.", entry.state),
        );
        if entry.state == JobState::Failed {
            log += "org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy\n";
            log += &"\tat a.b.C.d(C.java:1)\n".repeat(60);
        }
        let word = if entry.state == JobState::Finished {
            "SUCCEEDED"
        } else {
            entry.state.as_str()
        };
        let end = format!(
            "Shutting KubernetesApplicationClusterEntrypoint down with application status {word}. Diagnostics null."
        );
        log += &line("entrypoint.ClusterEntrypoint", &end);
    }
    log
}
