//! HTTP to Flinks that want credentials, or for whose certificates an authority of one's own vouches.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use steadfast_core::evidence::{Fault, FaultKind};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::transport::{Answer, Body, BodyReader, Clients, Limits, Transport, request, within};

/// For how long files that were read count as they were: a file that changes is taken up after that.
const FRESH: Duration = Duration::from_secs(1);

/// Who we are to a Flink, and who vouches for it. It names files; what is in them is shown nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlinkAccess {
    /// What is shown with each request.
    pub auth: Option<FlinkAuth>,
    /// Authorities that may vouch for it beside the system's: PEM.
    pub ca_file: Option<PathBuf>,
}

/// What is shown with each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlinkAuth {
    /// Basic authentication.
    Basic {
        /// The user's name, without a colon.
        user: String,
        /// The file with the password; white space around it is left out.
        password_file: PathBuf,
    },
    /// A bearer token.
    Bearer {
        /// The file with the token; white space around it is left out.
        token_file: PathBuf,
    },
}

impl FlinkAccess {
    /// Whether nothing is said that sets it apart.
    pub fn is_plain(&self) -> bool {
        self.auth.is_none() && self.ca_file.is_none()
    }
}

/// Whether a file holds certificates with which a client can be made. Blocks while it is read.
pub fn check_ca_file(file: &Path) -> Result<(), Fault> {
    let pem = steadfast_files::read(file, steadfast_files::SMALL)
        .map_err(|error| unreadable(file, FaultKind::Tls, &error))?;
    Clients::new(&certificates(Some(file), Some(&pem))?).map(drop)
}

/// Whether a file holds a password or a token that can be sent. Blocks while it is read.
pub fn check_secret_file(file: &Path) -> Result<(), Fault> {
    let bytes = steadfast_files::read(file, steadfast_files::SMALL)
        .map_err(|error| unreadable(file, FaultKind::Unauthorized, &error))?;
    header(&format!("Bearer {}", secret_in(file, bytes)?), file).map(drop)
}

/// Plain HTTP or HTTPS as of [`crate::transport::HttpTransport`], with access of its own. Its files are read again when
/// they change, a second later at most, and after a 401. A file that cannot be read leaves what was read before in force.
pub struct AuthorizedTransport {
    access: FlinkAccess,
    read: Mutex<Option<Reading>>,
}

/// What the files held when they were last read.
#[derive(Clone)]
struct Reading {
    /// `None`: it was refused since.
    at: Option<Instant>,
    clients: Clients,
    authorities: Option<Arc<[u8]>>,
    authorization: Option<HeaderValue>,
}

impl AuthorizedTransport {
    /// With access of its own. Fails if a file cannot be read, or holds nothing that can be used; the fault names it.
    pub async fn open(access: FlinkAccess) -> Result<Self, Fault> {
        let first = read(&access, None).await?;
        Ok(Self {
            access,
            read: Mutex::new(Some(first)),
        })
    }

    async fn current(&self) -> Result<Reading, Fault> {
        let mut held = self.read.lock().await;
        if let Some(reading) = held.as_ref()
            && reading.at.is_some_and(|at| at.elapsed() < FRESH)
        {
            return Ok(reading.clone());
        }
        let reading = match (read(&self.access, held.as_ref()).await, held.as_ref()) {
            (Ok(reading), _) => reading,
            (Err(fault), Some(before)) => {
                tracing::debug!("kept what was read before: {fault}");
                before.clone()
            }
            (Err(fault), None) => return Err(fault),
        };
        *held = Some(reading.clone());
        Ok(reading)
    }

    async fn ask(&self, url: &str, limits: Limits, body: Body<'_>) -> Result<Answer, Fault> {
        let Reading {
            clients, authorization, ..
        } = self.current().await?;
        let answer = request(&clients, url, authorization, limits.max_bytes, body).await?;
        if answer.status == 401
            && let Some(reading) = self.read.lock().await.as_mut()
        {
            reading.at = None;
        }
        Ok(answer)
    }
}

#[async_trait]
impl Transport for AuthorizedTransport {
    async fn get(&self, url: &str, limits: Limits) -> Result<Answer, Fault> {
        within(limits.deadline, url, self.ask(url, limits, Body::Whole)).await
    }

    async fn get_into(&self, url: &str, limits: Limits, reader: &mut dyn BodyReader) -> Result<Answer, Fault> {
        within(limits.deadline, url, self.ask(url, limits, Body::To(reader))).await
    }
}

async fn read(access: &FlinkAccess, before: Option<&Reading>) -> Result<Reading, Fault> {
    let authorization = match &access.auth {
        None => None,
        Some(FlinkAuth::Basic { user, password_file }) => {
            let password = secret(password_file).await?;
            let shown = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            Some(header(&shown, password_file)?)
        }
        Some(FlinkAuth::Bearer { token_file }) => {
            let token = secret(token_file).await?;
            Some(header(&format!("Bearer {token}"), token_file)?)
        }
    };
    let authorities = match &access.ca_file {
        None => None,
        Some(file) => Some(Arc::<[u8]>::from(bytes(file, FaultKind::Tls).await?)),
    };
    let clients = match before.filter(|before| before.authorities == authorities) {
        Some(before) => before.clients.clone(),
        None => Clients::new(&certificates(access.ca_file.as_deref(), authorities.as_deref())?)?,
    };
    Ok(Reading {
        at: Some(Instant::now()),
        clients,
        authorities,
        authorization,
    })
}

async fn bytes(file: &Path, kind: FaultKind) -> Result<Vec<u8>, Fault> {
    steadfast_files::read_apart(file, steadfast_files::SMALL)
        .await
        .map_err(|error| unreadable(file, kind, &error))
}

fn unreadable(file: &Path, kind: FaultKind, error: &impl std::fmt::Display) -> Fault {
    Fault::new(kind, format!("{} cannot be read: {error}", file.display()))
}

async fn secret(file: &Path) -> Result<String, Fault> {
    secret_in(file, bytes(file, FaultKind::Unauthorized).await?)
}

fn secret_in(file: &Path, bytes: Vec<u8>) -> Result<String, Fault> {
    let unusable = |why: &str| Fault::new(FaultKind::Unauthorized, format!("{} {why}", file.display()));
    let text = String::from_utf8(bytes).map_err(|_| unusable("is not UTF-8"))?;
    match text.trim() {
        "" => Err(unusable("is empty")),
        secret => Ok(secret.to_owned()),
    }
}

fn header(text: &str, file: &Path) -> Result<HeaderValue, Fault> {
    let unusable = |_| {
        let message = format!("{} holds characters that cannot be sent", file.display());
        Fault::new(FaultKind::Unauthorized, message)
    };
    let mut value = HeaderValue::from_str(text).map_err(unusable)?;
    value.set_sensitive(true);
    Ok(value)
}

fn certificates(file: Option<&Path>, pem: Option<&[u8]>) -> Result<Vec<reqwest::Certificate>, Fault> {
    let (Some(file), Some(pem)) = (file, pem) else {
        return Ok(Vec::new());
    };
    match reqwest::Certificate::from_pem_bundle(pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => {
            let message = format!("{} holds no certificates in PEM", file.display());
            Err(Fault::new(FaultKind::Tls, message))
        }
    }
}
