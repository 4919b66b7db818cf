//! The end of a JobManager's log, in which Flink says how a job ended.

use std::sync::LazyLock;

use steadfast_sources::last_words::{Pattern, find};

use super::flink_bodies::job_in;
use crate::fakes::{choice, head};
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "last_words",
    words: &[
        "Job ",
        " reached terminal state ",
        "FINISHED.",
        "FAILED.",
        "CANCELED.",
        "RUNNING.",
        "Caused by: ",
        "\tat a.b.C.d(C.java:1)",
        "org.apache.flink.runtime.dispatcher.StandaloneDispatcher",
        "org.apache.flink.runtime.jobmaster.JobMaster",
        "{\"message\":\"",
        "\"logger\":",
        " [] - ",
        "INFO ",
        " ended: ",
        "\\n",
    ],
    seeds,
    check,
};

/// Patterns of operators: that of config.toml, and one that repeats what repeats.
static PATTERNS: LazyLock<[Pattern; 2]> = LazyLock::new(|| {
    [
        r"(?P<job>[0-9a-f]{32}) ended: (?P<state>\w+)",
        r"(?:(?:a|b)*)*(?P<job>[0-9a-f]+)(?:\s*)*(?P<state>\w*)(?P<cause>.*)",
    ]
    .map(|text| Pattern::parse(text).unwrap())
});

/// Behind what chooses the pattern: the log.
fn seeds() -> Vec<Vec<u8>> {
    let id = "ffffffffa021a4190000000000000000";
    let mut all = vec![
        format!("1{id} ended: FAILED\na.b.C: it\n\tat a.b.C\n").into_bytes(),
        format!("2{id} FAILED because\n").into_bytes(),
        format!(
            "0INFO o.a.f.r.dispatcher.StandaloneDispatcher [] - Job {id} reached terminal state FINISHED.\na.b.C: it\n"
        )
        .into_bytes(),
        format!("0{{\"level\":\"INFO\",\"message\":\"Job {id} reached terminal state FAILED.\\na.b.C: it\"}}\n")
            .into_bytes(),
    ];
    let logs = seeds::files("tests/fixtures", |path| path.ends_with("log-tail.txt"));
    for (_, log) in &logs {
        // The lines around the one that counts: a whole log is long.
        let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
        let says = |line: &&[u8]| String::from_utf8_lossy(line).contains("reached terminal state");
        let at = lines.iter().position(says).unwrap_or(0);
        let around = &lines[at.saturating_sub(3)..lines.len().min(at + 30)];
        all.push(seeds::input("0", &around.concat()));
    }
    all
}

fn check(input: &[u8]) {
    let ([pattern], log) = head(input);
    let job = job_in(log);
    let log = String::from_utf8_lossy(log);
    let pattern = match choice(pattern, 3) {
        0 => None,
        number => Some(&PATTERNS[number - 1]),
    };
    if let Some(end) = find(&log, job, pattern) {
        assert_eq!(end.job, job);
        hold::end(&end);
        assert!(
            log.to_lowercase().contains(&job.to_string()) || log.contains('\\'),
            "of this job nothing is said"
        );
    }
}
