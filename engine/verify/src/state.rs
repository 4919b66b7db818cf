//! Where an exploration stands: record, evidence, and what the world would say next.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::sync::Arc;

use foldhash::quality::FixedState;
use steadfast_core::board::lookups::Standing;
use steadfast_core::board::{Board, ObjectRef};
use steadfast_core::decision::{LookupRequest, LookupSource};
use steadfast_core::labels::Labels;
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Timestamp;

use crate::world::World;

/// One state of the exploration.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) now: Timestamp,
    pub(crate) engine_since: Timestamp,
    pub(crate) record: Arc<JobRecord>,
    pub(crate) board: Board,
    pub(crate) world: World,
    /// Those of the Deployment.
    pub(crate) labels: Labels,
    /// Which of the beginnings it comes from that only this policy has; 0 for the usual ones.
    pub(crate) elsewhere: u32,
    pub(crate) asked: OpenLookups,
    /// What each law remembers of the path here.
    pub(crate) trackers: Vec<u64>,
}

/// The look-ups that the policy asked for and that are not answered yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct OpenLookups {
    pub(crate) last_words: bool,
    pub(crate) archive: bool,
    pub(crate) ha_data: bool,
    pub(crate) exceptions: bool,
    pub(crate) checkpoints: bool,
    pub(crate) events: bool,
    pub(crate) task_managers: bool,
}

impl OpenLookups {
    /// Those of a decision's requests that are open for a job as its record was committed.
    pub(crate) fn of(
        wanted: &[LookupRequest],
        board: &Board,
        record: &JobRecord,
        object: Option<&ObjectRef>,
        now: Timestamp,
    ) -> Self {
        let mut asked = Self::default();
        for request in wanted {
            let is_open = matches!(board.standing(record, object, request, now), Standing::Open(_));
            match request.source {
                LookupSource::LastWords => asked.last_words |= is_open,
                LookupSource::Archive => asked.archive |= is_open,
                LookupSource::HaData => asked.ha_data |= is_open,
                LookupSource::Exceptions => asked.exceptions |= is_open,
                LookupSource::Checkpoints => asked.checkpoints |= is_open,
                LookupSource::Events => asked.events |= is_open,
                LookupSource::TaskManagers => asked.task_managers |= is_open,
                // Lists are made whenever time passes.
                LookupSource::Kubernetes => {}
            }
        }
        asked
    }

    /// Whether one is open that may tell the end.
    pub(crate) fn of_the_end(self) -> bool {
        self.last_words || self.archive || self.ha_data
    }

    /// Whether one is open that explains.
    pub(crate) fn that_explains(self) -> bool {
        self.exceptions || self.checkpoints || self.events || self.task_managers
    }

    /// Those that are open.
    pub(crate) fn open(self) -> impl Iterator<Item = LookupSource> {
        let all = [
            (self.last_words, LookupSource::LastWords),
            (self.archive, LookupSource::Archive),
            (self.ha_data, LookupSource::HaData),
            (self.exceptions, LookupSource::Exceptions),
            (self.checkpoints, LookupSource::Checkpoints),
            (self.events, LookupSource::Events),
            (self.task_managers, LookupSource::TaskManagers),
        ];
        all.into_iter()
            .filter_map(|(is_open, source)| is_open.then_some(source))
    }
}

impl State {
    /// The fingerprints by which equal states are found again. Two states with the same evidence, record, memory and
    /// world have the same future, however they came about. `seen` is what the last decision was made on.
    pub(crate) fn fingerprint(&self, seen: &Snapshot) -> Fingerprint {
        // The record that counts is the one after the decision.
        let future = self.future_of(seen, &self.record);
        let mut hasher = FixedState::default().build_hasher();
        hasher.write_u64(future);
        self.trackers.hash(&mut hasher);
        Fingerprint {
            future,
            whole: hasher.finish(),
        }
    }

    /// What the future depends on, with the evidence of a snapshot and a record in place of the snapshot's own.
    pub(crate) fn future_of(&self, seen: &Snapshot, record: &JobRecord) -> u64 {
        let Snapshot {
            now,
            engine_since,
            record: _,
            flink,
            exceptions,
            checkpoints,
            deployment,
            deletion,
            pods,
            events,
            ha_data,
            last_words,
            archive,
            flink_resource,
            task_managers,
            fleet,
            timing,
        } = seen;
        let mut hasher = FixedState::default().build_hasher();
        (now, engine_since, fleet, timing, record).hash(&mut hasher);
        (flink, exceptions, checkpoints, last_words, archive).hash(&mut hasher);
        (
            deployment,
            deletion,
            pods,
            events,
            ha_data,
            flink_resource,
            task_managers,
        )
            .hash(&mut hasher);
        (&self.world, &self.labels, self.asked).hash(&mut hasher);
        hasher.finish()
    }
}

impl State {
    /// A hash of what kind of state it is: who says what, and what the record shows, without times, counts and memory. Of one kind
    /// there are thousands of states; what a rule can tell apart by its own memory alone, a kind does not.
    pub(crate) fn kind(&self) -> u64 {
        let World {
            mode,
            flink,
            run,
            kubernetes,
            deployment,
            pod,
            neighbours,
        } = &self.world;
        let JobRecord {
            state,
            confidence,
            reason,
            conditions,
            alerts,
            intent,
            attention,
            ..
        } = &*self.record;
        let mut hasher = FixedState::default().build_hasher();
        (
            self.elsewhere,
            mode,
            flink,
            run.state,
            run.uid == deployment.uid,
            kubernetes,
        )
            .hash(&mut hasher);
        (
            std::mem::discriminant(&deployment.there),
            pod.count,
            pod.health,
            pod.restarts > 0,
        )
            .hash(&mut hasher);
        (neighbours, self.asked, state, confidence, &reason.code, attention).hash(&mut hasher);
        for condition in conditions {
            condition.kind.hash(&mut hasher);
        }
        for alert in alerts {
            (&alert.name, alert.scope).hash(&mut hasher);
        }
        intent.as_ref().map(|posted| posted.intent).hash(&mut hasher);
        hasher.finish()
    }
}

/// Hashes of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Of what its future depends on.
    pub(crate) future: u64,
    /// Of that, and of what the laws remember of the path to it.
    pub(crate) whole: u64,
}
