//! Which JobManagers may have listed the job, and what became of them.

use steadfast_policy::{Looks, Pod, Snapshot};

use crate::diagnosis;
use crate::memory::Memory;
use crate::observations;
use crate::watched::Darkness;

/// So often a JobManager that is moved, or restarts, has its time to submit the job anew. One that goes on has none.
pub const MOVES: u32 = 3;

/// Who answers without the job that an application ran.
pub enum Who {
    /// The one JobManager that listed it.
    TheSame,
    /// Another, or the same container started again; how that is known.
    Another(String),
    /// It may be another, for this reason.
    Unknown(&'static str),
}

/// Who answers. Only where one JobManager alone is there, and listed the job, is it known to be the same.
pub fn who_answers(s: &Snapshot, memory: &Memory) -> Who {
    if let Some(how) = restarted(s, memory) {
        return Who::Another(how);
    }
    if s.pods().is_unanswered() {
        return Who::Unknown("its pods cannot be read, so another JobManager may be about to submit it");
    }
    if memory.answering.iter().any(|pod| !stays(s, pod)) {
        return Who::Another("another JobManager took the place of the one that ran it".to_owned());
    }
    if memory.answering.is_empty() {
        return Who::Unknown("which JobManager ran it was not seen, so this one may be about to submit it");
    }
    if is_only(s, memory.answering.first()) {
        Who::TheSame
    } else {
        Who::Unknown("another of its JobManagers may lead now, and be about to submit it")
    }
}

/// Counts how often the JobManager is another, or its container has restarted. Where one of those that listed the job is left, the
/// others are its standbys.
pub fn note_restarts(s: &Snapshot, memory: &mut Memory) {
    let Some(pod) = s.job_manager() else {
        return;
    };
    let seen = (pod.uid.clone(), pod.restarts());
    if memory.job_manager.as_ref() == Some(&seen) {
        return;
    }
    let more = match &memory.job_manager {
        _ if !memory.answering.is_empty() && restarted(s, memory).is_none() => 0,
        None => 0,
        Some((uid, restarts)) if *uid == seen.0 => seen.1.saturating_sub(*restarts),
        Some(_) => seen.1.saturating_add(1),
    };
    memory.restarts = memory.restarts.saturating_add(more);
    memory.job_manager = Some(seen);
    if more > 0 && memory.restarts <= MOVES && memory.lacked_since.is_some() {
        // Its main() begins anew.
        memory.lacked_since = Some(s.now);
        memory.flink_dark = Darkness::default();
    }
    if more > 0 {
        let before = memory.restarted_at.map_or(s.now, |(last, _)| last);
        memory.restarted_at = Some((s.now, before));
    }
}

/// Notes which JobManagers' pods may have listed the job: an answer that was asked for after the pods were seen is of one that was
/// there then, and ready if any was. One that is known may answer until it is gone, whatever comes beside it.
pub fn note_answering(s: &Snapshot, memory: &mut Memory, looks: &Looks) {
    const REMEMBERED: usize = 4;
    if s.pods().looks().is_none_or(|pods| looks.asked_at < pods.observed_at) {
        return;
    }
    let pods = observations::pods(s);
    let up = || pods.iter().filter(|pod| is_up(pod));
    let any_ready = up().any(Pod::is_ready);
    let may_answer = up().filter(|pod| pod.is_ready() || !any_ready);
    let mut answering: Vec<(String, u32)> = may_answer.map(|pod| (pod.uid.clone(), pod.restarts())).collect();
    let is_left = |(uid, restarts): &&(String, u32)| {
        pods.iter()
            .any(|pod| pod.uid == *uid && !is_over(pod) && pod.restarts() <= *restarts)
    };
    let known = memory.answering.iter().filter(is_left);
    let beside: Vec<(String, u32)> = known
        .filter(|(uid, _)| !answering.iter().any(|(other, _)| other == uid))
        .cloned()
        .collect();
    answering.extend(beside);
    answering.truncate(REMEMBERED);
    if !answering.is_empty() && memory.answering != answering {
        memory.answering = answering;
    }
}

/// Whether a pod is neither going nor over.
fn is_up(pod: &Pod) -> bool {
    pod.deleting_since.is_none() && !is_over(pod)
}

/// Whether a pod has ended for good.
fn is_over(pod: &Pod) -> bool {
    matches!(pod.phase.as_str(), "Failed" | "Succeeded")
}

/// Whether a pod is there as it was.
fn stays(s: &Snapshot, (uid, restarts): &(String, u32)) -> bool {
    let mut pods = observations::pods(s).iter();
    pods.any(|pod| pod.uid == *uid && is_up(pod) && pod.restarts() <= *restarts)
}

/// Whether a pod is there as it was, and no other JobManager beside it.
pub fn is_only(s: &Snapshot, pod: Option<&(String, u32)>) -> bool {
    let up = observations::pods(s).iter().filter(|pod| is_up(pod));
    up.count() == 1 && pod.is_some_and(|pod| stays(s, pod))
}

/// Whether none of the JobManagers is left that last listed the job: the container has restarted, or another pod took its place.
pub fn restarted(s: &Snapshot, memory: &Memory) -> Option<String> {
    if memory.answering.is_empty() || memory.answering.iter().any(|pod| stays(s, pod)) {
        return None;
    }
    let pod = s.job_manager()?;
    let before = |pod: &Pod| memory.answering.iter().find(|(uid, _)| *uid == pod.uid);
    let Some((_, restarts)) = before(pod) else {
        let pods = observations::pods(s).iter();
        let ended = pods.filter(|pod| before(pod).is_some()).find_map(diagnosis::end_of);
        let ended = ended.map_or_else(String::new, |ended| format!(" ({ended})"));
        return Some(format!("pod {} took the JobManager's place{ended}", pod.name));
    };
    if pod.restarts() <= *restarts {
        // It is over, evicted for one, and nothing has taken its place yet.
        return None;
    }
    let container = pod.container.as_ref();
    let ended = container
        .and_then(|c| c.terminated.as_ref())
        .map_or_else(String::new, |ended| format!(": {}", diagnosis::how(ended)));
    let name = container.map_or("", |c| c.name.as_str());
    Some(format!("pod {}, container {name} restarted{ended}", pod.name))
}
