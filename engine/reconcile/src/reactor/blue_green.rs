//! FlinkBlueGreenDeployments: one job that runs by turns on one of two Flink clusters.
//!
//! The operator makes a FlinkDeployment for each side, `<name>-blue` and `<name>-green`, and owns both in its name. To bring out
//! another version it starts the other side, and deletes the one that ran once the new one is stable. The job goes by the name
//! of the FlinkBlueGreenDeployment: its record is about one side at a time, and the other side is its next attempt.
//!
//! The owner in the FlinkDeployments' metadata tells all of this, so the FlinkBlueGreenDeployment itself is not read: no right
//! to it is needed.

use steadfast_core::board::ObjectRef;
use steadfast_core::evidence::Observed;
use steadfast_core::facts::{Desired, FlinkResource};
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::record::Origin;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::setup::TargetSetup;

impl Reactor {
    /// The FlinkBlueGreenDeployment of which a FlinkDeployment is one side; `None` too if something else has its name: the sides
    /// go by their own then.
    pub(super) fn blue_green_of(&self, cluster: &ClusterName, object: &ObjectRef) -> Option<TargetId> {
        let board = self.board.kubernetes(cluster)?;
        let id = match board.last_flink_deployment(object) {
            Some(side) => TargetId::new(cluster, &object.namespace, side.blue_green.as_deref()?),
            // It was one, and may be on its way out.
            None => self.sides.get(&(cluster.clone(), object.clone()))?.clone(),
        };
        let has_its_name = match self.targets.get(&id) {
            Some(target) => target.origin == Origin::Discovered && target.deployment(&id) != &*id.name,
            None => {
                let plain = ObjectRef::new(&id.namespace, &id.name);
                let deployment = board.deployment(&plain).map(|evidence| evidence.latest);
                board.last_flink_deployment(&plain).is_none() && !matches!(deployment, Some(Observed::Present(_)))
            }
        };
        has_its_name.then_some(id)
    }

    /// Takes up a FlinkBlueGreenDeployment that nothing watches. What was on record by the name of one of its sides is its own.
    pub(super) fn begin_blue_green(&mut self, id: &TargetId, now: Timestamp) {
        let key = JobKey::application(id.clone());
        self.note_sides(id);
        for found in self.found_by_side(id) {
            self.supersede(found, &key);
        }
        if self.targets.contains(id) {
            self.follow_side(id, now);
            return;
        }
        let Some(side) = self.side_to_follow(id) else { return };
        if !self.is_on_record(&key) {
            let change = self.first_commit(key.clone(), side.mode, Origin::Discovered, now);
            self.begun.insert(key, change);
        }
        let setup = TargetSetup {
            id: id.clone(),
            mode: side.mode,
            object: Some(ObjectRef::new(&side.namespace, &side.name)),
            flink_rest: None,
            pinned: None,
        };
        self.watch(setup, Origin::Discovered, now);
    }

    fn note_sides(&mut self, id: &TargetId) {
        let Some(board) = self.board.kubernetes(&id.cluster) else {
            return;
        };
        let sides = board.last_sides(&id.namespace, &id.name);
        let named = sides.map(|side| (id.cluster.clone(), ObjectRef::new(&side.namespace, &side.name)));
        self.sides.extend(named.map(|side| (side, id.clone())));
    }

    /// Goes over to the other side, if it is the one to follow from now on.
    pub(super) fn follow_side(&mut self, id: &TargetId, now: Timestamp) {
        let object = match self.targets.get(id) {
            // A side has a name of its own.
            Some(target) if target.origin == Origin::Discovered && target.deployment(id) != &*id.name => {
                target.object.clone()
            }
            Some(_) | None => return,
        };
        let Some(side) = self.side_to_follow(id) else { return };
        let side = ObjectRef::new(&side.namespace, &side.name);
        if object.as_ref() == Some(&side) {
            return;
        }
        self.targets.move_to(id, side);
        // What was known is of the other Flink cluster.
        self.board.forget(id);
        self.unvouched.remove(id);
        for key in self.jobs_of(id) {
            self.lookups.begin_anew(&key);
        }
        // It is judged once that one's Flink was heard: it may have run for long.
        self.polls.poll_soon(id, now);
        self.refresh_reachability(id);
    }

    /// Whether a target's Flink is the one of that Deployment.
    pub(super) fn is_on(&self, id: &TargetId, deployment: &str) -> bool {
        self.targets
            .get(id)
            .is_some_and(|target| target.deployment(id) == deployment)
    }

    /// The side that a FlinkBlueGreenDeployment's job is on: the one that is followed, while it stands and has not come to its
    /// end with a later one beside it; else the one that has stood longest. `None` if it has no side.
    fn side_to_follow(&self, id: &TargetId) -> Option<FlinkResource> {
        let board = self.board.kubernetes(&id.cluster)?;
        let followed = self.targets.get(id).and_then(|target| target.object.as_ref());
        let is_followed = |side: &FlinkResource| followed.is_some_and(|object| object.name == side.name);
        // The end on record may be that of the side which was left.
        let ended_on = self
            .records
            .get(&JobKey::application(id.clone()))
            .filter(|record| record.state.is_terminal())
            .and_then(|record| record.incarnation.deployment_name.as_deref());
        let sides = || board.last_sides(&id.namespace, &id.name);
        // An aborted side is suspended, and stays.
        let stands = |side: &FlinkResource| side.deleting_since.is_none() && side.desired == Desired::Running;
        let order = |side: &&FlinkResource| {
            let has_successor = || sides().any(|other| stands(other) && other.created_at > side.created_at);
            let is_left = is_followed(side) && ended_on == Some(&*side.name) && has_successor();
            (
                !stands(side),
                is_left,
                !is_followed(side),
                side.created_at,
                side.name.clone(),
            )
        };
        sides().min_by_key(order).cloned()
    }

    /// Records that were, or are being, found by the name of a side.
    fn found_by_side(&self, id: &TargetId) -> Vec<JobKey> {
        let board = self.board.kubernetes(&id.cluster);
        let sides = board
            .into_iter()
            .flat_map(|board| board.last_sides(&id.namespace, &id.name));
        let keys = sides.map(|side| JobKey::application(TargetId::new(&id.cluster, &side.namespace, &side.name)));
        keys.filter(|key| {
            let begun = || Some(&self.begun.get(key)?.record);
            let record = self.records.get(key).or_else(begun);
            record.is_some_and(|record| record.origin == Origin::Discovered)
        })
        .collect()
    }
}
