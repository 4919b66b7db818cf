//! What a receiver does not take for where it goes, such as a namespace whose quota is used up or an address whose mailbox is full:
//! what waits, by its places.

use std::collections::{BTreeMap, VecDeque};

use steadfast_core::journal::Sequence;
use tokio::time::Instant;

use super::super::deliver::{DeliveryError, Refusal};
use super::super::message::{Message, Told};
use super::super::offering::Tries;
use super::insistence::Insistence;

/// How many messages wait for one place. Beyond that the oldest is given up if the place insists on taking nothing; before it
/// does, the journal has the rest.
pub(super) const MOST: usize = 256;
/// How many wait for all places together. At that nothing more is read of the journal, as where a receiver takes nothing at all.
pub(super) const MOST_IN_ALL: usize = 4096;

/// The messages that wait, by their places.
#[derive(Debug, Default)]
pub(super) struct Held(BTreeMap<String, Queue>);

/// What waits for one place.
#[derive(Debug)]
pub(super) struct Queue {
    /// At least one, each for this place alone.
    pub(super) messages: VecDeque<Message>,
    /// Those of the first.
    pub(super) tries: Tries,
    /// Whether the place is to be believed.
    pub(super) insistence: Insistence,
    /// When the first is offered again.
    pub(super) next: Instant,
    /// When that was told last.
    pub(super) told: Option<Instant>,
}

impl Queue {
    /// One message, which was refused.
    pub(super) fn begun(message: Message, tries: Tries, refusal: Refusal) -> Self {
        let mut insistence = Insistence::default();
        insistence.note(refusal);
        Self {
            messages: VecDeque::from([message]),
            tries: tries.afresh(),
            insistence,
            next: Instant::now(),
            told: None,
        }
    }

    /// The first is done with.
    pub(super) fn pop(&mut self) -> Option<Message> {
        self.tries = Tries::default();
        self.messages.pop_front()
    }
}

impl Held {
    /// When something is offered again.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|queue| queue.next).min()
    }

    /// The places of which something is to be offered by then.
    pub(super) fn due(&self, now: Instant) -> Vec<String> {
        let due = self.0.iter().filter(|(_, queue)| queue.next <= now);
        due.map(|(place, _)| place.clone()).collect()
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

    /// Of the places that a message goes to, those for which others wait.
    pub(super) fn before(&self, message: &Message) -> Vec<String> {
        let is_for = |place: &&String| message.place.as_ref().is_none_or(|only| only == *place);
        self.0.keys().filter(is_for).cloned().collect()
    }

    /// Whether one of those places has no room for one more, and may yet take what waits: something was last taken of the
    /// receiver at that time.
    pub(super) fn is_full(&self, places: &[String], last_taken: Option<Instant>) -> bool {
        let queues = places.iter().filter_map(|place| self.0.get(place));
        let mut full = queues.filter(|queue| queue.messages.len() >= MOST);
        full.any(|queue| !queue.insistence.is_enough(last_taken))
    }

    /// Puts a message behind those of a place, if any wait. Hands back the one that is one too many by that, where the place insists.
    pub(super) fn put_behind(
        &mut self,
        place: &str,
        message: &Message,
        last_taken: Option<Instant>,
    ) -> Option<Message> {
        let queue = self.0.get_mut(place)?;
        queue.messages.push_back(Message {
            place: Some(place.to_owned()),
            ..message.clone()
        });
        let is_too_many = queue.messages.len() > MOST && queue.insistence.is_enough(last_taken);
        is_too_many.then(|| queue.pop()).flatten()
    }

    /// Puts what waits for a place there, if anything does.
    pub(super) fn put(&mut self, place: String, queue: Queue) {
        if !queue.messages.is_empty() {
            self.0.insert(place, queue);
        }
    }

    /// Takes what waits for a place away.
    pub(super) fn take(&mut self, place: &str) -> Option<Queue> {
        self.0.remove(place)
    }
}

/// Whether a refusal is about where the message goes, or what it is, and says nothing of others. One answer that does not come
/// says nothing at all.
pub(super) fn is_of_its_place(message: &Message, tries: &Tries, refused: &DeliveryError) -> bool {
    message.place.is_some()
        && match refused.refusal {
            Refusal::OfThePlace | Refusal::OfTheEvent => true,
            Refusal::Unanswered => tries.are_unanswered(),
            Refusal::ForNow => false,
        }
}
