//! What is asked of the loop, between two turns of it.

use steadfast_core::error_chain::error_chain;
use steadfast_core::journal::JournalError;
use steadfast_core::time::Timestamp;

use super::Driver;
use crate::control::{Request, RequestError};
use crate::policies::Policies;

impl Driver {
    /// Serves a request of the API.
    pub(super) async fn serve(&mut self, request: Request, now: Timestamp) {
        match request {
            Request::Intend { key, intent, reply } => {
                let answer = match self.reactor.intend(&key, intent, now) {
                    None => Err(RequestError::NoSuchJob),
                    Some(change) => match self.commit(vec![change], now).await {
                        Ok(()) => self.projection.get(&key).ok_or(RequestError::NoSuchJob),
                        Err(error) => Err(RequestError::Store(error_chain(&error))),
                    },
                };
                drop(reply.send(answer));
            }
            Request::Forget { key, reply } => {
                let answer = match self.reactor.forget(&key) {
                    Err(error) => Err(error),
                    Ok(change) => self
                        .commit(vec![change], now)
                        .await
                        .map_err(|error| RequestError::Store(error_chain(&error))),
                };
                drop(reply.send(answer));
            }
            Request::Snapshots { limit, reply } => {
                drop(reply.send(Ok(self.reactor.snapshots(limit, now))));
            }
            Request::ReplacePolicies { policies, reply } => {
                let answer = self.replace_policies(Policies::new(policies), now).await;
                drop(reply.send(answer.map_err(|error| RequestError::Store(error_chain(&error)))));
            }
            Request::Explain { key, reply } => {
                drop(reply.send(self.reactor.explain(&key, now).ok_or(RequestError::NoSuchJob)));
            }
        }
    }

    /// What changes hands is committed first: a store that refuses leaves the policies as they were.
    async fn replace_policies(&mut self, policies: Policies, now: Timestamp) -> Result<(), JournalError> {
        let handed_over = self.reactor.hand_over(&policies);
        self.commit(handed_over, now).await?;
        let before = &self.reactor.policies;
        self.shadows
            .begin(&policies.shadows(), |name, key| policies.continues(before, name, key));
        self.status
            .write(|status| status.policies = policies.statuses(&status.policies, now));
        self.reactor.take_over(policies);
        // Those that are no shadows any more leave the metrics.
        self.metrics.shadow_jobs_differing.clear();
        self.metrics.show_shadows(&self.shadows.tallies());
        Ok(())
    }
}
