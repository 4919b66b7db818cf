//! The kinds of sinks, and the keys that each knows.

use std::ops::Range;

use steadfast_server::sinks::Chat;

use super::file;

/// `sink.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Webhook,
    Alertmanager,
    Chat(Chat),
    Email,
    KubernetesEvent,
}

/// All of them.
pub(super) const KINDS: [Kind; 8] = [
    Kind::Webhook,
    Kind::Alertmanager,
    Kind::Chat(Chat::Slack),
    Kind::Chat(Chat::DingTalk),
    Kind::Chat(Chat::WeCom),
    Kind::Chat(Chat::Feishu),
    Kind::Email,
    Kind::KubernetesEvent,
];

impl Kind {
    pub(super) fn parse(word: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == word)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Alertmanager => "alertmanager",
            Self::Chat(Chat::Slack) => "slack",
            Self::Chat(Chat::DingTalk) => "dingtalk",
            Self::Chat(Chat::WeCom) => "wecom",
            Self::Chat(Chat::Feishu) => "feishu",
            Self::Email => "email",
            Self::KubernetesEvent => "kubernetes-event",
        }
    }

    /// The keys that it knows, beside `kind`, `name`, `max_age`, `select`, and `url` where it has one.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Webhook => &[
                "url_file",
                "headers",
                "token_file",
                "secret_file",
                "ca_file",
                "proxy",
                "template",
            ],
            Self::Alertmanager => &[
                "url_file",
                "headers",
                "token_file",
                "ca_file",
                "proxy",
                "resend",
                "labels",
            ],
            Self::Chat(Chat::DingTalk | Chat::Feishu) => &[
                "url_file",
                "headers",
                "secret_file",
                "ca_file",
                "proxy",
                "template",
                "batch_wait",
            ],
            Self::Chat(Chat::Slack | Chat::WeCom) => {
                &["url_file", "headers", "ca_file", "proxy", "template", "batch_wait"]
            }
            Self::Email => &[
                "from",
                "to",
                "username",
                "password_file",
                "insecure",
                "ca_file",
                "template",
                "batch_wait",
            ],
            Self::KubernetesEvent => &["kubernetes"],
        }
    }
}

impl file::Sink {
    /// The keys that are given of those that not every kind knows, with the places of their values.
    pub(super) fn given(&self) -> Vec<(&'static str, Range<usize>)> {
        // Taken apart, so that a key that is added one day cannot be forgotten here.
        let Self {
            name: _,
            kind: _,
            url,
            url_file,
            kubernetes,
            max_age: _,
            select: _,
            headers,
            token_file,
            secret_file,
            ca_file,
            proxy,
            template,
            batch_wait,
            resend,
            labels,
            from,
            to,
            username,
            password_file,
            insecure,
        } = self;
        // Every kind but one has it.
        let url = Kind::parse(self.kind.get_ref()) == Some(Kind::KubernetesEvent) && !url.get_ref().is_empty();
        let all = [
            ("url", url.then(|| self.url.span())),
            ("url_file", url_file.as_ref().map(toml::Spanned::span)),
            ("kubernetes", kubernetes.as_ref().map(toml::Spanned::span)),
            ("headers", headers.as_ref().map(toml::Spanned::span)),
            ("token_file", token_file.as_ref().map(toml::Spanned::span)),
            ("secret_file", secret_file.as_ref().map(toml::Spanned::span)),
            ("ca_file", ca_file.as_ref().map(toml::Spanned::span)),
            ("proxy", proxy.as_ref().map(toml::Spanned::span)),
            ("template", template.as_ref().map(toml::Spanned::span)),
            ("batch_wait", batch_wait.as_ref().map(toml::Spanned::span)),
            ("resend", resend.as_ref().map(toml::Spanned::span)),
            ("labels", labels.as_ref().map(toml::Spanned::span)),
            ("from", from.as_ref().map(toml::Spanned::span)),
            ("to", to.as_ref().map(toml::Spanned::span)),
            ("username", username.as_ref().map(toml::Spanned::span)),
            ("password_file", password_file.as_ref().map(toml::Spanned::span)),
            ("insecure", insecure.as_ref().map(toml::Spanned::span)),
        ];
        all.into_iter().filter_map(|(key, place)| Some((key, place?))).collect()
    }
}
