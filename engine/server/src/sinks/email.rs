//! Mails over SMTP, each on a connection of its own: there are few, and the password may be another one by the next.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use lettre::address::Envelope;
use lettre::message::SinglePart;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::{Address, Message as Mail};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use steadfast_core::error_chain::error_chain;
use steadfast_core::foreign_text::harmless;
use tokio::time::{Instant, timeout};

use super::courier::TOLD_AGAIN;
use super::deliver::{DELIVERY_DEADLINE, Deliver, DeliveryError, NotYet, Refusal, Taken};
use super::message::Message;
use super::receiver::{MailReceiver, MailSecurity};
use super::secrets::{Kept, line_of};
use super::smtp::{self, Errand, Guard, LeftOut, Login, Server, SmtpError, Trust};

/// How much of what a server says is told.
const SAID: usize = 300;
/// How much of what it says of each whom it takes no mail for.
const SAID_OF_EACH: usize = 100;
/// How long one mail may take: what the server may, and the files that are read before.
const DEADLINE: Duration = smtp::DEADLINE.saturating_add(DELIVERY_DEADLINE);
/// How many digits of a digest tell mails apart.
const DIGEST: usize = 16;

/// Writes mails.
#[derive(Clone, Debug)]
pub struct Mailer {
    receiver: MailReceiver,
    sink: Arc<str>,
    /// When it was told last that somebody gets none.
    told: Arc<Mutex<Option<Instant>>>,
}

impl Mailer {
    /// Writes to that receiver what the sink of that name tells.
    pub fn new(receiver: MailReceiver, sink: &str) -> Self {
        Self {
            receiver,
            sink: sink.into(),
            told: Arc::default(),
        }
    }

    /// Whether it shows the server a user and a password.
    pub fn logs_in(&self) -> bool {
        self.receiver.login.is_some()
    }

    /// Greets the server, and logs in where the file says so; writes nothing.
    ///
    /// Fails with the reason.
    pub async fn reach(&self) -> Result<(), DeliveryError> {
        let reached = timeout(DEADLINE, self.run(Errand::Greeting)).await;
        reached.map_or_else(
            |_| Err(DeliveryError::for_now(format!("no answer within {DEADLINE:?}"))),
            |reached| reached.map(drop).map_err(|not_done| not_done.refused),
        )
    }

    /// Says who gets no mail, where others do.
    async fn run(&self, errand: Errand<'_>) -> Result<Vec<LeftOut>, NotDone> {
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
        let mut left_out = done.map_err(|error| NotDone::at(&error, login.as_ref()))?;
        for one in &mut left_out {
            one.why = hushed(&format!("{}: {}", one.to, one.why), login.as_ref(), SAID_OF_EACH);
        }
        Ok(left_out)
    }

    /// Whom a message goes to, but for those.
    fn recipients(&self, message: &Message, except: &[String]) -> Vec<Address> {
        let addresses = self.receiver.to.iter().map(|to| &to.email);
        let is_meant = |to: &&Address| {
            let only = message.place.as_deref();
            only.is_none_or(|only| only == to.to_string()) && !except.contains(&to.to_string())
        };
        addresses.filter(is_meant).cloned().collect()
    }

    /// Hands a mail over to those. Says who gets none, where others do.
    async fn send(&self, message: &Message, to: Vec<Address>) -> Result<Vec<LeftOut>, NotDone> {
        let mail = self.mail(message)?;
        let envelope = Envelope::new(Some(self.receiver.from.email.clone()), to)
            .map_err(|error| DeliveryError::for_now(error_chain(&error)))?;
        self.run(Errand::Mail(&envelope, &mail.formatted())).await
    }

    fn mail(&self, message: &Message) -> Result<Mail, DeliveryError> {
        let mut mail = Mail::builder()
            .from(self.receiver.from.clone())
            .subject(harmless(&message.title, 200))
            .date(SystemTime::now())
            .message_id(Some(self.message_id(message)))
            // So that nobody's absence is answered to it (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        for to in &self.receiver.to {
            mail = mail.to(to.clone());
        }
        mail.singlepart(SinglePart::plain(message.body.clone()))
            .map_err(|error| DeliveryError::for_now(error_chain(&error)))
    }

    /// The same each time that a mail comes again, and another one for another mail: of another sink, or of a first entry that is told
    /// together with others than before a stop. Who keeps one mail of each id loses none.
    fn message_id(&self, message: &Message) -> String {
        let mut digest = Sha256::new();
        digest.update(self.sink.as_bytes());
        for told in &message.tells_of {
            digest.update([0]);
            digest.update(told.sequence.0.to_be_bytes());
        }
        let mut digest = const_hex::encode(digest.finalize());
        digest.truncate(DIGEST);
        format!("<{}.{digest}@steadfast>", message.id)
    }

    fn tell_of(&self, left_out: &[LeftOut]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if left_out.is_empty() || told.is_some_and(|at| at.elapsed() < TOLD_AGAIN) {
            return;
        }
        *told = Some(Instant::now());
        let why: Vec<&str> = left_out.iter().map(|one| one.why.as_str()).collect();
        tracing::warn!(
            sink = &*self.sink,
            refused = left_out.len(),
            error = &*harmless(&why.join(", "), SAID),
            "the server takes no mail for some of sink.to, and the others got theirs; told once a minute at most"
        );
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

/// A mail that nobody got.
#[derive(Debug)]
struct NotDone {
    refused: DeliveryError,
    /// The code with which the server refused whom it goes to.
    of_recipients: Option<u16>,
}

impl From<DeliveryError> for NotDone {
    fn from(refused: DeliveryError) -> Self {
        Self {
            refused,
            of_recipients: None,
        }
    }
}

impl NotDone {
    fn at(error: &SmtpError, login: Option<&Login>) -> Self {
        Self {
            refused: refused(error, login),
            of_recipients: error.of_recipients(),
        }
    }

    /// What it means of a mail that goes to one address, while it was taken for others: the address does not take it now, or, if
    /// it is so again and again, never will.
    fn of_one(self, to: &str) -> DeliveryError {
        let Some(code) = self.of_recipients else {
            return self.refused;
        };
        DeliveryError {
            message: format!("{to}: {}", self.refused.message),
            refusal: if code < 500 {
                Refusal::OfThePlace
            } else {
                Refusal::OfTheEvent
            },
            ..self.refused
        }
    }
}

/// What a server's refusal means. Most are about who we are or whom we write to, and somebody mends them; a mail that is too large,
/// or that a filter refuses, is refused for what it is.
fn refused(error: &SmtpError, login: Option<&Login>) -> DeliveryError {
    DeliveryError {
        message: hushed(&error_chain(error), login, SAID),
        retry_after: None,
        refusal: if error.is_of_the_mail() {
            Refusal::OfTheEvent
        } else {
            Refusal::ForNow
        },
        fix: fix(error),
    }
}

/// What a server says, without what it was shown.
fn hushed(said: &str, login: Option<&Login>, most: usize) -> String {
    let mut kept = Kept::default();
    if let Some(login) = login {
        kept.word(login.password.expose_secret());
    }
    harmless(&kept.hush(said), most).into_owned()
}

fn fix(error: &SmtpError) -> &'static str {
    const SERVER: &str = "look into the server's own log; events wait in the journal, for sink.max_age";
    match error {
        SmtpError::Refused { .. } if error.is_of_the_mail() => {
            "look into the server's own log for why it refuses such mails"
        }
        SmtpError::Refused { reply, .. } => match reply.code {
            530 | 534 | 535 | 538 => "compare sink.username and sink.password_file with what the server knows",
            550..=554 | 501 | 503 => {
                "compare sink.from, sink.to and this machine's address with whom the server takes mails of and for"
            }
            _ => SERVER,
        },
        SmtpError::Tls(error) if is_of_a_certificate(error) => {
            "name the authority of the server's certificate in sink.ca_file, and its own name in sink.url"
        }
        SmtpError::Tls(_)
        | SmtpError::Unreached(_)
        | SmtpError::Late(_)
        | SmtpError::Stranger
        | SmtpError::Closed
        | SmtpError::NoStartTls => NOT_REACHED,
        SmtpError::Endless | SmtpError::Broken(_) | SmtpError::Unanswered => SERVER,
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
    fn deadline(&self) -> Duration {
        DEADLINE
    }

    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let left_out = self.send(message, self.recipients(message, &[])).await;
        self.tell_of(&left_out.map_err(|not_done| not_done.refused)?);
        Ok(())
    }

    async fn deliver_but(&self, message: &Message, except: &[String]) -> Result<Taken, DeliveryError> {
        let to = self.recipients(message, except);
        let not_by = |not_yet| Taken {
            is_by_some: false,
            not_yet,
        };
        if to.is_empty() {
            return Ok(not_by(Vec::new()));
        }
        let left_out = match (self.send(message, to.clone()).await, &message.place) {
            (Ok(left_out), _) => left_out,
            (Err(not_done), Some(only)) => return Err(not_done.of_one(only)),
            // Others wait for theirs: these do, too, and hold up nobody.
            (Err(not_done), None) if not_done.of_recipients.is_some() && !except.is_empty() => {
                let not_yet = to
                    .iter()
                    .map(|to| not_yet(to.to_string(), not_done.refused.message.clone()));
                return Ok(not_by(not_yet.collect()));
            }
            (Err(not_done), None) => return Err(not_done.refused),
        };
        let (later, never): (Vec<LeftOut>, Vec<LeftOut>) = left_out.into_iter().partition(|one| one.is_for_now);
        self.tell_of(&never);
        Ok(Taken {
            is_by_some: true,
            not_yet: later
                .into_iter()
                .map(|LeftOut { to, why, .. }| not_yet(to, why))
                .collect(),
        })
    }
}

fn not_yet(place: String, why: String) -> NotYet {
    NotYet {
        place,
        refused: DeliveryError {
            refusal: Refusal::OfThePlace,
            ..DeliveryError::for_now(why)
        },
    }
}

#[cfg(test)]
mod tests;
