//! How one message reaches its receiver.

use std::time::Duration;

use async_trait::async_trait;

use super::message::Message;

/// How long a receiver may take for one message where it does not need longer.
pub const DELIVERY_DEADLINE: Duration = Duration::from_secs(10);

/// The way to a receiver: HTTP or SMTP in production, memory in simulations.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// How long one message may take, which is the deadline that the caller sets.
    fn deadline(&self) -> Duration {
        DELIVERY_DEADLINE
    }

    /// Delivers one message. The caller sets the deadline, and may drop the call.
    ///
    /// Fails whenever the receiver did not say that it took the message.
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError>;

    /// Delivers one message that goes to several places of the receiver, as a mail to its addresses: to all but those. Says who took
    /// it. Where a receiver has no such places it is [`deliver`](Self::deliver).
    ///
    /// Fails if nobody took it.
    async fn deliver_but(&self, message: &Message, _except: &[String]) -> Result<Taken, DeliveryError> {
        self.deliver(message).await.map(|()| Taken::by_all())
    }
}

/// Who took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Somebody did.
    pub is_by_some: bool,
    /// Of the places it went to, those that may take it another time.
    pub not_yet: Vec<NotYet>,
}

/// A place that did not take a message which others may have taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotYet {
    /// Where: what [`Message::place`] says of a message that goes there alone.
    pub place: String,
    /// Why not.
    pub refused: DeliveryError,
}

impl Taken {
    /// Everybody did.
    pub const fn by_all() -> Self {
        Self {
            is_by_some: true,
            not_yet: Vec::new(),
        }
    }
}

/// The receiver did not take it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeliveryError {
    /// What came back, without the address's secrets.
    pub message: String,
    /// How long the receiver asked us to wait.
    pub retry_after: Option<Duration>,
    /// Whether it may take it another time.
    pub refusal: Refusal,
    /// What mends it, for people; empty where nobody can tell.
    pub fix: &'static str,
}

impl DeliveryError {
    /// It was not taken this time, for that reason.
    pub fn for_now(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retry_after: None,
            refusal: Refusal::ForNow,
            fix: "",
        }
    }
}

/// Whether a receiver may take a message another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It may: it was not reached, has trouble of its own, or knows neither us nor the address, which somebody mends.
    ForNow,
    /// By its own word it will not, for what the message is: too large, not understood.
    OfTheEvent,
    /// By its own word it does not take what goes to that [`Message::place`] now, whatever else it takes.
    OfThePlace,
    /// There was no answer in time, whether the receiver is slow or what it asks about that [`Message::place`] is.
    Unanswered,
}

impl Refusal {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForNow => "not-now",
            Self::OfTheEvent => "refused",
            Self::OfThePlace => "refused-there",
            Self::Unanswered => "unanswered",
        }
    }
}
