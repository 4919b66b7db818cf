//! Kubeconfigs and the files that they name, read through the one door for files (`steadfast_files`).
//!
//! `kube` reads them whole, whatever they are, and some of them again and again while it runs. So it is shown no file's name:
//! the kubeconfig's own text is read here, certificates and keys are put where their content may stand as well, and a token's
//! file is followed by [`super::token_file`].

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError, NamedAuthInfo,
    NamedCluster, NamedContext,
};
use secrecy::SecretString;
use steadfast_files::SMALL;

/// The most a kubeconfig may hold, in bytes: thousands of clusters with all their certificates.
const MAX_KUBECONFIG: usize = 8 << 20;

/// What a pod is given.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The name of everything in a kubeconfig that has one of each.
const ONLY: &str = "in-cluster";

/// The configuration that a kubeconfig holds for its current context. Of the files that it names only a token's is not read.
pub(super) async fn of_file(path: &Path) -> Result<kube::Config, KubeconfigError> {
    of(read(path)?).await
}

/// The same for `KUBECONFIG`, which may name several, or else `~/.kube/config`.
pub(super) async fn inferred() -> Result<kube::Config, KubeconfigError> {
    let named = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let mut paths: Vec<PathBuf> = std::env::split_paths(&named)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if paths.is_empty() {
        let home = std::env::home_dir().ok_or(KubeconfigError::FindPath)?;
        paths.push(home.join(".kube").join("config"));
    }
    let merge = |merged: Kubeconfig, path: &PathBuf| merged.merge(read(path)?);
    of(paths.iter().try_fold(Kubeconfig::default(), merge)?).await
}

/// The same for a pod's own cluster. `None` outside of one.
pub(super) async fn in_cluster() -> Option<Result<kube::Config, KubeconfigError>> {
    let server = server_of_pod()?;
    let file = |name: &str| Path::new(SERVICE_ACCOUNT).join(name);
    let namespace = steadfast_files::read_text(&file("namespace"), SMALL).ok()?;
    let authorities = steadfast_files::read(&file("ca.crt"), SMALL).ok()?;
    let token_file = file("token");
    let config = of(of_pod(server, namespace, &authorities, &token_file)).await;
    Some(config.map(|mut config| {
        // Nothing stands between a pod and its own API server.
        config.proxy_url = None;
        config
    }))
}

/// Where the API server of this pod is, as its environment says.
fn server_of_pod() -> Option<String> {
    let host = std::env::var("KUBERNETES_SERVICE_HOST").ok()?;
    let port: u16 = std::env::var("KUBERNETES_SERVICE_PORT").ok()?.parse().ok()?;
    let host = match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host,
    };
    Some(if port == 443 {
        format!("https://{host}")
    } else {
        format!("https://{host}:{port}")
    })
}

fn of_pod(server: String, namespace: String, authorities: &[u8], token_file: &Path) -> Kubeconfig {
    let cluster = Cluster {
        server: Some(server),
        certificate_authority_data: Some(STANDARD.encode(authorities)),
        ..Cluster::default()
    };
    let user = AuthInfo {
        token_file: Some(token_file.display().to_string()),
        ..AuthInfo::default()
    };
    let context = Context {
        cluster: ONLY.to_owned(),
        user: Some(ONLY.to_owned()),
        namespace: Some(namespace),
        ..Context::default()
    };
    Kubeconfig {
        clusters: vec![NamedCluster {
            name: ONLY.to_owned(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: ONLY.to_owned(),
            auth_info: Some(user),
            ..NamedAuthInfo::default()
        }],
        contexts: vec![NamedContext {
            name: ONLY.to_owned(),
            context: Some(context),
            ..NamedContext::default()
        }],
        current_context: Some(ONLY.to_owned()),
        ..Kubeconfig::default()
    }
}

async fn of(mut kubeconfig: Kubeconfig) -> Result<kube::Config, KubeconfigError> {
    put_in_files(&mut kubeconfig)?;
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await
}

/// Reads a kubeconfig; the paths in it start at its folder.
fn read(path: &Path) -> Result<Kubeconfig, KubeconfigError> {
    let unreadable = |error| KubeconfigError::ReadConfig(error, path.to_owned());
    let bytes = steadfast_files::read(path, MAX_KUBECONFIG).map_err(|error| unreadable(error.into()))?;
    let mut kubeconfig = Kubeconfig::from_yaml(&text(bytes).map_err(unreadable)?)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let below = |file: &mut String| {
        if let Some(absolute) = folder.join(&*file).to_str() {
            *file = absolute.to_owned();
        }
    };
    let clusters = kubeconfig
        .clusters
        .iter_mut()
        .filter_map(|named| named.cluster.as_mut());
    clusters
        .filter_map(|cluster| cluster.certificate_authority.as_mut())
        .for_each(below);
    for user in kubeconfig
        .auth_infos
        .iter_mut()
        .filter_map(|named| named.auth_info.as_mut())
    {
        let files = [&mut user.client_certificate, &mut user.client_key, &mut user.token_file];
        files.into_iter().filter_map(Option::as_mut).for_each(below);
        let command = user.exec.as_mut().and_then(|exec| exec.command.as_mut());
        // What is looked for in PATH stays.
        command
            .filter(|command| command.contains(std::path::MAIN_SEPARATOR))
            .into_iter()
            .for_each(below);
    }
    Ok(kubeconfig)
}

/// Text in UTF-8, or in UTF-16 that says so, as it is written on Windows.
fn text(bytes: Vec<u8>) -> io::Result<String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, left) = rest.as_chunks::<2>();
        let units: Vec<u16> = units.iter().copied().map(unit).collect();
        String::from_utf16(&units).ok().filter(|_| left.is_empty())
    };
    let text = match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_owned()).ok(),
        _ => String::from_utf8(bytes).ok(),
    };
    text.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is neither UTF-8 nor UTF-16"))
}

/// Puts what the files of the current context hold in their places.
fn put_in_files(kubeconfig: &mut Kubeconfig) -> Result<(), KubeconfigError> {
    let current = kubeconfig.current_context.as_ref();
    let contexts = kubeconfig.contexts.iter();
    let named = contexts
        .filter(|context| Some(&context.name) == current)
        .find_map(|context| context.context.clone());
    // What is missing is for the library to name.
    let Some(context) = named else { return Ok(()) };
    let clusters = kubeconfig
        .clusters
        .iter_mut()
        .find(|cluster| cluster.name == context.cluster);
    if let Some(cluster) = clusters.and_then(|named| named.cluster.as_mut()) {
        let data = content(
            cluster.certificate_authority.take(),
            cluster.certificate_authority_data.take(),
        );
        cluster.certificate_authority_data = data.map_err(KubeconfigError::LoadCertificateAuthority)?;
    }
    let users = kubeconfig.auth_infos.iter_mut();
    let mut users = users.filter(|user| Some(&user.name) == context.user.as_ref());
    if let Some(user) = users.next().and_then(|named| named.auth_info.as_mut()) {
        let data = content(user.client_certificate.take(), user.client_certificate_data.take());
        user.client_certificate_data = data.map_err(KubeconfigError::LoadClientCertificate)?;
        if user.client_key_data.is_none() {
            let data = content(user.client_key.take(), None).map_err(KubeconfigError::LoadClientKey)?;
            user.client_key_data = data.map(SecretString::from);
        }
        user.client_key = None;
    }
    Ok(())
}

/// In base64 what stands there, or else what the file holds.
fn content(file: Option<String>, there: Option<String>) -> Result<Option<String>, LoadDataError> {
    let (Some(file), None) = (file, &there) else {
        return Ok(there);
    };
    let read = steadfast_files::read(Path::new(&file), SMALL);
    let bytes = read.map_err(|error| LoadDataError::ReadFile(error.into(), file.into()))?;
    Ok(Some(STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn text_with(authority: &str, certificate: &str, key: &str, token: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1', certificate-authority: {authority}}}}}]\n\
             users: [{{name: u, user: {{client-certificate: {certificate}, client-key: {key}, tokenFile: {token}}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
        )
    }

    fn read_now(path: &Path) -> Result<kube::Config, KubeconfigError> {
        of_file(path).now_or_never().unwrap()
    }

    #[test]
    fn the_files_of_the_current_context_are_put_in_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        for name in ["ca", "cert", "key"] {
            std::fs::write(folder.path().join(name), format!("{name}\n")).unwrap();
        }
        let utf8 = text_with("ca", "cert", "key", "token");
        let wide: Vec<u8> = utf8.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [
            utf8.clone().into_bytes(),
            [&[0xEF, 0xBB, 0xBF], utf8.as_bytes()].concat(),
            [&[0xFF, 0xFE], wide.as_slice()].concat(),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let user = read_now(&path).unwrap().auth_info;
            assert_eq!(user.client_certificate_data, Some(STANDARD.encode("cert\n")));
            assert!(user.client_key_data.is_some() && user.client_certificate.is_none() && user.client_key.is_none());
            let token = folder.path().join("token").display().to_string();
            assert_eq!(user.token_file, Some(token), "it starts at the kubeconfig's folder");
        }
    }

    #[test]
    fn neither_it_nor_any_file_of_it_may_be_endless() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(folder.path().join("good"), "good").unwrap();
        let sparse = folder.path().join("sparse");
        std::fs::File::create(&sparse).unwrap().set_len(3 << 30).unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for bad in ["/dev/zero", "pipe", "sparse"] {
            for [authority, certificate, key] in [[bad, "good", "good"], ["good", bad, "good"], ["good", "good", bad]] {
                std::fs::write(&path, text_with(authority, certificate, key, "token")).unwrap();
                let why = super::super::words::of_kubeconfig(&read_now(&path).unwrap_err());
                assert!(why.contains("cannot be read") && why.contains(bad), "{why}");
            }
            let error = read_now(&folder.path().join(bad)).unwrap_err();
            assert!(matches!(error, KubeconfigError::ReadConfig(..)), "{error}");
        }
    }

    #[test]
    fn what_a_pod_is_given_makes_a_configuration() {
        let pem = "";
        let kubeconfig = of_pod(
            "https://10.0.0.1".into(),
            "ours".into(),
            pem.as_bytes(),
            Path::new("/t"),
        );
        let config = of(kubeconfig).now_or_never().unwrap().unwrap();
        assert_eq!(config.cluster_url.to_string(), "https://10.0.0.1/");
        assert_eq!(config.default_namespace, "ours");
        assert_eq!(config.auth_info.token_file.as_deref(), Some("/t"));
        assert!(
            config.root_cert_file.is_none(),
            "the library would read it again by itself"
        );
    }
}
