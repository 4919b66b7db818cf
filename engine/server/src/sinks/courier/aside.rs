//! How what waits for its places is offered: in order for each, all of them beside the rest. It holds up what goes elsewhere no
//! longer than it takes to offer it once.

use std::time::Duration;

use futures::future::join_all;
use rand::Rng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::deliver::{DeliveryError, NotYet};
use super::super::message::Message;
use super::super::offering::{GivenUp, Tries};
use super::held::Queue;
use super::insistence::Insistence;
use super::{Courier, Interrupted, TOLD_AGAIN};

/// How many places are offered something at once: each may take its time to refuse it.
const AT_ONCE: usize = 8;
/// How many messages of one place are offered in a row, before it is the others' turn.
const IN_A_ROW: usize = 32;

/// What became of an offer of what waits for one place.
struct Offered {
    queue: Queue,
    taken: usize,
    /// What was refused last, and how long that took.
    refused: Option<(DeliveryError, Duration)>,
    interrupted: Option<Interrupted>,
}

impl Courier {
    /// Puts a message behind those that wait for those places.
    pub(super) fn wait_behind(&mut self, places: &[String], message: &Message) {
        for place in places {
            let too_many = self.held.put_behind(place, message, self.last_taken);
            for told in too_many.iter().flat_map(|message| &message.tells_of) {
                self.give_up(
                    told,
                    GivenUp::TooMany,
                    &format!("{place} does not take what goes there"),
                );
            }
        }
    }

    /// A message begins to wait for the places that did not take it.
    pub(super) fn hold_for(&mut self, message: &Message, not_yet: Vec<NotYet>, rng: &mut impl Rng) {
        for NotYet { place, refused } in not_yet {
            let message = Message {
                place: Some(place),
                ..message.clone()
            };
            self.hold(message, Tries::default(), &refused, rng);
        }
    }

    /// A message that was refused begins to wait.
    pub(super) fn hold(&mut self, message: Message, tries: Tries, refused: &DeliveryError, rng: &mut impl Rng) {
        let Some(place) = message.place.clone() else { return };
        let mut queue = Queue::begun(message, tries, refused.refusal);
        queue.next += self.sink.retry.delay(queue.tries.failures, refused.retry_after, rng);
        self.tell_of(&place, &mut queue, refused);
        self.held.put(place, queue);
    }

    /// Offers what waits and is due, each place by itself.
    pub(super) async fn offer_held(
        &mut self,
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) -> Result<(), Interrupted> {
        let due = self.held.due(Instant::now());
        for places in due.chunks(AT_ONCE) {
            let queues = places.iter().filter_map(|place| Some((place, self.held.take(place)?)));
            let queues: Vec<(&String, Queue)> = queues.collect();
            let this = &*self;
            let mut offers = Vec::new();
            for (place, queue) in queues {
                offers.push(async move { (place, this.offer_queue(queue, cancel).await) });
            }
            let offered = join_all(offers).await;
            self.take_back(offered, rng)?;
            self.write_cursor().await?;
        }
        Ok(())
    }

    /// Notes what became of offers.
    fn take_back(&mut self, offered: Vec<(&String, Offered)>, rng: &mut impl Rng) -> Result<(), Interrupted> {
        let mut outcome = Ok(());
        let mut taken = 0;
        for (place, offered) in offered {
            let mut queue = offered.queue;
            queue.next = Instant::now();
            if let Some((refused, took)) = &offered.refused {
                let pause = self.sink.retry.delay(queue.tries.failures, refused.retry_after, rng);
                // Who is slow to refuse takes no more than half of the time that others have.
                queue.next += pause.max(*took);
                self.tell_of(place, &mut queue, refused);
            }
            self.held.put(place.clone(), queue);
            taken += offered.taken;
            if let Some(interrupted) = offered.interrupted {
                outcome = Err(interrupted);
            }
        }
        if taken > 0 {
            self.last_taken = Some(Instant::now());
            if self.held.is_empty() {
                self.board.delivers(&self.sink.name);
            }
        }
        outcome
    }

    /// Offers what waits for one place, up to the first that is not taken.
    async fn offer_queue(&self, queue: Queue, cancel: &CancellationToken) -> Offered {
        let mut offered = Offered {
            queue,
            taken: 0,
            refused: None,
            interrupted: None,
        };
        let queue = &mut offered.queue;
        while let Some(message) = queue.messages.front().filter(|_| offered.taken < IN_A_ROW) {
            let began = Instant::now();
            let refused = match self.offer(message, &[], queue.tries.failures, cancel).await {
                Err(interrupted) => {
                    offered.interrupted = Some(interrupted);
                    break;
                }
                Ok(Ok(_)) => {
                    self.counts.delivered.inc_by(message.tells_of.len() as u64);
                    queue.pop();
                    queue.insistence = Insistence::default();
                    offered.taken += 1;
                    continue;
                }
                Ok(Err(refused)) => refused,
            };
            self.failed();
            queue.insistence.note(refused.refusal);
            let newest = message.tells_of.last().map(|told| told.at);
            let age = newest.map(|at| self.clock.surely().since(at)).unwrap_or_default();
            if let Some(why) = queue.tries.failed(refused.refusal, age, self.sink.max_age) {
                let told = message.tells_of.iter();
                told.for_each(|told| self.give_up(told, why, &refused.message));
                queue.pop();
            }
            offered.refused = Some((refused, began.elapsed()));
            break;
        }
        offered
    }

    fn tell_of(&self, place: &str, queue: &mut Queue, refused: &DeliveryError) {
        if queue.told.is_some_and(|at| at.elapsed() < TOLD_AGAIN) {
            return;
        }
        queue.told = Some(Instant::now());
        tracing::warn!(
            sink = self.sink.name,
            place,
            waiting = queue.messages.len(),
            error = refused.message,
            "what goes there is not taken and is tried again, and the rest goes on; told once a minute at most"
        );
    }
}
