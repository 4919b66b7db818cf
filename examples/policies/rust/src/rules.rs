//! The rules, for people who ask why.

use steadfast_policy::Rule;

/// What `describe` says of them: name, what it says, why, and what would change it.
pub(crate) fn described() -> Vec<Rule> {
    [
        (
            "flink",
            "Flink lists the job: its word is the state",
            "the cluster that runs a job knows it best",
            "another answer of Flink",
        ),
        (
            "ended",
            "the job has ended and Flink no longer lists it: the end stands",
            "a Flink cluster may forget a job that has ended, and may go",
            "Flink listing the job again",
        ),
        (
            "starting",
            "the job was never seen and its Deployment is there: it is starting",
            "a JobManager answers only some time after its Deployment was made",
            "Flink listing the job",
        ),
        (
            "unseen",
            "nothing has shown the job yet: nothing is claimed",
            "what was never seen cannot be gone",
            "the Deployment, or Flink listing the job",
        ),
        (
            "unknown",
            "Flink gave no answer that can be used: the state stays, stale",
            "an error says nothing about the job",
            "Flink's next answer",
        ),
        (
            "missing",
            "fewer than `absence_confirmations` complete answers lack the job: the state stays, stale",
            "one answer may come from a JobManager that is still recovering",
            "more such answers, or Flink listing it",
        ),
        (
            "lost",
            "`absence_confirmations` complete answers lack the job: it is lost",
            "a cluster that answers and does not know a job does not run it",
            "Flink listing the job again",
        ),
    ]
    .map(|(name, says, because, changed_by)| Rule {
        name: name.into(),
        says: says.into(),
        because: because.into(),
        changed_by: changed_by.into(),
    })
    .to_vec()
}
