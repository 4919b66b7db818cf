//! TLS of the listener: the files it is made of, followed when they change, and who a client certificate names.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use steadfast_files::FileError;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate;
use crate::access::{Content, Followed, Text};

/// For how long a client's certificate counts as it did when it was looked at.
const LOOKED_AT: Duration = Duration::from_secs(1);

/// The files of `[server.tls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it those that lead to its authority, as PEM.
    pub cert_file: PathBuf,
    /// Its private key, as PEM.
    pub key_file: PathBuf,
    /// The authorities whose client certificates count, as PEM; `None`: none is asked for.
    pub client_ca_file: Option<PathBuf>,
}

/// What encrypts connections. A clone is the same.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Followed<Material>>);

/// Why the files cannot be used. Never has what they hold.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One cannot be read.
    #[error("cannot read {path}; check the path and that the engine's user may read it")]
    Read {
        /// The file, as the configuration names it.
        path: String,
        /// Why not.
        #[source]
        source: FileError,
    },
    /// There is no certificate in a file.
    #[error("{path} holds no certificate that can be used; it is to hold PEM blocks `BEGIN CERTIFICATE`")]
    Certificate {
        /// The file, as the configuration names it.
        path: String,
    },
    /// There is one, in a form that is not taken.
    #[error(
        "the certificate in {path} cannot be used; it is to be of X.509 version 3 (openssl makes one as soon as it is given extensions)"
    )]
    Form {
        /// The file, as the configuration names it.
        path: String,
        /// What the library says of it.
        #[source]
        source: rustls::Error,
    },
    /// There is no key in the file.
    #[error("{path} holds no private key that can be used; it is to hold one PEM block, which is not encrypted")]
    Key {
        /// The file, as the configuration names it.
        path: String,
    },
    /// They are not of one pair.
    #[error("the key in {key} is not that of the certificate in {cert}; put both in place together")]
    Pair {
        /// The certificate's file.
        cert: String,
        /// The key's file.
        key: String,
    },
    /// The library refuses them.
    #[error("they cannot be used for TLS")]
    Refused(#[source] rustls::Error),
}

#[derive(Clone, Debug)]
struct Material(Arc<Made>);

#[derive(Debug)]
struct Made {
    config: Arc<ServerConfig>,
    /// What looks at the certificates of clients, if they are asked for.
    clients: Option<Arc<dyn ClientCertVerifier>>,
    /// What is wrong with the time for which the certificate is valid.
    untimely: Option<String>,
}

/// What a client showed when it connected. Whether that counts is asked anew with each request: authorities are taken out, and
/// certificates end, while connections stay open.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) name: Arc<str>,
    certificate: CertificateDer<'static>,
    /// Those that lead to its authority.
    behind: Vec<CertificateDer<'static>>,
    /// By what it was found good last, and when.
    looked_at: Mutex<(Material, Instant)>,
}

impl Tls {
    /// Reads the files. They are read again when a client connects, once a second at most; ones that cannot be used then, as
    /// while only one of two is new, leave those of before in force.
    pub fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let all = [
            Some(&files.cert_file),
            Some(&files.key_file),
            files.client_ca_file.as_ref(),
        ];
        let paths = all.into_iter().flatten().cloned().collect();
        Ok(Self(Arc::new(Followed::open(paths)?)))
    }

    /// Until when the certificate is valid, in seconds since 1970; `None` if it does not say.
    pub fn valid_until(files: &TlsFiles) -> Option<u64> {
        let text = steadfast_files::read_text(&files.cert_file, steadfast_files::SMALL).ok()?;
        let certificates = CertificateDer::pem_slice_iter(text.as_bytes()).filter_map(Result::ok);
        let (_, until) = certificate::validity(&certificates.into_iter().next()?)?;
        Some(until)
    }

    /// Agrees with a client on keys; gives what it shows, if that counts and names somebody.
    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<(TlsStream<S>, Option<Shown>)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let material = self.0.current().await;
        let stream = TlsAcceptor::from(Arc::clone(&material.0.config)).accept(stream).await?;
        let (_, connection) = stream.get_ref();
        let chain = connection.peer_certificates().and_then(<[_]>::split_first);
        let shown = chain.and_then(|(certificate, behind)| {
            Some(Shown {
                name: certificate::name(certificate)?,
                certificate: certificate.clone(),
                behind: behind.to_vec(),
                looked_at: Mutex::new((material, Instant::now())),
            })
        });
        Ok((stream, shown))
    }

    /// Whether what a client showed counts still: by the authorities that stand in the file now, at the time that it is now.
    pub(super) async fn admits(&self, shown: &Shown) -> bool {
        shown.counts(&self.0.current().await)
    }
}

impl Shown {
    fn counts(&self, material: &Material) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, at) = &*looked_at;
        if Arc::ptr_eq(&last.0, &material.0) && at.elapsed() < LOOKED_AT {
            return true;
        }
        let Some(clients) = &material.0.clients else {
            return false;
        };
        let verified = clients.verify_client_cert(&self.certificate, &self.behind, UnixTime::now());
        if verified.is_ok() {
            *looked_at = (material.clone(), Instant::now());
        }
        verified.is_ok()
    }
}

impl Content for Material {
    type Error = TlsError;
    const NAME: &'static str = "TLS material";

    fn of(files: Vec<Text<'_>>) -> Result<Self, TlsError> {
        let mut texts = files.into_iter().map(|Text { path, read }| {
            let path = path.display().to_string();
            match read {
                Ok(text) => Ok((path, text)),
                Err(source) => Err(TlsError::Read { path, source }),
            }
        });
        let missing = || TlsError::Certificate { path: String::new() };
        let (cert, certs) = texts.next().ok_or_else(missing)??;
        let (key, private) = texts.next().ok_or_else(missing)??;
        let authorities = texts.next().transpose()?;
        let chain = certificates(&cert, &certs)?;
        let private = PrivateKeyDer::from_pem_slice(private.as_bytes());
        let private = private.map_err(|_| TlsError::Key { path: key.clone() })?;
        let untimely = chain.first().and_then(|own| untimely(&cert, own, SystemTime::now()));
        let certified = CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|error| {
            if matches!(error, rustls::Error::InconsistentKeys(_)) {
                TlsError::Pair { cert, key }
            } else if matches!(error, rustls::Error::InvalidCertificate(_)) {
                TlsError::Form {
                    path: cert,
                    source: error,
                }
            } else {
                TlsError::Key { path: key }
            }
        })?;
        let (config, clients) = config(certified, authorities)?;
        Ok(Self(Arc::new(Made {
            config: Arc::new(config),
            clients,
            untimely,
        })))
    }

    fn warning(&self) -> Option<&str> {
        self.0.untimely.as_deref()
    }
}

/// What is to be told of a certificate that clients refuse for its time. It is served all the same: the one before may be no better,
/// and a clock may be wrong.
fn untimely(path: &str, own: &CertificateDer<'_>, now: SystemTime) -> Option<String> {
    let (from, until) = certificate::validity(own)?;
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let why = if now > until {
        "is not valid any more"
    } else if now < from {
        "is not valid yet"
    } else {
        return None;
    };
    Some(format!(
        "the certificate in {path} {why}, and clients that look at it refuse it; put a valid one in place with its key, or set this \
         machine's clock"
    ))
}

fn certificates(path: &str, text: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    let unfit = || TlsError::Certificate { path: path.to_owned() };
    read.ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(unfit)
}

/// What connections are made by, and what looks at the certificates of clients.
type Configured = (ServerConfig, Option<Arc<dyn ClientCertVerifier>>);

fn config(certified: CertifiedKey, authorities: Option<(String, String)>) -> Result<Configured, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Refused)?;
    let clients: Option<Arc<dyn ClientCertVerifier>> = match authorities {
        None => None,
        Some((path, text)) => {
            let mut roots = RootCertStore::empty();
            let (added, _) = roots.add_parsable_certificates(certificates(&path, &text)?);
            if added == 0 {
                return Err(TlsError::Certificate { path });
            }
            // Probes have none, and others may show a token.
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated();
            Some(verifier.build().map_err(|_| TlsError::Certificate { path })?)
        }
    };
    let builder = match &clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(Arc::clone(clients)),
    };
    let mut config = builder.with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, clients))
}

/// Whether a client begins to speak HTTP where it should speak TLS.
pub(super) async fn is_plain(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let read = stream.peek(&mut first).await?;
    Ok(read == 1 && first[0].is_ascii_uppercase())
}

/// Tells such a client what is spoken here.
pub(super) async fn refuse_plain(mut stream: TcpStream) -> io::Result<()> {
    const TEXT: &str = "this engine speaks TLS; ask it by https://\n";
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
         x-content-type-options: nosniff\r\ncontent-length: {}\r\n\r\n{TEXT}",
        TEXT.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests;
