//! One LIST+WATCH: list, tell, watch, and list again in time, for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use steadfast_core::backoff::{Backoff, RETRY_AFTER_CAP, spread};
use steadfast_core::evidence::Fault;
use steadfast_core::news::{KubeNews, Object, Scope, What};
use steadfast_core::time::{Clock, Timestamp};
use tokio::sync::{mpsc, watch as channel};
use tokio::time::Instant;

use super::KubeSettings;
use super::list;
use super::recovery::{Recovery, Role};
use super::watch::{self, Ended, WatchEvent};

/// The task behind one scope.
pub(super) struct Reflector {
    pub(super) path: list::Path,
    pub(super) id: u64,
    pub(super) scope: Scope,
    pub(super) client: kube::Client,
    pub(super) settings: KubeSettings,
    pub(super) backoff: Backoff,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: StdRng,
    pub(super) news: mpsc::Sender<KubeNews>,
    pub(super) wants: channel::Receiver<Timestamp>,
    pub(super) recovery: Arc<Recovery>,
    pub(super) undecodable: Arc<AtomicU64>,
}

/// A list that was answered.
struct Listed {
    version: String,
    asked: Timestamp,
    began: Instant,
    took: Duration,
}

impl Reflector {
    /// Lists and watches until it is dropped.
    pub(super) async fn run(mut self) {
        let mut broken_watches = 0;
        loop {
            let listed = self.list_until_answered().await;
            self.watch_until_list_is_due(listed, &mut broken_watches).await;
        }
    }

    /// Lists again and again until there is a complete answer; each failure is told.
    async fn list_until_answered(&mut self) -> Listed {
        let mut failures = 0;
        loop {
            let (asked, began) = (self.clock.now(), Instant::now());
            match list::all(&self.client, &self.path, self.scope.kind, self.settings.timeout).await {
                Ok(list) => {
                    self.recovery.succeeded(self.id);
                    self.count_undecodable(&list.objects);
                    self.tell(asked, What::Listed(list.objects, list.completeness)).await;
                    return Listed { version: list.version, asked, began, took: began.elapsed() };
                }
                Err(fault) => {
                    failures += 1;
                    tracing::debug!("list failed: {fault}");
                    self.tell(asked, What::Failed(fault.clone())).await;
                    self.pause_after_failure(failures, &fault, began).await;
                }
            }
        }
    }

    /// Waits as long as the failures ask for; as the canary at most for the rest of a poll; and no longer once
    /// another list of the cluster was answered.
    async fn pause_after_failure(&mut self, failures: u32, fault: &Fault, began: Instant) {
        let mut recovered = self.recovery.recovered();
        let mut pause = self.backoff.delay(failures, None, &mut self.rng);
        if self.recovery.failed(self.id) == Role::Canary {
            pause = pause.min(self.settings.poll.saturating_sub(began.elapsed()));
        }
        let asked_to = fault.retry_after.map_or(Duration::ZERO, |wait| wait.min(RETRY_AFTER_CAP));
        tokio::time::sleep(asked_to).await;
        let now = Instant::now();
        let woken = tokio::time::timeout_at(now + pause.saturating_sub(asked_to), recovered.changed()).await;
        if woken.is_ok() {
            let rest = pause.saturating_sub(now.elapsed());
            tokio::time::sleep(spread(self.settings.poll, &mut self.rng).min(rest)).await;
        }
    }

    /// Watches from a list on, until the next list is due or what the watch tells can no longer be trusted.
    async fn watch_until_list_is_due(&mut self, listed: Listed, broken: &mut u32) {
        let mut version = listed.version.clone();
        let due = list_due(self.wants.clone(), &listed, self.settings.validate, self.settings.poll / 2);
        tokio::pin!(due);
        loop {
            let began = Instant::now();
            let end = tokio::select! {
                biased;
                () = &mut due => return,
                end = self.watch(&mut version) => end,
            };
            if began.elapsed() > self.settings.retry_max {
                *broken = 0;
            }
            let relist = match end {
                // The server's regular end: nothing was missed, the watch goes on where it was.
                Ended::Closed if *broken == 0 && began.elapsed() > self.settings.retry_max => continue,
                Ended::Closed => false,
                Ended::Expired => true,
                Ended::Broken(fault) => {
                    tracing::debug!("watch broke: {fault}");
                    true
                }
            };
            *broken = broken.saturating_add(1);
            let pause = self.backoff.delay(*broken, None, &mut self.rng);
            tokio::select! {
                biased;
                () = &mut due => return,
                () = tokio::time::sleep(pause) => {}
            }
            if relist {
                return;
            }
        }
    }

    /// One watch; its events are told as they come.
    async fn watch(&self, version: &mut String) -> Ended {
        let path = self.path.watch(version);
        let mut stream = match watch::open(&self.client, &path, self.scope.kind, self.settings.timeout).await {
            Ok(stream) => stream,
            Err(ended) => return ended,
        };
        loop {
            let event = match stream.next().await {
                Ok(event) => event,
                Err(ended) => return ended,
            };
            let now = self.clock.now();
            match event {
                WatchEvent::Changed(object, at) => {
                    self.count_undecodable(std::slice::from_ref(&object));
                    *version = at;
                    self.tell(now, What::Changed(object)).await;
                }
                WatchEvent::Deleted(object, at) => {
                    *version = at;
                    self.tell(now, What::Deleted(object)).await;
                }
                WatchEvent::Bookmark(at) => *version = at,
            }
        }
    }

    async fn tell(&self, asked_at: Timestamp, what: What) {
        let news = KubeNews { scope: self.scope.clone(), asked_at, at: self.clock.now(), what };
        // The receiver is gone only when the engine has ended, and this task ends with it.
        drop(self.news.send(news).await);
    }

    fn count_undecodable(&self, objects: &[Object]) {
        let count = objects.iter().filter(|object| matches!(object, Object::Undecodable { .. })).count();
        self.undecodable.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Resolves when the next list is due: at the end of the validation interval, or when somebody wants one begun
/// later than the last, but not in a rush.
async fn list_due(mut wants: channel::Receiver<Timestamp>, listed: &Listed, validate: Duration, gap: Duration) {
    let soonest = listed.began + gap.max(listed.took * 5);
    let latest = listed.began + validate;
    let asked = listed.asked;
    let wanted = async {
        // An error means that the cluster's handle is gone, and this task is about to end.
        if wants.wait_for(|wanted| *wanted >= asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = tokio::time::sleep_until(latest) => {}
        () = async { wanted.await; tokio::time::sleep_until(soonest).await } => {}
    }
}
