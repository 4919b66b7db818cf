//! How a job ended when its cluster can no longer say so. Never FAILED out of ignorance.

use steadfast_policy::{
    Confidence, HaDataAnswer, Intent, JobEnd, JobEndAnswer, JobEndEvidence, JobState, Looks, Snapshot, Timestamp,
    WantedSource,
};

use crate::memory::Memory;
use crate::params::Params;
use crate::rulebook::Rule;
use crate::sight;
use crate::verdict::Verdict;

/// The reason code of an end that is known only from the cluster's absence.
pub const GONE: &str = "ClusterGone";

/// The Deployment is confirmed gone: what says how the job ended is looked for, for a while, before the verdict.
pub fn of_gone_cluster(s: &Snapshot, params: &Params, gone_at: Timestamp) -> Verdict {
    if let Some(verdict) = told(s) {
        return verdict;
    }
    let patience = s
        .timing
        .poll
        .saturating_add(s.timing.timeout)
        .min(params.absence_window.get());
    let waits = [
        (
            WantedSource::LastWords,
            needs_look(
                s.last_words
                    .as_ref()
                    .map(|e| (&e.looks, matches!(e.answer, JobEndAnswer::Unknown(_)))),
            ),
        ),
        (
            WantedSource::Archive,
            needs_look(
                s.archive
                    .as_ref()
                    .map(|e| (&e.looks, matches!(e.answer, JobEndAnswer::Unknown(_)))),
            ),
        ),
        (
            WantedSource::HaData,
            needs_look(
                s.ha_data
                    .as_ref()
                    .map(|e| (&e.looks, matches!(e.answer, HaDataAnswer::Unknown(_)))),
            ),
        ),
    ];
    if sight::age(s, gone_at) < patience && waits.iter().any(|(_, wait)| *wait) {
        let message = "the Deployment is gone; looking for what says how the job ended";
        let verdict = Verdict::new(
            s.job.state,
            Confidence::Inferred,
            Rule::LookingForTheEnd,
            "DeploymentGone",
            message,
        );
        return waits
            .into_iter()
            .filter(|(_, wait)| *wait)
            .fold(verdict, |verdict, (source, _)| {
                verdict.want(source, gone_at.saturating_sub(1))
            })
            .validate_within(patience);
    }
    if let Some(HaDataAnswer::Present(_)) = s.ha_data.as_ref().map(|e| &e.answer)
        && s.job.state != JobState::Cancelling
        && !sight::intended(s, Intent::Cancel)
    {
        let message = "the Deployment is gone and Flink's HA data is still there: the job can be resumed";
        return Verdict::new(
            JobState::Suspended,
            Confidence::Confirmed,
            Rule::GoneWithHaData,
            GONE,
            message,
        );
    }
    untold(s)
}

/// Whether a look at this source has not yet been answered.
fn needs_look(evidence: Option<(&Looks, bool)>) -> bool {
    evidence.is_none_or(|(_, unknown)| unknown)
}

/// A Flink cluster that answers no longer knows the job.
pub fn of_lost_job(s: &Snapshot) -> Verdict {
    if let Some(verdict) = told(s) {
        return verdict;
    }
    if s.job.state == JobState::Cancelling || sight::intended(s, Intent::Cancel) {
        return untold(s);
    }
    let message = "Flink answers and no longer knows the job";
    Verdict::new(JobState::Lost, Confidence::Confirmed, Rule::JobLost, "JobLost", message)
}

/// An end that is on record, looked at again: a source that speaks late is still heard.
pub fn revisited(s: &Snapshot, memory: &Memory, looks: &Looks) -> Verdict {
    let guessed = s.job.reason.code == GONE;
    if guessed && let Some(verdict) = told(s) {
        return verdict;
    }
    let confidence = if s.job.confidence == Confidence::Stale {
        Confidence::Inferred
    } else {
        s.job.confidence
    };
    let kept = Verdict::kept(s, confidence, Rule::Ended).sleeping();
    // Twenty looks are enough for an archive that is written late.
    let late = s.timing.terminal_poll.saturating_mul(20);
    if guessed && sight::age(s, memory.gone_at.unwrap_or(looks.asked_at)) < late {
        let last = s
            .archive
            .as_ref()
            .map_or(s.job.since, |evidence| evidence.looks.asked_at);
        return kept.want(WantedSource::Archive, sight::after(last, s.timing.terminal_poll));
    }
    kept
}

/// What the JobManager's last words or an archive tell of the tracked job.
fn told(s: &Snapshot) -> Option<Verdict> {
    if let Some(end) = of_this_job(s, s.last_words.as_ref()) {
        return Some(tell(end, Rule::LastWords, "LastWords", "the JobManager's log says"));
    }
    of_this_job(s, s.archive.as_ref()).map(|end| tell(end, Rule::Archive, "Archive", "the archive says"))
}

fn tell(end: &JobEnd, rule: Rule, code: &str, who: &str) -> Verdict {
    let cause = end
        .cause
        .as_ref()
        .map_or_else(String::new, |cause| format!(": {cause}"));
    let message = format!("{who} the job reached {}{cause}", sight::word(end.state));
    Verdict::new(end.state, Confidence::Confirmed, rule, code, message)
}

fn of_this_job<'a>(s: &Snapshot, evidence: Option<&'a JobEndEvidence>) -> Option<&'a JobEnd> {
    match &evidence?.answer {
        JobEndAnswer::Present(end) => (Some(&end.job) == s.job.incarnation.flink_job_id.as_ref()).then_some(end),
        JobEndAnswer::Absent | JobEndAnswer::Unknown(_) => None,
    }
}

/// Nothing tells the end: what was intended, or seen to begin, explains it; else it is unknown how it ended.
fn untold(s: &Snapshot) -> Verdict {
    if s.job.state == JobState::Cancelling || sight::intended(s, Intent::Cancel) {
        let seen = if s.job.state == JobState::Cancelling {
            "Flink was cancelling it"
        } else {
            "its cancellation was intended"
        };
        let message = format!("the job is gone, and {seen}");
        return Verdict::new(
            JobState::Canceled,
            Confidence::Inferred,
            Rule::GoneWhileCancelling,
            "Cancelled",
            message,
        );
    }
    let message = "the Deployment is gone and nothing says how the job ended";
    Verdict::new(JobState::Terminated, Confidence::Confirmed, Rule::Gone, GONE, message)
}
