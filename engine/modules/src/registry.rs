//! OCI registries: which ones are configured, with which credentials, and how long they may take.

mod connection;
mod credentials;
mod error;
mod login;
mod push;

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use steadfast_core::loopback::is_loopback;

use crate::OciRef;

pub(crate) use connection::{Access, Connection};
pub use error::RegistryError;

use credentials::Credentials;

/// What is said of one registry; `[[registry]]` in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryHost {
    /// `HOST` or `HOST:PORT`, as in references.
    pub host: String,
    /// The user's name, and the file with the password.
    pub login: Option<(String, PathBuf)>,
    /// Without TLS. Loopback addresses are asked without it anyway.
    pub insecure: bool,
    /// A PEM file with the authorities that may vouch for it, beside those of the system.
    pub ca_file: Option<PathBuf>,
}

/// How long a registry may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// To open a connection, TLS included.
    pub connect: Duration,
    /// For a whole answer that is small: a manifest, a token, the end of an upload.
    pub answer: Duration,
    /// For a whole module, in either direction.
    pub transfer: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(20),
            transfer: Duration::from_secs(300),
        }
    }
}

/// All that is known of registries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registries {
    /// What is said of some.
    pub hosts: Vec<RegistryHost>,
    /// Docker's `config.json`: whoever has logged in there need not do so again.
    pub docker_config: Option<PathBuf>,
    /// How long each may take.
    pub deadlines: Deadlines,
}

impl Registries {
    /// Prepares to ask for a repository; nothing is sent yet. Fails if a file with a password or certificates cannot be
    /// read, or if the host cannot be part of an address.
    pub(crate) async fn open(&self, reference: &OciRef, access: Access) -> Result<Connection, RegistryError> {
        let unknown = RegistryHost::default();
        let said = self.hosts.iter().find(|known| known.host == reference.registry);
        let credentials = match said.and_then(|said| said.login.as_ref()) {
            Some((username, file)) => Some(Credentials::with_password_in(username, file).await?),
            None => match &self.docker_config {
                Some(file) => Credentials::in_docker_config(file, &reference.registry).await,
                None => None,
            },
        };
        let said = said.unwrap_or(&unknown);
        let is_local = is_on_this_machine(&reference.registry);
        let is_plain = said.insecure || (is_local && said.ca_file.is_none());
        let base = format!(
            "{}://{}/v2/{}/",
            if is_plain { "http" } else { "https" },
            api_host(&reference.registry),
            reference.repository
        );
        let base = Url::parse(&base).map_err(|_| RegistryError::Address { address: base })?;
        let mut http = steadfast_http::client()
            .connect_timeout(self.deadlines.connect)
            .user_agent(concat!("steadfast/", env!("CARGO_PKG_VERSION")))
            // A digest is of the bytes as they are kept.
            .no_gzip();
        if is_local {
            http = http.no_proxy();
        }
        if let Some(file) = &said.ca_file {
            let pem = steadfast_files::read_apart(file, steadfast_files::SMALL)
                .await
                .map_err(|source| RegistryError::Unreadable {
                    path: file.clone(),
                    source,
                })?;
            // A PEM file of another kind holds none, which is no error to the reader.
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| RegistryError::Certificates { path: file.clone() })?;
            http = http.tls_certs_merge(certificates);
        }
        let http = http
            .build()
            .map_err(|error| RegistryError::unreachable(&reference.registry, error))?;
        Ok(Connection {
            http,
            reference: reference.clone(),
            base,
            credentials,
            access,
            deadlines: self.deadlines,
            authorization: None,
        })
    }
}

/// Docker's registry answers under another name than it is called by.
fn api_host(registry: &str) -> &str {
    match registry {
        "docker.io" => "registry-1.docker.io",
        other => other,
    }
}

/// Whether a registry is on this machine, where nobody can listen in between.
fn is_on_this_machine(registry: &str) -> bool {
    Url::parse(&format!("http://{registry}/")).is_ok_and(|url| url.host_str().is_some_and(is_loopback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_go_without_tls() {
        for registry in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]:5000",
        ] {
            assert!(is_on_this_machine(registry), "{registry}");
        }
        for registry in [
            "registry.example.com",
            "localhost.example.com:5000",
            "10.0.0.1",
            "[::2]",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_on_this_machine(registry), "{registry}");
        }
    }
}
