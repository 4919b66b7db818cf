//! Look-ups in flight: one at a time of each source for each job, with pauses between them.
//!
//! Which look-ups are open is core's rule ([`steadfast_core::board::lookups`]); here stands what that rule must not know: what is
//! under way, what failed, and when the next attempt may be made.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::decision::LookupSource;
use steadfast_core::evidence::Fault;
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::time::Timestamp;

/// Of how many targets of a cluster the objects are asked for by name at once. If more are in question, something happened to
/// all of them, and a list tells of all of them.
const ASKED_FOR_AT_ONCE: usize = 16;
/// How many jobs of a cluster wait for such a place to become free. More have something in common, and are left to the list.
const IN_LINE: usize = 48;

#[derive(Debug)]
pub(super) struct Lookups {
    states: BTreeMap<(JobKey, LookupSource), LookupState>,
    /// Jobs that wait for a complete list of their cluster.
    awaiting_lists: BTreeMap<ClusterName, BTreeSet<JobKey>>,
    /// Jobs that wait for what is said of their target's objects, asked for by name.
    awaiting_objects: BTreeMap<TargetId, BTreeSet<JobKey>>,
    /// Jobs whose objects could not be asked for at once, each with the moment after which: a list is asked for, which may be far, and
    /// meanwhile whatever place is free is theirs.
    in_line: BTreeMap<ClusterName, VecDeque<(JobKey, Timestamp)>>,
    /// The poll's interval, by which pauses are measured.
    poll: Duration,
    backoff: Backoff,
    rng: StdRng,
}

/// How the look-ups of one source for one job stand.
#[derive(Debug, Default)]
struct LookupState {
    progress: Progress,
    /// How many in a row gave no answer.
    failures: u32,
    /// The next attempt is not made before.
    not_before: Option<Timestamp>,
}

/// What to do for a job that wants objects to be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// Ask for them.
    Begins,
    /// They are asked for already, for another job of the target.
    UnderWay,
    /// So many are asked for in the cluster that one list costs less.
    TooMany,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    #[default]
    Idle,
    InFlight,
}

impl Lookups {
    pub(super) fn new(poll: Duration, backoff: Backoff, rng: StdRng) -> Self {
        Self {
            states: BTreeMap::new(),
            awaiting_lists: BTreeMap::new(),
            awaiting_objects: BTreeMap::new(),
            in_line: BTreeMap::new(),
            poll,
            backoff,
            rng,
        }
    }

    /// Begins a look-up; says no if one is in flight.
    pub(super) fn begin(&mut self, key: &JobKey, source: LookupSource) -> bool {
        let state = self.states.entry((key.clone(), source)).or_default();
        let was_idle = state.progress == Progress::Idle;
        state.progress = Progress::InFlight;
        was_idle
    }

    /// A look-up ended, with a fault or with an answer.
    pub(super) fn ended(&mut self, key: &JobKey, source: LookupSource, fault: Option<&Fault>, now: Timestamp) {
        let Some(state) = self.states.get_mut(&(key.clone(), source)) else {
            return;
        };
        state.progress = Progress::Idle;
        let pause = match fault {
            Some(fault) => {
                state.failures = state.failures.saturating_add(1);
                self.backoff.delay(state.failures, fault.retry_after, &mut self.rng)
            }
            None => {
                state.failures = 0;
                // A policy that is never content with an answer must not ask without a pause. What is fleeting may be
                // read in the moment in which its log is rotated, and again a moment later.
                let part = if source.is_fleeting() { 20 } else { 2 };
                self.poll / part
            }
        };
        state.not_before = Some(now.after(pause));
    }

    /// Until when the next attempt waits; `None` once it need not.
    pub(super) fn paused_until(&self, key: &JobKey, source: LookupSource, now: Timestamp) -> Option<Timestamp> {
        let state = self.states.get(&(key.clone(), source))?;
        state.not_before.filter(|until| *until > now)
    }

    pub(super) fn is_in_flight(&self, key: &JobKey, source: LookupSource) -> bool {
        if source == LookupSource::Kubernetes {
            let lists = self.awaiting_lists.get(&key.target.cluster);
            let objects = self.awaiting_objects.get(&key.target);
            return lists.into_iter().chain(objects).any(|jobs| jobs.contains(key));
        }
        self.states
            .get(&(key.clone(), source))
            .is_some_and(|state| state.progress == Progress::InFlight)
    }

    /// The job waits for a complete list of its cluster.
    pub(super) fn await_list(&mut self, key: &JobKey) {
        self.awaiting_lists
            .entry(key.target.cluster.clone())
            .or_default()
            .insert(key.clone());
    }

    /// The job waits for what is said of its target's objects.
    pub(super) fn await_objects(&mut self, key: &JobKey) -> Asking {
        if let Some(waiting) = self.awaiting_objects.get_mut(&key.target) {
            waiting.insert(key.clone());
            return Asking::UnderWay;
        }
        if !self.has_place(&key.target.cluster) {
            return Asking::TooMany;
        }
        self.awaiting_objects
            .insert(key.target.clone(), BTreeSet::from([key.clone()]));
        Asking::Begins
    }

    fn has_place(&self, cluster: &ClusterName) -> bool {
        let asked = self.awaiting_objects.keys().filter(|target| target.cluster == *cluster);
        asked.count() < ASKED_FOR_AT_ONCE
    }

    /// The job waits for a place among those that are asked for, if not too many do.
    pub(super) fn stand_in_line(&mut self, key: &JobKey, after: Timestamp) {
        let line = self.in_line.entry(key.target.cluster.clone()).or_default();
        if line.len() < IN_LINE && line.iter().all(|(waits, _)| waits != key) {
            line.push_back((key.clone(), after));
        }
    }

    /// The first of those who wait for a place, if there is one for them, and after which moment its objects are to be asked for.
    pub(super) fn next_in_line(&mut self, cluster: &ClusterName) -> Option<(JobKey, Timestamp)> {
        if !self.has_place(cluster) {
            return None;
        }
        self.in_line.get_mut(cluster)?.pop_front()
    }

    /// What is said of a target's objects is known. Returns the jobs that waited for it.
    pub(super) fn objects_ended(&mut self, target: &TargetId, now: Timestamp) -> BTreeSet<JobKey> {
        let waiting = self.awaiting_objects.remove(target).unwrap_or_default();
        for key in &waiting {
            self.begin(key, LookupSource::Kubernetes);
            self.ended(key, LookupSource::Kubernetes, None, now);
        }
        waiting
    }

    /// A list of the cluster ended, whatever it brought. Returns the jobs that waited for it.
    pub(super) fn list_ended(&mut self, cluster: &ClusterName) -> BTreeSet<JobKey> {
        // Who is not content with it asks again.
        self.in_line.remove(cluster);
        self.awaiting_lists.remove(cluster).unwrap_or_default()
    }

    /// Drops what is known of a job's look-ups: its next attempt has begun.
    pub(super) fn begin_anew(&mut self, key: &JobKey) {
        for source in LookupSource::ALL {
            self.states.remove(&(key.clone(), *source));
        }
    }

    /// The job was deleted: nothing is kept of it, and it waits for nothing.
    pub(super) fn forget(&mut self, key: &JobKey) {
        self.begin_anew(key);
        let lists = self.awaiting_lists.get_mut(&key.target.cluster);
        // Its target's place is free once what is under way has ended.
        let objects = self.awaiting_objects.get_mut(&key.target);
        for waiting in lists.into_iter().chain(objects) {
            waiting.remove(key);
        }
        if let Some(line) = self.in_line.get_mut(&key.target.cluster) {
            line.retain(|(waits, _)| waits != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use steadfast_core::evidence::FaultKind;

    use super::*;

    const POLL: Duration = Duration::from_secs(5);

    fn lookups() -> Lookups {
        let backoff = Backoff {
            initial: Duration::from_millis(800),
            max: Duration::from_secs(30),
        };
        Lookups::new(POLL, backoff, StdRng::seed_from_u64(7))
    }

    fn key(name: &str) -> JobKey {
        JobKey::application(TargetId::standalone(name))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn one_at_a_time_of_each_source_for_each_job() {
        let mut lookups = lookups();
        assert!(lookups.begin(&key("a"), LookupSource::Archive));
        assert!(!lookups.begin(&key("a"), LookupSource::Archive));
        assert!(lookups.begin(&key("a"), LookupSource::Events) && lookups.begin(&key("b"), LookupSource::Archive));
        lookups.ended(&key("a"), LookupSource::Archive, None, at(0));
        assert!(!lookups.is_in_flight(&key("a"), LookupSource::Archive));
        assert!(lookups.begin(&key("a"), LookupSource::Archive));
    }

    #[test]
    fn an_answer_is_followed_by_a_pause_and_a_fault_by_a_growing_one() {
        let mut lookups = lookups();
        let pause = |lookups: &mut Lookups, source, fault: Option<&Fault>| {
            lookups.begin(&key("a"), source);
            lookups.ended(&key("a"), source, fault, at(0));
            let until = lookups.paused_until(&key("a"), source, at(0));
            until.map_or(Duration::ZERO, |until| until.since(at(0)))
        };
        assert_eq!(pause(&mut lookups, LookupSource::Archive, None), POLL / 2);
        assert_eq!(pause(&mut lookups, LookupSource::LastWords, None), POLL / 20);
        let fault = Fault::new(FaultKind::Timeout, "no answer");
        let mut longest = Duration::ZERO;
        for _ in 0..12 {
            longest = longest.max(pause(&mut lookups, LookupSource::Archive, Some(&fault)));
        }
        assert!(longest > POLL, "{longest:?}");
        assert_eq!(pause(&mut lookups, LookupSource::Archive, None), POLL / 2);
        assert_eq!(lookups.paused_until(&key("a"), LookupSource::Archive, at(2_500)), None);
    }

    #[test]
    fn who_waits_for_a_list_hears_of_its_end_once() {
        let mut lookups = lookups();
        lookups.await_list(&key("a"));
        assert!(lookups.is_in_flight(&key("a"), LookupSource::Kubernetes));
        let cluster = key("a").target.cluster;
        assert_eq!(lookups.list_ended(&cluster).len(), 1);
        assert!(lookups.list_ended(&cluster).is_empty());
    }

    #[test]
    fn the_jobs_of_a_target_wait_for_one_answer_and_no_more_targets_than_some_are_asked_for() {
        let mut lookups = lookups();
        let job = |n: u8| JobKey {
            session_job: Some(steadfast_core::id::SessionJob::Submitted(
                steadfast_core::testing::flink_job_id(n.into()),
            )),
            ..key("session")
        };
        assert_eq!(lookups.await_objects(&job(1)), Asking::Begins);
        assert_eq!(lookups.await_objects(&job(2)), Asking::UnderWay);
        for n in 1..ASKED_FOR_AT_ONCE {
            assert_eq!(lookups.await_objects(&key(&n.to_string())), Asking::Begins);
        }
        assert_eq!(lookups.await_objects(&key("late")), Asking::TooMany);
        assert!(lookups.is_in_flight(&job(2), LookupSource::Kubernetes));
        assert!(!lookups.is_in_flight(&key("late"), LookupSource::Kubernetes));
        assert_eq!(lookups.objects_ended(&job(1).target, at(0)), [job(1), job(2)].into());
        assert!(!lookups.is_in_flight(&job(2), LookupSource::Kubernetes));
        assert_eq!(
            lookups.paused_until(&job(2), LookupSource::Kubernetes, at(0)),
            Some(at(2_500))
        );
        assert_eq!(lookups.await_objects(&key("late")), Asking::Begins);
    }

    #[test]
    fn a_job_that_is_forgotten_takes_only_its_own_with_it() {
        let mut lookups = lookups();
        for source in [LookupSource::Exceptions, LookupSource::TaskManagers] {
            lookups.begin(&key("a"), source);
        }
        lookups.begin(&key("b"), LookupSource::Archive);
        for name in ["a", "b"] {
            lookups.await_list(&key(name));
            lookups.await_objects(&key(name));
            lookups.stand_in_line(&key(name), at(0));
        }
        lookups.forget(&key("a"));
        assert!(
            lookups.begin(&key("a"), LookupSource::Exceptions) && lookups.begin(&key("a"), LookupSource::TaskManagers)
        );
        assert!(!lookups.begin(&key("b"), LookupSource::Archive));
        // What is told of it afterwards leaves nothing behind.
        lookups.forget(&key("a"));
        assert!(lookups.objects_ended(&key("a").target, at(0)).is_empty());
        assert!(lookups.states.keys().all(|(waits, _)| *waits == key("b")));
        let cluster = key("a").target.cluster;
        assert_eq!(lookups.next_in_line(&cluster), Some((key("b"), at(0))));
        assert_eq!(lookups.list_ended(&cluster), [key("b")].into());
    }

    #[test]
    fn those_who_find_no_place_stand_in_line_up_to_a_number_and_until_a_list() {
        let mut lookups = lookups();
        let cluster = key("a").target.cluster;
        for n in 0..ASKED_FOR_AT_ONCE {
            lookups.await_objects(&key(&n.to_string()));
        }
        for n in 0..2 * IN_LINE {
            lookups.stand_in_line(&key(&format!("late-{n}")), at(7));
            lookups.stand_in_line(&key(&format!("late-{n}")), at(8));
        }
        assert_eq!(lookups.next_in_line(&cluster), None, "all places are taken");
        lookups.objects_ended(&key("0").target, at(0));
        for n in 0..IN_LINE {
            assert_eq!(lookups.next_in_line(&cluster), Some((key(&format!("late-{n}")), at(7))));
        }
        assert_eq!(lookups.next_in_line(&cluster), None);
        lookups.stand_in_line(&key("late"), at(9));
        lookups.list_ended(&cluster);
        assert_eq!(lookups.next_in_line(&cluster), None, "the list told of it");
    }
}
