//! Receivers that are reached by HTTP.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use steadfast_core::secret_url::SecretUrl;
use steadfast_server::sinks::{Address, HttpReceiver, check_url_file, http_url};
use toml::Spanned;

use super::super::{Checker, file};
use crate::config::values::Span;

/// How often what fires is sent again where the file does not say: Alertmanager forgets it after five minutes, unless told otherwise.
const RESEND: Duration = Duration::from_secs(60);

/// In which ways a request says who asks.
pub(in crate::config::check) struct Ways<'a> {
    /// Of the configuration.
    pub(in crate::config::check) section: &'static str,
    /// The key of the address, and whether there is a user in it.
    pub(in crate::config::check) url: (&'static str, bool),
    pub(in crate::config::check) headers: Option<&'a Spanned<BTreeMap<String, String>>>,
    pub(in crate::config::check) token_file: Option<&'a Spanned<String>>,
}

/// Whether an address says who asks.
pub(in crate::config::check) fn names_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

impl Checker<'_> {
    pub(super) fn http_receiver(&mut self, entry: &file::Sink) -> HttpReceiver {
        let ways = Ways {
            section: "sink",
            url: match &entry.url_file {
                Some(file) => ("url_file", self.has_user(file)),
                None => ("url", http_url(entry.url.get_ref()).is_some_and(|url| names_user(&url))),
            },
            headers: entry.headers.as_ref(),
            token_file: entry.token_file.as_ref(),
        };
        self.one_way_to_say_who_asks(&ways);
        HttpReceiver {
            address: self.address(entry),
            headers: entry
                .headers
                .as_ref()
                .map_or_else(Vec::new, |headers| self.headers(headers, "sink.headers", &[])),
            token_file: entry
                .token_file
                .as_ref()
                .map(|file| self.secret_file(file, "sink.token_file")),
            secret_file: entry
                .secret_file
                .as_ref()
                .map(|file| self.secret_file(file, "sink.secret_file")),
            ca_file: entry.ca_file.as_ref().map(|file| self.ca_file(file, "sink.ca_file")),
            proxy: entry.proxy.as_ref().map(|proxy| self.http_url(proxy, "sink.proxy")),
        }
    }

    fn address(&mut self, entry: &file::Sink) -> Address {
        match &entry.url_file {
            Some(file) => Address::File(self.url_file(file)),
            None => Address::Given(self.http_url(&entry.url, "sink.url")),
        }
    }

    fn url_file(&mut self, path: &Spanned<String>) -> PathBuf {
        // Who wrote the URL itself where its file belongs finds it quoted nowhere.
        if path.get_ref().contains("://") || path.get_ref().contains('?') {
            self.refuse(
                path.span(),
                "sink.url_file holds an address, and not the name of a file",
                "write the address into a file and its path here, or the address into url",
            );
            return PathBuf::new();
        }
        let mistakes = self.mistakes.len();
        let file = self.file(path, "sink.url_file");
        if self.mistakes.len() == mistakes
            && let Err(why) = check_url_file(&file)
        {
            self.refuse(
                path.span(),
                format!("sink.url_file: {why}"),
                "write one line there, the receiver's URL, which begins with http:// or https://",
            );
        }
        file
    }

    /// Whether the address in a file, as it is now, says who asks. What else is wrong with it is told where it is checked.
    fn has_user(&self, file: &Spanned<String>) -> bool {
        check_url_file(&self.folder.join(file.get_ref())).is_ok_and(|url| names_user(&url))
    }

    /// Each way is a header `Authorization` of its own, and of two a receiver takes one or none.
    pub(in crate::config::check) fn one_way_to_say_who_asks(&mut self, ways: &Ways<'_>) {
        let Ways {
            section,
            url: (url, has_user),
            headers,
            token_file,
        } = ways;
        let is_given = |name: &String| name.eq_ignore_ascii_case(AUTHORIZATION.as_str());
        let header = headers.filter(|headers| headers.get_ref().keys().any(is_given));
        let in_url = has_user.then(|| format!("a user in {section}.{url}"));
        let in_headers = header.map(|_| format!("`Authorization` in {section}.headers"));
        let (place, last, other) = match (token_file, header) {
            (Some(token), _) => (token.span(), format!("{section}.token_file"), in_headers.or(in_url)),
            (None, Some(header)) => (header.span(), in_headers.unwrap_or_default(), in_url),
            (None, None) => return,
        };
        if let Some(other) = other {
            self.refuse(
                place,
                format!("{last} and {other} are two ways to say who asks"),
                "keep one of them: each is a header `Authorization` of its own, and a receiver takes one at most",
            );
        }
    }

    pub(in crate::config::check) fn http_url(&mut self, text: &Spanned<String>, key: &str) -> SecretUrl {
        let url = SecretUrl::from(text.get_ref().as_str());
        if http_url(url.expose()).is_none() {
            self.refuse(
                text.span(),
                format!("{key} `{url}` is not an HTTP address"),
                "write a URL that begins with http:// or https://",
            );
        }
        url
    }

    /// Headers that go along, but for those that are set anyway, and `more` of them.
    pub(in crate::config::check) fn headers(
        &mut self,
        headers: &Spanned<BTreeMap<String, String>>,
        key: &str,
        more: &[HeaderName],
    ) -> Vec<(HeaderName, HeaderValue)> {
        let mut checked: Vec<(HeaderName, HeaderValue)> = Vec::new();
        for (name, value) in headers.get_ref() {
            let ours = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];
            // Who mistook a value for a name is not quoted.
            match (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                (Ok(name), _) if ours.contains(&name) || more.contains(&name) => self.refuse(
                    headers.span(),
                    format!("{key} sets `{name}`, which each request has of its own"),
                    "remove it",
                ),
                (Ok(name), _) if checked.iter().any(|(given, _)| *given == name) => self.refuse(
                    headers.span(),
                    format!("{key} sets `{name}` twice"),
                    "keep one of them: capitals do not tell headers apart",
                ),
                (Ok(name), Ok(mut value)) => {
                    value.set_sensitive(true);
                    checked.push((name, value));
                }
                (Err(_), _) => self.refuse(
                    headers.span(),
                    format!("{key} has a name that no header can have"),
                    "write { \"X-Name\" = \"value\" }",
                ),
                (Ok(name), Err(_)) => self.refuse(
                    headers.span(),
                    format!("{key} has a value for `{name}` that cannot be sent"),
                    "use visible ASCII characters",
                ),
            }
        }
        checked
    }

    pub(super) fn resend(&mut self, span: Option<&Spanned<Span>>) -> Duration {
        self.span("sink.resend", span, RESEND)
    }

    /// Labels of alerts, by the rules of Prometheus; none may take the place of ours.
    pub(super) fn alert_labels(
        &mut self,
        labels: Option<&Spanned<BTreeMap<String, String>>>,
    ) -> BTreeMap<String, String> {
        const OURS: [&str; 8] = [
            "alertname",
            "cluster",
            "flink_job",
            "name",
            "namespace",
            "policy",
            "scope",
            "source",
        ];
        let Some(labels) = labels else { return BTreeMap::new() };
        for (name, value) in labels.get_ref() {
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            let is_name =
                name.bytes().all(is_word) && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
            if !is_name || value.is_empty() {
                self.refuse(
                    labels.span(),
                    "sink.labels has one that Alertmanager would not take",
                    "names are letters, digits and `_`, and no value is empty",
                );
            } else if OURS.contains(&name.as_str()) {
                self.refuse(
                    labels.span(),
                    format!("sink.labels sets `{name}`, which each alert has of its own"),
                    format!("use another name than {}", OURS.join(", ")),
                );
            }
        }
        labels.get_ref().clone()
    }
}
