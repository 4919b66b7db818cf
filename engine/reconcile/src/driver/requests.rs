//! What is asked of the loop, between two turns of it.

use steadfast_core::call::Call;
use steadfast_core::error_chain::error_chain;
use steadfast_core::id::JobKey;
use steadfast_core::journal::JournalError;
use steadfast_core::projection::JobView;
use steadfast_core::record::{PostedIntent, Silence};
use steadfast_core::state::Force;
use steadfast_crash_points::CrashPoint;

use super::Driver;
use crate::control::{Request, RequestError, Says};
use crate::turn::Turn;

impl Driver {
    /// Serves a request of the API.
    pub(super) async fn serve(&mut self, request: Request) {
        let now = self.clock.now();
        // A requester who is gone by now needs no answer.
        match request {
            Request::Intend {
                key,
                intent,
                author,
                call,
                reply,
            } => {
                let turn = self.reactor.intend(&key, PostedIntent::new(intent, author, now), call);
                drop(reply.send(self.written(&key, turn).await));
            }
            Request::Silence {
                key,
                alert,
                until,
                says: Says { by, comment },
                call,
                reply,
            } => {
                let silence = Silence {
                    alert,
                    since: now,
                    until,
                    by,
                    comment,
                };
                let turn = self.reactor.silence(&key, silence, call);
                drop(reply.send(self.written(&key, turn).await));
            }
            Request::Unsilence {
                key,
                alert,
                call,
                reply,
            } => {
                let turn = self.reactor.unsilence(&key, &alert, call, now);
                drop(reply.send(self.written(&key, turn).await));
            }
            Request::Look { key, reply } => self.reactor.look(&key, reply, now),
            Request::Locate { key, reply } => {
                drop(reply.send(self.reactor.whereabouts(&key)));
            }
            Request::Forget {
                key,
                force,
                call,
                reply,
            } => {
                drop(reply.send(self.forget(&key, force, call).await));
            }
            Request::Snapshots { limit, reply } => {
                drop(reply.send(Ok(self.reactor.snapshots(limit, now))));
            }
            Request::ReplacePolicies { policies, reply } => {
                // What changes hands is committed first: a store that refuses leaves the policies as they were.
                let policies = self.bench.seat(policies);
                CrashPoint::ReloadSeated.reach();
                let turn = self.reactor.replace_policies(policies);
                // A job whose record is not taken goes on under its policy until it is: validations hand it over.
                let done = self.commit(turn).await;
                drop(reply.send(done.map(drop).map_err(RequestError::from)));
            }
            Request::Explain { key, reply } => {
                self.reactor.question(&key, reply, now);
            }
        }
    }

    /// Commits what somebody asked for of a job, and shows it to them.
    async fn written(&mut self, key: &JobKey, turn: Result<Turn, RequestError>) -> Result<JobView, RequestError> {
        self.commit_whole(turn?).await?;
        self.readers.projection.get(key).ok_or(RequestError::NoSuchJob)
    }

    /// Commits what was asked for, or nothing.
    async fn commit_whole(&mut self, turn: Turn) -> Result<(), RequestError> {
        let refusals = self.commit(turn).await?;
        if refusals.is_empty() {
            return Ok(());
        }
        Err(RequestError::Store(JournalError::Refused {
            commit: Box::default(),
            refusals,
        }))
    }

    /// Removes a record. What was asked for and what is seen of the job is logged, whether it was done or refused: its
    /// history cannot be had back.
    async fn forget(&mut self, key: &JobKey, force: Force, call: Option<Call>) -> Result<(), RequestError> {
        let seen = self
            .reactor
            .records()
            .get(key)
            .and_then(|record| self.reactor.seen_alive(record));
        let seen = seen.map_or_else(|| "it is not seen alive".to_owned(), |seen| seen.to_string());
        let turn = self
            .reactor
            .forget(key, force, call, self.clock.now())
            .inspect_err(|error| {
                tracing::info!(job = %key, ?force, "a request to forget a job was refused: {}", error_chain(error));
            })?;
        match self.commit_whole(turn).await {
            Ok(()) => {
                tracing::info!(job = %key, ?force, "a job was forgotten at a request; {seen}");
                Ok(())
            }
            Err(error) => {
                tracing::error!(job = %key, ?force, "a job could not be forgotten: {}", error_chain(&error));
                Err(error)
            }
        }
    }
}
