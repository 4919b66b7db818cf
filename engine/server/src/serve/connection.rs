//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse as _;
use http::header::{CONNECTION, DATE};
use http::{HeaderValue, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::conduct::{Kind, UnderWay};
use super::seats::{Place, Seat};
use super::undated::{answer as answer_undated, date, is_datable};
use super::{Limits, Peer, Serving};
use crate::problem::Problem;

/// Requests under way at once over one HTTP/2 connection.
const STREAMS: u32 = 64;
/// The most the headers of a request may hold, in bytes.
const HEADERS: u32 = 32 << 10;

/// What every connection is served.
pub(super) struct Served {
    pub(super) router: Router,
    pub(super) serving: Serving,
    pub(super) cancel: CancellationToken,
}

/// Serves a connection until its client closes it, is overdue with something, or its place is another's. A stop leaves it what
/// is under way.
pub(super) async fn serve(stream: TcpStream, peer: Peer, seat: Seat, served: Arc<Served>) {
    let limits = served.serving.limits;
    // What is written waits for a client that does not read.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.unread));
    if !is_datable(SystemTime::now()) {
        let answered = timeout(limits.first, answer_undated(Box::pin(stream), served.router.clone()));
        drop(answered.await);
        return;
    }
    let seat = Arc::new(seat);
    let (of_requests, answers) = (Arc::clone(&seat), Arc::clone(&served));
    let service = service_fn(move |request| answer(request, peer, Arc::clone(&of_requests), Arc::clone(&answers)));
    let builder = builder(&limits);
    let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    let mut looks = interval(limits.look());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = while_datable(connection.as_mut()) => {
                let Some(ended) = ended else { break };
                match ended {
                    Err(error) if is_timeout(&*error) => break,
                    Err(error) => tracing::debug!("a connection of {} broke: {error}", peer.0),
                    Ok(()) => {}
                }
                return;
            }
            () = served.cancel.cancelled(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = seat.conduct.is_gone() => break,
            _ = looks.tick() => if seat.conduct.is_overdue(&limits, seat.place) { break },
        }
    }
    served.serving.metrics.cut_off.inc();
}

/// What becomes of a connection; `None` if it cannot go on, as the clock is where there is no date for its answers.
async fn while_datable<F: Future>(mut connection: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(move |context| {
        if is_datable(SystemTime::now()) {
            connection.as_mut().poll(context).map(Some)
        } else {
            Poll::Ready(None)
        }
    })
    .await
}

/// Whether a connection ended for what its client did not send, or did not take.
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let by_hyper = error
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_timeout);
        let by_socket = error.downcast_ref::<std::io::Error>();
        if by_hyper || by_socket.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // It panics where a clock is beyond the year 9999; the answers have one of our own.
        .auto_date_header(false)
        .timer(TokioTimer::new())
        // Counts from the end of the answer before, too.
        .header_read_timeout(limits.idle);
    builder
        .http2()
        .auto_date_header(false)
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.first);
    builder
}

/// The answer to one request. Over a connection that is kept, only those are answered who have precedence.
async fn answer(
    request: Request<Incoming>,
    peer: Peer,
    seat: Arc<Seat>,
    served: Arc<Served>,
) -> Result<Response<Body>, Infallible> {
    let under_way = seat.conduct.begin();
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    let is_kept = seat.place == Place::Kept;
    let access = &served.serving.access;
    let mut response = if is_kept && !access.has_precedence(request.uri(), request.headers()).await {
        let why =
            "all connections are taken, and those that are left are kept for probes and for callers with the token";
        Problem::unavailable(why).into_response()
    } else {
        match served.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    };
    if is_kept && response.version() <= http::Version::HTTP_11 {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(date) = date(SystemTime::now()) {
        response.headers_mut().insert(DATE, date);
    }
    let ends = response.body().size_hint().exact().is_some();
    under_way.is(if ends { Kind::Whole } else { Kind::Stream });
    Ok(response.map(|body| Body::new(Taken { body, under_way })))
}

/// A body that notes when more of it is taken.
struct Taken {
    body: Body,
    under_way: UnderWay,
}

impl http_body::Body for Taken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.under_way.is_taken();
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
