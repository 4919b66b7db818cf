//! How what is learned of a scope leaves for the board.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use steadfast_core::kube_update::{KubeChange, KubeUpdate, Object, ResourceVersion, Scope};
use steadfast_core::time::{Clock, Timestamp};
use tokio::sync::mpsc;

/// Something that was learned.
#[derive(Debug)]
pub(super) struct Learned {
    pub(super) change: KubeChange,
    /// When it was asked for; `None`: the watch told it.
    pub(super) asked_at: Option<Timestamp>,
    /// Of which version the list is, or the object, if that can be compared.
    pub(super) version: Option<ResourceVersion>,
}

/// Sends the updates of one scope, and counts the objects that do not decode.
pub(super) struct UpdateSender {
    pub(super) scope: Scope,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) channel: mpsc::Sender<KubeUpdate>,
    pub(super) undecodable: Arc<AtomicU64>,
}

impl UpdateSender {
    /// Sends what was learned, waiting while the channel is full.
    pub(super) async fn send(&self, learned: Learned) {
        // The receiver is gone only when the engine has ended, and this task ends with it.
        drop(self.channel.send(self.compose(learned)).await);
    }

    /// An update of something that is known from now on.
    pub(super) fn compose(&self, learned: Learned) -> KubeUpdate {
        let Learned {
            change,
            asked_at,
            version,
        } = learned;
        self.count_undecodable(match &change {
            KubeChange::Relisted(objects, _) | KubeChange::PodsOf(_, objects) => objects,
            KubeChange::Applied(object) => std::slice::from_ref(object),
            KubeChange::Deleted(_) | KubeChange::NotFound(_) | KubeChange::Failed(_) => &[],
        });
        let now = self.clock.now();
        KubeUpdate {
            scope: self.scope.clone(),
            asked_at: asked_at.unwrap_or(now),
            at: now,
            version,
            change,
        }
    }

    /// Waits for room for one update; `None` once the engine has ended.
    pub(super) async fn reserve(&self) -> Option<mpsc::Permit<'_, KubeUpdate>> {
        self.channel.reserve().await.ok()
    }

    fn count_undecodable(&self, objects: &[Object]) {
        let count = objects
            .iter()
            .filter(|object| matches!(object, Object::Undecodable { .. }))
            .count();
        self.undecodable
            .fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
