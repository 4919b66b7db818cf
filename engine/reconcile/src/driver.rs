//! The loop: evidence in, decisions out, commits before anything is shown.

mod requests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use steadfast_core::error_chain::error_chain;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::{Change, Commit, Event, Journal, JournalError, Sequence};
use steadfast_core::news::{KindOrigin, KubeNews, What};
use steadfast_core::planner::Plan;
use steadfast_core::projection::{JobView, Projection, WatchStatus};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Keep;
use steadfast_core::shadow::{ShadowBoard, Verdict};
use steadfast_core::snapshot::Timing;
use steadfast_core::time::{Clock, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::control::Request;
use crate::looker::Looker;
use crate::looks::{Answer, Look};
use crate::metrics::{KindLabel, Metrics, PolicyLabel, ResultLabel, StateLabel};
use crate::reactor::{Decided, Reactor};
use crate::status::{ClusterStatus, StatusBoard};

/// How many inputs are taken in before decisions are made: enough to share a commit, few enough to stay prompt.
const INTAKE: usize = 1024;

/// The loop with its ways in and out.
pub(crate) struct Driver {
    pub(crate) reactor: Reactor,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) projection: Arc<Projection>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timing: Timing,
    pub(crate) looker: Arc<Looker>,
    pub(crate) metrics: Metrics,
    pub(crate) status: StatusBoard,
    pub(crate) shadows: ShadowBoard,
    pub(crate) news: mpsc::Receiver<KubeNews>,
    pub(crate) answers: mpsc::Receiver<Answer>,
    pub(crate) answer_to: mpsc::Sender<Answer>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) entries: watch::Sender<Sequence>,
    pub(crate) looks: TaskTracker,
    pub(crate) cancel: CancellationToken,
    /// When each job was last confirmed, where that is newer than its record.
    pub(crate) confirmed: BTreeMap<JobKey, Timestamp>,
    /// How many recorded snapshots are kept; `None`: none.
    pub(crate) keep: Option<Keep>,
}

/// What woke the loop.
enum Woken {
    News(Box<KubeNews>),
    Answer(Box<Answer>),
    Request(Request),
    Time,
    End,
}

impl Driver {
    /// Commits what the start changes, shows what is on record, and takes up discovered targets again.
    pub(crate) async fn begin(&mut self, first: Vec<Change>, now: Timestamp) -> Result<(), JournalError> {
        self.commit(first, now).await?;
        self.reactor.resume_discovered(now);
        for record in self.reactor.records().values() {
            self.projection.show(JobView {
                record: Arc::clone(record),
                watch: self.watch_status(&record.key),
            });
        }
        self.metrics
            .jobs
            .set(i64::try_from(self.projection.len()).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Turns until it is cancelled. Every look it began is awaited or dropped with it.
    pub(crate) async fn run(mut self) {
        let mut validation = Instant::now() + self.timing.validate;
        loop {
            self.turn().await;
            if Instant::now() >= validation {
                self.validate().await;
                validation = Instant::now() + self.timing.validate;
            }
            match self.wait(validation).await {
                Woken::End => break,
                woken @ (Woken::News(_) | Woken::Answer(_) | Woken::Request(_) | Woken::Time) => {
                    self.take_in(woken).await
                }
            }
        }
        self.looks.close();
        self.looks.wait().await;
    }

    /// One turn: judge, commit, show, look.
    async fn turn(&mut self) {
        let now = self.clock.now();
        self.status.write(|status| status.turned_at = now);
        self.begin_looks(now);
        let decided = self.reactor.decide(now);
        if !decided.is_empty() {
            self.carry_out(decided, now).await;
        }
        self.begin_looks(self.clock.now());
    }

    async fn wait(&mut self, validation: Instant) -> Woken {
        let pause = if self.reactor.has_work() {
            Duration::ZERO
        } else {
            let now = self.clock.now();
            self.reactor
                .next_due()
                .map_or(self.timing.validate, |due| due.since(now))
        };
        let wake = (Instant::now() + pause).min(validation);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Woken::End,
            Some(request) = self.requests.recv() => Woken::Request(request),
            Some(answer) = self.answers.recv() => Woken::Answer(Box::new(answer)),
            Some(news) = self.news.recv() => Woken::News(Box::new(news)),
            () = tokio::time::sleep_until(wake) => Woken::Time,
        }
    }

    /// Takes in what woke the loop, and what waits behind it.
    async fn take_in(&mut self, woken: Woken) {
        let now = self.clock.now();
        let mut begun = Vec::new();
        match woken {
            Woken::News(news) => begun.extend(self.take_news(*news, now)),
            Woken::Answer(answer) => begun.extend(self.take_answer(*answer, now)),
            Woken::Request(request) => self.serve(request, now).await,
            Woken::Time | Woken::End => {}
        }
        for _ in 0..INTAKE {
            if let Ok(answer) = self.answers.try_recv() {
                begun.extend(self.take_answer(answer, now));
            } else if let Ok(news) = self.news.try_recv() {
                begun.extend(self.take_news(news, now));
            } else {
                break;
            }
        }
        if !begun.is_empty() {
            self.begin_records(begun).await;
        }
    }

    fn take_news(&mut self, news: KubeNews, now: Timestamp) -> Vec<Change> {
        let status = match &news.what {
            What::Failed(fault) => ClusterStatus::Retrying(fault.clone()),
            What::Listed(..) | What::Changed(_) | What::Deleted(_) => ClusterStatus::Reached,
        };
        // A cluster without the Flink operator is reached all the same.
        if news.scope.kind.origin() == KindOrigin::Kubernetes {
            let cluster = news.scope.cluster.clone();
            self.status.write(|s| drop(s.clusters.insert(cluster, status)));
        }
        let begun = self.reactor.news(news, now);
        self.metrics
            .list_repairs
            .set(i64::try_from(self.reactor.repaired).unwrap_or(i64::MAX));
        begun
    }

    fn take_answer(&mut self, answer: Answer, now: Timestamp) -> Vec<Change> {
        if let Answer::Overview { answer, .. } = &answer {
            let result = if answer.is_known() { "answered" } else { "unknown" };
            self.metrics.polls.get_or_create(&ResultLabel { result }).inc();
        }
        self.reactor.answered(answer, now)
    }

    /// Begins the looks that are due.
    fn begin_looks(&mut self, now: Timestamp) {
        for look in self.reactor.due(now) {
            let looker = Arc::clone(&self.looker);
            let answer_to = self.answer_to.clone();
            let cancel = self.cancel.clone();
            if let Look::Lists { .. } = look {
                // Only passes the wish on; its answer comes as news.
                self.looks.spawn(async move { drop(looker.take(look).await) });
                continue;
            }
            self.looks.spawn(async move {
                let answer = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return,
                    answer = looker.take(look) => answer,
                };
                if let Some(answer) = answer {
                    // The receiver is gone only when the loop has ended.
                    drop(answer_to.send(answer).await);
                }
            });
        }
    }

    /// Commits what was decided, then shows it.
    async fn carry_out(&mut self, mut decided: Vec<Decided>, now: Timestamp) {
        self.metrics
            .decisions
            .inc_by(u64::try_from(decided.len()).unwrap_or(u64::MAX));
        let mut changes = Vec::new();
        let mut recorded = Vec::new();
        for one in &mut decided {
            recorded.extend(one.recorded.take());
            if let Some(failure) = &one.failure {
                self.metrics
                    .policy_failures
                    .get_or_create(&KindLabel {
                        kind: failure.kind.as_str(),
                    })
                    .inc();
                tracing::warn!(job = %one.key, kind = failure.kind.as_str(), "policy failed: {}", failure.message);
            }
            changes.extend(one.plan.change.clone());
        }
        let commit = Commit {
            changes: self.reactor.tell_once(changes),
            recorded,
        };
        if let Err(error) = self.commit(commit, now).await {
            let pause = self.timing.retry_initial;
            tracing::error!(
                "the store did not take a commit, it is retried in {pause:?}: {}",
                error_chain(&error)
            );
            self.reactor
                .put_back(decided.into_iter().map(|one| one.key), now.after(pause));
            return;
        }
        for one in decided {
            self.follow_up(&one.key, &one.plan, now);
            self.compare(&one.key, one.shadows, now);
        }
        self.metrics.show_shadows(&self.shadows.tallies());
    }

    /// Holds what the shadows make of a job against its record as it was committed.
    fn compare(&mut self, key: &JobKey, shadows: Vec<(PolicyName, Verdict)>, now: Timestamp) {
        let Some(record) = self.reactor.records().get(key) else {
            return;
        };
        for (policy, verdict) in shadows {
            if self.shadows.note(&policy, Arc::clone(record), verdict, now) {
                let policy = policy.to_string();
                self.metrics
                    .shadow_differences
                    .get_or_create(&PolicyLabel { policy })
                    .inc();
            }
        }
    }

    fn follow_up(&mut self, key: &JobKey, plan: &Plan, now: Timestamp) {
        self.reactor.follow_up(key, plan, now);
        if let Some(at) = plan.confirmed_at {
            self.confirmed.insert(key.clone(), at);
        }
        self.projection.show_watch(key, self.watch_status(key));
    }

    fn watch_status(&self, key: &JobKey) -> WatchStatus {
        WatchStatus {
            confirmed_at: self.confirmed.get(key).copied(),
            ..self.reactor.watch_status(key)
        }
    }

    /// Records that begin: committed like everything else, then judged.
    async fn begin_records(&mut self, begun: Vec<Change>) {
        let keys: Vec<JobKey> = begun.iter().map(|change| change.record.key.clone()).collect();
        let now = self.clock.now();
        match self.commit(begun, now).await {
            Ok(()) => self.reactor.put_back(keys, now),
            // The next list, event or overview brings them up again.
            Err(error) => tracing::error!("new jobs could not be recorded: {}", error_chain(&error)),
        }
    }

    /// One transaction; only when it is durable do memory and readers learn of it.
    pub(crate) async fn commit(&mut self, commit: impl Into<Commit>, now: Timestamp) -> Result<(), JournalError> {
        let commit = commit.into();
        if commit.is_empty() {
            return Ok(());
        }
        let changes = commit.changes.clone();
        let result = self.journal.commit(now, commit).await;
        let label = if result.is_ok() { "committed" } else { "failed" };
        self.metrics.commits.get_or_create(&ResultLabel { result: label }).inc();
        self.status
            .write(|status| status.store_error = result.as_ref().err().map(|error| error_chain(error)));
        let entries = result?;
        for change in &changes {
            for event in &change.events {
                if let Event::Transition(transition) = event {
                    self.metrics
                        .transitions
                        .get_or_create(&StateLabel {
                            to: transition.to.as_str(),
                        })
                        .inc();
                    tracing::info!(
                        job = %change.record.key, from = %transition.from, to = %transition.to,
                        attempt = transition.attempt, "{}", transition.reason.message
                    );
                }
            }
            let record = self.reactor.committed(change);
            self.show(record, change);
        }
        self.metrics
            .jobs
            .set(i64::try_from(self.projection.len()).unwrap_or(i64::MAX));
        if let Some(last) = entries.last() {
            self.entries.send_replace(last.sequence);
        }
        Ok(())
    }

    fn show(&mut self, record: Arc<JobRecord>, change: &Change) {
        if change.events.contains(&Event::Forgotten) {
            self.projection.remove(&record.key);
            self.shadows.forget(&record.key);
            self.confirmed.remove(&record.key);
        } else {
            let watch = self.watch_status(&record.key);
            self.projection.show(JobView { record, watch });
        }
    }

    /// The validation cycle's part in memory: memory is compared with the store, drift is repaired and counted,
    /// and the confirmations since the last cycle are written down.
    async fn validate(&mut self) {
        let stored = match self.journal.load().await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::error!("the store could not be compared with memory: {}", error_chain(&error));
                return;
            }
        };
        for record in stored {
            let same = self
                .reactor
                .records()
                .get(&record.key)
                .is_some_and(|known| **known == record);
            if !same {
                tracing::error!(job = %record.key, "memory differed from the store and was repaired");
                self.metrics.drift.inc();
                let record = self.reactor.repair(record);
                let watch = self.watch_status(&record.key);
                self.projection.show(JobView { record, watch });
            }
        }
        let confirmed = self.confirmed.iter().filter_map(|(key, at)| {
            let record = self.reactor.records().get(key)?;
            (record.confirmed_at < Some(*at)).then(|| Change {
                record: JobRecord {
                    confirmed_at: Some(*at),
                    revision: record.revision + 1,
                    ..(**record).clone()
                },
                events: Vec::new(),
            })
        });
        let changes: Vec<Change> = confirmed.collect();
        let now = self.clock.now();
        if let Err(error) = self.commit(changes, now).await {
            tracing::error!("confirmations could not be recorded: {}", error_chain(&error));
        }
        self.prune(now).await;
    }

    /// Drops recorded snapshots that are too old or too many. Without recording none are kept at all.
    async fn prune(&mut self, now: Timestamp) {
        let keep = self.keep.unwrap_or(Keep {
            max_age: Duration::ZERO,
            max_bytes: 0,
        });
        if let Err(error) = self.journal.prune(now.before(keep.max_age), keep.max_bytes).await {
            tracing::error!("old snapshots could not be dropped: {}", error_chain(&error));
        }
    }
}
