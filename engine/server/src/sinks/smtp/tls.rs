//! Encryption of a connection to a mail server.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::SmtpError;

/// Who may vouch for a server.
#[derive(Clone)]
pub(in crate::sinks) struct Trust(TlsConnector);

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

/// Why nobody may.
#[derive(Debug, thiserror::Error)]
pub(in crate::sinks) enum TrustError {
    /// The file cannot be read.
    #[error("{file} cannot be read: {why}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why not.
        why: String,
    },
    /// It holds none.
    #[error("{0} holds no certificates in PEM")]
    Empty(String),
    /// There is no client.
    #[error("there is no TLS client")]
    Client(#[from] rustls::Error),
}

impl Trust {
    /// The system's authorities, and those of a file beside them. Both are read now.
    pub(in crate::sinks) async fn read(file: Option<&Path>) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        let system = tokio::task::spawn_blocking(|| rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(system.await.unwrap_or_default());
        if let Some(file) = file {
            let name = file.display().to_string();
            let pem = steadfast_files::read_apart(file, steadfast_files::SMALL).await;
            let pem = pem.map_err(|error| TrustError::Unreadable {
                file: name.clone(),
                why: error.to_string(),
            })?;
            let certificates: Vec<CertificateDer<'static>> =
                CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
            if roots.add_parsable_certificates(certificates).0 == 0 {
                return Err(TrustError::Empty(name));
            }
        }
        Ok(Self::of(roots)?)
    }

    pub(super) fn of(roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Encrypts a connection to the server of that name.
    pub(super) async fn secure(&self, host: &str, tcp: TcpStream) -> Result<TlsStream<TcpStream>, SmtpError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| SmtpError::Tls(std::io::Error::new(std::io::ErrorKind::InvalidInput, error)))?;
        self.0.connect(name, tcp).await.map_err(SmtpError::Tls)
    }
}
