//! What is wrong with a kubeconfig, in words of our own.
//!
//! The libraries' words quote what they read: the line of a token, a plugin's command line with its environment, a proxy's
//! address with its password. Of them only those are passed on that hold names and positions alone.

use kube::config::{KubeconfigError, LoadDataError};

/// Why a kubeconfig cannot be read.
pub(super) fn of_kubeconfig(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::CurrentContextNotSet
        | KubeconfigError::KindMismatch
        | KubeconfigError::ApiVersionMismatch
        | KubeconfigError::LoadContext(_)
        | KubeconfigError::LoadClusterOfContext(_)
        | KubeconfigError::FindPath
        | KubeconfigError::ReadConfig(..)
        | KubeconfigError::MissingClusterUrl
        // What is wrong with a URL is said without the URL.
        | KubeconfigError::ParseClusterUrl(_)
        | KubeconfigError::ParseProxyUrl(_) => error.to_string(),
        KubeconfigError::Parse(error) => match error.location() {
            Some(at) => format!("it is no kubeconfig in YAML, by line {}, column {}", at.line(), at.column()),
            None => "it is no kubeconfig in YAML".to_owned(),
        },
        KubeconfigError::LoadCertificateAuthority(error) => data("certificate-authority", error),
        KubeconfigError::LoadClientCertificate(error) => data("client-certificate", error),
        KubeconfigError::LoadClientKey(error) => data("client-key", error),
        KubeconfigError::ParseCertificates(_) => "its certificates are no PEM".to_owned(),
        KubeconfigError::ParseNoProxy(_) => "NO_PROXY of the environment cannot be read".to_owned(),
    }
}

fn data(key: &str, error: &LoadDataError) -> String {
    match error {
        LoadDataError::DecodeBase64(_) => format!("{key}-data is no base64"),
        LoadDataError::ReadFile(error, path) => format!("{key}: {} cannot be read: {error}", path.display()),
        LoadDataError::NoBase64DataOrFile => format!("{key} names neither data nor a file"),
    }
}

/// Why no client can be made of one.
pub(super) fn of_client(error: &kube::Error) -> &'static str {
    if matches!(error, kube::Error::Auth(_)) {
        "the credentials of its user cannot be used"
    } else if matches!(
        error,
        kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. }
    ) {
        "its proxy-url has a scheme that is not supported"
    } else if matches!(error, kube::Error::RustlsTls(_)) {
        "its certificates or its key cannot be used"
    } else {
        "its server or its certificates cannot be used"
    }
}
