//! The loop: takes evidence in, lets the [`Reactor`] judge it, commits, and shows what was committed.
//!
//! It selects, commits, shows and spawns. What is worth fetching, what follows from a decision and what a record may become
//! is the reactor's knowledge; if this file needs to know it, it belongs there.

mod judges;
mod readers;
mod requests;
mod traces;
mod upkeep;

use std::collections::BTreeSet;
use std::sync::Arc;

use steadfast_core::board::ObjectRef;
use steadfast_core::error_chain::error_chain;
use steadfast_core::facts::Deployment;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Commit, Entry, Journal, JournalError, Refusal};
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind};
use steadfast_core::recording::Retention;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_core::timing::Timing;
use steadfast_crash_points::CrashPoint;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use readers::{Readers, log_loaded};
use traces::Answered;
use upkeep::Validation;

use crate::control::Request;
use crate::fetch::{Fetch, Fetched};
use crate::fetcher::Fetcher;
use crate::judging::{Bench, Ruling};
use crate::reactor::Reactor;
use crate::setup::{Discover, Keeping};
use crate::turn::{Show, Turn};

/// How many inputs are taken in before decisions are made: enough to share a commit, few enough to stay prompt.
const INTAKE: usize = 4096;
/// How many answers may wait for the loop before the requests that brought them do.
const WAITING: usize = 4096;

/// The loop with its ways in and out.
pub(crate) struct Driver {
    reactor: Reactor,
    journal: Arc<dyn Journal>,
    readers: Readers,
    clock: Arc<dyn Clock>,
    timing: Timing,
    /// How many recorded snapshots are kept; `None`: none.
    keep: Option<Retention>,
    keeping: Keeping,
    fetcher: Arc<Fetcher>,
    updates: mpsc::Receiver<KubeUpdate>,
    requests: mpsc::Receiver<Request>,
    answers: mpsc::Receiver<Fetched>,
    answer_to: mpsc::Sender<Fetched>,
    fetches: TaskTracker,
    bench: Bench,
    rulings: mpsc::Receiver<Ruling>,
    cancel: CancellationToken,
}

/// What the loop stands on.
pub(crate) struct Ports {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) updates: mpsc::Receiver<KubeUpdate>,
    pub(crate) requests: mpsc::Receiver<Request>,
    /// Who decides, and the way on which they say what.
    pub(crate) bench: Bench,
    pub(crate) rulings: mpsc::Receiver<Ruling>,
    pub(crate) cancel: CancellationToken,
}

/// What woke the loop.
enum Woken {
    Update(Box<KubeUpdate>),
    Fetched(Box<Fetched>),
    Request(Box<Request>),
    Ruled(Box<Ruling>),
    Time,
    End,
}

impl Driver {
    pub(crate) fn new(
        reactor: Reactor,
        readers: Readers,
        timing: Timing,
        keep: Option<Retention>,
        keeping: Keeping,
        ports: Ports,
    ) -> Self {
        let (answer_to, answers) = mpsc::channel(WAITING);
        Self {
            reactor,
            journal: ports.journal,
            readers,
            clock: ports.clock,
            timing,
            keep,
            keeping,
            fetcher: ports.fetcher,
            updates: ports.updates,
            requests: ports.requests,
            answers,
            answer_to,
            fetches: TaskTracker::new(),
            bench: ports.bench,
            rulings: ports.rulings,
            cancel: ports.cancel,
        }
    }

    /// Commits what the start changes and shows what is on record. Fails if the store does not take it.
    pub(crate) async fn start(&mut self, first: Turn) -> Result<(), JournalError> {
        self.commit(first).await?;
        for record in self.reactor.records().values() {
            self.readers.show_record(self.reactor.view(record));
        }
        Ok(())
    }

    /// Turns until it is cancelled. Every request it began is awaited or dropped with it.
    pub(crate) async fn run(mut self) {
        let mut validation = Validation::due_at(Instant::now() + self.timing.validate);
        let mut tidying = validation.due;
        loop {
            self.turn().await;
            if Instant::now() >= validation.due {
                self.validate(&mut validation).await;
            }
            if Instant::now() >= tidying {
                tidying = self.tidy().await;
            }
            match self.wait(validation.due.min(tidying)).await {
                Woken::End => break,
                woken @ (Woken::Update(_) | Woken::Fetched(_) | Woken::Request(_) | Woken::Ruled(_) | Woken::Time) => {
                    self.take_in(woken).await;
                }
            }
        }
        // Cancelled requests end at once; none outlives the loop that would take in its answer, or waits for a place for it.
        self.answers.close();
        self.fetches.close();
        self.fetches.wait().await;
        self.dismiss_judges().await;
    }

    /// One turn: fetch, judge, commit, show.
    async fn turn(&mut self) {
        let (now, began) = (self.clock.now(), Instant::now());
        self.readers.turned(now, self.reactor.fleets());
        self.show_load();
        self.readers.log_sources(now);
        let mut turn = self.reactor.turn(now);
        // Before the commit: they are made whatever becomes of it, and need not wait for the store.
        for fetch in std::mem::take(&mut turn.fetches) {
            self.spawn(fetch);
        }
        self.commit_or_retry(turn).await;
        self.hear_judges().await;
        self.readers.metrics.latencies.turned(began.elapsed());
    }

    /// Shows how much waits for the loop.
    fn show_load(&self) {
        let queues = [
            ("updates", self.updates.len()),
            ("answers", self.answers.len()),
            ("rulings", self.rulings.len()),
            ("requests", self.requests.len()),
            ("jobs", self.reactor.waiting()),
        ];
        self.readers.metrics.load(queues, self.fetches.len());
    }

    /// Commits a turn. If the store does not take it, which was said, its jobs are judged again after a pause.
    async fn commit_or_retry(&mut self, turn: Turn) {
        drop(self.commit(turn).await);
    }

    async fn wait(&mut self, upkeep: Instant) -> Woken {
        let now = self.clock.now();
        let next = [self.reactor.next_turn(now), self.readers.next_log()];
        let next = next.into_iter().flatten().min();
        let pause = next.map_or(self.timing.validate, |next| next.since(now));
        let wake = (Instant::now() + pause).min(upkeep);
        tokio::select! {
            // In the order of urgency: people wait for requests, and answers end waits.
            biased;
            () = self.cancel.cancelled() => Woken::End,
            Some(request) = self.requests.recv() => Woken::Request(Box::new(request)),
            Some(ruling) = self.rulings.recv() => Woken::Ruled(Box::new(ruling)),
            Some(fetched) = self.answers.recv() => Woken::Fetched(Box::new(fetched)),
            Some(update) = self.updates.recv() => Woken::Update(Box::new(update)),
            () = tokio::time::sleep_until(wake) => Woken::Time,
        }
    }

    /// Takes in what woke the loop, and what waits behind it.
    async fn take_in(&mut self, woken: Woken) {
        match woken {
            Woken::Update(update) => self.kube_update(*update),
            Woken::Fetched(fetched) => self.fetched(*fetched),
            Woken::Request(request) => self.serve(*request).await,
            Woken::Ruled(ruling) => self.ruled(*ruling),
            Woken::Time | Woken::End => {}
        }
        // What waits already shares the next commit. Requests are left to `wait`, which serves them first.
        for _ in 0..INTAKE {
            if let Ok(fetched) = self.answers.try_recv() {
                self.fetched(fetched);
            } else if let Ok(update) = self.updates.try_recv() {
                self.kube_update(update);
            } else {
                break;
            }
        }
    }

    fn kube_update(&mut self, update: KubeUpdate) {
        let now = self.clock.now();
        self.readers.kube_update(&update, now);
        let (scope, flinks) = (update.scope.clone(), listed_flinks(&update));
        self.reactor.kube_update(update, now);
        self.readers.list_repairs(self.reactor.list_repairs());
        if let Some(flinks) = flinks {
            let nobodys = flinks
                .into_iter()
                .filter(|object| self.reactor.is_unwatched(&scope.cluster, object));
            self.readers.unwatched(&scope, nobodys.collect());
        }
    }

    fn fetched(&mut self, fetched: Fetched) {
        let now = self.clock.now();
        if self.reactor.awaits(&fetched) {
            self.readers.fetched(&fetched, now);
        }
        self.reactor.fetched(fetched, now);
    }

    /// Makes a request in a task of its own.
    fn spawn(&self, fetch: Fetch) {
        let fetcher = Arc::clone(&self.fetcher);
        let answer_to = self.answer_to.clone();
        let cancel = self.cancel.clone();
        self.fetches.spawn(async move {
            let fetched = tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                fetched = fetcher.fetch(fetch) => fetched,
            };
            if let Some(fetched) = fetched {
                // The receiver is gone only when the loop has ended.
                drop(answer_to.send(fetched).await);
            }
        });
    }

    /// One transaction; only when it is durable do memory and readers learn of it. What the store does not take of single jobs is
    /// put back, and the rest is committed without it: returns those.
    async fn commit(&mut self, mut turn: Turn) -> Result<Vec<Refusal>, JournalError> {
        self.readers.judged(&turn);
        let now = self.clock.now();
        let commit = turn.commit();
        let (traced, changes, began) = (turn.take_traced(), commit.changes.len(), Instant::now());
        let mut refused = Vec::new();
        let written = self.write(commit, &mut turn, &mut refused, now).await;
        let answered = Answered {
            at: now,
            took: began.elapsed(),
            changes,
            outcome: written.as_deref(),
            refused: &refused,
        };
        let newest = match &written {
            Ok(entries) => entries.last().map(|entry| entry.sequence),
            Err(error) => {
                let retry_at = now.after(self.timing.retry_initial);
                let out = self.reactor.refuse(&mut turn, &error_chain(error), now, retry_at);
                self.show_watches(&out, now);
                self.advance(turn, now);
                self.readers.trace(traced, &answered);
                return written.map(|_| refused);
            }
        };
        self.advance(turn, now);
        // Now, and not with the next turn: last words are readable for less than a second.
        for fetch in self.reactor.take_fetches() {
            self.spawn(fetch);
        }
        if newest.is_some() {
            CrashPoint::CommitShown.reach();
        }
        // Last: a client that an entry wakes may ask for the record, and must find in it what the entry says.
        self.readers.announce(newest);
        self.readers.trace(traced, &answered);
        Ok(refused)
    }

    /// Shows what is durable of a turn.
    fn advance(&mut self, turn: Turn, now: Timestamp) {
        for show in self.reactor.advance(turn, now) {
            self.readers.show(show, self.reactor.policies(), now);
        }
        self.readers.unwritten(self.reactor.unwritten());
        self.reactor.answer_looks();
    }

    /// Shows how the watches of these stand now.
    fn show_watches(&self, keys: &BTreeSet<JobKey>, now: Timestamp) {
        for key in keys.iter().cloned() {
            let watch = self.reactor.watch_status(&key);
            self.readers.show(Show::Watch(key, watch), self.reactor.policies(), now);
        }
    }

    /// Commits what the store takes. Returns the entries.
    async fn write(
        &mut self,
        mut commit: Commit,
        turn: &mut Turn,
        refused: &mut Vec<Refusal>,
        now: Timestamp,
    ) -> Result<Vec<Entry>, JournalError> {
        while !commit.is_empty() {
            let parts = commit.changes.len() + commit.recorded.len();
            let began = Instant::now();
            let result = self.journal.commit(now, commit).await;
            self.readers.metrics.latencies.committed(began.elapsed());
            self.readers.committed(&result);
            let (back, refusals) = match result {
                Ok(entries) => return Ok(entries),
                Err(JournalError::Refused { commit, refusals }) => (commit, refusals),
                Err(error) => return Err(error),
            };
            self.readers.refused(&refusals);
            let out = self.reactor.put_back(turn, &refusals, now);
            self.show_watches(&out, now);
            commit = back.without(&refusals, &out);
            if commit.changes.len() + commit.recorded.len() == parts {
                // A store that refuses what is not in the commit would be asked for ever.
                return Err(JournalError::Refused {
                    commit: Box::new(commit),
                    refusals,
                });
            }
            refused.extend(refusals);
        }
        Ok(Vec::new())
    }
}

/// The Deployments with Flink's labels in a complete list, but for those that the operator looks after. `None`: it is none.
fn listed_flinks(update: &KubeUpdate) -> Option<Vec<ObjectRef>> {
    let KubeChange::Relisted(objects, Completeness::Complete) = &update.change else {
        return None;
    };
    if update.scope.kind != ObjectKind::Deployment {
        return None;
    }
    let is_nobody_elses = |deployment: &&Deployment| {
        let labelled = deployment.labels.get("type");
        let is_flinks = labelled.is_some_and(|kind| kind.starts_with("flink-"));
        is_flinks && Discover::of(deployment) == Discover::Native && deployment.deleting_since.is_none()
    };
    let flinks = objects.iter().filter_map(Object::deployment).filter(is_nobody_elses);
    let flinks = flinks.map(|deployment| ObjectRef::new(&deployment.namespace, &deployment.name));
    Some(flinks.collect())
}
