//! Answers that wait to be taken, bounded in bytes over all clients.
//!
//! An answer is in memory from the moment it is made until its client has read it, and a client that does not read costs
//! nothing itself. So answers draw on a budget of bytes. It is known what an answer takes only when it is made: the large
//! ones are made one after another by a few at a time, so that no more is ever in memory than the budget and those few.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::problem::{Code, Problem};

/// What all answers may hold, in bytes.
const BYTES: usize = 64 << 20;
/// What an answer may hold without drawing on the budget: nearly all do.
const FREE: u64 = 16 << 10;
/// How much of an answer is given to its connection at a time.
const PIECE: usize = 64 << 10;
/// How many large answers are made at a time.
const MADE_AT_ONCE: usize = 4;
/// How long a request waits until others have taken their answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// The budget of all answers. A clone is the same one.
#[derive(Clone, Debug)]
pub(crate) struct AnswerBudget {
    bytes: Arc<Semaphore>,
    most: u32,
    turns: Arc<Semaphore>,
}

impl Default for AnswerBudget {
    fn default() -> Self {
        Self::new(BYTES)
    }
}

/// That an answer is being made; kept until it is known what it takes.
#[derive(Clone, Debug)]
struct Turn {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl AnswerBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(bytes)),
            most: u32::try_from(bytes).unwrap_or(u32::MAX),
            turns: Arc::new(Semaphore::new(MADE_AT_ONCE)),
        }
    }
}

/// The middleware before routes whose answers may be large: a few are made at a time.
pub(crate) async fn wait_for_turn(State(budget): State<AnswerBudget>, request: Request, next: Next) -> Response {
    let Ok(Ok(permit)) = timeout(PATIENCE, budget.turns.acquire_owned()).await else {
        return too_many();
    };
    let mut response = next.run(request).await;
    let turn = Turn {
        _permit: Arc::new(permit),
    };
    response.extensions_mut().insert(turn);
    response
}

/// The middleware around every route: what an answer holds is of the budget until it was taken.
pub(crate) async fn hold(State(budget): State<AnswerBudget>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    // Given back below: only then another large answer is made.
    let _turn = response.extensions_mut().remove::<Turn>();
    let Some(size) = response.body().size_hint().exact().filter(|size| *size > FREE) else {
        return response;
    };
    // What is larger than all of the budget takes all of it.
    let size = u32::try_from(size).unwrap_or(u32::MAX).min(budget.most);
    match timeout(PATIENCE, budget.bytes.acquire_many_owned(size)).await {
        Ok(Ok(permit)) => response.map(|body| {
            Body::new(Held {
                body,
                rest: Bytes::new(),
                _permit: permit,
            })
        }),
        Ok(Err(_)) | Err(_) => too_many(),
    }
}

fn too_many() -> Response {
    Problem::unavailable("too many answers wait for clients to take them; ask for less with `limit`, or try again")
        .coded(Code::Busy)
        .into_response()
}

/// A body with its part of the budget. It is given out piece by piece, each a copy, as the connection takes them: so the part
/// is held until nearly all of it has been taken, and what is then under way keeps nothing of it in memory.
struct Held {
    body: Body,
    rest: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                ended => return Poll::Ready(ended),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(&piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let behind = self.body.size_hint().exact();
        behind.map_or_else(SizeHint::default, |behind| {
            SizeHint::with_exact(behind.saturating_add(rest))
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http::StatusCode;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    const SIZE: usize = 100_000;

    async fn ask(router: &Router) -> Response {
        let request = http::Request::get("/").body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_nobody_takes_leave_no_room_until_they_are_dropped() {
        let budget = AnswerBudget::new(SIZE * 3);
        let router = Router::new()
            .route("/", get(async || vec![b'x'; SIZE]))
            .route_layer(from_fn_with_state(budget.clone(), wait_for_turn))
            .layer(from_fn_with_state(budget, hold));
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(ask(&router).await);
        }
        assert!(held.iter().all(|answer| answer.status() == StatusCode::OK));
        assert_eq!(ask(&router).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        // Half of one is taken: all of it is still in memory.
        let mut body = held.pop().unwrap().into_body();
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(piece.len(), PIECE);
        assert_eq!(ask(&router).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), SIZE - PIECE);
        assert_eq!(ask(&router).await.status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn small_answers_and_those_larger_than_the_budget_are_given() {
        for size in [10, SIZE] {
            let budget = AnswerBudget::new(20_000);
            let answer = move || async move { vec![b'x'; size] };
            let router = Router::new()
                .route("/", get(answer))
                .layer(from_fn_with_state(budget, hold));
            assert_eq!(ask(&router).await.status(), StatusCode::OK, "{size}");
        }
    }
}
