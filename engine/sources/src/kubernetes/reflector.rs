//! One LIST+WATCH: list, send, watch, and list again in time, for ever.
//!
//! Why lists at all, when a watch sends every change? Because a watch that sends nothing is not a watch that has nothing
//! to send. Each validation interval the whole scope is listed afresh, so that a change that no watch showed is seen one
//! interval late at most, and so that only what a complete answer lacks counts as gone.
//!
//! When each request is made:
//!
//! - A *list* is made at the start, at the end of the interval, when somebody asks for one ([`list_due`], [`Distance`]), and when a
//!   watch broke or its version is too old: what it would have sent meanwhile counts as not seen. An HTTP 410 at the
//!   opening of a watch therefore never repeats the watch, which would go on for ever, but leads to a list.
//! - A *list that failed* is repeated after a pause that grows. One scope of the cluster, the canary, repeats at the
//!   poll interval, and its success ends the pauses of the others ([`Recovery`]), so that healing shows soon and costs
//!   little.
//! - A *watch that the server closed* in good order is opened anew at its last version, without a list: nothing was
//!   missed. One that closes at once, again and again, is opened with growing pauses.
//!
//! Rejected: *listing after every end of a watch*, which is simpler, and makes each API server that closes its watches
//! early list everything every few seconds; and *a deadline for silent watches*, since a scope in which nothing happens
//! is silent too: bookmarks are not promised, and the interval finds the loss anyway.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use steadfast_core::backoff::{Backoff, RETRY_AFTER_CAP, spread};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::kube_update::{KindOrigin, KubeChange, ResourceVersion};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;
use tokio::sync::watch as channel;
use tokio::time::Instant;

use super::KubeSettings;
use super::list::{self, Lister};
use super::recovery::{Recovery, Retries};
use super::selection::Selection;
use super::update_sender::{Learned, UpdateSender};
use super::watch::Ended;
use super::watch_session::WatchSession;

/// The resolution of timestamps: a list that begins so much later than a request for one visibly began after it.
const TICK: Duration = Duration::from_millis(1);

/// The task behind one scope.
pub(super) struct Reflector {
    pub(super) path: list::Path,
    pub(super) id: u64,
    pub(super) client: kube::Client,
    pub(super) settings: KubeSettings,
    pub(super) backoff: Backoff,
    pub(super) rng: StdRng,
    pub(super) relist_requested: channel::Receiver<Timestamp>,
    pub(super) recovery: Arc<Recovery>,
    pub(super) updates: UpdateSender,
    /// Why the operator's kind is not served, as last logged.
    pub(super) not_served: Option<FaultKind>,
    /// How many objects a page of the list holds; shrinks for good when pages turn out too large.
    pub(super) page: u32,
}

/// Why a list is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Its interval is over.
    ByTime,
    /// The watch may have missed something.
    Broken,
    /// Somebody asked for one.
    Asked,
}

/// How far a list that is asked for keeps from the one before: who asks once is answered soon, and who asks again and again, or all of
/// a large fleet that does, has a list three times in an interval of validation.
struct Distance {
    now: Duration,
    least: Duration,
    most: Duration,
}

impl Distance {
    fn new(timing: &Timing) -> Self {
        let least = timing.poll / 2;
        Self {
            now: least,
            least,
            most: least.max(timing.validate / 3),
        }
    }

    fn note(&mut self, due: Due) {
        self.now = match due {
            Due::Asked => (self.now * 2).min(self.most),
            Due::ByTime => self.least,
            Due::Broken => self.now,
        };
    }
}

/// A list that was answered.
struct Listed {
    asked: Timestamp,
    began: Instant,
    took: Duration,
}

impl Reflector {
    /// Lists and watches until it is dropped. Where the scope selects by labels, the selection says what is to be asked for by
    /// name before it counts as gone.
    pub(super) async fn run(mut self, selection: Option<Selection>) {
        let mut session = WatchSession::new(selection);
        let mut broken_watches = 0;
        let mut distance = Distance::new(&self.settings.timing);
        loop {
            let listed = self.list_until_answered(&mut session).await;
            let due = self
                .watch_until_list_is_due(&mut session, &listed, distance.now, &mut broken_watches)
                .await;
            distance.note(due);
        }
    }

    /// Lists again and again until there is a complete answer; each failure is sent on.
    async fn list_until_answered(&mut self, session: &mut WatchSession) -> Listed {
        let kind = self.updates.scope.kind;
        let mut failures = 0;
        loop {
            let (asked, began) = (self.updates.clock.now(), Instant::now());
            session.begin_list();
            let lister = Lister {
                client: &self.client,
                path: &self.path,
                deadline: self.settings.timing.timeout,
            };
            let list = list::all(lister, kind, &mut self.page);
            match while_watching(session, &self.updates, list).await {
                Ok(mut list) => {
                    session
                        .complete(&mut list, &self.updates, self.settings.timing.timeout)
                        .await;
                    self.note_success();
                    let listed = Learned {
                        change: KubeChange::Relisted(list.objects, list.completeness),
                        asked_at: Some(asked),
                        version: ResourceVersion::read(&list.version),
                    };
                    self.updates.send(listed).await;
                    return Listed {
                        asked,
                        began,
                        took: began.elapsed(),
                    };
                }
                Err(fault) => {
                    failures += 1;
                    tracing::debug!("list failed: {fault}");
                    let failed = Learned {
                        change: KubeChange::Failed(fault.clone()),
                        asked_at: Some(asked),
                        version: None,
                    };
                    self.updates.send(failed).await;
                    if self.is_not_served(&fault) {
                        while_watching(
                            session,
                            &self.updates,
                            tokio::time::sleep(self.settings.timing.validate),
                        )
                        .await;
                        continue;
                    }
                    let pause = self.pause_after_failure(failures, &fault, began);
                    while_watching(session, &self.updates, pause).await;
                }
            }
        }
    }

    /// Whether the fault says that the cluster does not have the operator's kinds, or does not show them to us: no
    /// outage that would end soon, so it is asked again with the validation only, and logged once.
    fn is_not_served(&mut self, fault: &Fault) -> bool {
        let state = match (self.updates.scope.kind.origin(), fault.kind) {
            (KindOrigin::FlinkOperator, FaultKind::NotFound) => "is not installed here",
            (KindOrigin::FlinkOperator, FaultKind::Forbidden) => "may not be listed",
            (KindOrigin::FlinkOperator | KindOrigin::Kubernetes, _) => return false,
        };
        if self.not_served != Some(fault.kind) {
            self.not_served = Some(fault.kind);
            tracing::info!("the kind {state}, so nothing is known of its resources: {fault}");
        }
        true
    }

    /// A list was answered. The operator's kinds never lead the recovery of the cluster's own lists.
    fn note_success(&mut self) {
        self.not_served = None;
        if self.updates.scope.kind.origin() == KindOrigin::Kubernetes {
            self.recovery.succeeded(self.id);
        }
    }

    fn retries(&self) -> Retries {
        match self.updates.scope.kind.origin() {
            KindOrigin::Kubernetes => self.recovery.failed(self.id),
            KindOrigin::FlinkOperator => Retries::AfterBackoff,
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
        if self.retries() == Retries::AsCanary {
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

    /// Watches from a list on, until the next list is due or the watch may have missed something.
    async fn watch_until_list_is_due(
        &mut self,
        session: &mut WatchSession,
        listed: &Listed,
        distance: Duration,
        broken: &mut u32,
    ) -> Due {
        let due = list_due(
            self.relist_requested.clone(),
            listed,
            self.settings.timing.validate,
            distance,
        );
        tokio::pin!(due);
        loop {
            let began = Instant::now();
            let end = tokio::select! {
                biased;
                due = &mut due => return due,
                end = self.watch(session) => end,
            };
            let was_long = began.elapsed() > self.settings.timing.retry_max;
            if was_long {
                *broken = 0;
            }
            let (relist, retry_after) = match end {
                // The server's regular end: nothing was missed, the watch goes on where it was.
                Ended::Closed if was_long => continue,
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
                due = &mut due => return due,
                () = tokio::time::sleep(pause) => {}
            }
            if relist {
                return Due::Broken;
            }
        }
    }

    /// One watch, from its opening to its end.
    async fn watch(&self, session: &mut WatchSession) -> Ended {
        let kind = self.updates.scope.kind;
        match session
            .open(&self.client, &self.path, kind, self.settings.timing.timeout)
            .await
        {
            Ok(()) => session.follow(&self.updates).await,
            Err(ended) => ended,
        }
    }
}

/// Does something while the watch, if one is open, is read on. That it ends is no matter: a list is under way.
async fn while_watching<T>(session: &mut WatchSession, updates: &UpdateSender, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            _ = session.follow(updates) => {}
            done = &mut work => return done,
        }
    }
}

/// Resolves when the next list is due: at the end of the validation interval, or when somebody asks for one begun
/// later than the last. That one keeps a distance to the last, so that a whole fleet that asks costs one list.
async fn list_due(
    mut requests: channel::Receiver<Timestamp>,
    listed: &Listed,
    validate: Duration,
    gap: Duration,
) -> Due {
    let soonest = listed.began + gap.max(listed.took * 5);
    let latest = listed.began + validate;
    let asked = listed.asked;
    let requested = async {
        // An error means that the cluster's handle is gone, and this task is about to end.
        if requests.wait_for(|after| *after >= asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = tokio::time::sleep_until(latest) => Due::ByTime,
        () = async { requested.await; tokio::time::sleep_until(soonest).await; tokio::time::sleep(TICK).await } => Due::Asked,
    }
}
