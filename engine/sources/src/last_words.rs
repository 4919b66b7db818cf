//! Finds in a JobManager's log how a job ended.

use steadfast_core::facts::JobEnd;
use steadfast_core::id::FlinkJobId;
use steadfast_core::state::JobState;

/// What Flink's dispatcher logs when a job has ended (Flink 1.13 to 2.2,
/// `org.apache.flink.runtime.dispatcher.Dispatcher`).
const BEFORE: &str = "Job ";
const BETWEEN: &str = " reached terminal state ";

/// The longest cause that is kept, in characters.
const CAUSE: usize = 1024;

/// The end that the log tells of this job, and no other. The last such line counts.
pub fn find(log: &str, job: FlinkJobId) -> Option<JobEnd> {
    let lines: Vec<&str> = log.lines().collect();
    let (index, state) = lines.iter().enumerate().rev().find_map(|(index, line)| Some((index, end_in(line, job)?)))?;
    let cause = (state == JobState::Failed).then(|| lines.get(index + 1).and_then(|line| cause_in(line))).flatten();
    Some(JobEnd { job, state, cause })
}

/// The state, if the line tells the job's end. Works inside a JSON-formatted line too.
fn end_in(line: &str, job: FlinkJobId) -> Option<JobState> {
    let needle = format!("{BEFORE}{job}{BETWEEN}");
    let (_, rest) = line.split_once(&needle)?;
    let word: String = rest.chars().take_while(char::is_ascii_uppercase).collect();
    let state = JobState::parse(&word)?;
    matches!(state, JobState::Finished | JobState::Failed | JobState::Canceled).then_some(state)
}

/// The first line of the stack trace that follows a failure: an exception's class and message.
fn cause_in(line: &str) -> Option<String> {
    let class = line.split(':').next()?.trim();
    let is_class = class.contains('.') && class.chars().all(|c| c.is_alphanumeric() || ".$_".contains(c));
    is_class.then(|| line.trim().chars().take(CAUSE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(n: u8) -> FlinkJobId {
        FlinkJobId::parse(&format!("{n:032x}")).unwrap()
    }

    fn line(n: u8, state: &str) -> String {
        format!("2026-11-24 12:00:00,123 INFO  o.a.f.r.dispatcher.StandaloneDispatcher [] - Job {} reached terminal state {state}.\n", job(n))
    }

    #[test]
    fn the_tracked_jobs_end_is_found_and_no_other() {
        let log = format!("start\n{}{}bye\n", line(2, "FAILED"), line(1, "FINISHED"));
        assert_eq!(find(&log, job(1)).map(|end| end.state), Some(JobState::Finished));
        assert_eq!(find(&log, job(3)), None);
        assert_eq!(find(&line(1, "RUNNING"), job(1)), None);
    }

    #[test]
    fn a_failures_cause_is_the_line_behind_it() {
        let log = format!("{}org.apache.flink.runtime.JobException: Recovery is suppressed\n\tat a.b.C.d(C.java:1)\n", line(1, "FAILED"));
        let end = find(&log, job(1)).unwrap();
        assert_eq!(end.cause.as_deref(), Some("org.apache.flink.runtime.JobException: Recovery is suppressed"));
    }

    #[test]
    fn a_json_line_is_read_too() {
        let log = format!(r#"{{"level":"INFO","message":"Job {} reached terminal state CANCELED."}}"#, job(1));
        assert_eq!(find(&log, job(1)).map(|end| end.state), Some(JobState::Canceled));
    }
}
