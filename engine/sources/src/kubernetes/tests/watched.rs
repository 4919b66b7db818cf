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
    pub(super) clock: Arc<dyn Clock>,
    pub(super) news: mpsc::Receiver<KubeNews>,
}

pub(super) fn settings() -> KubeSettings {
    KubeSettings {
        name: ClusterName::new("local"),
        namespaces: Vec::new(),
        timeout: Duration::from_secs(3),
        validate: Duration::from_secs(60),
        poll: Duration::from_secs(5),
        retry_initial: Duration::from_millis(800),
        retry_max: Duration::from_secs(30),
        deployments: Selector::Flink,
    }
}

impl Watched {
    pub(super) fn start(server: &Server, settings: KubeSettings, seed: u64) -> Self {
        Self::start_with(server, settings, OperatorResources::Ignored, seed)
    }

    pub(super) fn start_with(server: &Server, settings: KubeSettings, operator: OperatorResources, seed: u64) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TestClock(Instant::now()));
        let (updates, news) = mpsc::channel(1);
        let ports = KubePorts {
            client: server.client(),
            clock: Arc::clone(&clock),
            updates,
            cancel: CancellationToken::new(),
            seed,
        };
        Self {
            cluster: KubeCluster::start(settings, operator, ports),
            clock,
            news,
        }
    }

    /// The next news that is asked for; the rest is passed over. Virtual days may pass.
    pub(super) async fn until(&mut self, wanted: impl Fn(&KubeNews) -> bool) -> KubeNews {
        let waiting = async {
            loop {
                let news = self.news.recv().await.expect("the reflectors live");
                if wanted(&news) {
                    return news;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(86_400), waiting)
            .await
            .expect("no such news within a day")
    }

    /// All news of a span.
    pub(super) async fn during(&mut self, span: Duration) -> Vec<KubeNews> {
        let end = Instant::now() + span;
        let mut all = Vec::new();
        while let Ok(Some(news)) = tokio::time::timeout_at(end, self.news.recv()).await {
            all.push(news);
        }
        all
    }

    /// Waits for the first list of each kind.
    pub(super) async fn settle(&mut self) {
        let mut kinds = Vec::new();
        while kinds.len() < 2 {
            let news = self.until(|news| matches!(news.what, What::Listed(..))).await;
            kinds.push(news.scope.kind);
        }
    }
}
