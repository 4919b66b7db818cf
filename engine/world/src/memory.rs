//! Calls within the process: a network without sockets, for virtual time. Each request is a connection of its own.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};

use crate::link::{Connection, Loss};
use crate::reply::{Reply, Serve};

/// A body that comes all at once or line by line.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A server as a tower service, which is what `kube::Client::new` takes.
#[derive(Clone)]
pub struct InMemory {
    server: Arc<dyn Serve>,
}

impl InMemory {
    /// Calls of that server.
    pub fn new(server: Arc<dyn Serve>) -> Self {
        Self { server }
    }
}

impl<B> tower::Service<Request<B>> for InMemory {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Response<Body>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(exchange(Arc::clone(&self.server), request.map(|_| ())))
    }
}

/// One request on a connection of its own. Never resolves where a real network would stay silent.
pub async fn exchange(server: Arc<dyn Serve>, request: Request<()>) -> io::Result<Response<Body>> {
    let connection = server.link().connect().ok_or(io::ErrorKind::ConnectionRefused)?;
    let reply = tokio::select! {
        biased;
        loss = connection.lost() => return Err(ends(loss).await),
        reply = server.handle(request) => reply,
    };
    match reply {
        Reply::Full(response) => {
            Ok(response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync()))
        }
        Reply::Lines(lines) => {
            let lines = stream::unfold((connection, lines), next_line);
            let body = StreamBody::new(lines.map_ok(Frame::data)).boxed_unsync();
            Ok(Response::new(body))
        }
        Reply::Silence => pending().await,
        Reply::Hangup => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

type Lines = BoxStream<'static, Bytes>;

async fn next_line((connection, mut lines): (Connection, Lines)) -> Option<(io::Result<Bytes>, (Connection, Lines))> {
    let next = tokio::select! {
        biased;
        loss = connection.lost() => Err(ends(loss).await),
        line = lines.next() => Ok(line?),
    };
    Some((next, (connection, lines)))
}

/// How a lost connection ends: a silent one never does.
async fn ends(loss: Loss) -> io::Error {
    match loss {
        Loss::Silent => pending().await,
        Loss::Reset => io::ErrorKind::ConnectionReset.into(),
    }
}
