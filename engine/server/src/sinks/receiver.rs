//! Who is told: a `[[sink]]` of the configuration as plain values.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use lettre::message::Mailbox;
use steadfast_core::id::{ClusterName, Namespace};
use steadfast_core::secret_url::SecretUrl;

use super::address::{Address, URL_FILE};
use super::alertmanager::Alerts;
use super::chat::Chat;
use super::place::cursor_name;
use super::render::{Renderer, Shape};
use super::template::Template;

/// Who is told, and how.
#[derive(Clone, Debug, PartialEq)]
pub enum Receiver {
    /// `kind = "webhook"`: each event in a request of its own.
    Webhook {
        /// Where to.
        http: HttpReceiver,
        /// What is sent instead of a CloudEvent.
        template: Option<Template>,
    },
    /// `kind = "alertmanager"`: what fires, again and again, and what does so no longer.
    Alertmanager {
        /// Its address, without `/api/v2/alerts`.
        http: HttpReceiver,
        /// How often what fires is sent again.
        resend: Duration,
        /// Labels that each alert has beside its own.
        labels: BTreeMap<String, String>,
    },
    /// A robot of a group chat.
    Chat {
        /// Which one.
        chat: Chat,
        /// Where to.
        http: HttpReceiver,
        /// What it says instead of the usual text.
        template: Option<Template>,
    },
    /// `kind = "email"`: over SMTP.
    Email {
        /// Where to.
        mail: MailReceiver,
        /// What it says instead of the usual text.
        template: Option<Template>,
    },
    /// `kind = "kubernetes-event"`: each event as an Event of Kubernetes, on what the job runs on.
    KubernetesEvent {
        /// The `[[kubernetes]]` entry, about whose jobs it is told.
        cluster: ClusterName,
        /// A namespace in which Events may be made: that of a test.
        namespace: Namespace,
    },
}

/// Where a request is sent, and what goes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpReceiver {
    /// Where to.
    pub address: Address,
    /// Headers of each request. Their values are marked as sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A file with the bearer token to show, read at each try.
    pub token_file: Option<PathBuf>,
    /// A file with the secret to sign with, read at each try.
    pub secret_file: Option<PathBuf>,
    /// Authorities that may vouch for the receiver, beside the system's, as PEM. Read at the start.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy on the way; without one none, whatever the environment says.
    pub proxy: Option<SecretUrl>,
}

impl HttpReceiver {
    /// An address to which nothing is shown.
    pub fn plain(url: SecretUrl) -> Self {
        Self {
            address: Address::Given(url),
            headers: Vec::new(),
            token_file: None,
            secret_file: None,
            ca_file: None,
            proxy: None,
        }
    }
}

/// A server that takes mails, and whom they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailReceiver {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is guarded.
    pub security: MailSecurity,
    /// Who we are to it, and the file with the password, read at each try.
    pub login: Option<(String, PathBuf)>,
    /// Authorities that may vouch for it, beside the system's, as PEM. Read at each try.
    pub ca_file: Option<PathBuf>,
    /// Who writes.
    pub from: Mailbox,
    /// Who is written to; at least one.
    pub to: Vec<Mailbox>,
}

/// How the connection to a mail server is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// `smtps://`: TLS from the first byte.
    Tls,
    /// `smtp://`: STARTTLS, and nothing is sent without.
    StartTls,
    /// `smtp://` with `insecure = true`: plain text.
    Plain,
}

impl Receiver {
    /// What turns entries into messages for it.
    pub fn renderer(&self) -> Renderer {
        match self {
            Self::Webhook { template, .. } => match template {
                None => Renderer::CloudEvents,
                Some(template) => Renderer::Each(template.clone()),
            },
            Self::Alertmanager { resend, labels, .. } => Renderer::Alerts(Alerts::new(*resend, labels.clone())),
            Self::Chat { chat, template, .. } => Renderer::ByCause(template.clone(), Shape::Chat(*chat)),
            Self::Email { template, .. } => Renderer::ByCause(template.clone(), Shape::Mail),
            Self::KubernetesEvent { cluster, namespace } => {
                Renderer::KubernetesEvents(cluster.clone(), namespace.clone())
            }
        }
    }

    /// The name that its place in the journal was kept under as long as it had none of its own: a webhook's alone, and `None` if its
    /// URL cannot be read.
    pub async fn nameless(&self) -> Option<String> {
        match self {
            Self::Webhook { http, .. } => {
                let url = http.address.read().await.ok()?;
                Some(cursor_name(&url))
            }
            Self::Alertmanager { .. } | Self::Chat { .. } | Self::Email { .. } | Self::KubernetesEvent { .. } => None,
        }
    }

    /// The `[[kubernetes]]` entry whose API server it is.
    pub fn cluster(&self) -> Option<&ClusterName> {
        match self {
            Self::KubernetesEvent { cluster, .. } => Some(cluster),
            Self::Webhook { .. } | Self::Alertmanager { .. } | Self::Chat { .. } | Self::Email { .. } => None,
        }
    }

    /// Its address, without what may be a secret.
    pub fn address(&self) -> String {
        match self {
            Self::Webhook { http, .. } | Self::Alertmanager { http, .. } | Self::Chat { http, .. } => {
                http.address.to_string()
            }
            Self::Email { mail, .. } => {
                let scheme = match mail.security {
                    MailSecurity::Tls => "smtps",
                    MailSecurity::StartTls | MailSecurity::Plain => "smtp",
                };
                format!("{scheme}://{}:{}", mail.host, mail.port)
            }
            Self::KubernetesEvent { cluster, .. } => format!("the cluster {cluster}"),
        }
    }

    /// The files with secrets, each by its key.
    pub fn secret_files(&self) -> Vec<(&'static str, &PathBuf)> {
        match self {
            Self::Webhook { http, .. } | Self::Alertmanager { http, .. } | Self::Chat { http, .. } => {
                let url = http.address.file().map(|file| (URL_FILE, file));
                let token = http.token_file.iter().map(|file| ("sink.token_file", file));
                let secret = http.secret_file.iter().map(|file| ("sink.secret_file", file));
                url.into_iter().chain(token).chain(secret).collect()
            }
            Self::Email { mail, .. } => {
                let login = mail.login.iter();
                login.map(|(_, file)| ("sink.password_file", file)).collect()
            }
            Self::KubernetesEvent { .. } => Vec::new(),
        }
    }
}
