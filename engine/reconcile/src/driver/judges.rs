//! Waiting for the policies, for a moment.
//!
//! While the loop waits, it takes nothing in: what most policies say is then as new as all that the loop knows. It does not
//! wait for those who take their time: they are heard when they are done.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Driver;
use crate::judging::Ruling;

/// How long evidence may wait for decisions: a little longer than a judge takes at a time.
const PATIENCE: Duration = Duration::from_millis(30);

impl Driver {
    /// Hears the policies that were just given something to decide, and commits what they say. While there is time they are
    /// given more: a commit takes as long as the disk does, however much is in it, and where thousands wait a batch for each would
    /// be too few.
    pub(super) async fn hear_judges(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.reactor.awaits_policies() {
            let ruling = tokio::select! {
                biased;
                () = self.cancel.cancelled() => break,
                Some(ruling) = self.rulings.recv() => ruling,
                () = sleep_until(until) => break,
            };
            self.ruled(ruling);
            if !self.reactor.awaits_policies() && Instant::now() < until {
                let turn = self.reactor.judge_on(self.clock.now());
                if !turn.is_empty() {
                    self.commit_or_retry(turn).await;
                }
            }
        }
        self.reactor.await_no_longer();
        if let Some(turn) = self.reactor.take_rulings(self.clock.now()) {
            self.commit_or_retry(turn).await;
        }
    }

    pub(super) fn ruled(&mut self, ruling: Ruling) {
        self.reactor.ruled(ruling, self.clock.now());
    }

    /// Ends the threads of the policies: decisions under way are broken off.
    pub(super) async fn dismiss_judges(self) {
        let Self {
            reactor,
            mut rulings,
            bench,
            ..
        } = self;
        rulings.close();
        drop(reactor);
        bench.emptied().await;
    }
}
