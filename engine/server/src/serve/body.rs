//! The bodies of requests, which come in time or not at all.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use prometheus_client::metrics::counter::Counter;
use tokio::time::{Sleep, sleep};

use super::{Limits, ListenerMetrics};

/// The body did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("it did not come in time")]
struct Late;

/// A body with an end: what has not come by then fails.
struct Awaited {
    body: Incoming,
    end: Pin<Box<Sleep>>,
    cut_off: Counter,
}

/// The body of a request whose head has just come. Nothing is waited for where there is none.
pub(super) fn asked(body: Incoming, limits: &Limits, metrics: &ListenerMetrics) -> Body {
    if body.is_end_stream() {
        return Body::new(body);
    }
    Body::new(Awaited {
        body,
        end: Box::pin(sleep(limits.first)),
        cut_off: metrics.cut_off.clone(),
    })
}

/// Whether a body was not read since it did not come in time.
pub(crate) fn is_late(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<Late>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl http_body::Body for Awaited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        if self.end.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.cut_off.inc();
        Poll::Ready(Some(Err(axum::Error::new(Late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
