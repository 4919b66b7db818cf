//! Alertmanager's API v2: what fires is sent again and again, and what does so no longer is sent once as resolved.
//!
//! What fires is what the records say, not what was sent before: a record's own alerts, and those about a cluster or a policy,
//! which many records share, as one each. So nothing is kept beside the store. The journal says what ended while nobody
//! could be told. An alert that is about a cluster was told only once more than one Flink was affected
//! (`steadfast_core::cluster_alerts`); the journal's newest entries say which were, and where they are silent it is presumed
//! as the engine itself presumes it.
//!
//! So what is said is made at each try, of what is so by then: a message that waited would call resolved what fires by now. What
//! waits is which alerts are still to be told of. One that is refused is looked for among those that were sent with it, and is
//! offered by itself from then on, so that it holds up no other ([`standing`](super::courier)).
//!
//! Each alert is sent with an end four times as far away as the next sending, as Prometheus does it, and a minute at least: when the
//! engine is gone for good, no alert stays behind.

mod api;
mod firing;
mod identity;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use steadfast_core::alert::AlertStatus;
use steadfast_core::id::{ClusterName, JobKey};
use steadfast_core::journal::{Entry, Event, Sequence};
use steadfast_core::projection::Projection;
use steadfast_core::record::AlertScope;
use steadfast_core::time::Timestamp;

use tokio::time::Instant;

pub(super) use self::identity::Identity;
use self::identity::Said;
use super::deliver::Refusal;
use super::message::{Message, Told, id, json};
use super::offering::{GivenUp, Tries};
use super::render::Context;

/// How many alerts one request holds.
const IN_ONE: usize = 200;
/// How many times the time to the next sending an alert stands that is not sent again.
const OUTLASTS: u32 = 4;
/// It stands at least so long: one try may take [`DELIVERY_DEADLINE`](super::courier::DELIVERY_DEADLINE), and others follow it.
const STANDS: Duration = Duration::from_secs(60);

/// What an Alertmanager is told.
#[derive(Clone, Debug)]
pub struct Alerts {
    resend: Duration,
    labels: BTreeMap<String, String>,
    /// What it has taken last as firing.
    sent: BTreeMap<Identity, Said>,
    /// Alerts about clusters that were told, and have not ended.
    clusters: BTreeSet<(String, ClusterName)>,
    /// What it is still to be told of, beside all that fires.
    open: BTreeMap<Identity, Open>,
}

/// What is still to be told of an alert.
#[derive(Clone, Debug)]
struct Open {
    /// The entries that say so. None: it was refused, and stands.
    told: Vec<Told>,
    /// When it ended, by the newest entry that says so.
    ended: Option<(Said, Timestamp)>,
    /// What its newest entry says, for as long as the record of its job is behind it: a commit is durable before it is shown.
    ahead: Option<Ahead>,
    tries: Tries,
    company: Company,
    /// Not offered before.
    next: Instant,
}

/// What an entry says that may be ahead of the records.
#[derive(Clone, Debug)]
struct Ahead {
    key: JobKey,
    revision: u64,
    /// What fires; `None`: it does so no longer.
    said: Option<Said>,
}

/// Whether an alert is sent with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Company {
    Together,
    /// It was refused by itself.
    Alone,
}

/// What is offered at once.
#[derive(Debug)]
pub(super) struct Post {
    /// `None`: there is nothing to say of any of them by now.
    pub(super) message: Option<Message>,
    says: Vec<(Identity, Saying)>,
}

/// What a post says of an alert.
#[derive(Debug)]
enum Saying {
    Fires(Said, Timestamp),
    Ended(Said, Timestamp),
    Nothing,
}

impl Alerts {
    /// Sends what fires again in that time.
    pub(super) fn new(resend: Duration, labels: BTreeMap<String, String>) -> Self {
        Self {
            resend,
            labels,
            sent: BTreeMap::new(),
            clusters: BTreeSet::new(),
            open: BTreeMap::new(),
        }
    }

    pub(super) const fn resend(&self) -> Duration {
        self.resend
    }

    /// Takes in what the journal says of alerts about clusters.
    pub(super) fn note(&mut self, entry: &Entry) {
        let Event::Alert(alert) = &entry.event else { return };
        if alert.scope != AlertScope::Cluster {
            return;
        }
        let about = (alert.alert.clone(), entry.key.target.cluster.clone());
        match alert.status {
            AlertStatus::Firing => self.clusters.insert(about),
            AlertStatus::Resolved => self.clusters.remove(&about),
        };
    }

    /// Takes in an entry that is to be told of, not before `next`. It is not told as it was where the records have overtaken it:
    /// Alertmanager would take it for the present.
    pub(super) fn take_in(&mut self, entry: &Entry, records: &Projection, next: Instant) {
        self.note(entry);
        let Event::Alert(alert) = &entry.event else { return };
        let Some(identity) = Identity::of(entry, alert, records) else {
            return;
        };
        let open = self.open.entry(identity).or_insert_with(|| Open::new(next));
        open.told.push(Told::from(entry));
        let fires = match alert.status {
            AlertStatus::Firing => true,
            AlertStatus::Resolved => {
                open.ended = Some((Said::from(alert), entry.at));
                false
            }
        };
        open.ahead = Some(Ahead {
            key: entry.key.clone(),
            revision: entry.revision,
            said: fires.then(|| Said::from(alert)),
        });
    }

    /// What is to be offered now, in parts that are offered at once: what entries say, and all that stands if it is to be told
    /// again.
    pub(super) fn due(&self, context: Context<'_>, now: Instant, what: Due) -> Vec<Vec<Identity>> {
        let mut together: BTreeSet<Identity> = match what {
            Due::Open => BTreeSet::new(),
            // What has ended since it was told last, without an entry that says so, is among what was sent.
            Due::All => self
                .firing(context)
                .into_keys()
                .chain(self.sent.keys().cloned())
                .collect(),
        };
        let due = self.open.iter().filter(|(_, open)| open.next <= now);
        let mut alone = Vec::new();
        for (identity, open) in due {
            match open.company {
                Company::Together => drop(together.insert(identity.clone())),
                Company::Alone => alone.push(vec![identity.clone()]),
            }
        }
        together.retain(|identity| !self.is_apart(identity));
        let mut together: Vec<Identity> = together.into_iter().collect();
        // A round may end before all are offered: what was offered least comes first, and what comes again by itself last.
        let tries = |identity: &Identity| self.open.get(identity).map_or(u32::MAX, |open| open.tries.failures);
        together.sort_by_key(tries);
        alone.sort_by_key(|part: &Vec<Identity>| part.first().map(tries));
        let parts = together.chunks(IN_ONE).map(<[Identity]>::to_vec);
        parts.chain(alone).collect()
    }

    /// When something of it is to be offered next, beside all that stands.
    pub(super) fn next(&self) -> Option<Instant> {
        self.open.values().map(|open| open.next).min()
    }

    /// What is said of those alerts at this moment.
    pub(super) fn post(&self, part: &[Identity], context: Context<'_>) -> Post {
        let mut firing = self.firing(context);
        let until = context.now.after(self.resend.saturating_mul(OUTLASTS).max(STANDS));
        let says: Vec<(Identity, Saying)> = part
            .iter()
            .map(|identity| {
                let open = self.open.get(identity);
                let saying = if let Some(said) = firing.remove(identity) {
                    Saying::Fires(said, until)
                } else if let Some((said, at)) = open.and_then(|open| open.ended.clone()) {
                    Saying::Ended(said, at)
                } else if let Some(said) = self.sent.get(identity) {
                    Saying::Ended(said.clone(), context.now)
                } else {
                    Saying::Nothing
                };
                (identity.clone(), saying)
            })
            .collect();
        let message = self.message(&says, context.store_id);
        Post { message, says }
    }

    fn message(&self, says: &[(Identity, Saying)], store_id: &str) -> Option<Message> {
        let alerts: Vec<_> = says
            .iter()
            .filter_map(|(identity, saying)| match saying {
                Saying::Fires(said, end) | Saying::Ended(said, end) => Some(self.postable(identity, said, *end)),
                Saying::Nothing => None,
            })
            .collect();
        if alerts.is_empty() {
            return None;
        }
        let open = says.iter().filter_map(|(identity, _)| self.open.get(identity));
        let mut tells_of: Vec<Told> = open.flat_map(|open| open.told.clone()).collect();
        tells_of.sort_by_key(|told| told.sequence);
        Some(Message {
            id: tells_of
                .first()
                .map_or_else(String::new, |first| id(store_id, first.sequence)),
            title: format!("{} alerts", alerts.len()),
            body: json(&alerts),
            place: None,
            tells_of,
        })
    }

    /// It was taken.
    pub(super) fn taken(&mut self, post: Post) {
        for (identity, saying) in post.says {
            self.open.remove(&identity);
            match saying {
                Saying::Fires(said, _) => drop(self.sent.insert(identity, said)),
                Saying::Ended(..) => drop(self.sent.remove(&identity)),
                Saying::Nothing => {}
            }
        }
    }

    /// Those of a part were offered and not taken. Says which entries are given up by that.
    pub(super) fn failed(
        &mut self,
        part: &[Identity],
        failure: Failure,
        next: &mut dyn FnMut(u32) -> Instant,
    ) -> Vec<(Told, GivenUp)> {
        let mut given_up = Vec::new();
        for identity in part {
            let is_open = self.open.contains_key(identity);
            if !is_open && part.len() > 1 {
                continue; // It is told again with all that stands.
            }
            let open = self
                .open
                .entry(identity.clone())
                .or_insert_with(|| Open::new(Instant::now()));
            // It is offered for as long as the newest of its entries has a right to it.
            let age = open
                .told
                .last()
                .map_or(Duration::ZERO, |told| failure.now.since(told.at));
            if let Some(why) = open.tries.failed(failure.refusal, age, failure.max_age) {
                given_up.extend(open.told.drain(..).map(|told| (told, why)));
                open.ended = None;
            }
            open.next = next(open.tries.failures);
        }
        given_up
    }

    /// Those of a part were not offered, and are not before that time.
    pub(super) fn postpone(&mut self, part: &[Identity], next: Instant) {
        for identity in part {
            if let Some(open) = self.open.get_mut(identity) {
                open.next = next;
            }
        }
    }

    /// It was refused by itself while others were taken, or by the receiver's own word.
    pub(super) fn set_apart(&mut self, identity: &Identity) {
        if let Some(open) = self.open.get_mut(identity) {
            open.company = Company::Alone;
        }
    }

    /// Whether it was set apart.
    pub(super) fn is_apart(&self, identity: &Identity) -> bool {
        self.open
            .get(identity)
            .is_some_and(|open| open.company == Company::Alone)
    }

    /// The entries that wait, oldest first.
    pub(super) fn waiting(&self) -> Option<&Told> {
        let told = self.open.values().flat_map(|open| &open.told);
        told.min_by_key(|told| told.sequence)
    }

    /// How many entries wait.
    pub(super) fn waiting_count(&self) -> usize {
        self.open.values().map(|open| open.told.len()).sum()
    }

    /// Whether something was offered in vain.
    pub(super) fn is_refused(&self) -> bool {
        self.open.values().any(|open| open.tries.failures > 0)
    }

    /// Up to where all is told, of what was taken in up to that place.
    pub(super) fn done_up_to(&self, read: Sequence) -> Sequence {
        self.waiting()
            .map_or(read, |first| Sequence(first.sequence.0.saturating_sub(1).min(read.0)))
    }
}

/// What is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// What is still to be told.
    Open,
    /// That, and all that stands.
    All,
}

/// What came of an offer that was not taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) refusal: Refusal,
    pub(super) now: Timestamp,
    pub(super) max_age: Duration,
}

impl Open {
    fn new(next: Instant) -> Self {
        Self {
            told: Vec::new(),
            ended: None,
            ahead: None,
            tries: Tries::default(),
            company: Company::Together,
            next,
        }
    }
}

#[cfg(test)]
mod tests;
