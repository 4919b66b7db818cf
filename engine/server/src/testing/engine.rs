//! The engine's word on itself and its policies.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use steadfast_core::cluster_lists::ClusterLists;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::ClusterName;
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, ObjectKind, Scope};

use super::AT;
use crate::{
    ClusterHealth, ClusterReading, FlinkCounts, Health, Liveness, Policies, PolicyList, Readiness, RecordFaults,
    ReloadError, Reloaded, ReloadedPolicy,
};

#[derive(Debug)]
pub(crate) struct TestHealth {
    pub(crate) probes: Mutex<(Liveness, Readiness)>,
    pub(crate) clusters: Mutex<Vec<ClusterReading>>,
    pub(crate) records: Mutex<RecordFaults>,
}

/// The cluster `local`, whose Deployments were listed once, and which then fell silent.
fn silent() -> ClusterReading {
    let scope = |kind| Scope {
        cluster: ClusterName::new("local"),
        kind,
        namespace: None,
    };
    let [deployments, pods] = [scope(ObjectKind::Deployment), scope(ObjectKind::Pod)];
    let mut lists = ClusterLists::new([deployments.clone(), pods.clone()]);
    let timeout = || KubeChange::Failed(Fault::new(FaultKind::Timeout, "no answer within 3s"));
    for (scope, change) in [
        (&deployments, KubeChange::Relisted(Vec::new(), Completeness::Complete)),
        (&deployments, timeout()),
        (&pods, timeout()),
    ] {
        lists.note(&KubeUpdate {
            scope: scope.clone(),
            asked_at: AT,
            at: AT,
            version: None,
            change,
        });
    }
    ClusterReading {
        name: ClusterName::new("local"),
        server: "https://local:6443".to_owned(),
        lists,
        tells_of_ends: false,
        unwatched: Vec::new(),
    }
}

impl Default for TestHealth {
    fn default() -> Self {
        let live = Liveness {
            live: true,
            turned_seconds_ago: 0.25,
        };
        let ready = Readiness {
            ready: true,
            store: None,
            policies: vec!["default".to_owned()],
            clusters: vec![ClusterHealth::of(&silent())],
            sinks: vec![],
            quarantined_records: 0,
            unwritten_jobs: 0,
        };
        Self {
            probes: Mutex::new((live, ready)),
            clusters: Mutex::new(vec![silent()]),
            records: Mutex::default(),
        }
    }
}

impl Health for TestHealth {
    fn live(&self) -> Liveness {
        self.probes.lock().unwrap().0.clone()
    }

    fn ready(&self) -> Readiness {
        self.probes.lock().unwrap().1.clone()
    }

    fn records(&self) -> RecordFaults {
        self.records.lock().unwrap().clone()
    }

    fn clusters(&self) -> Vec<ClusterReading> {
        self.clusters.lock().unwrap().clone()
    }

    fn flinks(&self) -> BTreeMap<ClusterName, FlinkCounts> {
        let counts = FlinkCounts { watched: 2, silent: 1 };
        BTreeMap::from([(ClusterName::new("local"), counts)])
    }
}

/// Reloads as it is told to.
#[derive(Debug)]
pub(crate) struct TestPolicies(pub(crate) Mutex<Result<Reloaded, ReloadError>>);

impl Default for TestPolicies {
    fn default() -> Self {
        let policy = ReloadedPolicy {
            name: "default".to_owned(),
            sha256: "00ff".to_owned(),
            changed: true,
        };
        Self(Mutex::new(Ok(Reloaded {
            reloaded: true,
            policies: vec![policy],
            restart_needed: vec!["server.listen".to_owned()],
        })))
    }
}

#[async_trait]
impl Policies for TestPolicies {
    fn running(&self) -> PolicyList {
        PolicyList {
            items: vec![],
            last_reload: None,
        }
    }

    async fn reload(&self) -> Result<Reloaded, ReloadError> {
        self.0.lock().unwrap().clone()
    }
}
