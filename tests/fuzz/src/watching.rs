//! A cluster that is watched as the engine watches it, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use steadfast_core::id::ClusterName;
use steadfast_core::kube_update::{KubeChange, KubeUpdate, ObjectKind};
use steadfast_core::testing;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_core::timing::Timing;
use steadfast_sources::kubernetes::{KubeCluster, KubePorts, KubeSettings, OperatorResources, Selector};
use steadfast_tasks::Tasks;
use tokio::sync::mpsc;

/// The clock of virtual time.
struct VirtualClock;

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        testing::at(1_000)
    }
}

/// A cluster under watch, of which one kind counts.
pub(crate) struct Watching {
    pub(crate) cluster: KubeCluster,
    kind: ObjectKind,
    updates: mpsc::Receiver<KubeUpdate>,
    tasks: Tasks,
}

impl Watching {
    pub(crate) fn start(client: kube::Client, kind: ObjectKind) -> Self {
        let (sender, updates) = mpsc::channel(1 << 12);
        let tasks = Tasks::default();
        let settings = KubeSettings {
            name: ClusterName::new("local"),
            namespaces: Vec::new(),
            timing: Timing::default(),
            deployments: Selector::All,
        };
        let operator = match kind {
            ObjectKind::Deployment | ObjectKind::Pod => OperatorResources::Ignored,
            ObjectKind::FlinkDeployment | ObjectKind::FlinkSessionJob | ObjectKind::FlinkStateSnapshot => {
                OperatorResources::Watched
            }
        };
        let ports = KubePorts {
            client,
            clock: Arc::new(VirtualClock),
            updates: sender,
            tasks: tasks.clone(),
            known: Vec::new(),
            seed: 1,
        };
        Self {
            cluster: KubeCluster::start(settings, operator, ports),
            kind,
            updates,
            tasks,
        }
    }

    /// The next that is learned of the kind.
    pub(crate) async fn next_change(&mut self) -> KubeChange {
        loop {
            let update = self.updates.recv().await.expect("the cluster is watched");
            if update.scope.kind == self.kind {
                return update.change;
            }
        }
    }

    /// What is learned of the kind until nothing has come for a second.
    pub(crate) async fn changes(&mut self) -> Vec<KubeChange> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut all = Vec::new();
        while let Ok(update) = self.updates.try_recv() {
            if update.scope.kind == self.kind {
                all.push(update.change);
            }
        }
        all
    }

    /// Ends all that was begun.
    pub(crate) async fn stop(self) {
        let by = tokio::time::Instant::now() + Duration::from_secs(1);
        self.tasks
            .stop(by)
            .await
            .expect("the watches end when they are told to");
    }
}
