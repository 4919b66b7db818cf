//! One offer to a receiver, what is noted of those that fail, and how often one message is offered before the next.

use rand::Rng;
use steadfast_crash_points::CrashPoint;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::deliver::{DeliveryError, NotYet, Refusal, Taken};
use super::super::message::{Message, Told};
use super::super::offering::{GivenUp, Tries};
use super::held::is_of_its_place;
use super::{Courier, Interrupted, TOLD_AGAIN};

/// What became of a message.
pub(super) enum Delivery {
    /// It was taken, but by those.
    Taken(Vec<NotYet>),
    /// It is offered no more.
    GivenUp,
    /// It was refused after these tries, and the next ones may go on.
    Refused(Tries, DeliveryError),
}

impl Courier {
    /// Offers a message once, after so many failures, to all places that it goes to but those.
    pub(super) async fn offer(
        &self,
        message: &Message,
        except: &[String],
        failures: u32,
        cancel: &CancellationToken,
    ) -> Result<Result<Taken, DeliveryError>, Interrupted> {
        let (at, began) = (self.clock.now(), Instant::now());
        let deadline = self.to.deadline();
        let offered = timeout(deadline, self.to.deliver_but(message, except));
        let answer = match cancel.run_until_cancelled(offered).await {
            None => return Err(Interrupted::Cancelled),
            Some(Ok(answer)) => answer,
            Some(Err(_)) => Err(DeliveryError {
                refusal: if message.place.is_some() {
                    Refusal::Unanswered
                } else {
                    Refusal::ForNow
                },
                ..DeliveryError::for_now(format!("no answer within {deadline:?}"))
            }),
        };
        self.trace(message, answer.as_ref().err(), (at, began), failures);
        Ok(answer)
    }

    /// Offers one message, to all places that it goes to but those, until it is taken, or given up, or refused for where it goes.
    pub(super) async fn deliver(
        &mut self,
        message: &Message,
        except: &[String],
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) -> Result<Delivery, Interrupted> {
        let mut tries = Tries::default();
        let mut told: Option<Instant> = None;
        loop {
            CrashPoint::SinkOffered.reach();
            let refused = match self.offer(message, except, tries.failures, cancel).await? {
                Ok(taken) => {
                    CrashPoint::SinkTaken.reach();
                    return Ok(Delivery::Taken(self.taken(message, taken)));
                }
                Err(refused) => refused,
            };
            self.failed();
            // One that tells of many is offered for as long as the newest of them has a right to it.
            let Some(newest) = message.tells_of.last() else {
                return Ok(Delivery::GivenUp);
            };
            let age = self.clock.surely().since(newest.at);
            if let Some(why) = tries.failed(refused.refusal, age, self.sink.max_age) {
                message
                    .tells_of
                    .iter()
                    .for_each(|told| self.give_up(told, why, &refused.message));
                return Ok(Delivery::GivenUp);
            }
            if is_of_its_place(message, &tries, &refused) {
                return Ok(Delivery::Refused(tries, refused));
            }
            if told.is_none_or(|at| at.elapsed() >= TOLD_AGAIN) {
                told = Some(Instant::now());
                tracing::warn!(
                    sink = self.sink.name,
                    sequence = newest.sequence.0,
                    failures = tries.failures,
                    error = refused.message,
                    "a delivery failed and is tried again; told once a minute at most"
                );
            }
            let wait = self.sink.retry.delay(tries.failures, refused.retry_after, rng);
            if cancel.run_until_cancelled(sleep(wait)).await.is_none() {
                return Err(Interrupted::Cancelled);
            }
        }
    }

    /// Notes who took a message. Says who did not.
    fn taken(&mut self, message: &Message, taken: Taken) -> Vec<NotYet> {
        if taken.is_by_some {
            self.last_taken = Some(Instant::now());
            self.counts.delivered.inc_by(message.tells_of.len() as u64);
        }
        if !taken.not_yet.is_empty() {
            self.failed();
        } else if taken.is_by_some && self.held.is_empty() {
            self.board.delivers(&self.sink.name);
        }
        taken.not_yet
    }

    pub(super) fn failed(&self) {
        self.counts.failures.inc();
        self.board.fails(&self.sink.name, self.clock.now());
    }

    /// A dead letter: it is counted and told, stays in the journal, and holds up no other.
    pub(super) fn give_up(&self, told: &Told, why: GivenUp, said: &str) {
        let why = format!("{}: {said}", why.as_str());
        self.counts.dead.inc();
        self.board
            .gave_up(&self.sink.name, told.sequence, self.clock.now(), &why);
        tracing::error!(
            sink = self.sink.name,
            sequence = told.sequence.0,
            job = %told.key,
            "an event is given up, and the next ones go on ({why}); it stays in the journal"
        );
    }
}
