//! A cluster under watch, and an engine's view of what it sends.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::Server;
use super::*;

struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000).after(self.0.elapsed())
    }
}

/// A cluster under watch, as the engine sees it.
pub(super) struct Watched {
    pub(super) cluster: KubeCluster,
    pub(super) tasks: Tasks,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) update: mpsc::Receiver<KubeUpdate>,
}

pub(super) fn settings() -> KubeSettings {
    KubeSettings {
        name: ClusterName::new("local"),
        namespaces: Vec::new(),
        timing: Timing::default(),
        deployments: Selector::Flink,
    }
}

impl Watched {
    pub(super) fn start(server: &Server, settings: KubeSettings, seed: u64) -> Self {
        Self::start_with(server, settings, OperatorResources::Ignored, seed)
    }

    pub(super) fn start_with(server: &Server, settings: KubeSettings, operator: OperatorResources, seed: u64) -> Self {
        Self::start_knowing(server, settings, operator, Vec::new(), seed)
    }

    pub(super) fn start_knowing(
        server: &Server,
        settings: KubeSettings,
        operator: OperatorResources,
        known: Vec<KnownDeployment>,
        seed: u64,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TestClock(Instant::now()));
        let (updates, update) = mpsc::channel(1);
        let tasks = Tasks::default();
        let ports = KubePorts {
            client: server.client(),
            clock: Arc::clone(&clock),
            updates,
            tasks: tasks.clone(),
            known,
            seed,
        };
        Self {
            cluster: KubeCluster::start(settings, operator, ports),
            tasks,
            clock,
            update,
        }
    }

    /// The next update that is asked for; the rest is passed over. Virtual days may pass.
    pub(super) async fn until(&mut self, wanted: impl Fn(&KubeUpdate) -> bool) -> KubeUpdate {
        let waiting = async {
            loop {
                let update = self.update.recv().await.expect("the reflectors live");
                if wanted(&update) {
                    return update;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(86_400), waiting)
            .await
            .expect("no such news within a day")
    }

    /// All updates of a span.
    pub(super) async fn during(&mut self, span: Duration) -> Vec<KubeUpdate> {
        let end = Instant::now() + span;
        let mut all = Vec::new();
        while let Ok(Some(update)) = tokio::time::timeout_at(end, self.update.recv()).await {
            all.push(update);
        }
        all
    }

    /// Waits for the first list of each kind.
    pub(super) async fn settle(&mut self) {
        let mut kinds = Vec::new();
        while kinds.len() < 2 {
            let update = self
                .until(|update| matches!(update.change, KubeChange::Relisted(..)))
                .await;
            kinds.push(update.scope.kind);
        }
    }
}
