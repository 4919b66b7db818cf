//! Asking one repository: every answer has a deadline and a limit, and credentials are sent only when they are asked
//! for, by the registry itself and to it. Where it redirects to, nobody is shown anything, and nobody's challenge is one.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};
use steadfast_core::foreign_text::harmless;
use steadfast_http::{Answered, Request, SendError, send};

use super::credentials::Credentials;
use super::login::{Challenge, bearer};
use super::{Deadlines, RegistryError};
use crate::artifact::{Descriptor, MANIFEST};
use crate::{Digest, OciRef, Version};

/// The most a manifest may hold, in bytes; the distribution specification asks registries for no more.
const MAX_MANIFEST: usize = 4 << 20;
/// The most that is read of a refusal or a token, in bytes.
const MAX_WORDS: usize = 64 << 10;
/// How much of a refusal is shown, in bytes.
const LONGEST_WORDS: usize = 200;

/// What a repository is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
}

/// A repository that can be asked.
pub(crate) struct Connection {
    pub(super) http: reqwest::Client,
    pub(super) reference: OciRef,
    /// `SCHEME://HOST/v2/REPOSITORY/`.
    pub(super) base: Url,
    pub(super) credentials: Option<Credentials>,
    pub(super) access: Access,
    pub(super) deadlines: Deadlines,
    /// The `Authorization` that the registry asked for the last time.
    pub(super) authorization: Option<HeaderValue>,
}

/// One question, which can be asked twice.
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) header: Option<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// What is asked for, for people.
    pub(super) what: String,
    /// The most the answer may hold, in bytes.
    pub(super) limit: usize,
    pub(super) deadline: Duration,
}

/// A complete answer of any status.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether it is of the one who was asked, and not of somebody it was redirected to.
    is_own: bool,
}

/// Who is asked, and what it alone is shown.
#[derive(Clone, Copy)]
struct Asked<'a> {
    home: &'a Url,
    authorization: Option<&'a HeaderValue>,
}

impl Connection {
    /// A manifest's bytes, which have the digest that was asked for, if one was.
    pub(crate) async fn manifest(&mut self, version: &Version) -> Result<Bytes, RegistryError> {
        let what = format!("manifest {}", version.path());
        let accepted = HeaderValue::from_static(
            "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json",
        );
        let answer = self
            .ask(Question {
                method: Method::GET,
                url: self.address(&format!("manifests/{}", version.path()))?,
                header: Some((ACCEPT, accepted)),
                body: Bytes::new(),
                what: what.clone(),
                limit: MAX_MANIFEST,
                deadline: self.deadlines.answer,
            })
            .await?;
        let manifest = self.successful(answer, &what)?.body;
        match version {
            Version::Digest(digest) => self.digested(manifest, *digest, what),
            Version::Tag(_) => Ok(manifest),
        }
    }

    /// A blob's bytes, which are those that the manifest names.
    pub(crate) async fn blob(&mut self, blob: &Descriptor) -> Result<Bytes, RegistryError> {
        let what = format!("blob {}", blob.digest.oci());
        let answer = self
            .ask(Question {
                method: Method::GET,
                url: self.address(&format!("blobs/{}", blob.digest.oci()))?,
                header: None,
                body: Bytes::new(),
                what: what.clone(),
                limit: usize::try_from(blob.size).unwrap_or(usize::MAX),
                deadline: self.deadlines.transfer,
            })
            .await?;
        let bytes = self.successful(answer, &what)?.body;
        self.digested(bytes, blob.digest, what)
    }

    fn digested(&self, bytes: Bytes, wanted: Digest, what: String) -> Result<Bytes, RegistryError> {
        let found = Digest::of(&bytes);
        if found != wanted {
            return Err(RegistryError::Tampered {
                host: self.host(),
                what,
                wanted,
                found,
            });
        }
        Ok(bytes)
    }

    /// An address below the repository's.
    pub(super) fn address(&self, path: &str) -> Result<Url, RegistryError> {
        self.base
            .join(&format!("./{path}"))
            .map_err(|_| RegistryError::Address {
                address: format!("{}{path}", self.base),
            })
    }

    pub(super) fn host(&self) -> String {
        self.reference.registry.clone()
    }

    /// Asks, and asks again with credentials if the registry wants them.
    pub(super) async fn ask(&mut self, question: Question) -> Result<Answer, RegistryError> {
        let answer = self.exchange(&question, self.registry()).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !answer.is_own {
            return Ok(answer);
        }
        match Challenge::of(&answer.headers) {
            Some(Challenge::Basic) => match self.credentials.as_ref().and_then(Credentials::basic) {
                Some(basic) => self.authorization = Some(basic),
                None => return Ok(answer),
            },
            Some(Challenge::Bearer { realm, service }) => {
                self.authorization = Some(self.token(realm, service, &question.what).await?);
            }
            None => return Ok(answer),
        }
        self.exchange(&question, self.registry()).await
    }

    /// The registry, with what it asked for the last time.
    fn registry(&self) -> Asked<'_> {
        Asked {
            home: &self.base,
            authorization: self.authorization.as_ref(),
        }
    }

    /// Asks for a token, without credentials too: public repositories want one from everybody.
    async fn token(&self, mut realm: Url, service: Option<String>, what: &str) -> Result<HeaderValue, RegistryError> {
        if self.base.scheme() == "https" && realm.scheme() != "https" {
            return Err(RegistryError::Odd {
                host: self.host(),
                what: what.to_owned(),
                answer: format!("a place for tokens without TLS, {realm}"),
            });
        }
        let actions = match self.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        let scope = format!("repository:{}:{actions}", self.reference.repository);
        realm.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = service {
            realm.query_pairs_mut().append_pair("service", &service);
        }
        let basic = self.credentials.as_ref().and_then(Credentials::basic);
        let asked = Asked {
            home: &realm,
            authorization: basic.as_ref(),
        };
        let question = Question {
            method: Method::GET,
            url: realm.clone(),
            header: None,
            body: Bytes::new(),
            what: what.to_owned(),
            limit: MAX_WORDS,
            deadline: self.deadlines.answer,
        };
        let answer = self.exchange(&question, asked).await?;
        let answer = self.successful(answer, what)?;
        bearer(&answer.body).ok_or_else(|| RegistryError::Odd {
            host: self.host(),
            what: what.to_owned(),
            answer: "something that is no token".into(),
        })
    }

    async fn exchange(&self, question: &Question, asked: Asked<'_>) -> Result<Answer, RegistryError> {
        let request = Request {
            method: question.method.clone(),
            url: question.url.clone(),
            headers: question.header.clone().into_iter().collect(),
            body: question.body.clone(),
            home: asked.home,
            authorization: asked.authorization,
        };
        let whole = async {
            let answered = send(&self.http, request).await;
            let Answered { response, is_home } = answered.map_err(|error| self.not_sent(error))?;
            self.read(question, response, is_home).await
        };
        match tokio::time::timeout(question.deadline, whole).await {
            Ok(answer) => answer,
            Err(_) => Err(RegistryError::unreachable(
                &self.host(),
                format!("no complete answer within {:?}", question.deadline),
            )),
        }
    }

    /// A redirect that leads nowhere may lead somewhere the next time: whoever runs the registry set it up.
    fn not_sent(&self, error: SendError) -> RegistryError {
        match error {
            SendError::Failed(error) => RegistryError::unreachable(&self.host(), error),
            SendError::Circle(_)
            | SendError::TooMany(_)
            | SendError::Downgrade(_)
            | SendError::Nowhere(_)
            | SendError::Turned { .. } => RegistryError::unreachable(&self.host(), format!("it answered with {error}")),
        }
    }

    async fn read(&self, question: &Question, mut response: Response, is_own: bool) -> Result<Answer, RegistryError> {
        let host = self.host();
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = BytesMut::new();
        loop {
            let chunk = response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| RegistryError::unreachable(&host, error.without_url()))? else {
                break;
            };
            if !status.is_success() {
                // The beginning of a refusal says enough.
                body.extend_from_slice(chunk.get(..MAX_WORDS.saturating_sub(body.len())).unwrap_or(&chunk));
                if body.len() >= MAX_WORDS {
                    break;
                }
            } else if body.len() + chunk.len() > question.limit {
                return Err(RegistryError::TooLarge {
                    host,
                    what: question.what.clone(),
                    limit: question.limit,
                });
            } else {
                body.extend_from_slice(&chunk);
            }
        }
        Ok(Answer {
            status,
            headers,
            body: body.freeze(),
            is_own,
        })
    }

    /// An answer that grants what was asked for; any other is an error that says which.
    pub(super) fn successful(&self, answer: Answer, what: &str) -> Result<Answer, RegistryError> {
        let host = self.host();
        let what = format!("{what} in {}", self.reference.repository);
        let said = words(&answer.body).map_or_else(String::new, |words| format!(": {words}"));
        match answer.status {
            status if status.is_success() => Ok(answer),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(RegistryError::Denied {
                host,
                who: match &self.credentials {
                    Some(known) => format!("the user `{}`", known.username),
                    None => "a caller without credentials".into(),
                },
                what,
                said,
            }),
            StatusCode::NOT_FOUND => Err(RegistryError::Absent { host, what }),
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) => {
                Err(RegistryError::unreachable(&host, format!("it answered {status}{said}")))
            }
            status if status.is_server_error() => {
                Err(RegistryError::unreachable(&host, format!("it answered {status}{said}")))
            }
            status => Err(RegistryError::Odd {
                host,
                what,
                answer: format!("{status}{said}"),
            }),
        }
    }
}

/// The registry's own words, as the distribution specification has it put them.
fn words(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let message = body.get("errors")?.get(0)?.get("message")?.as_str()?;
    let plain = harmless(message, LONGEST_WORDS);
    (!plain.is_empty()).then(|| plain.into_owned())
}

/// The type of a manifest, for pushing one.
pub(super) fn manifest_type() -> HeaderValue {
    HeaderValue::from_static(MANIFEST)
}
