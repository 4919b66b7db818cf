//! The way of a sink that tells what stands: an Alertmanager's.
//!
//! What stands goes on being told beside what is tried again, and no alert is held up by another: of a message that is not taken
//! each half is offered by itself, until what is refused stands alone.

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;
use steadfast_core::journal::{EntriesOf, JournalError, Sequence};
use steadfast_core::projection::Projection;
use steadfast_crash_points::CrashPoint;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::super::alertmanager::{Alerts, Due, Failure, Identity};
use super::super::deliver::{DeliveryError, Refusal};
use super::{Courier, Following, Interrupted, PASSED_OVER, TOLD_AGAIN};

/// How many entries may wait. Beyond that the journal keeps them: what stands is told by the records.
const MOST_WAIT: usize = 5_000;
/// How many offers of one round may fail: enough to find one alert among the 200 of a request, halving by halving.
const MOST_FAIL: u32 = 9;
/// How many may where none was taken, and rounds before have not found out more: who is away is not asked often.
const MOST_FAIL_AT_FIRST: u32 = 3;

/// How far it has come.
struct Progress {
    alerts: Alerts,
    /// What the journal has up to here was taken in.
    read: Sequence,
    /// When what stands is told again.
    again: Instant,
    /// How many rounds in a row came to nothing.
    failures: u32,
    /// When a failure was told last.
    told: Option<Instant>,
}

/// What came of a round.
#[derive(Default)]
struct Round {
    taken: u32,
    failed: u32,
    /// Those that were refused by themselves.
    alone: Vec<Identity>,
    /// How many parts were put off of which it is not known whom the receiver does not take.
    unresolved: u32,
    /// For how long the receiver asked us to wait.
    retry_after: Option<Duration>,
    /// When what was put off together is offered again: at once, so that who is away is asked no more often for there being more.
    next: Option<Instant>,
}

impl Round {
    fn is_in_vain(&self) -> bool {
        self.failed > 0 && self.taken == 0
    }

    /// How many offers may fail before the rest is put off, after so many rounds that came to nothing.
    fn most_may_fail(&self, refused: &DeliveryError, failures: u32) -> u32 {
        if refused.retry_after.is_some() {
            return 0;
        }
        match refused.refusal {
            Refusal::OfTheEvent => MOST_FAIL,
            Refusal::ForNow | Refusal::OfThePlace if self.taken > 0 => MOST_FAIL,
            Refusal::ForNow | Refusal::OfThePlace => MOST_FAIL_AT_FIRST.saturating_add(failures).min(MOST_FAIL),
        }
    }
}

impl Courier {
    pub(super) async fn tell_what_stands(
        &mut self,
        alerts: Alerts,
        following: Following,
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) {
        let Following { mut entries, records } = following;
        let mut progress = Progress {
            alerts,
            read: self.position,
            again: Instant::now(),
            failures: 0,
            told: None,
        };
        let mut is_followed = true;
        loop {
            entries.mark_unchanged();
            let Ok(next) = self.step(&mut progress, &records, cancel, rng).await else {
                return;
            };
            if !is_followed && progress.alerts.waiting().is_none() {
                return;
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                () = sleep_until(next) => {}
                changed = entries.changed(), if is_followed => is_followed = changed.is_ok(),
            }
        }
    }

    /// Takes in what is new and offers what is due. Says when something is due next.
    async fn step(
        &mut self,
        progress: &mut Progress,
        records: &Projection,
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) -> Result<Instant, Interrupted> {
        let mut store = self.read_on(progress, records).await;
        let what = if progress.again <= Instant::now() {
            Due::All
        } else {
            Due::Open
        };
        let round = self.offer_due(progress, what, records, cancel, rng).await?;
        progress.failures = if round.is_in_vain() {
            progress.failures.saturating_add(1)
        } else {
            0
        };
        if what == Due::All {
            let resend = progress.alerts.resend();
            let pause = if round.is_in_vain() || round.unresolved > 0 {
                let pause = self.sink.retry.delay(progress.failures.max(1), round.retry_after, rng);
                resend.min(pause)
            } else {
                resend
            };
            progress.again = Instant::now() + pause;
        }
        let waits = progress.alerts.waiting().map(|told| told.at);
        self.board.waits(&self.sink.name, waits);
        self.counts.waits(waits);
        self.position = self.position.max(progress.alerts.done_up_to(progress.read));
        if store.is_ok() && (round.taken > 0 || self.position.0 - self.persisted.0 > PASSED_OVER) {
            store = self.write_cursor().await;
        }
        let mut next = progress
            .alerts
            .next()
            .map_or(progress.again, |next| next.min(progress.again));
        if let Err(error) = store {
            self.waits_for_the_store(&error);
            next = next.min(Instant::now() + self.sink.retry.delay(1, None, rng));
        }
        Ok(next)
    }

    /// Takes in what the journal has anew.
    async fn read_on(&mut self, progress: &mut Progress, records: &Projection) -> Result<(), JournalError> {
        while progress.alerts.waiting_count() < MOST_WAIT {
            // Read before the entries: what is committed in between is above it, and is found next time.
            let newest = self.store.newest().await?;
            let (of, batch) = (EntriesOf::ForSinks, self.sink.renderer.batch());
            let entries = self.store.entries(of, progress.read, batch).await?;
            let Some(last) = entries.last().map(|entry| entry.sequence) else {
                progress.read = progress.read.max(newest);
                self.counts.reached(progress.alerts.done_up_to(progress.read));
                break;
            };
            for entry in self.selected(&entries, records) {
                progress.alerts.take_in(entry, records);
            }
            progress.read = last;
        }
        Ok(())
    }

    /// Offers what is due, and of what is not taken the halves, for as long as there is something to be found out by it.
    async fn offer_due(
        &self,
        progress: &mut Progress,
        what: Due,
        records: &Projection,
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) -> Result<Round, Interrupted> {
        let mut round = Round::default();
        let due = progress.alerts.due(self.context(records), Instant::now(), what);
        let mut parts = VecDeque::from(due);
        while let Some(part) = parts.pop_front() {
            let post = progress.alerts.post(&part, self.context(records));
            let Some(message) = &post.message else {
                progress.alerts.taken(post);
                continue;
            };
            if !message.tells_of.is_empty() {
                CrashPoint::SinkOffered.reach();
            }
            let Err(refused) = self.offer(message, progress.failures, cancel).await? else {
                if !message.tells_of.is_empty() {
                    CrashPoint::SinkTaken.reach();
                }
                self.counts.delivered.inc_by(message.tells_of.len() as u64);
                progress.alerts.taken(post);
                round.taken += 1;
                continue;
            };
            self.failed();
            round.failed += 1;
            let may_go_on = round.failed < round.most_may_fail(&refused, progress.failures);
            if may_go_on && part.len() > 1 {
                let (left, right) = part.split_at(part.len() / 2);
                parts.extend([left.to_vec(), right.to_vec()]);
                continue;
            }
            self.put_off(progress, &mut round, &part, &refused, rng);
            if !may_go_on {
                // What the receiver says of these nobody knows, but that it said so of what they were sent with, or of others.
                let refused = DeliveryError {
                    refusal: Refusal::ForNow,
                    ..refused
                };
                for part in parts.drain(..) {
                    self.put_off(progress, &mut round, &part, &refused, rng);
                }
            }
        }
        if round.taken > 0 {
            round
                .alone
                .iter()
                .for_each(|identity| progress.alerts.set_apart(identity));
        }
        if !progress.alerts.is_refused() && round.failed == 0 {
            self.board.delivers(&self.sink.name);
        }
        Ok(round)
    }

    /// A part is offered again later, or given up.
    fn put_off(
        &self,
        progress: &mut Progress,
        round: &mut Round,
        part: &[Identity],
        refused: &DeliveryError,
        rng: &mut impl Rng,
    ) {
        if progress.told.is_none_or(|at| at.elapsed() >= TOLD_AGAIN) {
            progress.told = Some(Instant::now());
            tracing::warn!(
                sink = self.sink.name,
                alerts = part.len(),
                error = refused.message,
                "alerts were not taken and are sent again; told once a minute at most"
            );
        }
        round.retry_after = round.retry_after.max(refused.retry_after);
        let refusal = match part {
            [one] => {
                round.alone.push(one.clone());
                refused.refusal
            }
            _ => {
                round.unresolved += 1;
                Refusal::ForNow
            }
        };
        let failure = Failure {
            refusal,
            now: self.clock.surely(),
            max_age: self.sink.max_age,
        };
        let is_alone = part.len() == 1 && (round.taken > 0 || refusal == Refusal::OfTheEvent);
        let (retry, asked, failures) = (self.sink.retry, refused.retry_after, progress.failures);
        let mut next = |tries| {
            if is_alone {
                return Instant::now() + retry.delay(tries, asked, rng);
            }
            let mut next = || Instant::now() + retry.delay(failures.saturating_add(1), asked, rng);
            *round.next.get_or_insert_with(&mut next)
        };
        for (told, why) in progress.alerts.failed(part, failure, &mut next) {
            self.give_up(&told, why, &refused.message);
        }
        if let ([one], Refusal::OfTheEvent) = (part, refusal) {
            progress.alerts.set_apart(one);
        }
    }
}

#[cfg(test)]
mod tests;
