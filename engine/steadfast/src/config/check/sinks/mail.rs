//! Receivers of mails.

use steadfast_core::loopback::is_loopback;
use steadfast_server::sinks::{MailReceiver, MailSecurity, Mailbox};
use toml::Spanned;

use super::super::{Checker, file};

/// Where mails are handed in, where the address names no port: with TLS from the first byte, and without.
const SMTPS: u16 = 465;
const SMTP: u16 = 587;

impl Checker<'_> {
    pub(super) fn mail_receiver(&mut self, entry: &file::Sink) -> Option<MailReceiver> {
        let server = self.mail_server(entry);
        let login = self.mail_login(entry);
        let ca_file = entry.ca_file.as_ref().map(|file| self.ca_file(file, "sink.ca_file"));
        let from = match &entry.from {
            Some(from) => self.mailbox(from, from.get_ref(), "sink.from"),
            None => {
                let rule = "a sink of kind `email` does not say who writes";
                self.refuse(entry.kind.span(), rule, "add from = \"steadfast@example.com\"");
                None
            }
        };
        let to: Vec<Mailbox> = match &entry.to {
            Some(to) if !to.get_ref().0.is_empty() => {
                let all = to.get_ref().0.iter();
                all.filter_map(|one| self.mailbox(to, one, "sink.to")).collect()
            }
            Some(_) | None => {
                let place = entry.to.as_ref().map_or(entry.kind.span(), Spanned::span);
                let rule = "a sink of kind `email` does not say who is written to";
                self.refuse(place, rule, "add to = [\"team@example.com\"]");
                Vec::new()
            }
        };
        let (host, port, security) = server?;
        Some(MailReceiver {
            host,
            port,
            security,
            login,
            ca_file,
            from: from?,
            to,
        })
    }

    fn mail_server(&mut self, entry: &file::Sink) -> Option<(String, u16, MailSecurity)> {
        let insecure = entry.insecure.as_ref().is_some_and(|insecure| *insecure.get_ref());
        let url = entry.url.get_ref().parse::<reqwest::Url>().ok();
        let is_bare = |url: &reqwest::Url| {
            url.username().is_empty()
                && url.password().is_none()
                && matches!(url.path(), "" | "/")
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let server = url.filter(is_bare).and_then(|url| {
            let host = url.host_str().filter(|host| !host.is_empty())?;
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            match url.scheme() {
                "smtps" => Some((host, url.port().unwrap_or(SMTPS), MailSecurity::Tls)),
                "smtp" if insecure => Some((host, url.port().unwrap_or(SMTP), MailSecurity::Plain)),
                "smtp" => Some((host, url.port().unwrap_or(SMTP), MailSecurity::StartTls)),
                _ => None,
            }
        });
        if server.is_none() {
            self.refuse(
                entry.url.span(),
                "sink.url is not the address of a mail server",
                "write smtps://HOST:465 or smtp://HOST:587 and no more; who we are belongs into username and password_file",
            );
        }
        if let (Some((host, _, MailSecurity::Plain)), Some(insecure)) = (&server, &entry.insecure)
            && entry.password_file.is_some()
            && !is_loopback(host)
        {
            self.refuse(
                insecure.span(),
                "sink.insecure sends the password in plain text to another machine",
                "remove insecure, so that STARTTLS guards it",
            );
        }
        server
    }

    fn mail_login(&mut self, entry: &file::Sink) -> Option<(String, std::path::PathBuf)> {
        match (&entry.username, &entry.password_file) {
            (Some(user), Some(file)) => Some((user.get_ref().clone(), self.secret_file(file, "sink.password_file"))),
            (Some(alone), None) => {
                let fix = "add password_file, or remove username";
                self.refuse(alone.span(), "sink.username has no password", fix);
                None
            }
            (None, Some(alone)) => {
                let rule = "sink.password_file does not say whose password it holds";
                self.refuse(alone.span(), rule, "add username, or remove password_file");
                None
            }
            (None, None) => None,
        }
    }

    fn mailbox<T>(&mut self, place: &Spanned<T>, text: &str, key: &str) -> Option<Mailbox> {
        let mailbox = text.parse::<Mailbox>();
        if mailbox.is_err() {
            self.refuse(
                place.span(),
                format!("{key} has what is no mail address"),
                "write NAME@DOMAIN, or \"A name <NAME@DOMAIN>\"",
            );
        }
        mailbox.ok()
    }
}
