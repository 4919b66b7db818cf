//! Which resources differ from their records, and which is due: the state of a keeper, without I/O. Time is what has passed since
//! the keeper began.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use steadfast_core::id::{ClusterName, JobKey, Namespace};
use steadfast_core::projection::{JobView, Projection};
use steadfast_core::state::Confidence;
use steadfast_core::time::Timestamp;

use crate::cluster::{Found, Place};
use crate::desired::{self, Desired, Fingerprint, STORE, Said, Transitions};
use crate::name::label_value;
use crate::task::{Request, Task, Written};

/// How long a resource rests after a write. What changes meanwhile is written as it is then.
pub(crate) const REST: Duration = Duration::from_secs(1);

/// The resources of a cluster.
#[derive(Debug)]
pub(crate) struct Book {
    cluster: ClusterName,
    /// The id of the store that has the records.
    store: String,
    /// Where they are kept; none: everywhere.
    namespaces: Vec<Namespace>,
    /// Until when what is only no longer confirmed is left as the engine before this one wrote it.
    settled: Duration,
    entries: BTreeMap<JobKey, Entry>,
    /// What is due, and when.
    queue: BTreeSet<(Duration, Task)>,
    /// What of the queue is to be deleted.
    removals: BTreeSet<Place>,
    /// Namespaces in which nothing is tried before that time.
    held: BTreeMap<Namespace, Duration>,
}

/// A job's resource.
#[derive(Debug)]
struct Entry {
    place: Place,
    /// The record as it was looked at last.
    seen: (u64, Confidence),
    wanted: Fingerprint,
    shown: Option<Shown>,
    /// When it is due, if it is in the queue.
    due: Option<Duration>,
    rested: Duration,
    failures: u32,
}

/// What the cluster has of it.
#[derive(Clone, Copy, Debug)]
struct Shown {
    head: u64,
    generation: i64,
    /// `None`: it has to be written, whatever it says.
    status: Option<Said>,
    transitions: Transitions,
}

impl Entry {
    fn differs(&self) -> bool {
        self.shown
            .is_none_or(|shown| shown.head != self.wanted.head || shown.status != Some(self.wanted.status))
    }

    /// Whether what is there says the same state of the job: it is at most no longer confirmed.
    fn says_the_state(&self) -> bool {
        let said = self.shown.and_then(|shown| shown.status);
        said.is_some_and(|said| said.state == self.wanted.status.state)
    }
}

impl Book {
    pub(crate) fn new(cluster: ClusterName, store: String, namespaces: Vec<Namespace>, settled: Duration) -> Self {
        Self {
            cluster,
            store,
            namespaces,
            settled,
            entries: BTreeMap::new(),
            queue: BTreeSet::new(),
            removals: BTreeSet::new(),
            held: BTreeMap::new(),
        }
    }

    /// Looks through the records for what has changed.
    pub(crate) fn scan(&mut self, records: &Projection, now: Duration) {
        let mut there = 0_usize;
        let changed = records.page(None, usize::MAX, |view| {
            let is_ours = self.keeps(&view.record.key);
            there += usize::from(is_ours);
            let seen = (view.record.revision, view.confidence());
            is_ours
                && self
                    .entries
                    .get(&view.record.key)
                    .is_none_or(|entry| entry.seen != seen)
        });
        for view in &changed {
            self.look_at(view, now);
        }
        if there < self.entries.len() {
            let gone = self.entries.keys().filter(|key| records.get(key).is_none());
            for key in gone.cloned().collect::<Vec<_>>() {
                self.forget(&key, now);
            }
        }
    }

    /// Takes in what the cluster has. What this store made, and has no record of any more, is deleted. How many are left that another
    /// store made, and of which there is no record here.
    pub(crate) fn take_stock(&mut self, listed: Vec<Found>, records: &Projection, now: Duration) -> usize {
        self.scan(records, now);
        self.held.clear();
        let mut there: BTreeMap<Place, Found> = listed
            .into_iter()
            .filter(|found| self.is_in_scope(&found.place.namespace))
            .map(|found| (found.place.clone(), found))
            .collect();
        for entry in self.entries.values_mut() {
            entry.shown = there.remove(&entry.place).map(|found| {
                let (head, status, transitions) = desired::found(&found);
                Shown {
                    head,
                    generation: found.generation,
                    status,
                    transitions,
                }
            });
            entry.failures = 0;
            entry.due = None;
        }
        self.queue.clear();
        self.removals.clear();
        // What another store made may be of jobs that this one has yet to hear of.
        let (ours, others): (Vec<_>, Vec<_>) = there
            .into_values()
            .partition(|found| found.labels.get(STORE) == Some(&label_value(&self.store)));
        for found in ours {
            self.remove(found.place, now);
        }
        let differ = self.entries.iter().filter(|(_, entry)| entry.differs());
        for key in differ.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.enqueue(&key, now);
        }
        others.len()
    }

    fn keeps(&self, key: &JobKey) -> bool {
        key.target.cluster == self.cluster && self.is_in_scope(&key.target.namespace)
    }

    fn is_in_scope(&self, namespace: &Namespace) -> bool {
        self.namespaces.is_empty() || self.namespaces.contains(namespace)
    }

    fn look_at(&mut self, view: &JobView, now: Duration) {
        let key = &view.record.key;
        let desired = Desired::of(view, &self.store);
        let seen = (view.record.revision, view.confidence());
        let wanted = desired.fingerprint();
        if self.removals.remove(&desired.place) {
            // It was forgotten, and is back.
            self.queue
                .retain(|(_, task)| !matches!(task, Task::Remove(place) if *place == desired.place));
        }
        let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry {
            place: desired.place,
            seen,
            wanted,
            shown: None,
            due: None,
            rested: Duration::ZERO,
            failures: 0,
        });
        (entry.seen, entry.wanted) = (seen, wanted);
        if entry.differs() {
            self.enqueue(key, now);
        } else {
            // It is again as it is shown.
            self.leave(key);
        }
    }

    /// It is due as soon as it has rested. What is due already stays where it is: a job that flaps does not lose its turn.
    fn enqueue(&mut self, key: &JobKey, at: Duration) {
        if let Some(entry) = self.entries.get_mut(key)
            && entry.due.is_none()
        {
            let due = at.max(entry.rested);
            entry.due = Some(due);
            self.queue.insert((due, Task::Show(key.clone())));
        }
    }

    fn leave(&mut self, key: &JobKey) {
        if let Some(due) = self.entries.get_mut(key).and_then(|entry| entry.due.take()) {
            self.queue.remove(&(due, Task::Show(key.clone())));
        }
    }

    fn forget(&mut self, key: &JobKey, now: Duration) {
        self.leave(key);
        // Whether it is there is not known where a write was not answered, so it is deleted in any case.
        if let Some(entry) = self.entries.remove(key) {
            self.remove(entry.place, now);
        }
    }

    fn remove(&mut self, place: Place, at: Duration) {
        self.removals.insert(place.clone());
        self.queue.insert((at, Task::Remove(place)));
    }

    /// How many wait, and would be written if they could.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// What is due, the longest waiting first; at most so many requests. They leave the queue.
    pub(crate) fn due(&mut self, records: &Projection, now: Duration, at: Timestamp, most: usize) -> Vec<Request> {
        let mut requests = Vec::new();
        self.held.retain(|_, until| *until > now);
        while requests.len() < most {
            let Some((due, task)) = self.queue.pop_first() else {
                break;
            };
            if due > now {
                self.queue.insert((due, task));
                break;
            }
            if let Some(until) = self.held.get(task.namespace()).copied() {
                self.postpone(task, until);
                continue;
            }
            match task {
                Task::Show(key) => requests.extend(self.show(key, records, now, at)),
                Task::Remove(place) => {
                    self.removals.remove(&place);
                    requests.push(Request::Delete {
                        task: Task::Remove(place.clone()),
                        place,
                    });
                }
            }
        }
        requests
    }

    /// The request that brings a resource nearer to its record as it is now.
    fn show(&mut self, key: JobKey, records: &Projection, now: Duration, at: Timestamp) -> Option<Request> {
        let entry = self.entries.get_mut(&key)?;
        entry.due = None;
        // Without one it is found gone with the next scan.
        let view = records.get(&key)?;
        let desired = Desired::of(&view, &self.store);
        entry.seen = (view.record.revision, view.confidence());
        entry.wanted = desired.fingerprint();
        if !entry.differs() {
            return None;
        }
        if entry.says_the_state() && view.confidence() != Confidence::Confirmed && now < self.settled {
            let settled = self.settled;
            self.enqueue(&key, settled);
            return None;
        }
        let place = desired.place.clone();
        let task = Task::Show(key);
        let shown = entry.shown.filter(|shown| shown.head == entry.wanted.head);
        Some(match shown {
            None => Request::Head {
                task,
                place,
                object: desired.head(),
            },
            Some(shown) => {
                let (object, transitions) = desired.status(shown.generation, shown.transitions, at);
                let status = entry.wanted.status;
                Request::Status {
                    task,
                    place,
                    object,
                    written: Written { status, transitions },
                }
            }
        })
    }

    /// The labels and the spec were taken; the status is next.
    pub(crate) fn took_head(&mut self, task: &Task, generation: i64, now: Duration) {
        let Task::Show(key) = task else { return };
        let Some(entry) = self.entries.get_mut(key) else { return };
        let transitions = entry.shown.map(|shown| shown.transitions).unwrap_or_default();
        entry.shown = Some(Shown {
            head: entry.wanted.head,
            generation,
            status: None,
            transitions,
        });
        self.enqueue(key, now);
    }

    /// A status was taken.
    pub(crate) fn took_status(&mut self, task: &Task, written: Written, now: Duration) {
        let Task::Show(key) = task else { return };
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(shown) = &mut entry.shown {
            shown.status = Some(written.status);
            shown.transitions = written.transitions;
        }
        entry.failures = 0;
        entry.rested = now + REST;
        if entry.differs() {
            self.enqueue(key, now);
        }
    }

    /// It is not there: it is made anew. How often that was so since a status was taken.
    pub(crate) fn is_gone(&mut self, task: &Task, now: Duration) -> u32 {
        let Task::Show(key) = task else { return 0 };
        let Some(entry) = self.entries.get_mut(key) else {
            return 0;
        };
        entry.shown = None;
        // Whoever deletes it again and again does not keep us busy.
        entry.rested = now + REST;
        entry.failures = entry.failures.saturating_add(1);
        let failures = entry.failures;
        self.enqueue(key, now);
        failures
    }

    /// How often in a row it was not taken, this time included.
    pub(crate) fn failed(&mut self, task: &Task) -> u32 {
        match task {
            Task::Show(key) => self.entries.get_mut(key).map_or(1, |entry| {
                entry.failures = entry.failures.saturating_add(1);
                entry.failures
            }),
            Task::Remove(_) => 1,
        }
    }

    /// It is tried again then.
    pub(crate) fn postpone(&mut self, task: Task, until: Duration) {
        match &task {
            Task::Show(key) => {
                self.leave(key);
                self.enqueue(&key.clone(), until);
            }
            Task::Remove(place) => self.remove(place.clone(), until),
        }
    }

    /// Nothing is tried in its namespace before then.
    pub(crate) fn hold(&mut self, task: Task, until: Duration) {
        self.held.insert(task.namespace().clone(), until);
        self.postpone(task, until);
    }
}
