//! Putting blobs and manifests into a repository.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode, Url};

use super::RegistryError;
use super::connection::{Answer, Connection, Question, manifest_type};
use crate::{Digest, Version};

/// The most that is read of an answer to a push, in bytes: nobody needs it.
const MAX_ANSWER: usize = 64 << 10;

impl Connection {
    /// Puts a blob there, unless it is there already.
    pub(crate) async fn push_blob(&mut self, bytes: Bytes) -> Result<(), RegistryError> {
        let digest = Digest::of(&bytes);
        let what = format!("blob {}", digest.oci());
        let there = self.address(&format!("blobs/{}", digest.oci()))?;
        let answer = self.put(Method::HEAD, there, None, Bytes::new(), &what).await?;
        if answer.status != StatusCode::NOT_FOUND {
            return self.successful(answer, &what).map(drop);
        }
        let uploads = self.address("blobs/uploads/")?;
        let answer = self.put(Method::POST, uploads, None, Bytes::new(), &what).await?;
        let mut upload = self.upload(&self.successful(answer, &what)?, &what)?;
        upload.query_pairs_mut().append_pair("digest", &digest.oci());
        let kind = HeaderValue::from_static("application/octet-stream");
        let answer = self.put(Method::PUT, upload, Some(kind), bytes, &what).await?;
        self.successful(answer, &what).map(drop)
    }

    /// Puts a manifest there, whose blobs are there already.
    pub(crate) async fn push_manifest(&mut self, version: &Version, manifest: Bytes) -> Result<(), RegistryError> {
        let what = format!("manifest {}", version.path());
        let location = self.address(&format!("manifests/{}", version.path()))?;
        let answer = self
            .put(Method::PUT, location, Some(manifest_type()), manifest, &what)
            .await?;
        self.successful(answer, &what).map(drop)
    }

    async fn put(
        &mut self,
        method: Method,
        url: Url,
        kind: Option<HeaderValue>,
        body: Bytes,
        what: &str,
    ) -> Result<Answer, RegistryError> {
        self.ask(Question {
            method,
            url,
            header: kind.map(|kind| (CONTENT_TYPE, kind)),
            body,
            what: what.to_owned(),
            limit: MAX_ANSWER,
            deadline: self.deadlines.transfer,
        })
        .await
    }

    /// Where the registry wants a blob put. It may be another host, but not one without TLS.
    fn upload(&self, answer: &Answer, what: &str) -> Result<Url, RegistryError> {
        let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
        location
            .and_then(|location| self.base.join(location).ok())
            .filter(|location| location.scheme() == "https" || self.base.scheme() != "https")
            .ok_or_else(|| RegistryError::Odd {
                host: self.host(),
                what: what.to_owned(),
                answer: "no place to upload to".into(),
            })
    }
}
