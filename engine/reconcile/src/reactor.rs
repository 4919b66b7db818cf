//! The reconcile loop without its I/O: evidence goes in, requests to make and changes to commit come out.
//!
//! # How it is driven
//!
//! Everything here is a plain function of its inputs, the seed and the given "now"; the driver ([`crate::driver`]) owns the
//! clock, the network and the store. Evidence is taken in as it comes ([`Reactor::kube_update`], [`Reactor::fetched`]) and
//! only marks whom it concerns. Then there are two calls a turn: [`Reactor::turn`] gives what to fetch and what to commit,
//! and once the commit is durable [`Reactor::advance`] takes the turn back and gives what to show. A store that refuses costs
//! nothing: [`Reactor::refuse`] plans the same jobs again. Between the two no record has changed in memory, so that memory is
//! never ahead of the store. (raft-rs drives its core by such a pair, `ready` and `advance`, for the same reason.)
//!
//! # Its parts
//!
//! Each part owns its state and knows nothing of the others: [`Targets`], [`PollScheduler`], [`Lookups`], [`Fleets`],
//! [`ClusterAlerts`], [`WorkQueue`], [`RateLimits`]. The rules of evidence are core's. What is left here is the board, the records, and the
//! order of the steps, which is the subtle part:
//!
//! - An answer is put on the board before anything is judged on it, and a job is judged when its turn comes, on all that is
//!   there by then.
//! - A new record is committed before its job is judged: a decision always changes something that exists.
//! - What follows from a decision (the next poll, look-ups, the next review) follows once it is committed; a decision that
//!   was refused must leave no trace, or a replay would not go the same way.
//!
//! What was rejected: a task for each job (ten thousand timers, and no order between a fleet's jobs), and effects carried out
//! by the core through traits (a store that hangs would hold up evidence).

mod blue_green;
mod deciding;
mod discovery;
mod explain;
mod fleets;
mod forget;
mod intake;
mod judge;
mod looks;
mod lookups;
mod poll_scheduler;
mod queue;
mod rate_limits;
mod renames;
mod replace_policies;
mod requests;
mod retire;
mod retries;
mod session_jobs;
mod shadowing;
mod start;
mod targets;
mod traces;
mod unwritten;
mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::board::{Board, ObjectRef};
use steadfast_core::cluster_alerts::ClusterAlerts;
use steadfast_core::id::{ClusterName, JobKey, PolicyName, TargetId};
use steadfast_core::journal::Change;
use steadfast_core::projection::{JobView, WatchStatus};
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::recording::Sampler;
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;
use steadfast_sources::route::FlinkRoute;

use fleets::Fleets;
use looks::Looks;
use lookups::Lookups;
use poll_scheduler::PollScheduler;
use queue::WorkQueue;
use rate_limits::RateLimits;
use retries::PolicyRetries;
use shadowing::ShadowTurns;
use targets::Targets;
use traces::Traces;
use unwritten::Unwritten;
use validate::Comparison;

use crate::fetch::Fetch;
use crate::judging::Decided;
use crate::policies::Policies;
use crate::setup::{Discover, Fraction};
use crate::turn::{Show, Turn};

/// The state of the loop.
pub struct Reactor {
    timing: Timing,
    engine_since: Timestamp,
    /// What was configured for each cluster.
    clusters: BTreeMap<ClusterName, ClusterRules>,
    board: Board,
    /// Each job's record, as the store holds it.
    records: BTreeMap<JobKey, Arc<JobRecord>>,
    /// First commits of jobs that were found, until the store has taken them.
    begun: BTreeMap<JobKey, Change>,
    /// Records that go on under another key, by the key that they have.
    superseded: BTreeMap<JobKey, JobKey>,
    /// FlinkDeployments that were known as a side of a FlinkBlueGreenDeployment, which they name.
    sides: BTreeMap<(ClusterName, ObjectRef), TargetId>,
    /// When each job was last confirmed, where that is newer than its record: not worth a commit each.
    confirmed: BTreeMap<JobKey, Timestamp>,
    targets: Targets,
    polls: PollScheduler,
    lookups: Lookups,
    /// What somebody asked for.
    looks: Looks,
    fleets: Fleets,
    alerts: ClusterAlerts,
    /// Flinks whose answers do not show whose they are.
    unvouched: BTreeMap<TargetId, Unvouched>,
    queue: WorkQueue,
    retries: PolicyRetries,
    unwritten: Unwritten,
    rate_limits: RateLimits,
    /// The same of what calls of the API write.
    call_limits: RateLimits,
    policies: Policies,
    /// Policies that were given something to decide in the last turn, and have not answered.
    awaited: BTreeSet<PolicyName>,
    /// Those whose decisions came after the turn in which they were asked, and are not planned yet.
    came_late: BTreeSet<PolicyName>,
    /// What policies have answered, not yet planned.
    came: Vec<(PolicyName, Decided)>,
    /// How many decisions in a row newer facts of their jobs have overtaken.
    overtaken: BTreeMap<JobKey, u32>,
    shadows: ShadowTurns,
    /// What there is to show with the next turn that is advanced.
    told: Vec<Show>,
    /// Which snapshots are kept; `None`: none are.
    sampler: Option<Sampler>,
    /// Which decisions are traced; `None`: none are.
    traces: Option<Traces>,
    /// Requests that came up while evidence was taken in or a turn was advanced.
    fetches: Vec<Fetch>,
    /// Memory is being compared with the store.
    comparison: Option<Comparison>,
    /// First commits that the store refused are tried again at that time.
    begin_after: Option<Timestamp>,
    /// Differences between watch and list that were found and repaired.
    list_repairs: u64,
}

/// Answers that do not show whose they are.
#[derive(Clone, Copy, Debug)]
struct Unvouched {
    /// When the first of them was asked for, since none came that did.
    since: Timestamp,
    newest: Timestamp,
}

impl Unvouched {
    /// How long they have lasted, if the last of them is no older than a pace of polls allows.
    fn lasting(self, now: Timestamp, timing: Timing) -> Option<Duration> {
        let is_unbroken = now.since(self.newest) <= timing.poll * 2 + timing.timeout;
        is_unbroken.then(|| now.since(self.since))
    }
}

/// What was configured for a cluster.
#[derive(Clone, Debug)]
pub struct ClusterRules {
    /// What is taken up without a `[[job]]`.
    pub discover: Vec<Discover>,
    /// How Flink is reached where a target does not say.
    pub flink_rest: FlinkRoute,
}

impl Reactor {
    /// A loop that knows nothing yet. `now` counts as the engine's start; one seed replays one run.
    pub fn new(
        timing: Timing,
        seed: u64,
        now: Timestamp,
        clusters: BTreeMap<ClusterName, ClusterRules>,
        policies: Policies,
        sampler: Option<Sampler>,
    ) -> Self {
        let backoff = Backoff {
            initial: timing.retry_initial,
            max: timing.retry_max,
        };
        let mut seeds = StdRng::seed_from_u64(seed);
        let mut rng = || StdRng::from_rng(&mut seeds);
        Self {
            timing,
            engine_since: now,
            clusters,
            board: Board::default(),
            records: BTreeMap::new(),
            begun: BTreeMap::new(),
            superseded: BTreeMap::new(),
            sides: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            targets: Targets::default(),
            polls: PollScheduler::new(timing.poll, backoff, rng()),
            lookups: Lookups::new(timing.poll, backoff, rng()),
            looks: Looks::default(),
            fleets: Fleets::default(),
            alerts: ClusterAlerts::default(),
            unvouched: BTreeMap::new(),
            queue: WorkQueue::default(),
            retries: PolicyRetries::new(backoff, rng()),
            unwritten: Unwritten::new(backoff, rng()),
            rate_limits: RateLimits::new(timing),
            call_limits: RateLimits::new(timing),
            policies,
            awaited: BTreeSet::new(),
            came_late: BTreeSet::new(),
            came: Vec::new(),
            overtaken: BTreeMap::new(),
            shadows: ShadowTurns::default(),
            told: Vec::new(),
            sampler,
            traces: None,
            fetches: Vec::new(),
            comparison: None,
            begin_after: None,
            list_repairs: 0,
        }
    }

    /// Decisions are traced from now on: all that change something, and this share of the others.
    #[must_use]
    pub fn traced(mut self, share: Fraction, seed: u64) -> Self {
        self.traces = Some(Traces::new(share, seed));
        self
    }

    /// What to fetch and what to commit now. Both may be empty.
    pub fn turn(&mut self, now: Timestamp) -> Turn {
        let mut turn = Turn {
            fetches: self.take_fetches(),
            ..Turn::default()
        };
        for id in self.polls.begin_due(now) {
            if let (Some(endpoint), Some(expected)) = (self.endpoint(&id), self.expected_of(&id, now)) {
                turn.fetches.push(Fetch::Overview { endpoint, expected });
            }
        }
        if self.begin_due().is_some_and(|at| at <= now) {
            // By themselves: what is wrong with one of them must not hold up what was decided of other jobs. The next turn
            // follows at once.
            turn.changes.extend(self.begin_found(now));
            let begun = self.begun.keys().filter(|key| self.unwritten.retry_at(key) <= now);
            turn.then_judge.extend(begun.cloned());
            return turn;
        }
        self.judge(&mut turn, now);
        self.ask_shadows(now);
        turn.changes = self.deduped(std::mem::take(&mut turn.changes));
        turn
    }

    /// The turn's commit is durable: memory takes it over, and what follows from it begins. Returns what there is to show,
    /// in order.
    pub fn advance(&mut self, turn: Turn, now: Timestamp) -> Vec<Show> {
        if self.begins(&turn) {
            self.begin_after = None;
        }
        let ended = turn.changes.iter().filter(|change| change.record.state.is_terminal());
        let ended: Vec<TargetId> = ended.map(|change| change.record.key.target.clone()).collect();
        let mut shown: Vec<Show> = turn
            .changes
            .into_iter()
            .map(|change| self.committed(change, now))
            .collect();
        for id in ended {
            self.follow_side(&id, now);
        }
        for key in turn.then_judge {
            self.queue.enqueue(key);
        }
        if let Some(policies) = turn.policies {
            shown.push(self.apply_policies(policies));
        }
        for judged in turn.judged {
            self.follow_up(judged, now, &mut shown);
        }
        self.ask_shadows(now);
        self.policies.end_batch();
        shown.append(&mut self.told);
        shown
    }

    /// When the next jobs that were found begin, and records end with that; `None` if there are none.
    fn begin_due(&self) -> Option<Timestamp> {
        let found = self.begun.keys().chain(self.ending());
        let due = found.map(|key| self.unwritten.retry_at(key)).min()?;
        Some(due.max(self.begin_after.unwrap_or_default()))
    }

    /// Whether a turn commits these.
    fn begins(&self, turn: &Turn) -> bool {
        let mut keys = turn.changes.iter().map(|change| &change.record.key);
        keys.any(|key| self.begun.contains_key(key) || self.superseded.contains_key(key))
    }

    /// Requests that came up since the last turn, for those who need not wait for the next.
    pub fn take_fetches(&mut self) -> Vec<Fetch> {
        std::mem::take(&mut self.fetches)
    }

    /// When the next turn is due: now, if there is something to do already; `None` if nothing is planned.
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        let is_ready = self.queue.has_ready() || !self.fetches.is_empty() || self.can_judge(now);
        let begun = self.begin_due().map(|at| at.max(now));
        [
            is_ready.then_some(now),
            begun,
            self.polls.next_due(),
            self.queue.next_due(),
            self.next_comparison().map(|at| at.max(now)),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The committed records.
    pub fn records(&self) -> &BTreeMap<JobKey, Arc<JobRecord>> {
        &self.records
    }

    /// The policies that decide and shadow.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Differences between watch and list that were found and repaired so far.
    pub fn list_repairs(&self) -> u64 {
        self.list_repairs
    }

    /// A record with its watch, as readers see it.
    pub fn view(&self, record: &Arc<JobRecord>) -> JobView {
        JobView {
            record: Arc::clone(record),
            watch: self.watch_status(&record.key),
        }
    }

    /// How the watch of a job stands.
    pub fn watch_status(&self, key: &JobKey) -> WatchStatus {
        let polls = self.polls.status(&key.target);
        WatchStatus {
            next_poll_at: polls.in_flight_since.or(polls.next),
            next_review_at: self.queue.planned(key),
            failures: polls.failures,
            confirmed_at: self.confirmed.get(key).copied(),
            unwritten_since: self.unwritten.since(key),
        }
    }

    /// A commit with what is told of the alerts that many records share. Each commit goes through here: an alert, a silence or a change
    /// of hands in it may concern the others.
    fn deduped(&self, changes: Vec<Change>) -> Vec<Change> {
        // Of those that wait for the store nothing is told yet.
        let is_taken = |key: &JobKey| self.unwritten.since(key).is_none();
        let committed = |key: &JobKey| self.records.get(key).filter(|_| is_taken(key)).map(|record| &**record);
        self.alerts.dedupe(changes, committed)
    }

    /// Takes in what was committed: from here on it is what the record says.
    fn committed(&mut self, change: Change, now: Timestamp) -> Show {
        let key = change.record.key.clone();
        let before = self.records.get(&key).map(Arc::clone);
        self.begun.remove(&key);
        self.unwritten.forget(&key);
        self.alerts.delivered(before.as_deref(), &change);
        if change.forgets() {
            self.drop_record(&key);
            self.begin_anew(&change.record, now);
            return Show::Forgotten(change);
        }
        let record = Arc::clone(&change.record);
        if let Some(before) = before {
            self.board.committed(&before, &record);
            if !before.incarnation.is_same_run(&record.incarnation) {
                self.lookups.begin_anew(&key);
            }
        }
        if let Some(comparison) = &mut self.comparison {
            comparison.written(&key);
        }
        self.records.insert(key, Arc::clone(&record));
        Show::Changed(change, self.view(&record))
    }

    /// A record is gone. A discovered target goes with its last job.
    fn drop_record(&mut self, key: &JobKey) {
        self.records.remove(key);
        self.superseded.remove(key);
        self.confirmed.remove(key);
        self.policies.forget(key);
        if let Some(sampler) = &mut self.sampler {
            sampler.forget(key);
        }
        if let Some(traces) = &mut self.traces {
            traces.forget(key);
        }
        self.queue.remove(key);
        self.overtaken.remove(key);
        self.retries.forget(key);
        self.unwritten.forget(key);
        self.rate_limits.forget(key);
        self.lookups.forget(key);
        self.looks.forget(key);
        self.board.forget_job(key);
        let id = &key.target;
        let is_discovered = self
            .targets
            .get(id)
            .is_some_and(|target| target.origin == Origin::Discovered);
        if is_discovered && self.jobs_of(id).is_empty() {
            self.targets.remove(id);
            self.begun.retain(|begun, _| begun.target != *id);
            self.fleets.remove(id);
            self.polls.remove(id);
            self.unvouched.remove(id);
            self.board.forget(id);
        }
    }
}

#[cfg(test)]
mod tests;
