//! How a job ended when its cluster can no longer say so. Never FAILED out of ignorance.

use steadfast_policy::{
    Confidence, EndSource, Fault, Intent, JobEnd, JobState, Millis, Seen, Snapshot, Timestamp, WantedSource,
};

use crate::Verdict;
use crate::memory::Memory;
use crate::observations;
use crate::params::Params;
use crate::rulebook::Rule;
use crate::rules;

/// The reason code of an end that is known only from the cluster's absence.
pub const GONE: &str = "ClusterGone";
/// That of a suspended job whose resource was deleted.
pub const DELETED: &str = "DeletedWhileSuspended";
/// That of one that is known only because Flink no longer lists the job.
pub const LOST: &str = "JobLost";
/// That of one that is taken from what was intended or had begun.
pub const CANCELLED: &str = "Cancelled";
/// The reason codes of ends that nobody told: they are corrected when somebody does.
const GUESSES: [&str; 4] = [GONE, DELETED, LOST, CANCELLED];
/// For so many terminal polls an archive may be written late.
const LATE_LOOKS: u64 = 20;
/// And an archive that cannot be read is asked on after that, so much more slowly, without an end.
const SLOWER: u64 = 10;

/// The Deployment is confirmed gone: what says how the job ended is looked for, for a while, before the verdict.
pub fn of_gone_cluster(s: &Snapshot, params: &Params, memory: &mut Memory, gone_at: Timestamp) -> Verdict {
    if let Some(verdict) = reported_end(s) {
        return verdict;
    }
    let sources = [WantedSource::LastWords, WantedSource::Archive, WantedSource::HaData];
    if is_open(s, params, gone_at, &sources) {
        let message = "the Deployment is gone; looking for what says how the job ended";
        return looking(s, params, gone_at, &sources).because("DeploymentGone", message);
    }
    // What was there before an earlier end says nothing of this one.
    let data = s.ha_data().asked_since(gone_at);
    if data.is_present() && cancellation(s, memory).is_none() {
        return resumable();
    }
    memory.data_unread = data.is_unanswered();
    unreported_end(s, memory, gone_at)
}

fn resumable() -> Verdict {
    let message = "the Deployment is gone and Flink's HA data is still there: the job can be resumed";
    Verdict::confirmed(JobState::Suspended, Rule::GoneWithHaData).because(GONE, message)
}

/// A Flink cluster that answers no longer knows the job. It forgets ended jobs after an hour, or with its JobManager;
/// archives do not.
pub fn of_lost_job(s: &Snapshot, params: &Params, memory: &Memory, lost_at: Timestamp) -> Verdict {
    if let Some(verdict) = reported_end(s) {
        return verdict;
    }
    if is_open(s, params, lost_at, &[WantedSource::Archive]) {
        let message = "Flink answers and no longer knows the job; looking for what says how it ended";
        return looking(s, params, lost_at, &[WantedSource::Archive]).because("JobNotListed", message);
    }
    if cancellation(s, memory).is_some() {
        return unreported_end(s, memory, lost_at);
    }
    let message = "Flink answers and no longer knows the job";
    Verdict::confirmed(JobState::Lost, Rule::JobLost).because(LOST, message)
}

/// Since when an end is looked for. Answers do not outlive the engine that got them: one that starts meanwhile looks anew.
pub fn looked_for_since(s: &Snapshot, began: &mut Option<Timestamp>) -> Timestamp {
    let since = began.filter(|began| *began >= s.engine_since).unwrap_or(s.now);
    *began = Some(since);
    since
}

/// How long the verdict waits for those who may tell the end: as long as one answer may take.
pub fn patience(s: &Snapshot, params: &Params) -> Millis {
    s.poll().plus(s.timeout()).min(params.absence_window.max(s.timeout()))
}

/// Whether one of the looks for the end is not answered yet, and patience not at its end.
fn is_open(s: &Snapshot, params: &Params, since: Timestamp, sources: &[WantedSource]) -> bool {
    sources.iter().any(|source| is_unanswered(s, *source, since)) && s.age(since) < patience(s, params)
}

/// Asks those that have not said whether there is an end.
fn looking(s: &Snapshot, params: &Params, since: Timestamp, sources: &[WantedSource]) -> Verdict {
    let verdict = Verdict::inferred(s.job.state, Rule::LookingForTheEnd).validate_after(patience(s, params));
    let unanswered = sources.iter().filter(|source| is_unanswered(s, **source, since));
    unanswered.fold(verdict, |verdict, source| {
        verdict.want_after(*source, since.saturating_sub(1))
    })
}

/// Whether a source that may tell an end has said nothing of it. What was written at the end, or outlives it, is told by an
/// answer from after it; a log is read while its pod is there.
fn is_unanswered(s: &Snapshot, source: WantedSource, ended: Timestamp) -> bool {
    match source {
        WantedSource::LastWords => knows_job(s) && s.last_words().is_unanswered(),
        WantedSource::Archive => {
            let archive = s.archive();
            knows_job(s) && !archive.is_present() && archive.asked_since(ended).is_unanswered()
        }
        WantedSource::HaData => s.ha_data().asked_since(ended).is_unanswered(),
        WantedSource::Exceptions
        | WantedSource::Checkpoints
        | WantedSource::Kubernetes
        | WantedSource::Events
        | WantedSource::TaskManagers => false,
    }
}

/// Whether there is a job whose end could be told. One that never ran has no id to ask for.
fn knows_job(s: &Snapshot) -> bool {
    s.job.incarnation.flink_job_id.is_some()
}

/// An end that is on record, looked at again. Nobody answers for the job any more, so nobody is polled.
pub fn revisited(s: &Snapshot, memory: &mut Memory) -> Verdict {
    corrected(s, memory, rules::stands(s, Rule::Ended).asleep())
}

/// Whether the end on record was told by nobody.
pub fn is_guessed(s: &Snapshot) -> bool {
    s.job.state.is_terminal() && GUESSES.contains(&s.job.reason.code.as_str())
}

/// An end that stays, unless it was guessed and is told now: a source that speaks late is still heard.
pub fn corrected(s: &Snapshot, memory: &mut Memory, kept: Verdict) -> Verdict {
    let code = s.job.reason.code.as_str();
    if !GUESSES.contains(&code) {
        return kept;
    }
    if knows_job(s)
        && code != DELETED
        && let Some(verdict) = reported_end(s)
    {
        return verdict;
    }
    let verdict = if [GONE, DELETED].contains(&code) {
        by_data(s, memory, kept)
    } else {
        kept
    };
    if verdict.state == JobState::Suspended || code == DELETED || !knows_job(s) {
        return verdict;
    }
    let is_late = s.age(memory.gone_at.unwrap_or(s.job.since)) < s.terminal_poll().times(LATE_LOOKS);
    let pace = match (is_late, s.archive().is_unanswered()) {
        (true, _) => s.terminal_poll(),
        (false, true) => s.terminal_poll().times(SLOWER),
        (false, false) => return verdict,
    };
    let last = s.archive().asked_at().unwrap_or(s.job.since);
    verdict.want_after(WantedSource::Archive, pace.after(last))
}

/// A cluster that is gone: what its HA data says of whether the job can be resumed. That it can is true until the data is gone too,
/// which is looked at on; that it cannot is certain only once somebody has looked.
fn by_data(s: &Snapshot, memory: &mut Memory, kept: Verdict) -> Verdict {
    let is_open = s.job.state == JobState::Suspended || memory.data_unread;
    // Another cluster's data, under the name of the one that is gone, says nothing of this job.
    if !is_open || !s.deployment().is_absent() {
        return kept;
    }
    let data = s.ha_data().asked_since(s.job.since);
    let attention = kept.attention;
    let told = match data {
        Seen::Present { .. } if s.job.state == JobState::Suspended => None,
        Seen::Present { .. } => Some(resumable()),
        Seen::Absent { .. } if s.job.reason.code == DELETED => Some(deleted()),
        Seen::Absent { .. } => Some(unreported_end(s, memory, s.job.since)),
        Seen::Unknown { .. } | Seen::Never => None,
    };
    if let Some(mut verdict) = told {
        memory.data_unread = false;
        verdict.attention = attention;
        return verdict;
    }
    let last = data.asked_at().unwrap_or(s.job.since);
    kept.want_after(WantedSource::HaData, s.terminal_poll().times(SLOWER).after(last))
}

/// A job that was suspended, and for which nothing stands any more.
pub fn deleted() -> Verdict {
    let message = "the job was suspended, and no FlinkDeployment or FlinkSessionJob stands for it any more";
    Verdict::confirmed(JobState::Terminated, Rule::DeletedWhileSuspended).because(DELETED, message)
}

/// A JobManager's log is read by the engine as soon as its pod begins to go. One that told nothing is read again while
/// the pod is there, at growing intervals: right after a rotation it is short.
pub fn words_again(s: &Snapshot, memory: &mut Memory, verdict: Verdict) -> Verdict {
    if !observations::pods(s).iter().any(|pod| pod.deleting_since.is_some()) {
        memory.going_since = None;
        return verdict;
    }
    match s.last_words() {
        Seen::Present { .. } | Seen::Never => verdict,
        Seen::Absent { looks } | Seen::Unknown { looks, .. } => {
            let since = *memory.going_since.get_or_insert(s.now);
            let pause = s.watched_for(since).part(2).max(s.poll().part(20));
            verdict.want_after(WantedSource::LastWords, pause.after(looks.asked_at))
        }
    }
}

/// What the JobManager's last words or an archive tell of the tracked job.
fn reported_end(s: &Snapshot) -> Option<Verdict> {
    let tracked = s.job.incarnation.flink_job_id.as_ref();
    let ends = [s.last_words().present(), s.archive().present()];
    ends.into_iter()
        .flatten()
        .find(|end| Some(&end.job) == tracked)
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
    let message = format!("{who} says the job reached {}{cause}", end.state.word());
    Verdict::confirmed(end.state, rule).because(code, message)
}

/// The cancellation that was seen to begin in this attempt, whatever its JobManager was seen to do since, or was intended.
fn cancellation(s: &Snapshot, memory: &Memory) -> Option<&'static str> {
    let is_on_record = s.job.state == JobState::Cancelling && !s.never_ran();
    if is_on_record || memory.was_cancelling {
        return Some("Flink was cancelling it");
    }
    s.intended(Intent::Cancel).then_some("its cancellation was intended")
}

/// Nothing tells the end, which was found at that moment: what was intended, or seen to begin, explains it; else it is unknown how
/// it ended.
fn unreported_end(s: &Snapshot, memory: &Memory, found: Timestamp) -> Verdict {
    if let Some(seen) = cancellation(s, memory) {
        let message = format!("the job is gone, and {seen}");
        return Verdict::inferred(JobState::Canceled, Rule::GoneWhileCancelling).because(CANCELLED, message);
    }
    let message = "the Deployment is gone and nothing says how the job ended";
    but_unread(
        s,
        Verdict::confirmed(JobState::Terminated, Rule::Gone).because(GONE, message),
        found,
    )
}

/// A verdict that rests on nothing having been told, with what could not be read. HA data that was not read may yet tell that the
/// job can be resumed, and a log that may not be read would have told its end. What was read before it was found says nothing of it.
pub fn but_unread(s: &Snapshot, verdict: Verdict, found: Timestamp) -> Verdict {
    let why = |fault: Option<&Fault>| {
        fault
            .map_or("no answer in time", |fault| fault.message.as_str())
            .to_owned()
    };
    let mut unread = Vec::new();
    if let Seen::Unknown { fault, .. } = s.last_words()
        && fault.is_denied()
    {
        unread.push(format!("the JobManager's log ({})", fault.message));
    }
    let data = s.ha_data().asked_since(found);
    if data.is_unanswered() {
        unread.push(format!("Flink's HA data ({})", why(data.fault())));
    }
    if unread.is_empty() {
        return verdict;
    }
    verdict
        .as_sure_as(Confidence::Inferred)
        .also(&format!("not read: {}", unread.join(", ")))
}
