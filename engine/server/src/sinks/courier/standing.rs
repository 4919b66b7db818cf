//! The way of a sink that tells what stands: an Alertmanager's.
//!
//! What stands goes on being told beside what is tried again, and no alert is held up by another: of a message that is not taken
//! each half is offered by itself, until what is refused stands alone.

mod round;

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;
use steadfast_core::backoff::Backoff;
use steadfast_core::journal::{EntriesOf, JournalError, Sequence};
use steadfast_core::projection::Projection;
use steadfast_crash_points::CrashPoint;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::round::{Offered, Part, Round};
use super::super::alertmanager::{Alerts, Due, Failure, Identity};
use super::super::deliver::{DeliveryError, Refusal};
use super::{Courier, Following, Interrupted, PASSED_OVER, TOLD_AGAIN};

/// How many entries may wait. Beyond that the journal keeps them: what stands is told by the records.
const MOST_WAIT: usize = 5_000;
/// How far it has come.
struct Progress {
    alerts: Alerts,
    /// What the journal has up to here was taken in.
    read: Sequence,
    /// When what stands is told again.
    again: Instant,
    /// How many rounds in a row came to nothing.
    failures: u32,
    /// What comes anew is not offered before: the receiver is away, or asked us to wait.
    held_until: Instant,
    /// When a failure was told last.
    told: Option<Instant>,
}

impl Progress {
    /// Takes in what a round says of the receiver. One in which nothing was offered says nothing.
    fn learn(&mut self, round: &Round, what: Due) {
        if round.is_in_vain() {
            self.failures = self.failures.saturating_add(1);
        } else if round.taken > 0 || round.is_well(what) {
            self.failures = 0;
        }
        if round.taken + round.away > 0 || round.retry_after.is_some() {
            let waits = round.is_in_vain() || round.retry_after.is_some();
            self.held_until = round.next.filter(|_| waits).unwrap_or_else(Instant::now);
        }
    }

    /// When what stands is told again, after a round that told it.
    fn pause(&self, round: &Round, retry: Backoff, rng: &mut impl Rng) -> Duration {
        let resend = self.alerts.resend();
        if round.is_in_vain() || round.unresolved > 0 {
            resend.min(retry.delay(self.failures.max(1), round.retry_after, rng))
        } else {
            resend
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
            held_until: Instant::now(),
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
        progress.learn(&round, what);
        if what == Due::All {
            progress.again = Instant::now() + progress.pause(&round, self.sink.retry, rng);
        }
        if round.retry_after.is_some() {
            progress.again = progress.again.max(progress.held_until);
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
                progress.alerts.take_in(entry, records, progress.held_until);
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
        let mut parts: VecDeque<Part> = due.into_iter().map(Part::new).collect();
        while let Some(part) = parts.pop_front() {
            let post = progress.alerts.post(&part.alerts, self.context(records));
            let Some(message) = &post.message else {
                progress.alerts.taken(post);
                continue;
            };
            if !message.tells_of.is_empty() {
                CrashPoint::SinkOffered.reach();
            }
            let Err(refused) = self.offer(message, &[], progress.failures, cancel).await? else {
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
            let is_apart = matches!(&part.alerts[..], [one] if progress.alerts.is_apart(one));
            round.away += u32::from(!is_apart);
            let may_go_on = round.failed < round.most_may_fail(&refused, progress.failures);
            if may_go_on && part.alerts.len() > 1 {
                parts.extend(part.halves());
                continue;
            }
            self.put_off(progress, &mut round, &part.alerts, &refused, rng);
            if !may_go_on {
                let left: Vec<Part> = parts.drain(..).collect();
                self.leave(progress, &mut round, &left, &refused, rng);
            }
        }
        if round.taken > 0 {
            round
                .alone
                .iter()
                .for_each(|identity| progress.alerts.set_apart(identity));
        }
        if !progress.alerts.is_refused() && round.is_well(what) {
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
        let is_alone = matches!(part, [one] if
            round.taken > 0 || refusal == Refusal::OfTheEvent || progress.alerts.is_apart(one));
        let shared = (!is_alone || refused.retry_after.is_some())
            .then(|| self.next_together(progress, round, refused.retry_after, rng));
        let retry = self.sink.retry;
        let mut next = |tries| shared.unwrap_or_else(|| Instant::now() + retry.delay(tries, None, rng));
        let failure = self.failure(refusal);
        for (told, why) in progress.alerts.failed(part, failure, &mut next) {
            self.give_up(&told, why, &refused.message);
        }
        if let ([one], Refusal::OfTheEvent) = (part, refusal) {
            progress.alerts.set_apart(one);
        }
    }

    /// Parts that a round does not come to are offered with the next. That one of them fails is known of none.
    fn leave(
        &self,
        progress: &mut Progress,
        round: &mut Round,
        left: &[Part],
        refused: &DeliveryError,
        rng: &mut impl Rng,
    ) {
        if left.is_empty() {
            return;
        }
        let next = self.next_together(progress, round, None, rng);
        for part in left {
            round.unresolved += 1;
            match part.offered {
                Offered::NotYet => progress.alerts.postpone(&part.alerts, next),
                // What the receiver says of these nobody knows, but that it said so of what they were sent with.
                Offered::WithOthers => {
                    let failure = self.failure(Refusal::ForNow);
                    for (told, why) in progress.alerts.failed(&part.alerts, failure, &mut |_| next) {
                        self.give_up(&told, why, &refused.message);
                    }
                }
            }
        }
    }

    fn failure(&self, refusal: Refusal) -> Failure {
        Failure {
            refusal,
            now: self.clock.surely(),
            max_age: self.sink.max_age,
        }
    }

    /// When what the round puts off together is offered again: not before the receiver asked for, if it did.
    fn next_together(
        &self,
        progress: &Progress,
        round: &mut Round,
        asked: Option<Duration>,
        rng: &mut impl Rng,
    ) -> Instant {
        let mut draw = || {
            let failures = progress.failures.saturating_add(1);
            Instant::now() + self.sink.retry.delay(failures, asked, rng)
        };
        let next = match round.next {
            Some(next) if asked.is_none() => next,
            Some(next) => next.max(draw()),
            None => draw(),
        };
        round.next = Some(next);
        next
    }
}

#[cfg(test)]
mod tests;
