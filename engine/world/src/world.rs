//! The whole world: the model, and the servers that show it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use steadfast_core::state::Mode;

use crate::clock::WorldClock;
use crate::flink::{Flink, RestServer, archive_file, job_result_file};
use crate::kubernetes::Kubernetes;
use crate::model::{Model, Target};
use crate::objects::{self, Objects};
use crate::story::{FlinkFault, KubernetesFault, Step, Story};

/// A world that stands still until a step changes it.
pub struct World {
    clock: WorldClock,
    model: Arc<Mutex<Model>>,
    clusters: BTreeMap<String, Arc<Kubernetes>>,
    flinks: BTreeMap<String, Arc<Flink>>,
    history: Option<Arc<Flink>>,
    namespaces: Vec<String>,
}

impl World {
    /// The world before a story's first step: nothing is there, and everything answers.
    pub fn before(story: &Story, clock: WorldClock) -> Self {
        let in_clusters = story.targets.iter().filter(|target| target.mode != Mode::Standalone);
        let names: BTreeSet<String> = in_clusters.map(|target| target.cluster.clone()).collect();
        let namespaces: BTreeSet<String> = story.targets.iter().map(|target| target.namespace.clone()).collect();
        let namespaces: Vec<String> = namespaces.into_iter().collect();
        let model = Arc::new(Mutex::new(Model::before(story, clock)));
        let flink = |name: &str, kind| Arc::new(Flink::new(Arc::clone(&model), name, kind));
        Self {
            clock,
            clusters: names
                .into_iter()
                .map(|name| (name, Arc::new(Kubernetes::new(clock, &namespaces))))
                .collect(),
            flinks: story
                .targets
                .iter()
                .map(|target| (target.handle.clone(), flink(&target.handle, RestServer::JobManager)))
                .collect(),
            history: story
                .targets
                .first()
                .map(|target| flink(&target.handle, RestServer::HistoryServer)),
            namespaces,
            model,
        }
    }

    /// The clock that all of it shares.
    pub fn clock(&self) -> WorldClock {
        self.clock
    }

    /// Every namespace of the story.
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// The API servers, by the name of their cluster.
    pub fn clusters(&self) -> &BTreeMap<String, Arc<Kubernetes>> {
        &self.clusters
    }

    /// The Flinks, by what the story calls their target.
    pub fn flinks(&self) -> &BTreeMap<String, Arc<Flink>> {
        &self.flinks
    }

    /// The HistoryServer, which knows the first target's ended jobs.
    pub fn history(&self) -> Option<&Arc<Flink>> {
        self.history.as_ref()
    }

    /// The truth, locked: nothing changes and no server answers while it is held.
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a step happen. What it says of the engine is the player's business.
    pub fn apply(&self, step: &Step) {
        let mut model = self.model();
        model.change(step);
        for (name, target) in &model.targets {
            let is_meant = target.is_called(step.target.as_deref());
            let is_said = is_meant && step.flink.is_some();
            let carries = !matches!(target.flink, FlinkFault::Drop | FlinkFault::Refuse);
            if let Some(flink) = self.flinks.get(name)
                && (is_said || (is_meant && carries))
            {
                flink.set_fault(target.flink);
            }
        }
        for (name, cluster) in &self.clusters {
            let mut held = Objects::default();
            let Model { targets, births, .. } = &mut *model;
            for target in targets.values().filter(|target| target.cluster == *name) {
                objects::add(target, births, &mut held);
            }
            let meant = step.cluster.as_ref().is_none_or(|only| only == name);
            match step.kubernetes.filter(|_| meant) {
                // What happens in the moment in which watches fall silent is not seen any more.
                Some(KubernetesFault::WatchSilent) => {
                    cluster.set_fault(KubernetesFault::WatchSilent, step.namespace.as_deref());
                    cluster.hold(held);
                }
                Some(fault) => {
                    cluster.hold(held);
                    cluster.set_fault(fault, step.namespace.as_deref());
                }
                None => cluster.hold(held),
            }
        }
    }

    /// The archive's and the JobResultStore's files of all targets, by the folders and the name that lead to each: each
    /// Kubernetes cluster has a storage of its own.
    pub fn files(&self) -> BTreeMap<Vec<String>, Value> {
        let mut model = self.model();
        let Model { targets, births, .. } = &mut *model;
        let mut files = BTreeMap::new();
        for target in targets.values() {
            for ended in &target.archive {
                let path = vec![target.cluster.clone(), "archive".to_owned(), target.flink_id(&ended.id)];
                files.insert(path, archive_file(target, births, ended));
            }
            for ended in &target.job_results {
                let name = format!("{}.json", target.flink_id(&ended.id));
                let path = vec![
                    target.cluster.clone(),
                    "job-result-store".to_owned(),
                    target.name.clone(),
                    name,
                ];
                files.insert(path, job_result_file(target, births, ended));
            }
        }
        files
    }

    /// A copy of what is true of a target now.
    pub fn truth(&self, target: &str) -> Option<Target> {
        self.model().targets.get(target).cloned()
    }
}
