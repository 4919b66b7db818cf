//! Finds in a JobManager's log how a job ended.

use steadfast_core::facts::{EndSource, JobEnd};
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
    let needle = format!("{BEFORE}{job}{BETWEEN}");
    let lines: Vec<&str> = log.lines().collect();
    let told = lines
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, line)| line.contains(&needle));
    let mut ends = told.filter_map(|(index, line)| match message_in(line, &needle) {
        // In a JSON-formatted log, the stack trace stands in the same string.
        Some(message) => end_in(&needle, job, message.lines()),
        None => end_in(&needle, job, lines.iter().skip(index).copied()),
    });
    ends.next()
}

/// The end that the first of these lines tells. A failure's cause is the line behind it.
fn end_in<'a>(needle: &str, job: FlinkJobId, lines: impl Iterator<Item = &'a str>) -> Option<JobEnd> {
    let mut lines = lines.skip_while(|line| !line.contains(needle));
    let (_, rest) = lines.next()?.split_once(needle)?;
    let word: String = rest.chars().take_while(char::is_ascii_uppercase).collect();
    let state = JobState::parse(&word)?;
    if !matches!(state, JobState::Finished | JobState::Failed | JobState::Canceled) {
        return None;
    }
    let cause = (state == JobState::Failed).then(|| lines.next().and_then(cause_in));
    Some(JobEnd {
        job,
        state,
        cause: cause.flatten(),
        ended_at: None,
        told_by: EndSource::LastWords,
    })
}

/// If the line is a JSON object: the string in it, at whatever depth, that holds the needle.
fn message_in(line: &str, needle: &str) -> Option<String> {
    let object = line.get(line.find('{')?..)?;
    let mut values = vec![serde_json::from_str::<serde_json::Value>(object.trim_end()).ok()?];
    while let Some(value) = values.pop() {
        match value {
            serde_json::Value::String(text) if text.contains(needle) => return Some(text),
            serde_json::Value::Array(items) => values.extend(items),
            serde_json::Value::Object(fields) => values.extend(fields.into_iter().map(|(_, value)| value)),
            serde_json::Value::String(_)
            | serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_) => {}
        }
    }
    None
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
        format!(
            "2026-11-24 12:00:00,123 INFO  o.a.f.r.dispatcher.StandaloneDispatcher [] - Job {} reached terminal state {state}.\n",
            job(n)
        )
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
        let log = format!(
            "{}org.apache.flink.runtime.JobException: Recovery is suppressed\n\tat a.b.C.d(C.java:1)\n",
            line(1, "FAILED")
        );
        let end = find(&log, job(1)).unwrap();
        assert_eq!(
            end.cause.as_deref(),
            Some("org.apache.flink.runtime.JobException: Recovery is suppressed")
        );
    }

    #[test]
    fn a_json_line_is_read_too() {
        let log = format!(
            r#"{{"level":"INFO","message":"Job {} reached terminal state CANCELED."}}"#,
            job(1)
        );
        assert_eq!(find(&log, job(1)).map(|end| end.state), Some(JobState::Canceled));
        let log = format!(
            r#"2026-11-24T12:00:00Z stdout F {{"log":{{"message":"Job {} reached terminal state FAILED.\na.b.Trouble: \"it\"\n\tat a.b.C"}}}}"#,
            job(1)
        );
        let end = find(&log, job(1)).unwrap();
        assert_eq!(
            (end.state, end.cause.as_deref()),
            (JobState::Failed, Some("a.b.Trouble: \"it\""))
        );
    }

    #[test]
    fn both_versions_last_words_are_understood() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        for version in ["flink-2.2.0", "flink-1.20.3"] {
            for (scene, id, state) in [
                ("finished", "ffffffffa021a4190000000000000000", JobState::Finished),
                ("failed", "000000006412c0d00000000000000000", JobState::Failed),
                ("canceled", "ffffffffa02197de0000000000000000", JobState::Canceled),
            ] {
                let path = root.join(format!("{version}/{scene}-cluster-ends/jobmanager-log-tail.txt"));
                let end = find(&std::fs::read_to_string(path).unwrap(), FlinkJobId::parse(id).unwrap()).unwrap();
                assert_eq!(end.state, state, "{version} {scene}");
                assert_eq!(
                    end.cause.is_some(),
                    state == JobState::Failed,
                    "{version} {scene}: {end:?}"
                );
            }
        }
    }
}
