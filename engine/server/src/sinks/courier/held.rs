//! What a receiver does not take for where it goes, such as a namespace whose quota is used up: it waits in order, and holds up
//! what goes elsewhere no longer than it takes to offer it once.

use std::collections::{BTreeMap, VecDeque};

use rand::Rng;
use steadfast_core::journal::Sequence;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::deliver::{DeliveryError, Refusal};
use super::super::message::{Message, Told};
use super::super::offering::{GivenUp, Tries};
use super::{Courier, Interrupted, TOLD_AGAIN};

/// How many messages wait for one place. Beyond that the oldest is given up.
const MOST: usize = 256;
/// How many wait for all places together. At that nothing more is read of the journal, as where a receiver takes nothing at all.
pub(super) const MOST_IN_ALL: usize = 4096;

/// The messages that wait, by their places.
#[derive(Debug, Default)]
pub(super) struct Held(BTreeMap<String, Queue>);

#[derive(Debug)]
struct Queue {
    /// At least one.
    messages: VecDeque<Message>,
    /// Those of the first.
    tries: Tries,
    /// When the first is offered again.
    next: Instant,
    /// When that was told last.
    told: Option<Instant>,
}

impl Held {
    /// When something is offered again.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|queue| queue.next).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many messages wait.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(|queue| queue.messages.len()).sum()
    }

    /// Whether so many more may wait.
    pub(super) fn has_room_for(&self, messages: u32) -> bool {
        let messages = usize::try_from(messages).unwrap_or(usize::MAX);
        self.count().saturating_add(messages) <= MOST_IN_ALL
    }

    /// The oldest entry that waits.
    pub(super) fn first(&self) -> Option<&Told> {
        let messages = self.0.values().flat_map(|queue| &queue.messages);
        let told = messages.flat_map(|message| &message.tells_of);
        told.min_by_key(|told| told.sequence)
    }

    /// Up to where all is told, of what was read up to that place.
    pub(super) fn done_up_to(&self, read: Sequence) -> Sequence {
        self.first()
            .map_or(read, |first| Sequence(first.sequence.0.saturating_sub(1).min(read.0)))
    }

    /// Puts a message behind those of its place, if any wait. Says whether it did, and which one is one too many by that.
    fn behind(&mut self, message: &Message) -> (bool, Option<Message>) {
        let queue = message.place.as_ref().and_then(|place| self.0.get_mut(place));
        let Some(queue) = queue else { return (false, None) };
        queue.messages.push_back(message.clone());
        if queue.messages.len() <= MOST {
            return (true, None);
        }
        queue.tries = Tries::default();
        (true, queue.messages.pop_front())
    }
}

/// Whether a refusal is about where the message goes, or what it is, and says nothing of others.
pub(super) fn is_of_its_place(message: &Message, refused: &DeliveryError) -> bool {
    match refused.refusal {
        Refusal::OfThePlace | Refusal::OfTheEvent => message.place.is_some(),
        Refusal::ForNow => false,
    }
}

impl Courier {
    /// Whether the message waits, since others of its place do.
    pub(super) fn waits_behind(&mut self, message: &Message) -> bool {
        let (waits, too_many) = self.held.behind(message);
        for told in too_many.iter().flat_map(|message| &message.tells_of) {
            self.give_up(told, GivenUp::TooMany, "what goes there is not taken");
        }
        waits
    }

    /// A message that was refused begins to wait.
    pub(super) fn hold(&mut self, message: &Message, tries: Tries, refused: &DeliveryError, rng: &mut impl Rng) {
        let Some(place) = &message.place else { return };
        let mut queue = Queue {
            messages: VecDeque::from([message.clone()]),
            tries,
            next: Instant::now() + self.sink.retry.delay(tries.failures, refused.retry_after, rng),
            told: None,
        };
        self.tell_of(place, &mut queue, refused);
        self.held.0.insert(place.clone(), queue);
    }

    /// Offers what waits and is due, each place by itself.
    pub(super) async fn offer_held(
        &mut self,
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) -> Result<(), Interrupted> {
        let now = Instant::now();
        let due = self.held.0.iter().filter(|(_, queue)| queue.next <= now);
        let due: Vec<String> = due.map(|(place, _)| place.clone()).collect();
        let mut taken = 0;
        for place in due {
            let Some(mut queue) = self.held.0.remove(&place) else {
                continue;
            };
            let offered = self.offer_queue(&place, &mut queue, cancel, rng).await;
            if !queue.messages.is_empty() {
                self.held.0.insert(place, queue);
            }
            taken += offered?;
        }
        if taken > 0 {
            if self.held.is_empty() {
                self.board.delivers(&self.sink.name);
            }
            self.write_cursor().await?;
        }
        Ok(())
    }

    /// Offers what waits for one place, up to the first that is not taken. Says how many were taken.
    async fn offer_queue(
        &self,
        place: &str,
        queue: &mut Queue,
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) -> Result<u32, Interrupted> {
        let mut taken = 0;
        while let Some(message) = queue.messages.front() {
            let Err(refused) = self.offer(message, queue.tries.failures, cancel).await? else {
                self.counts.delivered.inc_by(message.tells_of.len() as u64);
                queue.messages.pop_front();
                queue.tries = Tries::default();
                taken += 1;
                continue;
            };
            self.failed();
            let newest = message.tells_of.last().map(|told| told.at);
            let age = newest.map(|at| self.clock.surely().since(at)).unwrap_or_default();
            if let Some(why) = queue.tries.failed(refused.refusal, age, self.sink.max_age) {
                let told = message.tells_of.iter();
                told.for_each(|told| self.give_up(told, why, &refused.message));
                queue.messages.pop_front();
                queue.tries = Tries::default();
            }
            queue.next = Instant::now() + self.sink.retry.delay(queue.tries.failures, refused.retry_after, rng);
            self.tell_of(place, queue, &refused);
            return Ok(taken);
        }
        Ok(taken)
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
