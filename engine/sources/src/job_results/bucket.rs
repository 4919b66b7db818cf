//! A folder in an S3 bucket: keys that begin alike.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::client::{HttpClient, HttpConnector, HttpError};
use object_store::path::{Path, PathPart};
use object_store::{ClientConfigKey, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::foreign_text::harmless;

use super::Files;
use super::files::{MOST_FILES, too_many};
use super::location::Location;
use crate::transport::{Limits, connection_fault, within};

/// How much of a server's own words is kept, in bytes.
const WORDS: usize = 300;

/// Why no client for a bucket can be set up. Nothing was asked yet.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The AWS_* variables do not make a client.
    #[error("no S3 client can be set up from the AWS_* environment variables")]
    Client(#[source] object_store::Error),
    /// The prefix holds what no key may.
    #[error("the prefix cannot be used")]
    Prefix(#[source] object_store::path::Error),
}

/// A bucket's keys with a prefix.
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// As it is shown to people.
    url: String,
}

impl Bucket {
    /// The bucket of that name. Endpoint, region and credentials come from the usual AWS_* environment variables.
    /// Fails if these do not make a client, or if the prefix cannot be one.
    pub fn from_env(name: &str, prefix: &str) -> Result<Self, BucketError> {
        Self::of(AmazonS3Builder::from_env(), name, prefix)
    }

    /// By a client that is set up so far.
    fn of(builder: AmazonS3Builder, name: &str, prefix: &str) -> Result<Self, BucketError> {
        let location = Location::Bucket {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        };
        // The engine sees each answer and has a retry of its own.
        let once = RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        };
        let store = builder
            .with_bucket_name(name)
            .with_retry(once)
            .with_http_connector(Door)
            .build();
        Ok(Self {
            store: Arc::new(store.map_err(BucketError::Client)?),
            prefix: Path::parse(prefix).map_err(BucketError::Prefix)?,
            url: location.to_string(),
        })
    }

    /// Each part is one step down: what looks like a way up, or like several steps, is escaped.
    fn key(&self, path: &[&str]) -> Path {
        let below = path.iter().map(|part| PathPart::from(*part));
        self.prefix.parts().chain(below).collect()
    }

    /// That the bucket answers, though it lacks what was asked for: S3 says 404 for a bucket that is not there too.
    async fn require_bucket(&self) -> Result<(), Fault> {
        match self.store.list(Some(&self.prefix)).next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(fault(&self.url, &error)),
        }
    }
}

/// A client that follows no redirect: a session token goes in a header of its own, which would go along.
#[derive(Debug)]
struct Door;

impl HttpConnector for Door {
    /// Deadlines are set with each call. Of what the AWS_* variables say of the client, this is what changes whether a
    /// bucket can be reached.
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let is_set = |key| options.get_config_value(&key).is_some_and(|value| value == "true");
        let generic = |error: reqwest::Error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error.without_url()),
        };
        let mut client = steadfast_http::client()
            .https_only(!is_set(ClientConfigKey::AllowHttp))
            .danger_accept_invalid_certs(is_set(ClientConfigKey::AllowInvalidCertificates))
            // Compression would hide an object's length.
            .no_gzip();
        if let Some(proxy) = options.get_config_value(&ClientConfigKey::ProxyUrl) {
            client = client.proxy(reqwest::Proxy::all(proxy).map_err(generic)?);
        }
        Ok(HttpClient::new(client.build().map_err(generic)?))
    }
}

#[async_trait]
impl Files for Bucket {
    async fn read(&self, path: &[&str], limits: Limits) -> Result<Option<Bytes>, Fault> {
        let shown = self.shown(path);
        within(limits.deadline, &shown, async {
            let found = match self.store.get(&self.key(path)).await {
                Ok(found) => found,
                Err(object_store::Error::NotFound { .. }) => return self.require_bucket().await.map(|()| None),
                Err(error) => return Err(fault(&shown, &error)),
            };
            if usize::try_from(found.meta.size).is_ok_and(|size| size <= limits.max_bytes) {
                found.bytes().await.map(Some).map_err(|error| fault(&shown, &error))
            } else {
                Err(Fault::new(
                    FaultKind::TooLarge,
                    format!("{shown}: the object exceeds {} bytes", limits.max_bytes),
                ))
            }
        })
        .await
    }

    async fn list(&self, path: &[&str], limits: Limits) -> Result<Vec<Vec<String>>, Fault> {
        let (folder, shown) = (self.key(path), self.shown(path));
        within(limits.deadline, &shown, async {
            let mut objects = self.store.list(Some(&folder));
            let mut found = Vec::new();
            while let Some(object) = objects.next().await {
                let object = object.map_err(|error| fault(&shown, &error))?;
                if found.len() == MOST_FILES {
                    return Err(too_many(&shown));
                }
                let below = object.location.prefix_match(&folder);
                found.extend(below.map(|parts| parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>()));
            }
            Ok(found)
        })
        .await
    }

    fn shown(&self, path: &[&str]) -> String {
        format!("{}/{}", self.url, path.join("/"))
    }
}

/// Tells the kinds of failure apart by what caused them.
fn fault(what: &str, error: &object_store::Error) -> Fault {
    let first: &(dyn std::error::Error + 'static) = error;
    let mut causes = std::iter::successors(Some(first), |error| error.source());
    let below_http = connection_fault(what, error);
    let kind = match refusal(&below_http.message) {
        Some(401) => FaultKind::Unauthorized,
        Some(403) => FaultKind::Forbidden,
        Some(404) => FaultKind::NotFound,
        Some(429) => FaultKind::TooManyRequests,
        Some(_) => FaultKind::Status,
        None if causes.any(|cause| cause.is::<HttpError>()) => below_http.kind,
        None => FaultKind::Malformed,
    };
    // A server's own words may be a whole page.
    Fault::new(kind, harmless(&below_http.message, WORDS).as_ref())
}

/// The status of an answer that is no success. The library keeps the type of that error private, so its text is read.
fn refusal(message: &str) -> Option<u16> {
    let (_, status) = message.split_once("non-2xx status code: ")?;
    status.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests;
