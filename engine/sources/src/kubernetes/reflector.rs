//! One LIST+WATCH: list, tell, watch, and list again in time, for ever.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use steadfast_core::backoff::{Backoff, RETRY_AFTER_CAP, spread};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::news::{KindOrigin, What};
use steadfast_core::time::Timestamp;
use tokio::sync::watch as channel;
use tokio::time::Instant;

use super::KubeSettings;
use super::list;
use super::live::Live;
use super::recovery::{Recovery, Role};
use super::telling::Telling;
use super::watch::Ended;

/// What timestamps can tell apart: a list that begins so much later than a wish visibly began after it.
const TICK: Duration = Duration::from_millis(1);

/// The task behind one scope.
pub(super) struct Reflector {
    pub(super) path: list::Path,
    pub(super) id: u64,
    pub(super) client: kube::Client,
    pub(super) settings: KubeSettings,
    pub(super) backoff: Backoff,
    pub(super) rng: StdRng,
    pub(super) wants: channel::Receiver<Timestamp>,
    pub(super) recovery: Arc<Recovery>,
    pub(super) telling: Telling,
    /// Why the operator's kind is not served, as last logged.
    pub(super) not_served: Option<FaultKind>,
    /// How many objects a page of the list holds.
    pub(super) page: u32,
}

/// A list that was answered.
struct Listed {
    asked: Timestamp,
    began: Instant,
    took: Duration,
}

impl Reflector {
    /// Lists and watches until it is dropped.
    pub(super) async fn run(mut self) {
        let mut live = Live::default();
        let mut broken_watches = 0;
        loop {
            let listed = self.list_until_answered(&mut live).await;
            self.watch_until_list_is_due(&mut live, &listed, &mut broken_watches)
                .await;
        }
    }

    /// Lists again and again until there is a complete answer; each failure is told.
    async fn list_until_answered(&mut self, live: &mut Live) -> Listed {
        let kind = self.telling.scope.kind;
        let mut failures = 0;
        loop {
            let (asked, began) = (self.telling.clock.now(), Instant::now());
            live.list_begins();
            let list = list::all(
                &self.client,
                &self.path,
                kind,
                &mut self.page,
                self.settings.timing.timeout,
            );
            match beside(live, &self.telling, list).await {
                Ok(mut list) => {
                    live.drain(&self.telling).await;
                    live.reconcile(&mut list);
                    self.note_success();
                    self.telling
                        .tell(asked, What::Listed(list.objects, list.completeness))
                        .await;
                    return Listed {
                        asked,
                        began,
                        took: began.elapsed(),
                    };
                }
                Err(fault) => {
                    failures += 1;
                    tracing::debug!("list failed: {fault}");
                    self.telling.tell(asked, What::Failed(fault.clone())).await;
                    if self.is_not_served(&fault) {
                        beside(live, &self.telling, tokio::time::sleep(self.settings.timing.validate)).await;
                        continue;
                    }
                    let pause = self.pause_after_failure(failures, &fault, began);
                    beside(live, &self.telling, pause).await;
                }
            }
        }
    }

    /// Whether the fault says that the cluster does not have the operator's kinds, or does not show them to us: no
    /// outage that would end soon, so it is asked again with the validation only, and logged once.
    fn is_not_served(&mut self, fault: &Fault) -> bool {
        let what = match (self.telling.scope.kind.origin(), fault.kind) {
            (KindOrigin::FlinkOperator, FaultKind::NotFound) => "is not installed here",
            (KindOrigin::FlinkOperator, FaultKind::Forbidden) => "may not be listed",
            (KindOrigin::FlinkOperator | KindOrigin::Kubernetes, _) => return false,
        };
        if self.not_served != Some(fault.kind) {
            self.not_served = Some(fault.kind);
            tracing::info!("the kind {what}, so nothing is known of its resources: {fault}");
        }
        true
    }

    /// A list was answered. The operator's kinds never lead the recovery of the cluster's own lists.
    fn note_success(&mut self) {
        self.not_served = None;
        if self.telling.scope.kind.origin() == KindOrigin::Kubernetes {
            self.recovery.succeeded(self.id);
        }
    }

    fn role(&self) -> Role {
        match self.telling.scope.kind.origin() {
            KindOrigin::Kubernetes => self.recovery.failed(self.id),
            KindOrigin::FlinkOperator => Role::Waits,
        }
    }

    /// Waits as long as the failures ask for; as the canary at most for the rest of a poll; and no longer once
    /// another list of the cluster was answered, but at least as long as the server asked.
    fn pause_after_failure(
        &mut self,
        failures: u32,
        fault: &Fault,
        began: Instant,
    ) -> impl Future<Output = ()> + use<> {
        let mut recovered = self.recovery.recovered();
        let poll = self.settings.timing.poll;
        let mut pause = self.backoff.delay(failures, None, &mut self.rng);
        if self.role() == Role::Canary {
            pause = pause.min(poll.saturating_sub(began.elapsed()));
        }
        let after_recovery = spread(poll, &mut self.rng);
        let asked_to = fault
            .retry_after
            .map_or(Duration::ZERO, |wait| wait.min(RETRY_AFTER_CAP));
        async move {
            tokio::time::sleep(asked_to).await;
            let end = Instant::now() + pause.saturating_sub(asked_to);
            if tokio::time::timeout_at(end, recovered.changed()).await.is_ok() {
                tokio::time::sleep_until(end.min(Instant::now() + after_recovery)).await;
            }
        }
    }

    /// Watches from a list on, until the next list is due or what the watch tells can no longer be trusted.
    async fn watch_until_list_is_due(&mut self, live: &mut Live, listed: &Listed, broken: &mut u32) {
        let due = list_due(
            self.wants.clone(),
            listed,
            self.settings.timing.validate,
            self.settings.timing.poll / 2,
        );
        tokio::pin!(due);
        loop {
            let began = Instant::now();
            let end = tokio::select! {
                biased;
                () = &mut due => return,
                end = self.watch(live) => end,
            };
            let lived_long = began.elapsed() > self.settings.timing.retry_max;
            if lived_long {
                *broken = 0;
            }
            let (relist, retry_after) = match end {
                // The server's regular end: nothing was missed, the watch goes on where it was.
                Ended::Closed if lived_long => continue,
                Ended::Closed => (false, None),
                Ended::Expired => (true, None),
                Ended::Broken(fault) => {
                    tracing::debug!("watch broke: {fault}");
                    (true, fault.retry_after)
                }
            };
            *broken = broken.saturating_add(1);
            let pause = self.backoff.delay(*broken, retry_after, &mut self.rng);
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

    /// One watch, from its opening to its end.
    async fn watch(&self, live: &mut Live) -> Ended {
        let kind = self.telling.scope.kind;
        match live
            .open(&self.client, &self.path, kind, self.settings.timing.timeout)
            .await
        {
            Ok(()) => live.follow(&self.telling).await,
            Err(ended) => ended,
        }
    }
}

/// Does something while the watch, if one is open, goes on to be told. Its end is no matter: a list is under way.
async fn beside<T>(live: &mut Live, telling: &Telling, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            _ = live.follow(telling) => {}
            done = &mut work => return done,
        }
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
        () = async { wanted.await; tokio::time::sleep_until(soonest).await; tokio::time::sleep(TICK).await } => {}
    }
}
