//! What is asked of the loop, between two turns of it.

use steadfast_core::error_chain::error_chain;
use steadfast_core::id::JobKey;
use steadfast_core::journal::JournalError;
use steadfast_core::time::Timestamp;

use super::Driver;
use crate::control::{Force, Request, RequestError};
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
                        Err(error) => Err(error.into()),
                    },
                };
                drop(reply.send(answer));
            }
            Request::Forget { key, force, reply } => {
                drop(reply.send(self.forget(&key, force, now).await));
            }
            Request::Snapshots { limit, reply } => {
                drop(reply.send(Ok(self.reactor.snapshots(limit, now))));
            }
            Request::ReplacePolicies { policies, reply } => {
                let answer = self.replace_policies(Policies::new(policies), now).await;
                drop(reply.send(answer.map_err(RequestError::Store)));
            }
            Request::Explain { key, reply } => {
                drop(reply.send(self.reactor.explain(&key, now).ok_or(RequestError::NoSuchJob)));
            }
        }
    }

    /// Removes a record. What was asked for and what is seen of the job is logged, whether it was done or refused: its
    /// history cannot be had back.
    async fn forget(&mut self, key: &JobKey, force: Force, now: Timestamp) -> Result<(), RequestError> {
        let seen = self
            .reactor
            .records()
            .get(key)
            .and_then(|record| self.reactor.seen_alive(record));
        let seen = seen.map_or_else(|| "it is not seen alive".to_owned(), |seen| seen.to_string());
        let change = self.reactor.forget(key, force).inspect_err(|error| {
            tracing::info!(job = %key, ?force, "a request to forget a job was refused: {}", error_chain(error));
        })?;
        self.commit(vec![change], now).await?;
        tracing::info!(job = %key, ?force, "a job was forgotten at a request; {seen}");
        Ok(())
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
