//! Where an exploration stands: record, evidence, and what the world would say next.

use std::hash::{Hash, Hasher};

use steadfast_core::board::Board;
use steadfast_core::decision::{Want, WantedSource};
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Timestamp;

use crate::scene::Scene;

/// One state of the exploration.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) now: Timestamp,
    pub(crate) engine_since: Timestamp,
    pub(crate) record: JobRecord,
    pub(crate) board: Board,
    pub(crate) scene: Scene,
    pub(crate) asked: Asked,
    /// What each law remembers of the way here.
    pub(crate) trackers: Vec<u64>,
}

/// The looks for the job's end that the policy asked for and that are not answered yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    pub(crate) last_words: bool,
    pub(crate) archive: bool,
    pub(crate) ha_data: bool,
}

impl Asked {
    /// Those of a decision's wants that are due and not answered by what is in the snapshot.
    pub(crate) fn of(wanted: &[Want], snapshot: &Snapshot) -> Self {
        let knows_job = snapshot.record.incarnation.flink_job_id.is_some();
        let told = |end: &Option<steadfast_core::evidence::Evidence<steadfast_core::facts::JobEnd>>| {
            end.as_ref().is_some_and(|end| end.latest.present().is_some())
        };
        let mut asked = Self::default();
        for want in wanted.iter().filter(|want| want.observed_after < snapshot.now) {
            let is_late = |at: Option<Timestamp>| at.is_none_or(|at| at <= want.observed_after);
            match want.source {
                WantedSource::LastWords => {
                    let pods = snapshot.pods.as_ref().and_then(|pods| pods.latest.present());
                    asked.last_words = knows_job
                        && pods.is_some()
                        && !told(&snapshot.last_words)
                        && is_late(snapshot.last_words.as_ref().map(|e| e.asked_at));
                }
                WantedSource::Archive => {
                    asked.archive =
                        knows_job && !told(&snapshot.archive) && is_late(snapshot.archive.as_ref().map(|e| e.asked_at));
                }
                WantedSource::HaData => {
                    asked.ha_data = is_late(snapshot.ha_data.as_ref().map(|e| e.asked_at));
                }
                WantedSource::Exceptions
                | WantedSource::Checkpoints
                | WantedSource::Kubernetes
                | WantedSource::Events
                | WantedSource::TaskManagers => {}
            }
        }
        asked
    }

    pub(crate) fn any(self) -> bool {
        self.last_words || self.archive || self.ha_data
    }
}

impl State {
    /// The fingerprint by which equal states are found again. Two states with the same evidence, record, memory and
    /// world have the same future, however they came about. `seen` is what the last decision was made on.
    pub(crate) fn fingerprint(&mut self, seen: &mut Snapshot) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        // The record that counts is the one after the decision.
        std::mem::swap(&mut self.record, &mut seen.record);
        seen.hash(&mut hasher);
        std::mem::swap(&mut self.record, &mut seen.record);
        self.scene.hash(&mut hasher);
        self.asked.hash(&mut hasher);
        self.trackers.hash(&mut hasher);
        hasher.finish()
    }
}
