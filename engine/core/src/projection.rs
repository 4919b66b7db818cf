//! What memory shows of the store: records as committed, and beside them how the watch stands.

mod silencing;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use crate::id::{ClusterName, JobKey, TargetId};
use crate::record::JobRecord;
use crate::severity::Severity;
use crate::silences::Silenced;
use crate::state::Confidence;
use crate::time::Timestamp;

use silencing::Silencing;

/// The part of a watch that is not worth a commit: it is gone with the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchStatus {
    /// When Flink is asked next, or was last asked while its answer is awaited; `None` while the watch sleeps.
    pub next_poll_at: Option<Timestamp>,
    /// When the job is judged again, whatever comes in; `None` only until it was judged first.
    pub next_review_at: Option<Timestamp>,
    /// How many polls of Flink in a row gave no usable answer.
    pub failures: u32,
    /// When the state was last confirmed, if later than in the record.
    pub confirmed_at: Option<Timestamp>,
    /// Since when the store does not take what is decided of the job: the record is as it was committed last. `None` while it
    /// does.
    pub unwritten_since: Option<Timestamp>,
}

/// A record with its watch, as the API shows it.
#[derive(Clone, Debug)]
pub struct JobView {
    /// The committed record.
    pub record: Arc<JobRecord>,
    /// How its watch stands.
    pub watch: WatchStatus,
}

impl JobView {
    /// How sure the state is, as shown: what cannot be written down any more is no longer confirmed.
    pub fn confidence(&self) -> Confidence {
        match self.watch.unwritten_since {
            Some(_) => Confidence::Stale,
            None => self.record.confidence,
        }
    }

    /// When the state was last confirmed. A confirmation alone is not committed each time: the watch may know of a later one.
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        self.record.confirmed_at.max(self.watch.confirmed_at)
    }

    /// How much the job needs somebody to look at it.
    pub fn severity(&self) -> Severity {
        let record = &self.record;
        Severity::of(record, self.confidence(), |alert| record.silence(&alert.name).is_some())
    }
}

/// How many jobs of a cluster are on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// All of them.
    pub jobs: u64,
    /// Those whose state is not confirmed: it is inferred, or as last known.
    pub unconfirmed: u64,
}

/// All records, ordered by key. Only the reconcile loop writes, and only what was committed.
///
/// It holds a lock, alone in core with [`ShadowBoard`](crate::shadow::ShadowBoard): the loop writes while the API reads.
/// Nothing that decides reads it, so no decision depends on who holds the lock.
#[derive(Debug, Default)]
pub struct Projection {
    jobs: RwLock<BTreeMap<JobKey, JobView>>,
    silencing: Silencing,
}

impl Projection {
    /// Shows a committed record.
    pub fn show(&self, view: JobView) {
        self.silencing.note(&view.record);
        let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
        jobs.insert(view.record.key.clone(), view);
    }

    /// Shows how the watch of a job stands; without a record it does nothing.
    pub fn show_watch(&self, key: &JobKey, watch: WatchStatus) {
        let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = jobs.get_mut(key) {
            view.watch = watch;
        }
    }

    /// Stops showing a job whose removal was committed.
    pub fn remove(&self, key: &JobKey) {
        self.silencing.remove(key);
        self.jobs.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// What all records together silence of what many share.
    pub fn silenced(&self) -> Arc<Silenced> {
        self.silencing.all()
    }

    /// A job's view; `None` if it has no record.
    pub fn get(&self, key: &JobKey) -> Option<JobView> {
        self.jobs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    /// Up to `limit` jobs behind `after` that pass, in the order of their keys.
    pub fn page(&self, after: Option<&JobKey>, limit: usize, mut pass: impl FnMut(&JobView) -> bool) -> Vec<JobView> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
        jobs.range::<JobKey, _>((from, Bound::Unbounded))
            .map(|(_, view)| view)
            .filter(|v| pass(v))
            .take(limit)
            .cloned()
            .collect()
    }

    /// Looks at all jobs at once. The loop cannot write meanwhile: nothing slow is done here, and nothing is written out.
    pub fn look<T>(&self, look: impl FnOnce(&BTreeMap<JobKey, JobView>) -> T) -> T {
        look(&self.jobs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hands over each job that passes, in the order of their keys, a few at a time: the loop can write in between, and while
    /// one is looked at. So those that are seen first may be older than those that are seen last.
    pub fn walk(&self, mut pass: impl FnMut(&JobView) -> bool, mut look: impl FnMut(&JobView)) {
        const AT_ONCE: usize = 1024;
        let mut after: Option<JobKey> = None;
        loop {
            let views = self.page(after.as_ref(), AT_ONCE, &mut pass);
            views.iter().for_each(&mut look);
            match views.last() {
                Some(last) if views.len() == AT_ONCE => after = Some(last.record.key.clone()),
                Some(_) | None => return,
            }
        }
    }

    /// Looks at each job, in the order of their keys. The loop cannot write meanwhile: nothing slow is done here.
    pub fn for_each(&self, look: impl FnMut(&JobView)) {
        let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
        jobs.values().for_each(look);
    }

    /// How many jobs of each cluster are shown; a cluster without one is not in it.
    pub fn counts(&self) -> BTreeMap<ClusterName, JobCounts> {
        let mut counts: BTreeMap<ClusterName, JobCounts> = BTreeMap::new();
        for (key, view) in &*self.jobs.read().unwrap_or_else(PoisonError::into_inner) {
            // They are ordered by cluster, so that a name is cloned once for each.
            let cluster = &key.target.cluster;
            if !counts.contains_key(cluster) {
                counts.insert(cluster.clone(), JobCounts::default());
            }
            if let Some(count) = counts.get_mut(cluster) {
                count.jobs += 1;
                count.unconfirmed += u64::from(view.confidence() != Confidence::Confirmed);
            }
        }
        counts
    }

    /// Whether a Flink cluster should answer, as far as is on record: not once every job there has ended. A session cluster
    /// without a job should.
    pub fn expects(&self, target: &TargetId) -> bool {
        let first = JobKey::application(target.clone());
        let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
        let mut states = jobs
            .range(first..)
            .take_while(|(key, _)| key.target == *target)
            .map(|(_, view)| view.record.state)
            .peekable();
        states.peek().is_none() || states.any(|state| !state.is_terminal())
    }

    /// How many jobs are shown.
    pub fn len(&self) -> usize {
        self.jobs.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::JobState;
    use crate::testing::{at, record};

    fn show(projection: &Projection, key: &str, state: JobState, confidence: Confidence) {
        let Some(key) = JobKey::parse(key) else { panic!("{key}") };
        projection.show(JobView {
            record: Arc::new(JobRecord {
                state,
                confidence,
                ..record(key, at(0))
            }),
            watch: WatchStatus::default(),
        });
    }

    #[test]
    fn jobs_are_counted_by_cluster_and_by_whether_they_are_confirmed() {
        let projection = Projection::default();
        show(&projection, "a/default/x", JobState::Running, Confidence::Confirmed);
        show(&projection, "a/default/y", JobState::Running, Confidence::Stale);
        show(&projection, "b/default/x", JobState::Starting, Confidence::Inferred);
        let counts: Vec<_> = projection
            .counts()
            .into_values()
            .map(|c| (c.jobs, c.unconfirmed))
            .collect();
        assert_eq!(counts, [(2, 1), (1, 1)]);
    }

    #[test]
    fn a_walk_meets_each_job_that_passes_once() {
        let projection = Projection::default();
        for number in 0..3000 {
            let state = if number % 3 == 0 {
                JobState::Failed
            } else {
                JobState::Running
            };
            show(
                &projection,
                &format!("a/default/x{number:04}"),
                state,
                Confidence::Confirmed,
            );
        }
        let mut met = Vec::new();
        projection.walk(
            |view| view.record.state == JobState::Running,
            |view| met.push(view.record.key.clone()),
        );
        assert!(met.len() == 2000 && met.is_sorted_by(|a, b| a < b), "{}", met.len());
    }

    #[test]
    fn a_flink_is_expected_to_answer_until_all_its_jobs_have_ended() {
        let projection = Projection::default();
        let target = |name: &str| TargetId::new(&ClusterName::new("a"), &crate::id::Namespace::new("default"), name);
        let [first, second] = ["1", "2"].map(|digit| format!("a/default/s/{}", digit.repeat(32)));
        assert!(projection.expects(&target("s")), "a session may have no job yet");
        show(&projection, &first, JobState::Finished, Confidence::Confirmed);
        // A neighbour's job is none of its own.
        show(&projection, "a/default/t", JobState::Running, Confidence::Confirmed);
        assert!(!projection.expects(&target("s")) && projection.expects(&target("t")));
        show(&projection, &second, JobState::Suspended, Confidence::Confirmed);
        assert!(projection.expects(&target("s")));
    }

    #[test]
    fn what_is_silenced_is_known_as_silences_come_and_go() {
        use crate::record::{AlertScope, Silence};

        let projection = Projection::default();
        let key = || JobKey::parse("local/default/a").unwrap();
        let silenced = |until| JobRecord {
            silences: vec![Silence {
                alert: "KubernetesUnreachable".to_owned(),
                since: at(0),
                until: at(until),
                by: None,
                comment: None,
            }],
            ..record(key(), at(0))
        };
        let show = |record| {
            projection.show(JobView {
                record: Arc::new(record),
                watch: WatchStatus::default(),
            });
        };
        let other = Arc::new(record(JobKey::parse("local/default/b").unwrap(), at(0)));
        let until = || {
            let all = projection.silenced();
            let by = all.by(&other, AlertScope::Cluster, "KubernetesUnreachable")?;
            Some(by.silence("KubernetesUnreachable")?.until)
        };
        assert_eq!(until(), None);
        show(silenced(5));
        assert_eq!(until(), Some(at(5)));
        show(silenced(9));
        assert_eq!(until(), Some(at(9)), "it was made longer");
        show(record(key(), at(0)));
        assert_eq!(until(), None, "it was taken back");
        show(silenced(5));
        projection.remove(&key());
        assert_eq!(until(), None, "its record is gone");
    }

    #[test]
    fn a_watch_is_shown_beside_its_record_and_goes_with_it() {
        let projection = Projection::default();
        assert!(projection.is_empty());
        show(&projection, "a/default/x", JobState::Running, Confidence::Confirmed);
        show(&projection, "a/default/y", JobState::Running, Confidence::Confirmed);
        assert_eq!((projection.len(), projection.is_empty()), (2, false));
        let [x, z] = ["x", "z"].map(|name| JobKey::parse(&format!("a/default/{name}")).unwrap());
        let unwritten = WatchStatus {
            failures: 3,
            confirmed_at: Some(at(9)),
            unwritten_since: Some(at(7)),
            ..WatchStatus::default()
        };
        projection.show_watch(&x, unwritten);
        projection.show_watch(&z, unwritten);
        let view = projection.get(&x).unwrap();
        assert_eq!((view.watch, view.confirmed_at()), (unwritten, Some(at(9))));
        assert_eq!(
            view.confidence(),
            Confidence::Stale,
            "what cannot be written is not confirmed"
        );
        assert!(projection.get(&z).is_none(), "there is no record to show it with");
        projection.remove(&x);
        assert_eq!((projection.get(&x).is_none(), projection.len()), (true, 1));
    }

    #[test]
    fn each_job_is_looked_at_in_the_order_of_their_keys() {
        let projection = Projection::default();
        for key in ["b/default/x", "a/default/y", "a/default/x"] {
            show(&projection, key, JobState::Running, Confidence::Confirmed);
        }
        let mut seen = Vec::new();
        projection.for_each(|view| seen.push(view.record.key.to_string()));
        assert_eq!(seen, ["a/default/x", "a/default/y", "b/default/x"]);
    }
}
