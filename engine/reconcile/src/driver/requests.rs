//! What is asked of the loop, between two turns of it.

use steadfast_core::error_chain::error_chain;
use steadfast_core::journal::JournalError;

use super::Driver;
use crate::control::{Request, RequestError};
use crate::policies::Policies;
use crate::turn::Turn;

impl Driver {
    /// Serves a request of the API.
    pub(super) async fn serve(&mut self, request: Request) {
        let now = self.clock.now();
        // A requester who is gone by now wants no answer.
        match request {
            Request::Intend { key, intent, reply } => {
                let turn = self.reactor.intend(&key, intent, now);
                let answer = self.carry_out(turn).await;
                let view = answer.and_then(|()| self.readers.projection.get(&key).ok_or(RequestError::NoSuchJob));
                drop(reply.send(view));
            }
            Request::Forget { key, reply } => {
                let turn = self.reactor.forget(&key);
                drop(reply.send(self.carry_out(turn).await));
            }
            Request::Snapshots { limit, reply } => {
                drop(reply.send(Ok(self.reactor.snapshots(limit, now))));
            }
            Request::ReplacePolicies { policies, reply } => {
                // What changes hands is committed first: a store that refuses leaves the policies as they were.
                let turn = self.reactor.replace_policies(Policies::new(policies));
                drop(reply.send(self.carry_out(Ok(turn)).await));
            }
            Request::Explain { key, reply } => {
                drop(reply.send(self.reactor.explain(&key, now).ok_or(RequestError::NoSuchJob)));
            }
        }
    }

    async fn carry_out(&mut self, turn: Result<Turn, RequestError>) -> Result<(), RequestError> {
        self.commit(turn?).await.map_err(|error| refused(&error))
    }
}

fn refused(error: &JournalError) -> RequestError {
    RequestError::Store(error_chain(error))
}
