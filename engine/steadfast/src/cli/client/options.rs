//! Which engine is asked, and what is shown to it: the options of every command that asks one.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use steadfast_core::secret_url::SecretUrl;

use crate::cli::Failure;

/// Which engine to ask.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Engine")]
pub(in crate::cli) struct ServerOptions {
    /// The engine's address.
    #[arg(
        short,
        long,
        env = "STEADFAST_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(super) server: String,
    /// A file with the token the engine asks for.
    #[arg(long, env = "STEADFAST_TOKEN_FILE", value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// A file with the authorities that vouch for the engine's certificate, as PEM, in place of the machine's own.
    #[arg(long, env = "STEADFAST_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// A file with a client certificate, as PEM.
    #[arg(
        long,
        env = "STEADFAST_CLIENT_CERT_FILE",
        value_name = "FILE",
        requires = "client_key_file"
    )]
    pub(super) client_cert_file: Option<PathBuf>,
    /// A file with its private key, as PEM.
    #[arg(
        long,
        env = "STEADFAST_CLIENT_KEY_FILE",
        value_name = "FILE",
        requires = "client_cert_file"
    )]
    client_key_file: Option<PathBuf>,
}

impl ServerOptions {
    /// The engine's address.
    pub(in crate::cli) fn address(&self) -> &str {
        &self.server
    }

    /// An engine without a token.
    #[cfg(test)]
    pub(in crate::cli) fn at(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            token_file: None,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
        }
    }
}

/// The address that paths are put behind.
pub(super) fn base(server: &str) -> Result<String, Failure> {
    // Behind a query or a fragment no path would be one.
    let is_address = |url: &reqwest::Url| {
        matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
    };
    if server.parse().is_ok_and(|url| is_address(&url)) {
        return Ok(server.trim_end_matches('/').to_owned());
    }
    // Else there may be a password in it.
    let is_place = server
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte));
    let (shown, fix) = if is_place && !server.is_empty() {
        (server.to_owned(), format!("http://{server}"))
    } else {
        (SecretUrl::from(server).to_string(), "http://127.0.0.1:8080".to_owned())
    };
    Err(Failure::Usage(anyhow!(
        "`{shown}` is no HTTP address of an engine; write one such as {fix}, with --server or in STEADFAST_SERVER"
    )))
}

/// The token in a file, as an engine takes one.
pub(super) fn token(path: &Path) -> Result<String, Failure> {
    let text = steadfast_files::read_text(path, steadfast_files::SMALL)
        .with_context(|| format!("cannot read the token file {}", path.display()))?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::Usage(anyhow!(
            "the token file {} must hold one line of at least 16 visible ASCII characters without blanks, as the engine's own does \
             (server.token_file)",
            path.display()
        )));
    }
    Ok(token.to_owned())
}

/// With the authorities and the certificate of the options.
pub(super) fn encrypted(
    http: reqwest::ClientBuilder,
    options: &ServerOptions,
) -> Result<reqwest::ClientBuilder, Failure> {
    let pem = |path: &Path, what: &str| {
        steadfast_files::read_text(path, steadfast_files::SMALL)
            .with_context(|| format!("cannot read the {what} in {}", path.display()))
    };
    let unfit = |path: &Path, what: &str| Failure::Usage(anyhow!("{} holds no {what} as PEM", path.display()));
    let http = match &options.ca_file {
        None => http,
        Some(path) => {
            let read = reqwest::Certificate::from_pem_bundle(pem(path, "authorities")?.as_bytes());
            let authorities = read.ok().filter(|authorities| !authorities.is_empty());
            http.tls_certs_only(authorities.ok_or_else(|| unfit(path, "certificates"))?)
        }
    };
    let (Some(cert), Some(key)) = (&options.client_cert_file, &options.client_key_file) else {
        return Ok(http);
    };
    let both = format!("{}\n{}", pem(cert, "client certificate")?, pem(key, "client key")?);
    let identity = reqwest::Identity::from_pem(both.as_bytes());
    let identity = identity.map_err(|_| unfit(cert, "client certificate whose key is in --client-key-file"))?;
    Ok(http.identity(identity))
}

/// A client is refused for the certificate that it is to show, if it has one.
pub(super) fn unfit_identity(options: &ServerOptions, error: reqwest::Error) -> Failure {
    let error = anyhow::Error::new(error);
    let (Some(cert), Some(key)) = (&options.client_cert_file, &options.client_key_file) else {
        return Failure::Failed(error.context("no HTTP client can be set up"));
    };
    let (cert, key) = (cert.display(), key.display());
    Failure::Usage(error.context(format!(
        "the client certificate in {cert} cannot be used; it is to be of X.509 version 3, and the key in {key} that of its pair"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_takes_paths_behind_it() {
        assert_eq!(base("http://engine:8080/below/").unwrap(), "http://engine:8080/below");
        for wrong in [
            "http://engine?a=b",
            "http://engine/#there",
            "engine:8080",
            "ftp://engine",
            "",
        ] {
            assert!(matches!(base(wrong), Err(Failure::Usage(_))), "{wrong}");
        }
    }
}
