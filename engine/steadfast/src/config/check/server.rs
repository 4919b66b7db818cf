//! `[server]`: where the API listens, and who may call.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;

use steadfast_core::error_chain::error_chain;
use steadfast_server::{NamedTokens, Scope, Scopes, Tls, TlsFiles, Token};
use toml::Spanned;

use super::quote::is_word;
use super::{Checker, file};
use crate::config::{KubernetesAuth, Server, ServerTls};

/// For whom tokens of Kubernetes' are made that count here, where the file does not say.
const AUDIENCE: &str = "steadfast";

impl Checker<'_> {
    pub(super) fn server(&mut self, server: &file::Server, clusters: &[file::Kubernetes]) -> Server {
        let listen = server.listen.get_ref();
        let address = listen.parse::<SocketAddr>();
        if address.is_err() {
            self.refuse(
                server.listen.span(),
                format!("server.listen `{listen}` is not an address and port"),
                "write an IP address and a port, such as \"127.0.0.1:8080\"",
            );
        }
        let keys = [
            server.token_file.is_some(),
            server.tokens_file.is_some(),
            server.kubernetes_auth.is_some(),
            server
                .tls
                .as_ref()
                .is_some_and(|tls| tls.get_ref().client_ca_file.is_some()),
        ];
        let is_beyond = address.as_ref().is_ok_and(|address| !address.ip().is_loopback());
        if is_beyond && !keys.contains(&true) && !server.insecure {
            self.refuse(
                server.listen.span(),
                format!("server.listen `{listen}` is reachable from other machines, and nothing says who may call"),
                "listen on 127.0.0.1, or set token_file = \"/path/to/token\", tokens_file, [server.kubernetes_auth] or \
                 client_ca_file in [server.tls], or, where the network itself keeps others out, insecure = true",
            );
        }
        Server {
            listen: address.unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0))),
            token_file: server.token_file.as_ref().map(|path| self.token_file(path)),
            tokens_file: server.tokens_file.as_ref().map(|path| self.tokens_file(path)),
            tls: server.tls.as_ref().and_then(|tls| self.tls(tls)),
            kubernetes_auth: server
                .kubernetes_auth
                .as_ref()
                .map(|auth| self.kubernetes_auth(auth, clusters)),
        }
    }

    /// A token that guards nothing is found before it is relied upon.
    fn token_file(&mut self, path: &Spanned<String>) -> PathBuf {
        let mistakes = self.mistakes.len();
        let file = self.file(path, "server.token_file");
        if self.mistakes.len() == mistakes
            && let Err(error) = Token::read(&file)
        {
            self.refuse(
                path.span(),
                format!("server.token_file: {}", error_chain(&error)),
                "openssl rand -hex 32 makes a token; let the engine's user, and nobody else, read the file",
            );
        }
        file
    }

    fn tokens_file(&mut self, path: &Spanned<String>) -> PathBuf {
        let mistakes = self.mistakes.len();
        let file = self.file(path, "server.tokens_file");
        if self.mistakes.len() == mistakes
            && let Err(error) = NamedTokens::read(&file)
        {
            self.refuse(
                path.span(),
                format!("server.tokens_file: {}", error_chain(&error)),
                "`steadfast token new NAME --scope read` makes a token and its entry; let the engine's user read the file",
            );
        }
        file
    }

    fn tls(&mut self, tls: &Spanned<file::Tls>) -> Option<ServerTls> {
        let place = tls.span();
        let file::Tls {
            cert_file,
            key_file,
            client_ca_file,
            client_scopes,
        } = tls.get_ref();
        let (Some(cert), Some(key)) = (cert_file, key_file) else {
            self.refuse(
                place,
                "server.tls lacks cert_file or key_file",
                "write both: the certificate with those that lead to its authority, and its private key, as PEM",
            );
            return None;
        };
        let mistakes = self.mistakes.len();
        let files = TlsFiles {
            cert_file: self.file(cert, "server.tls.cert_file"),
            key_file: self.file(key, "server.tls.key_file"),
            client_ca_file: client_ca_file
                .as_ref()
                .map(|path| self.file(path, "server.tls.client_ca_file")),
        };
        if self.mistakes.len() == mistakes
            && let Err(error) = Tls::read(&files)
        {
            self.refuse(
                cert.span(),
                format!("server.tls: {}", error_chain(&error)),
                "write certificates and one unencrypted key there as PEM, and let the engine's user read them",
            );
        }
        let client_scopes = self.client_scopes(client_scopes.as_deref(), client_ca_file.is_some(), place);
        Some(ServerTls { files, client_scopes })
    }

    /// What client certificates open; `None` where none is asked for.
    fn client_scopes(
        &mut self,
        written: Option<&[Spanned<String>]>,
        has_authority: bool,
        place: Range<usize>,
    ) -> Option<Scopes> {
        let Some(written) = written else {
            return has_authority.then(|| [Scope::Read].into_iter().collect());
        };
        let mut scopes = Vec::new();
        for scope in written {
            let text = scope.get_ref();
            match Scope::parse(text) {
                Some(scope) => scopes.push(scope),
                None => self.refuse(
                    scope.span(),
                    if is_word(text) {
                        format!("server.tls.client_scopes knows no `{text}`")
                    } else {
                        "server.tls.client_scopes has one that is none".to_owned()
                    },
                    "use \"read\", \"intent\" and \"admin\"",
                ),
            }
        }
        if !has_authority || written.is_empty() {
            self.refuse(
                place,
                "server.tls.client_scopes says what client certificates open, and none would open anything",
                "name at least one scope, and the authorities of the certificates in client_ca_file",
            );
        }
        has_authority.then(|| scopes.into_iter().collect())
    }

    fn kubernetes_auth(
        &mut self,
        auth: &Spanned<file::KubernetesAuth>,
        clusters: &[file::Kubernetes],
    ) -> KubernetesAuth {
        let file::KubernetesAuth { cluster, audiences } = auth.get_ref();
        let is_there = |name: &str| clusters.iter().any(|entry| entry.name.get_ref() == name);
        let cluster = match cluster {
            Some(cluster) => {
                if !is_there(cluster.get_ref()) {
                    self.refuse(
                        cluster.span(),
                        if is_word(cluster.get_ref()) {
                            format!(
                                "server.kubernetes_auth: no [[kubernetes]] is named `{}`",
                                cluster.get_ref()
                            )
                        } else {
                            "server.kubernetes_auth: no [[kubernetes]] has that name".to_owned()
                        },
                        "name the entry whose API server says who callers are",
                    );
                }
                cluster.get_ref().clone()
            }
            None => {
                self.refuse(
                    auth.span(),
                    "server.kubernetes_auth names no cluster",
                    "write cluster = \"NAME\", of the [[kubernetes]] entry whose API server says who callers are",
                );
                String::new()
            }
        };
        let audiences = match audiences {
            None => vec![AUDIENCE.to_owned()],
            Some(audiences) => audiences.get_ref().clone(),
        };
        if audiences.is_empty() || audiences.iter().any(|audience| audience.trim().is_empty()) {
            self.refuse(
                auth.span(),
                "server.kubernetes_auth.audiences has none, or an empty one",
                "leave it out for [\"steadfast\"], or name those that tokens are made for",
            );
        }
        KubernetesAuth { cluster, audiences }
    }
}
