//! How a job ended when its cluster can no longer say so. Never FAILED out of ignorance.

use steadfast_policy::{
    Confidence, EndSource, HaDataAnswer, Intent, JobEnd, JobEndAnswer, JobEndEvidence, JobState, Snapshot, Timestamp,
    Want, WantedSource,
};

use crate::memory::Memory;
use crate::params::Params;
use crate::rulebook::Rule;
use crate::sight;
use crate::verdict::Verdict;

/// The reason code of an end that is known only from the cluster's absence.
pub const GONE: &str = "ClusterGone";
/// That of one that is known only because Flink no longer lists the job.
const LOST: &str = "JobLost";
/// That of one that is taken from what was intended or had begun.
const CANCELLED: &str = "Cancelled";
/// For so many terminal polls an archive may be written late.
const LATE_LOOKS: u64 = 20;
/// And an archive that cannot be read is asked on after that, so much more slowly, without an end.
const SLOWER: u64 = 10;

/// The Deployment is confirmed gone: what says how the job ended is looked for, for a while, before the verdict.
pub fn of_gone_cluster(s: &Snapshot, params: &Params, gone_at: Timestamp) -> Verdict {
    if let Some(verdict) = told(s) {
        return verdict;
    }
    let sources = [WantedSource::LastWords, WantedSource::Archive, WantedSource::HaData];
    if let Some(wants) = open_looks(s, params, gone_at, &sources) {
        let message = "the Deployment is gone; looking for what says how the job ended";
        return looking(s, params, "DeploymentGone", message, wants);
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

/// A Flink cluster that answers no longer knows the job. It forgets ended jobs after an hour, or with its JobManager;
/// archives do not.
pub fn of_lost_job(s: &Snapshot, params: &Params, lost_at: Timestamp) -> Verdict {
    if let Some(verdict) = told(s) {
        return verdict;
    }
    if let Some(wants) = open_looks(s, params, lost_at, &[WantedSource::Archive]) {
        let message = "Flink answers and no longer knows the job; looking for what says how it ended";
        return looking(s, params, "JobNotListed", message, wants);
    }
    if s.job.state == JobState::Cancelling || sight::intended(s, Intent::Cancel) {
        return untold(s);
    }
    let message = "Flink answers and no longer knows the job";
    Verdict::new(JobState::Lost, Confidence::Confirmed, Rule::JobLost, LOST, message)
}

/// How long the verdict waits for those who may tell the end.
fn patience(s: &Snapshot, params: &Params) -> u64 {
    s.timing
        .poll
        .saturating_add(s.timing.timeout)
        .min(params.absence_window.get())
}

/// The looks for the end that are not answered yet; `None` once all are, or patience is at its end.
fn open_looks(s: &Snapshot, params: &Params, since: Timestamp, sources: &[WantedSource]) -> Option<Vec<Want>> {
    let is_open = |source: &&WantedSource| match source {
        WantedSource::LastWords => knows_job(s) && is_unanswered(s.last_words.as_ref()),
        WantedSource::Archive => knows_job(s) && is_unanswered(s.archive.as_ref()),
        WantedSource::HaData => s
            .ha_data
            .as_ref()
            .is_none_or(|evidence| matches!(evidence.answer, HaDataAnswer::Unknown(_))),
        WantedSource::Exceptions
        | WantedSource::Checkpoints
        | WantedSource::Kubernetes
        | WantedSource::Events
        | WantedSource::TaskManagers => false,
    };
    let wants: Vec<Want> = sources
        .iter()
        .filter(is_open)
        .map(|source| Want {
            source: *source,
            observed_after: since.saturating_sub(1),
        })
        .collect();
    (!wants.is_empty() && sight::age(s, since) < patience(s, params)).then_some(wants)
}

fn looking(s: &Snapshot, params: &Params, code: &str, message: &str, wants: Vec<Want>) -> Verdict {
    let verdict = Verdict::new(s.job.state, Confidence::Inferred, Rule::LookingForTheEnd, code, message);
    wants
        .into_iter()
        .fold(verdict, |verdict, want| verdict.want(want.source, want.observed_after))
        .validate_within(patience(s, params))
}

/// Whether there is a job whose end could be told. One that never ran has no id to ask for.
fn knows_job(s: &Snapshot) -> bool {
    s.job.incarnation.flink_job_id.is_some()
}

/// Whether nobody has said whether there is an end.
fn is_unanswered(evidence: Option<&JobEndEvidence>) -> bool {
    evidence.is_none_or(|evidence| matches!(evidence.answer, JobEndAnswer::Unknown(_)))
}

/// An end that is on record, looked at again. Nobody answers for the job any more, so nobody is polled.
pub fn revisited(s: &Snapshot, memory: &Memory) -> Verdict {
    let confidence = if s.job.confidence == Confidence::Stale {
        Confidence::Inferred
    } else {
        s.job.confidence
    };
    corrected(s, memory, Verdict::kept(s, confidence, Rule::Ended).sleeping())
}

/// An end that stays, unless it was guessed and is told now: a source that speaks late is still heard.
pub fn corrected(s: &Snapshot, memory: &Memory, kept: Verdict) -> Verdict {
    let guessed = [GONE, LOST, CANCELLED].contains(&s.job.reason.code.as_str());
    if !guessed || !knows_job(s) {
        return kept;
    }
    if let Some(verdict) = told(s) {
        return verdict;
    }
    let is_late =
        sight::age(s, memory.gone_at.unwrap_or(s.job.since)) < s.timing.terminal_poll.saturating_mul(LATE_LOOKS);
    let pace = match (is_late, is_unanswered(s.archive.as_ref())) {
        (true, _) => s.timing.terminal_poll,
        (false, true) => s.timing.terminal_poll.saturating_mul(SLOWER),
        (false, false) => return kept,
    };
    let last = s
        .archive
        .as_ref()
        .map_or(s.job.since, |evidence| evidence.looks.asked_at);
    kept.want(WantedSource::Archive, sight::after(last, pace))
}

/// A JobManager's log is read by the engine as soon as its pod begins to go. One that told nothing is read again while
/// the pod is there, at growing intervals: right after a rotation it is short.
pub fn words_again(s: &Snapshot, memory: &mut Memory) -> Option<Want> {
    if !sight::pods(s).iter().any(|pod| pod.deleting_since.is_some()) {
        memory.going_since = None;
        return None;
    }
    let words = s.last_words.as_ref()?;
    match words.answer {
        JobEndAnswer::Present(_) => None,
        JobEndAnswer::Absent | JobEndAnswer::Unknown(_) => {
            let since = *memory.going_since.get_or_insert(s.now);
            let pause = (sight::age(s, since) / 2).max(s.timing.poll / 20);
            Some(Want {
                source: WantedSource::LastWords,
                observed_after: sight::after(words.looks.asked_at, pause),
            })
        }
    }
}

/// What the JobManager's last words or an archive tell of the tracked job.
fn told(s: &Snapshot) -> Option<Verdict> {
    [&s.last_words, &s.archive]
        .into_iter()
        .find_map(|evidence| of_this_job(s, evidence.as_ref()))
        .map(tell)
}

fn tell(end: &JobEnd) -> Verdict {
    let (rule, code, who) = match end.told_by {
        EndSource::LastWords => (Rule::LastWords, "LastWords", "the JobManager's log"),
        EndSource::Archive => (Rule::Archive, "Archive", "the archive"),
        EndSource::HistoryServer => (Rule::Archive, "HistoryServer", "the HistoryServer"),
        EndSource::JobResultStore => (Rule::Archive, "JobResultStore", "the JobResultStore"),
    };
    let cause = end
        .cause
        .as_ref()
        .map_or_else(String::new, |cause| format!(": {cause}"));
    let message = format!("{who} says the job reached {}{cause}", sight::word(end.state));
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
            CANCELLED,
            message,
        );
    }
    let message = "the Deployment is gone and nothing says how the job ended";
    Verdict::new(JobState::Terminated, Confidence::Confirmed, Rule::Gone, GONE, message)
}
