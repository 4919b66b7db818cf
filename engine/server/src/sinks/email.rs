//! Mails over SMTP, each on a connection of its own: there are few, and the password may be another one by the next.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use async_trait::async_trait;
use lettre::Message as Mail;
use secrecy::ExposeSecret as _;
use steadfast_core::error_chain::error_chain;
use steadfast_core::foreign_text::harmless;

use super::courier::DELIVERY_DEADLINE;
use super::deliver::{Deliver, DeliveryError, Refusal};
use super::message::Message;
use super::receiver::{MailReceiver, MailSecurity};
use super::secrets::{Kept, line_of};
use super::smtp::{self, Errand, Guard, Login, Server, SmtpError, Trust};

/// How much of what a server says is told.
const SAID: usize = 300;

/// Writes mails.
#[derive(Clone, Debug)]
pub struct Mailer {
    receiver: MailReceiver,
}

impl Mailer {
    /// Writes to that receiver.
    pub fn new(receiver: MailReceiver) -> Self {
        Self { receiver }
    }

    /// Greets the server, and logs in where the file says so; writes nothing.
    ///
    /// Fails with the reason.
    pub async fn reach(&self) -> Result<(), DeliveryError> {
        let reached = tokio::time::timeout(DELIVERY_DEADLINE, self.run(Errand::Greeting)).await;
        reached.unwrap_or_else(|_| {
            Err(DeliveryError {
                fix: NOT_REACHED,
                ..DeliveryError::for_now(format!("no answer within {DELIVERY_DEADLINE:?}"))
            })
        })
    }

    async fn run(&self, errand: Errand<'_>) -> Result<(), DeliveryError> {
        let MailReceiver {
            host,
            port,
            security,
            login,
            ca_file,
            ..
        } = &self.receiver;
        let guard = match security {
            MailSecurity::Plain => Guard::Plain,
            MailSecurity::StartTls => Guard::StartTls(trust(ca_file.as_deref()).await?),
            MailSecurity::Tls => Guard::Tls(trust(ca_file.as_deref()).await?),
        };
        let login = match login {
            None => None,
            Some((user, file)) => line_of(Some(file), "sink.password_file").await?.map(|password| Login {
                user: user.clone(),
                password,
            }),
        };
        let server = Server {
            host,
            port: *port,
            guard,
        };
        let done = smtp::run(server, login.as_ref(), errand).await;
        done.map_err(|error| refused(&error, login.as_ref()))
    }

    /// The mail: its id is the message's, so that one that comes again is known.
    fn mail(&self, message: &Message) -> Result<Mail, DeliveryError> {
        let mut mail = Mail::builder()
            .from(self.receiver.from.clone())
            .subject(harmless(&message.title, 200))
            .date(SystemTime::now())
            .message_id(Some(format!("<{}@steadfast>", message.id)));
        for to in &self.receiver.to {
            mail = mail.to(to.clone());
        }
        mail.body(message.body.clone())
            .map_err(|error| DeliveryError::for_now(error_chain(&error)))
    }
}

const NOT_REACHED: &str = "correct sink.url, or let this machine reach it; smtps:// is TLS from the first byte (mostly port 465), \
                           smtp:// begins with STARTTLS (mostly 587)";

async fn trust(ca_file: Option<&Path>) -> Result<Trust, DeliveryError> {
    Trust::read(ca_file).await.map_err(|error| DeliveryError {
        fix: "name the PEM file of the authority that signed the server's certificate",
        ..DeliveryError::for_now(format!("sink.ca_file: {}", error_chain(&error)))
    })
}

/// What a server's refusal means. Most are about who we are or whom we write to, and somebody mends them; a mail that is too large,
/// or that a filter refuses, is refused for what it is.
fn refused(error: &SmtpError, login: Option<&Login>) -> DeliveryError {
    let refusal = match error.code() {
        Some(552 | 554) => Refusal::OfTheEvent,
        Some(_) | None => Refusal::ForNow,
    };
    let mut kept = Kept::default();
    if let Some(login) = login {
        kept.word(login.password.expose_secret());
    }
    DeliveryError {
        message: harmless(&kept.hush(&error_chain(error)), SAID).into_owned(),
        retry_after: None,
        refusal,
        fix: fix(error),
    }
}

fn fix(error: &SmtpError) -> &'static str {
    const SERVER: &str = "look into the server's own log; events wait in the journal, for sink.max_age";
    match error {
        SmtpError::Refused { reply, .. } => match reply.code {
            530 | 534 | 535 | 538 => "compare sink.username and sink.password_file with what the server knows",
            550 | 551 | 553 | 501 | 503 => "compare sink.from and sink.to with whom the server takes mails of and for",
            552 | 554 => "look into the server's own log for why it refuses such mails",
            _ => SERVER,
        },
        SmtpError::Tls(error) if is_of_a_certificate(error) => {
            "name the authority of the server's certificate in sink.ca_file, and its own name in sink.url"
        }
        SmtpError::Tls(_)
        | SmtpError::Unreached(_)
        | SmtpError::Stranger
        | SmtpError::Closed
        | SmtpError::NoStartTls => NOT_REACHED,
        SmtpError::Endless | SmtpError::Broken(_) => SERVER,
        SmtpError::Injected => "look into who answers between this machine and the server",
        SmtpError::NoLogin => {
            "take sink.username and sink.password_file away if the server wants no login, or have it offer one"
        }
        SmtpError::Lacks(_) => "write addresses in ASCII into sink.from and sink.to, or name a server that offers it",
    }
}

/// Whether a certificate is what failed, as one of an authority that nobody named.
fn is_of_a_certificate(error: &io::Error) -> bool {
    let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(of_tls, Some(rustls::Error::InvalidCertificate(_)))
}

#[async_trait]
impl Deliver for Mailer {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let mail = self.mail(message)?;
        self.run(Errand::Mail(mail.envelope(), &mail.formatted())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_comes_again_has_the_id_it_had() {
        let mailer = Mailer::new(MailReceiver {
            host: "127.0.0.1".to_owned(),
            port: 25,
            security: MailSecurity::Plain,
            login: None,
            ca_file: None,
            from: "Steadfast <steadfast@example.com>".parse().unwrap(),
            to: vec!["ann@example.com".parse().unwrap(), "bob@example.com".parse().unwrap()],
        });
        let message = Message {
            id: "store-7".to_owned(),
            title: "[FAILED] a/n/x\r\nBcc: eve@example.com".to_owned(),
            body: "it failed: größer".to_owned(),
            place: None,
            tells_of: Vec::new(),
        };
        let mail = String::from_utf8(mailer.mail(&message).unwrap().formatted()).unwrap();
        assert!(mail.contains("Message-ID: <store-7@steadfast>\r\n"), "{mail}");
        assert!(mail.contains("To: ann@example.com, bob@example.com\r\n"), "{mail}");
        assert!(
            !mail.contains("\r\nBcc:"),
            "a line's end in a title begins no header: {mail}"
        );
    }

    #[tokio::test]
    async fn a_server_that_quotes_what_it_was_shown_is_told_without_it() {
        use base64::Engine as _;
        use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "mail-canary\n").unwrap();
        for offer in ["PLAIN", "LOGIN"] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(async move {
                let mut client = BufReader::new(listener.accept().await.unwrap().0);
                client.write_all(b"220 hi\r\n").await.unwrap();
                let mut line = String::new();
                while client.read_line(&mut line).await.unwrap() > 0 {
                    let answer = match line.trim_end() {
                        "AUTH LOGIN" | "YW5u" => "334 go on\r\n".to_owned(),
                        ehlo if ehlo.starts_with("EHLO") => format!("250-x\r\n250 AUTH {offer}\r\n"),
                        shown => format!("535 5.7.8 bad: {shown}\r\n"),
                    };
                    client.write_all(answer.as_bytes()).await.unwrap();
                    line.clear();
                }
            });
            let mailer = Mailer::new(MailReceiver {
                host: "127.0.0.1".to_owned(),
                port,
                security: MailSecurity::Plain,
                login: Some(("ann".to_owned(), file.clone())),
                ca_file: None,
                from: "steadfast@example.com".parse().unwrap(),
                to: vec!["ann@example.com".parse().unwrap()],
            });
            let refused = mailer.reach().await.unwrap_err();
            let told = format!("{refused:?}");
            assert!(
                refused.message.contains("535 5.7.8 bad:") && refused.message.contains("(not shown)"),
                "{told}"
            );
            assert!(refused.fix.contains("password_file"), "{told}");
            let plain = base64::engine::general_purpose::STANDARD.encode("\0ann\0mail-canary");
            for secret in [
                "mail-canary",
                &plain[4..],
                &base64::engine::general_purpose::STANDARD.encode("mail-canary")[..12],
            ] {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_told_from_a_server_that_speaks_no_tls() {
        let fix_of = |error: rustls::Error| fix(&SmtpError::Tls(io::Error::new(io::ErrorKind::InvalidData, error)));
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert!(fix_of(unknown).contains("sink.ca_file"));
        // As of a server that speaks no TLS before STARTTLS.
        let plain = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        assert_eq!(fix_of(plain), NOT_REACHED);
    }
}
