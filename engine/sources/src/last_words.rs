//! Finds in a JobManager's log how a job ended.
//!
//! Flink's own line is believed of the dispatcher that writes it, where the log's layout shows who wrote a line: see
//! [`logger`]. Where it shows none, and within a message of several lines, whoever can print can print that line too.

mod logger;

use regex::Regex;
use steadfast_core::facts::{EndSource, JobEnd};
use steadfast_core::id::FlinkJobId;
use steadfast_core::state::JobState;

use crate::flink::parse::headline;
use crate::json;

/// What Flink's dispatcher logs when a job has ended (Flink 1.13 to 2.3,
/// `org.apache.flink.runtime.dispatcher.Dispatcher`).
const BEFORE: &str = "Job ";
const BETWEEN: &str = " reached terminal state ";

/// The longest cause that is kept, in characters.
const CAUSE: usize = 1024;

/// An operator's own pattern for the line, for log layouts that reword it: a regular expression with the groups `job`
/// (32 hex digits) and `state` (a word of Flink's), and possibly `cause`. Flink's own line is understood all the same.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

/// Why a text is no such pattern.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression.
    #[error("is no regular expression")]
    Syntax(#[source] Box<regex::Error>),
    /// It does not say where the job or the state stands.
    #[error("has no group named `{0}`")]
    Group(&'static str),
}

impl Pattern {
    /// Reads and checks a pattern. Fails if it is no regular expression, or lacks one of the groups.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let regex = Regex::new(text).map_err(|error| PatternError::Syntax(Box::new(error)))?;
        let has = |group: &str| regex.capture_names().flatten().any(|name| name == group);
        match ["job", "state"].into_iter().find(|group| !has(group)) {
            Some(group) => Err(PatternError::Group(group)),
            None => Ok(Self(regex)),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

/// The end that the log names of this job, and no other. The last such line counts that the dispatcher wrote, as far as the
/// layout shows it.
pub fn find(log: &str, job: FlinkJobId, pattern: Option<&Pattern>) -> Option<JobEnd> {
    let reading = Reading {
        needle: format!("{BEFORE}{job}{BETWEEN}"),
        job,
        pattern,
        shows_loggers: logger::are_shown_in(log),
    };
    let lines: Vec<&str> = log.lines().collect();
    let mut ends = lines.iter().enumerate().rev().filter_map(|(index, line)| {
        if !reading.may_name_an_end(line) {
            return None;
        }
        // In a JSON-formatted log, the stack trace stands in the same string.
        match reading.message_in(line) {
            Some(message) => reading.end_in(message.text.lines(), message.is_dispatchers),
            None => reading.end_in(lines.iter().skip(index).copied(), false),
        }
    });
    ends.next()
}

/// What is looked for in a log.
struct Reading<'a> {
    needle: String,
    job: FlinkJobId,
    pattern: Option<&'a Pattern>,
    /// Whether the layout shows who wrote a line.
    shows_loggers: bool,
}

/// A text of a JSON object that may name an end.
struct Message {
    text: String,
    /// Whether another text of the object names a dispatcher.
    is_dispatchers: bool,
}

impl Reading<'_> {
    /// Whether the line names an end, as far as can be seen before it is taken apart.
    fn may_name_an_end(&self, text: &str) -> bool {
        text.contains(&self.needle) || self.pattern.is_some_and(|Pattern(regex)| regex.is_match(text))
    }

    /// State and cause, if this line names them for the job.
    fn end_in_line(&self, line: &str, is_dispatchers: bool) -> Option<(JobState, Option<String>)> {
        if let Some((head, rest)) = line.split_once(&self.needle) {
            if self.shows_loggers && !is_dispatchers && !logger::names_dispatcher(head) {
                return None;
            }
            let word: String = rest.chars().take_while(char::is_ascii_uppercase).collect();
            return final_state(&word).map(|state| (state, None));
        }
        let groups = self.pattern?.0.captures(line)?;
        if FlinkJobId::parse(groups.name("job")?.as_str()) != Some(self.job) {
            return None;
        }
        let state = final_state(&groups.name("state")?.as_str().to_ascii_uppercase())?;
        Some((state, groups.name("cause").and_then(|cause| shortened(cause.as_str()))))
    }

    /// The end that the first of these lines names. A failure's cause stands in it, or in the stack trace behind it.
    fn end_in<'l>(&self, lines: impl Iterator<Item = &'l str>, is_dispatchers: bool) -> Option<JobEnd> {
        let mut lines = lines.skip_while(|line| !self.may_name_an_end(line));
        let (state, cause) = self.end_in_line(lines.next()?, is_dispatchers)?;
        let cause = cause.or_else(|| cause_in(lines));
        Some(JobEnd {
            job: self.job,
            state,
            cause: cause.filter(|_| state == JobState::Failed).map(Into::into),
            ended_at: None,
            told_by: EndSource::LastWords,
        })
    }

    /// If the line is a JSON object: the string in it, at whatever depth, that names an end.
    fn message_in(&self, line: &str) -> Option<Message> {
        let object = line.get(line.find('{')?..)?;
        let mut values = vec![json::from_str::<serde_json::Value>(object.trim_end()).ok()?];
        let (mut found, mut is_dispatchers) = (None, false);
        while let Some(value) = values.pop() {
            match value {
                serde_json::Value::String(text) if self.may_name_an_end(&text) => found = Some(text),
                serde_json::Value::String(text) => is_dispatchers |= logger::names_dispatcher(&text),
                serde_json::Value::Array(items) => values.extend(items),
                serde_json::Value::Object(fields) => values.extend(fields.into_iter().map(|(_, value)| value)),
                serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
            }
        }
        found.map(|text| Message { text, is_dispatchers })
    }
}

/// A state that ends a job for good.
fn final_state(word: &str) -> Option<JobState> {
    JobState::parse(word).filter(|state| matches!(state, JobState::Finished | JobState::Failed | JobState::Canceled))
}

fn shortened(cause: &str) -> Option<String> {
    let cause: String = cause.trim().chars().take(CAUSE).collect();
    (!cause.is_empty()).then_some(cause)
}

/// What the stack trace says that follows a failure, if one does: the exception's class and message, and its cause's.
fn cause_in<'l>(mut lines: impl Iterator<Item = &'l str>) -> Option<String> {
    let first = lines.next()?;
    let class = first.split(':').next()?.trim();
    let is_class = class.contains('.') && class.chars().all(|c| c.is_alphanumeric() || ".$_".contains(c));
    if !is_class {
        return None;
    }
    let is_trace = |line: &&str| line.starts_with([' ', '\t']) || line.starts_with("Caused by: ");
    let trace: Vec<&str> = std::iter::once(first).chain(lines.take_while(is_trace)).collect();
    shortened(&headline(&trace.join("\n")))
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
        assert_eq!(find(&log, job(1), None).map(|end| end.state), Some(JobState::Finished));
        assert_eq!(find(&log, job(3), None), None);
        assert_eq!(find(&line(1, "RUNNING"), job(1), None), None);
    }

    #[test]
    fn a_failures_cause_is_in_the_trace_behind_it() {
        let log = format!(
            "{}org.apache.flink.runtime.JobException: Recovery is suppressed\n\tat a.b.C.d(C.java:1)\n",
            line(1, "FAILED")
        );
        let end = find(&log, job(1), None).unwrap();
        assert_eq!(
            end.cause.as_deref(),
            Some("org.apache.flink.runtime.JobException: Recovery is suppressed")
        );
        let caused = format!("{log}Caused by: a.b.Trouble: it\n\t... 4 more\n{}", line(2, "FAILED"));
        let end = find(&format!("{caused}Caused by: a.b.Another: trace\n"), job(1), None).unwrap();
        assert_eq!(
            end.cause.as_deref(),
            Some("org.apache.flink.runtime.JobException: Recovery is suppressed; caused by a.b.Trouble: it")
        );
    }

    #[test]
    fn a_json_line_is_read_too() {
        let log = format!(
            r#"{{"level":"INFO","message":"Job {} reached terminal state CANCELED."}}"#,
            job(1)
        );
        assert_eq!(find(&log, job(1), None).map(|end| end.state), Some(JobState::Canceled));
        let log = format!(
            r#"2026-11-24T12:00:00Z stdout F {{"log":{{"message":"Job {} reached terminal state FAILED.\na.b.Trouble: \"it\"\n\tat a.b.C"}}}}"#,
            job(1)
        );
        let end = find(&log, job(1), None).unwrap();
        assert_eq!(
            (end.state, end.cause.as_deref()),
            (JobState::Failed, Some("a.b.Trouble: \"it\""))
        );
    }

    #[test]
    fn a_line_that_a_job_prints_is_not_flinks() {
        let flinks = format!(
            "12:00 INFO  org.apache.flink.runtime.jobmaster.JobMaster [] - Starting\n{}",
            line(1, "FINISHED")
        );
        for printed in [
            format!("Job {} reached terminal state FAILED.\n", job(1)),
            format!(
                "12:01 INFO  com.acme.Orders [] - Job {} reached terminal state FAILED.\n",
                job(1)
            ),
            format!(
                "{{\"logger\":\"com.acme.Orders\",\"message\":\"Job {} reached terminal state FAILED.\"}}\n",
                job(1)
            ),
        ] {
            let end = find(&format!("{flinks}{printed}"), job(1), None);
            assert_eq!(end.map(|end| end.state), Some(JobState::Finished), "{printed}");
            let alone = format!("12:00 INFO  org.apache.flink.runtime.jobmaster.JobMaster [] - Starting\n{printed}");
            assert_eq!(find(&alone, job(1), None), None, "{printed}");
        }
        let json = format!(
            "{{\"logger\":\"org.apache.flink.runtime.dispatcher.StandaloneDispatcher\",\"message\":\"Job {} reached terminal \
             state FAILED.\"}}",
            job(1)
        );
        assert_eq!(find(&json, job(1), None).map(|end| end.state), Some(JobState::Failed));
    }

    #[test]
    fn where_a_layout_shows_no_loggers_the_words_count() {
        let log = format!(
            "12:00 INFO Starting\n12:01 INFO Job {} reached terminal state FAILED.\n",
            job(1)
        );
        assert_eq!(find(&log, job(1), None).map(|end| end.state), Some(JobState::Failed));
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
                let end = find(
                    &std::fs::read_to_string(path).unwrap(),
                    FlinkJobId::parse(id).unwrap(),
                    None,
                )
                .unwrap();
                assert_eq!(end.state, state, "{version} {scene}");
                assert_eq!(
                    end.cause
                        .is_some_and(|cause| cause.contains("caused by java.lang.IllegalStateException: intended")),
                    state == JobState::Failed,
                    "{version} {scene}"
                );
            }
        }
    }

    #[test]
    fn an_operators_own_pattern_is_understood_beside_flinks_line() {
        let pattern = Pattern::parse(r"job=(?P<job>[0-9a-f]{32}) end=(?P<state>\w+)(?: why=(?P<cause>.+))?").unwrap();
        let find = |log: &str| find(log, job(1), Some(&pattern));
        let end = find(&format!("job={} end=failed why=out of luck\n", job(1))).unwrap();
        assert_eq!(
            (end.state, end.cause.as_deref()),
            (JobState::Failed, Some("out of luck"))
        );
        let json = format!(r#"{{"msg":"job={} end=FAILED\na.b.Trouble: it"}}"#, job(1));
        let end = find(&json).unwrap();
        assert_eq!(
            (end.state, end.cause.as_deref()),
            (JobState::Failed, Some("a.b.Trouble: it"))
        );
        assert_eq!(find(&format!("job={} end=FINISHED", job(2))), None, "another job's");
        assert_eq!(find(&format!("job={} end=RUNNING", job(1))), None, "no end");
        assert_eq!(
            find(&line(1, "CANCELED")).map(|end| end.state),
            Some(JobState::Canceled)
        );
    }

    #[test]
    fn a_pattern_must_say_where_job_and_state_stand() {
        for (text, message) in [
            ("(?P<job>.*", "is no regular expression"),
            ("ended: (?P<state>.*)", "has no group named `job`"),
            ("ended: (?P<job>.*)", "has no group named `state`"),
        ] {
            assert_eq!(Pattern::parse(text).unwrap_err().to_string(), message);
        }
    }
}
