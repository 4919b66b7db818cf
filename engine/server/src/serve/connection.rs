//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse as _;
use http::header::{CONNECTION, DATE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::body::asked;
use super::conduct::{Conduct, Kind, UnderWay};
use super::seats::{Place, Seat};
use super::tls::Shown;
use super::undated::{answer as answer_undated, date, is_datable};
use super::{Limits, Line, Peer, Serving, Tls, tls};
use crate::headers;
use crate::problem::{Code, Problem};

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
pub(super) async fn serve(stream: TcpStream, address: SocketAddr, seat: Seat, served: Arc<Served>) {
    let limits = served.serving.limits;
    let Some(tls) = served.serving.tls.clone() else {
        return serve_over(
            waiting(stream, &limits),
            Far {
                address,
                line: FarLine::Plain,
            },
            seat,
            served,
        )
        .await;
    };
    let patience = match seat.place {
        Place::Common => limits.first,
        Place::Kept => limits.first_kept,
    };
    let encrypted = async {
        if tls::is_plain(&stream).await? {
            tls::refuse_plain(stream).await?;
            return Ok(None);
        }
        tls.accept(waiting(stream, &limits)).await.map(Some)
    };
    let encrypted = tokio::select! {
        () = served.cancel.cancelled() => return,
        () = seat.conduct.is_gone() => Err(io::ErrorKind::TimedOut.into()),
        encrypted = timeout(patience, encrypted) => encrypted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
    };
    match encrypted {
        Ok(Some((stream, shown))) => {
            let line = FarLine::Tls { tls, shown };
            serve_over(stream, Far { address, line }, seat, served).await;
        }
        Ok(None) => {}
        Err(error) if error.kind() == io::ErrorKind::TimedOut => drop(served.serving.metrics.cut_off.inc()),
        Err(error) => tracing::debug!("no TLS with {address}: {error}"),
    }
}

/// The other end of a connection.
struct Far {
    address: SocketAddr,
    line: FarLine,
}

/// What a connection is, and what was shown when it began.
enum FarLine {
    Plain,
    Tls { tls: Tls, shown: Option<Shown> },
}

impl Far {
    /// Who a request is from now. A certificate that counts no longer names nobody, and its connection takes no further request, so
    /// that its client comes again and shows another.
    async fn peer(&self, conduct: &Conduct) -> Peer {
        let line = match &self.line {
            FarLine::Plain => Line::Plain,
            FarLine::Tls { shown: None, .. } => Line::Tls { client: None },
            FarLine::Tls {
                tls,
                shown: Some(shown),
            } => {
                let is_admitted = tls.admits(shown).await;
                if !is_admitted {
                    conduct.finish();
                }
                let client = is_admitted.then(|| Arc::clone(&shown.name));
                Line::Tls { client }
            }
        };
        Peer {
            address: self.address,
            line,
        }
    }
}

/// What is written waits for a client that does not read, and not for ever.
fn waiting(stream: TcpStream, limits: &Limits) -> Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.unread));
    Box::pin(stream)
}

async fn serve_over<S>(stream: S, far: Far, seat: Seat, served: Arc<Served>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = served.serving.limits;
    if !is_datable(SystemTime::now()) {
        let answered = timeout(limits.first, answer_undated(stream, served.router.clone()));
        drop(answered.await);
        return;
    }
    let seat = Arc::new(seat);
    let (of_requests, answers) = (Arc::clone(&seat), Arc::clone(&served));
    let address = far.address;
    let far = Arc::new(far);
    let service = service_fn(move |request| {
        answer(
            request,
            Arc::clone(&far),
            Arc::clone(&of_requests),
            Arc::clone(&answers),
        )
    });
    let builder = builder(&limits);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
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
                    Err(error) => tracing::debug!("a connection of {address} broke: {error}"),
                    Ok(()) => {}
                }
                return;
            }
            () = served.cancel.cancelled(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = seat.conduct.is_to_finish(), if !is_stopping => {
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
    far: Arc<Far>,
    seat: Arc<Seat>,
    served: Arc<Served>,
) -> Result<Response<Body>, Infallible> {
    let under_way = seat.conduct.begin();
    let limits = &served.serving.limits;
    let mut request = request.map(|body| asked(body, limits, &served.serving.metrics));
    let peer = far.peer(&seat.conduct).await;
    request.extensions_mut().insert(peer.clone());
    let is_kept = seat.place == Place::Kept;
    let access = &served.serving.access;
    let mut response = if is_kept && !access.has_precedence(request.uri(), request.headers(), &peer).await {
        let why = "all connections are taken, and those that are left are kept for probes and for callers with a token";
        let mut refused = Problem::unavailable(why).coded(Code::Busy).into_response();
        headers::add(refused.headers_mut());
        refused
    } else {
        match served.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    };
    let is_last = is_kept || response.status() == StatusCode::REQUEST_TIMEOUT;
    if is_last && response.version() <= http::Version::HTTP_11 {
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
