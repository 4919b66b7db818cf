//! Whoever answers the engine: a Flink, an API server, a folder. Each gives what the input says.

use std::collections::BTreeMap;
use std::convert::Infallible;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_sources::job_results::Files;
use steadfast_sources::transport::{Answer, BodyReader, Limits, Transport};

/// Statuses of answers; an input chooses one. A success first, and most often.
const STATUSES: [u16; 10] = [200, 404, 401, 403, 400, 410, 429, 500, 503, 200];

/// The status that a byte of an input stands for; the digit `0` is a success.
pub(crate) fn status(byte: u8) -> u16 {
    STATUSES[choice(byte, STATUSES.len())]
}

/// Which of so many things a byte of an input stands for, so that digits choose the first ones.
pub(crate) fn choice(byte: u8, of: usize) -> usize {
    usize::from(byte.wrapping_sub(b'0')) % of
}

/// The first bytes of an input, and what comes behind them; missing ones are `0`.
pub(crate) fn head<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    match input.split_first_chunk() {
        Some((head, rest)) => (*head, rest),
        None => ([b'0'; N], input),
    }
}

/// Runs to its end what the engine would run, in virtual time.
pub(crate) fn play<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread");
    runtime.block_on(work)
}

/// A Flink, or whoever stands before it.
pub(crate) struct FakeFlink {
    /// By the end of the URL, the answers it gives; everything else is a 404 of no Flink's.
    pub(crate) answers: Vec<(String, u16, Bytes)>,
    /// How many bytes of a body arrive at once; 0: all of them.
    pub(crate) chunk: usize,
}

#[async_trait]
impl Transport for FakeFlink {
    async fn get(&self, url: &str, _limits: Limits) -> Result<Answer, Fault> {
        let found = self.answers.iter().find(|(end, ..)| url.ends_with(end.as_str()));
        let (status, body) = found.map_or((404, Bytes::from_static(b"404 page not found")), |(_, status, body)| {
            (*status, body.clone())
        });
        Ok(Answer {
            status,
            retry_after: None,
            body,
        })
    }

    async fn get_into(&self, url: &str, limits: Limits, reader: &mut dyn BodyReader) -> Result<Answer, Fault> {
        let answer = self.get(url, limits).await?;
        if answer.status != 200 {
            return Ok(answer);
        }
        match self.chunk {
            0 => reader.take(&answer.body)?,
            size => answer.body.chunks(size).try_for_each(|chunk| reader.take(chunk))?,
        }
        Ok(Answer {
            body: Bytes::new(),
            ..answer
        })
    }
}

/// What an API server answers.
pub(crate) enum Reply {
    /// A whole answer. That of a watch is all its lines, and then its end.
    Answer(u16, Bytes),
    /// None, ever.
    Never,
}

/// A client of an API server that answers paths, with their queries, so.
pub(crate) fn api_server(answer: impl Fn(&str) -> Reply + Clone + Send + 'static) -> kube::Client {
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let reply = answer(&request.uri().to_string());
        async move {
            match reply {
                Reply::Never => std::future::pending().await,
                Reply::Answer(status, body) => {
                    let mut response = Response::new(Full::new(body));
                    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
                    Ok::<_, Infallible>(response)
                }
            }
        }
    });
    kube::Client::new(service, "default")
}

/// A folder with these files.
pub(crate) struct FakeFolder(pub(crate) BTreeMap<String, Bytes>);

#[async_trait]
impl Files for FakeFolder {
    async fn read(&self, path: &[&str], limits: Limits) -> Result<Option<Bytes>, Fault> {
        let found = self.0.get(&path.join("/"));
        if found.is_some_and(|content| content.len() > limits.max_bytes) {
            return Err(Fault::new(FaultKind::TooLarge, "a large file"));
        }
        Ok(found.cloned())
    }

    async fn list(&self, path: &[&str], _limits: Limits) -> Result<Vec<Vec<String>>, Fault> {
        let folder = format!("{}/", path.join("/"));
        let below = self.0.keys().filter_map(|file| file.strip_prefix(&folder));
        Ok(below.map(|file| file.split('/').map(str::to_owned).collect()).collect())
    }

    fn shown(&self, path: &[&str]) -> String {
        format!("file:///folder/{}", path.join("/"))
    }
}
