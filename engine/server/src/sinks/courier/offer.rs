//! One offer to a receiver, and what is noted of those that fail.

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::super::deliver::DeliveryError;
use super::super::message::{Message, Told};
use super::super::offering::GivenUp;
use super::{Courier, Interrupted};

impl Courier {
    /// Offers a message once, after so many failures.
    pub(super) async fn offer(
        &self,
        message: &Message,
        failures: u32,
        cancel: &CancellationToken,
    ) -> Result<Result<(), DeliveryError>, Interrupted> {
        let (at, began) = (self.clock.now(), Instant::now());
        let deadline = self.to.deadline();
        let offered = timeout(deadline, self.to.deliver(message));
        let answer = match cancel.run_until_cancelled(offered).await {
            None => return Err(Interrupted::Cancelled),
            Some(Ok(answer)) => answer,
            Some(Err(_)) => Err(DeliveryError::for_now(format!("no answer within {deadline:?}"))),
        };
        self.trace(message, &answer, (at, began), failures);
        Ok(answer)
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
