//! The loop that keeps the resources of one cluster in step with the records.
//!
//! What has changed the records themselves say: the journal's notice only says that something has. So nothing is missed, whatever
//! was pruned, and many changes of a job are one write.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use rand::Rng;
use steadfast_core::backoff::Backoff;
use steadfast_core::id::{ClusterName, Namespace};
use steadfast_core::journal::Sequence;
use steadfast_core::projection::Projection;
use steadfast_core::time::Clock;
use steadfast_sources::kubernetes::Refused;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::book::Book;
use crate::bucket::Bucket;
use crate::cluster::{Cluster, Listed};
use crate::desired::CLUSTER;
use crate::metrics::{Counts, Metrics};
use crate::name::label_value;
use crate::standing::Standing;
use crate::task::Request;
use crate::trouble::{Trouble, Verb};

/// Requests under way at once.
const AT_ONCE: usize = 8;
/// The records are not looked through more often.
const SCAN: Duration = Duration::from_secs(1);
/// Nor less often: that the store does not take a record has no entry in the journal.
const SCAN_AT_LAST: Duration = Duration::from_secs(10);
/// How often the cluster's resources are listed and compared, since others may change or delete them.
const STOCK: Duration = Duration::from_secs(600);
/// How long nothing is tried where we have no right, where a namespace is gone, or where there is no such kind.
const HOLD: Duration = Duration::from_secs(60);
/// So often in a row somebody may delete a resource before its status is written; from then on it is one that is not taken.
const GONE_AGAIN: u32 = 3;
/// The longest pause for a resource that is not taken for what it is.
const LONGEST: Duration = Duration::from_secs(300);

/// Where resources are kept, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the `[[kubernetes]]` entry, whose jobs have them.
    pub cluster: ClusterName,
    /// The id of the store that has the records.
    pub store: String,
    /// Its namespaces; none: all.
    pub namespaces: Vec<Namespace>,
    /// The pauses between tries.
    pub retry: Backoff,
    /// How long after the start what is no longer confirmed is left as it was written: until sources had the time to answer.
    pub settle: Duration,
}

/// What a running engine shows.
pub struct Following {
    /// The newest sequence.
    pub entries: watch::Receiver<Sequence>,
    /// The committed records.
    pub records: Arc<Projection>,
}

/// Keeps the resources of one cluster.
pub struct Keeper {
    settings: Settings,
    to: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    counts: Counts,
    standing: Standing,
    book: Book,
    bucket: Bucket,
    began: Instant,
    /// Nothing is asked before then.
    paused: Duration,
    failures: u32,
    /// How many resources were left at the last list that another store made.
    others: usize,
}

/// What came of a request.
enum Answered {
    Head(Result<i64, Refused>),
    Status(Result<(), Refused>),
    Deleted(Result<(), Refused>),
}

/// Why the loop goes back to its beginning.
enum Next {
    /// The cluster's resources are to be listed.
    TakeStock,
    /// The engine is gone.
    End,
}

impl Keeper {
    /// One that has done nothing yet. How it stands is shown by `standing`.
    pub fn new(
        settings: Settings,
        (to, clock): (Arc<dyn Cluster>, Arc<dyn Clock>),
        metrics: &Metrics,
        standing: Standing,
    ) -> Self {
        let counts = metrics.of(settings.cluster.as_str());
        let Settings {
            cluster,
            store,
            namespaces,
            settle,
            ..
        } = &settings;
        let book = Book::new(cluster.clone(), store.clone(), namespaces.clone(), *settle);
        Self {
            settings,
            to,
            clock,
            counts,
            standing,
            book,
            bucket: Bucket::full(),
            began: Instant::now(),
            paused: Duration::ZERO,
            failures: 0,
            others: 0,
        }
    }

    /// Keeps them until it is cancelled, or `entries` has no sender any more. Whatever fails is tried again.
    pub async fn run(mut self, following: Following, cancel: CancellationToken, rng: impl Rng) {
        self.began = Instant::now();
        cancel.run_until_cancelled(self.keep(following, rng)).await;
    }

    async fn keep(&mut self, following: Following, mut rng: impl Rng) {
        let Following { mut entries, records } = following;
        loop {
            let listed = self.list(&mut rng).await;
            let now = self.now();
            let others = self.book.take_stock(listed, &records, now);
            self.leaves(others);
            match self.follow(&mut entries, &records, now + STOCK, &mut rng).await {
                Next::TakeStock => {}
                Next::End => return,
            }
        }
    }

    /// Tells of resources that are left as another store made them.
    fn leaves(&mut self, others: usize) {
        if std::mem::replace(&mut self.others, others) == others || others == 0 {
            return;
        }
        let store = label_value(&self.settings.store);
        tracing::warn!(
            cluster = %self.settings.cluster,
            "{others} JobStatuses are left as an engine with another store made them: there is no record of their jobs here, at least not \
             yet. If that store is gone for good, `kubectl delete jobstatuses --all-namespaces -l steadfast.dev/cluster={},steadfast.dev/store!={store}` \
             deletes them",
            label_value(self.settings.cluster.as_str())
        );
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// What the cluster has of ours, once it says so.
    async fn list(&mut self, rng: &mut impl Rng) -> Listed {
        loop {
            sleep_until(self.began + self.paused).await;
            match self.listed().await {
                Ok(listed) => {
                    self.is_taken(|standing| standing.begins_anew());
                    return listed;
                }
                Err(refused) => {
                    let trouble = Trouble::of(Verb::List, &refused);
                    self.is_refused((Verb::List, None), trouble, &refused, rng);
                }
            }
        }
    }

    async fn listed(&self) -> Result<Listed, Refused> {
        let label = format!("{CLUSTER}={}", label_value(self.settings.cluster.as_str()));
        if self.settings.namespaces.is_empty() {
            return self.to.list(None, &label).await;
        }
        let mut all = Vec::new();
        for namespace in &self.settings.namespaces {
            all.extend(self.to.list(Some(namespace), &label).await?);
        }
        Ok(all)
    }

    /// Writes what is due, until the cluster is to be listed again.
    async fn follow(
        &mut self,
        entries: &mut watch::Receiver<Sequence>,
        records: &Projection,
        again: Duration,
        rng: &mut impl Rng,
    ) -> Next {
        let mut scanned = self.now();
        loop {
            let is_news = match entries.has_changed() {
                Ok(is_news) => is_news,
                Err(_) => return Next::End,
            };
            let scan_at = scanned + if is_news { SCAN } else { SCAN_AT_LAST };
            let mut now = self.now();
            if now >= scan_at {
                entries.mark_unchanged();
                self.book.scan(records, now);
                scanned = now;
            }
            self.counts
                .waiting
                .set(i64::try_from(self.book.waiting()).unwrap_or(i64::MAX));
            if now >= again {
                return Next::TakeStock;
            }
            let due = self
                .book
                .next()
                .map(|due| due.max(self.paused).max(self.bucket.next(now)));
            if due.is_some_and(|due| due <= now) {
                if let Some(Trouble::NotInstalled) = self.write(records, rng).await {
                    return Next::TakeStock;
                }
                now = self.now();
            }
            // What is due now is looked at again at once; the others end this wait.
            let wake = [Some(again), Some(scanned + SCAN_AT_LAST), due]
                .into_iter()
                .flatten()
                .min();
            let wake = self.began + wake.unwrap_or(again);
            if is_news {
                sleep_until(wake.min(self.began + (scanned + SCAN).max(now))).await;
                continue;
            }
            tokio::select! {
                biased;
                changed = entries.changed() => {
                    if changed.is_err() {
                        return Next::End;
                    }
                    entries.mark_changed();
                }
                () = sleep_until(wake) => {}
            }
        }
    }

    /// One round of requests. Says what the worst came to.
    async fn write(&mut self, records: &Projection, rng: &mut impl Rng) -> Option<Trouble> {
        let now = self.now();
        let most = usize::try_from(self.bucket.holds(now)).unwrap_or(AT_ONCE).min(AT_ONCE);
        let requests = self.book.due(records, now, self.clock.now(), most);
        for _ in &requests {
            self.bucket.take(now);
            self.counts.writes.inc();
        }
        let to = &*self.to;
        let answers: Vec<(Request, Answered)> = stream::iter(requests)
            .map(|request| async move {
                let answered = ask(to, &request).await;
                (request, answered)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut worst = None;
        for (request, answered) in answers {
            let trouble = self.answered(request, answered, rng);
            if trouble == Some(Trouble::NotInstalled) || worst.is_none() {
                worst = trouble.or(worst);
            }
        }
        worst
    }

    fn answered(&mut self, request: Request, answered: Answered, rng: &mut impl Rng) -> Option<Trouble> {
        let now = self.now();
        let task = request.task().clone();
        let namespace = task.namespace().clone();
        let (verb, refused) = match (answered, request) {
            (Answered::Head(Ok(generation)), _) => {
                self.book.took_head(&task, generation, now);
                self.is_taken(|standing| standing.works(Verb::Apply, &namespace));
                return None;
            }
            (Answered::Status(Ok(())), Request::Status { written, .. }) => {
                self.book.took_status(&task, written, now);
                self.is_taken(|standing| standing.works(Verb::ApplyStatus, &namespace));
                return None;
            }
            (Answered::Status(Ok(())), Request::Head { .. } | Request::Delete { .. }) => return None,
            (Answered::Deleted(Ok(())), _) => {
                self.is_taken(|standing| standing.works(Verb::Delete, &namespace));
                return None;
            }
            (Answered::Head(Err(refused)), _) => (Verb::Apply, refused),
            (Answered::Status(Err(refused)), _) => (Verb::ApplyStatus, refused),
            (Answered::Deleted(Err(refused)), _) => (Verb::Delete, refused),
        };
        let trouble = Trouble::of(verb, &refused);
        let pause = match trouble {
            Trouble::Gone if self.book.is_gone(&task, now) < GONE_AGAIN => return None,
            Trouble::Gone | Trouble::Resource => {
                let failures = self.book.failed(&task);
                let retry = Backoff {
                    max: LONGEST,
                    ..self.settings.retry
                };
                self.counts.failures.inc();
                tracing::warn!(
                    cluster = %self.settings.cluster,
                    error = %refused,
                    failures,
                    "a JobStatus is not taken as it is, and is tried again"
                );
                retry.delay(failures, refused.fault.retry_after, rng)
            }
            Trouble::Namespace => {
                self.is_refused((verb, Some(namespace)), trouble, &refused, rng);
                self.book.hold(task, now + HOLD);
                return Some(trouble);
            }
            Trouble::NotInstalled | Trouble::Cluster => {
                self.is_refused((verb, None), trouble, &refused, rng);
                self.paused.saturating_sub(now)
            }
        };
        self.book.postpone(task, now + pause);
        Some(trouble)
    }

    /// What holds up more than one resource is told once.
    fn is_refused(
        &mut self,
        (verb, namespace): (Verb, Option<Namespace>),
        trouble: Trouble,
        refused: &Refused,
        rng: &mut impl Rng,
    ) {
        self.counts.failures.inc();
        let now = self.now();
        match trouble {
            Trouble::NotInstalled => self.paused = now + HOLD,
            // The requests of one round fail together, and are one failure.
            Trouble::Cluster if self.paused <= now => {
                self.failures = self.failures.saturating_add(1);
                let retry_after = refused.fault.retry_after;
                self.paused = now + self.settings.retry.delay(self.failures, retry_after, rng);
            }
            Trouble::Cluster | Trouble::Namespace | Trouble::Gone | Trouble::Resource => {}
        }
        // Whether there is such a kind the next list says.
        let verb = if trouble == Trouble::NotInstalled {
            Verb::List
        } else {
            verb
        };
        let cluster = &self.settings.cluster;
        let why = match trouble {
            Trouble::NotInstalled => format!("JobStatus is not installed in the cluster: {refused}"),
            Trouble::Cluster | Trouble::Namespace | Trouble::Gone | Trouble::Resource => format!("{verb}: {refused}"),
        };
        if !self.standing.fails(self.clock.now(), trouble, (verb, namespace), &why) {
            return;
        }
        match trouble {
            Trouble::NotInstalled => tracing::warn!(
                %cluster,
                "no JobStatus is written: {why}; `kubectl apply -f examples/deploy/crd/jobstatuses.yaml` installs it, and it is \
                 looked for every {HOLD:?}"
            ),
            Trouble::Cluster | Trouble::Namespace | Trouble::Gone | Trouble::Resource => {
                tracing::warn!(%cluster, error = why, "JobStatuses cannot be written, and are tried again");
            }
        }
    }

    fn is_taken(&mut self, is_news: impl Fn(&Standing) -> bool) {
        self.failures = 0;
        if is_news(&self.standing) {
            tracing::info!(cluster = %self.settings.cluster, "JobStatuses are written again");
        }
    }
}

async fn ask(to: &dyn Cluster, request: &Request) -> Answered {
    match request {
        Request::Head { place, object, .. } => Answered::Head(to.apply(place, object.clone()).await),
        Request::Status { place, object, .. } => Answered::Status(to.apply_status(place, object.clone()).await),
        Request::Delete { place, .. } => Answered::Deleted(to.delete(place).await),
    }
}

#[cfg(test)]
mod tests;
