//! The few verbs of SMTP that it takes to hand a mail over.
//!
//! By hand, since whoever answers is not to be trusted: each answer is read a line at a time, each byte of it looked at once, and
//! none that is longer than any server's needs to be (`reply`). So no server can keep a thread, fill the memory, or outlast the
//! deadlines that stand here; a call may be dropped at any time. What a mail is, is made elsewhere.

mod reply;
mod tls;
mod transaction;

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::address::Envelope;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use reply::Reply;
pub(super) use tls::Trust;
pub(super) use transaction::LeftOut;

/// How long it may take until there is a connection.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long it may take until the server is ready for the mail, or has done what else it was asked for. Many let a client wait.
const SPEAKING: Duration = Duration::from_secs(60);
/// How long the mail may take, and the answer to it. A server that is left before may have taken it, and gets it once more; it
/// looks for viruses first, and RFC 5321 (4.5.3.2.6) asks for much patience.
const HANDING_OVER: Duration = Duration::from_secs(5 * 60);
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long an errand may take in all.
pub(super) const DEADLINE: Duration = SPEAKING.saturating_add(HANDING_OVER).saturating_add(FAREWELL);

const MAIL_FROM: &str = "MAIL FROM";
const RCPT_TO: &str = "RCPT TO";
/// What a server answers to behind the dot.
const THE_MAIL: &str = "the mail";

/// A server, and how the connection to it is guarded.
#[derive(Debug)]
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) guard: Guard,
}

/// How a connection is guarded.
#[derive(Debug)]
pub(super) enum Guard {
    /// TLS from the first byte.
    Tls(Trust),
    /// STARTTLS, and nothing is said without.
    StartTls(Trust),
    /// Not at all.
    Plain,
}

/// Who we are to a server.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: SecretString,
}

/// What a server is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Errand<'a> {
    /// That it is there, and knows us.
    Greeting,
    /// To take a mail, which stands there as it goes over the line but for dots at the beginning of lines.
    Mail(&'a Envelope, &'a [u8]),
}

/// Why an errand came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum SmtpError {
    /// There is no connection.
    #[error("the server is not reached")]
    Unreached(#[source] io::Error),
    /// There was no answer in time, and no mail on the way.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// There was no answer in time to the mail.
    #[error("no answer to the mail within {HANDING_OVER:?}; the server may have taken it all the same")]
    Unanswered,
    /// There is no encryption.
    #[error("TLS could not begin")]
    Tls(#[source] io::Error),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    /// The server ended it.
    #[error("the server closed the connection")]
    Closed,
    /// An answer is too long.
    #[error(
        "an answer of the server goes on beyond {} bytes or {} lines; no more of it is read",
        reply::BYTES,
        reply::LINES
    )]
    Endless,
    /// An answer is none.
    #[error("what answers there does not speak SMTP")]
    Stranger,
    /// The server does not encrypt.
    #[error("the server offers no STARTTLS, and nothing is sent without")]
    NoStartTls,
    /// Somebody wrote into the connection before it was encrypted.
    #[error("the server went on in plain text behind its answer to STARTTLS, as somebody between would")]
    Injected,
    /// It knows no way to log in that we know.
    #[error("the server offers neither AUTH PLAIN nor AUTH LOGIN")]
    NoLogin,
    /// It cannot take these addresses or this text.
    #[error("the server does not offer {0}, which the mail needs")]
    Lacks(&'static str),
    /// It refuses.
    #[error("the server answered {reply} to {verb}")]
    Refused {
        /// To what.
        verb: &'static str,
        /// With which words.
        reply: Reply,
    },
}

impl SmtpError {
    /// Whether the mail itself is refused, for what it is: for good behind its end, or for its size. What is refused before is
    /// about who we are or whom we write to, whatever the code.
    pub(super) fn is_of_the_mail(&self) -> bool {
        let Self::Refused { verb, reply } = self else {
            return false;
        };
        match *verb {
            THE_MAIL => (500..600).contains(&reply.code),
            MAIL_FROM => reply.code == 552,
            _ => false,
        }
    }

    /// The code with which the first of those whom the mail goes to is refused, where all are.
    pub(super) fn of_recipients(&self) -> Option<u16> {
        let Self::Refused { verb, reply } = self else {
            return None;
        };
        (*verb == RCPT_TO && reply.code != 421).then_some(reply.code)
    }
}

/// Does an errand on a connection of its own, within [`DEADLINE`]. Says who gets no mail, where others do.
pub(super) async fn run(
    server: Server<'_>,
    login: Option<&Login>,
    errand: Errand<'_>,
) -> Result<Vec<LeftOut>, SmtpError> {
    let until = Instant::now() + SPEAKING;
    let connecting = TcpStream::connect((server.host, server.port));
    let tcp = timeout(CONNECTING, connecting)
        .await
        .map_err(|_| SmtpError::Late(CONNECTING))?
        .map_err(SmtpError::Unreached)?;
    // Who we are: the address that we have on this connection, which needs no name that anybody knows (RFC 5321, 4.1.3).
    let us = match tcp.local_addr().map_err(SmtpError::Unreached)?.ip().to_canonical() {
        std::net::IpAddr::V4(address) => format!("[{address}]"),
        std::net::IpAddr::V6(address) => format!("[IPv6:{address}]"),
    };
    match server.guard {
        Guard::Plain => {
            let session = by(until, Session::greeted(tcp, &us)).await?;
            session.finish(login, errand, until).await
        }
        Guard::Tls(trust) => {
            let greeted = async { Session::greeted(trust.secure(server.host, tcp).await?, &us).await };
            by(until, greeted).await?.finish(login, errand, until).await
        }
        Guard::StartTls(trust) => {
            let greeted = async {
                let tcp = Session::greeted(tcp, &us).await?.ready_for_tls().await?;
                let tls = trust.secure(server.host, tcp).await?;
                // What it offered before may be anybody's word.
                Session::new(tls).introduced(&us).await
            };
            by(until, greeted).await?.finish(login, errand, until).await
        }
    }
}

/// What must be done by then, before there is a mail on the way.
async fn by<T>(until: Instant, done: impl Future<Output = Result<T, SmtpError>>) -> Result<T, SmtpError> {
    let done = timeout_at(until, done).await;
    done.unwrap_or(Err(SmtpError::Late(SPEAKING)))
}

/// What is said on one connection.
struct Session<S> {
    stream: BufReader<S>,
    /// What the server offers, in capitals.
    offers: Vec<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    fn new(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
            offers: Vec::new(),
        }
    }

    async fn greeted(stream: S, us: &str) -> Result<Self, SmtpError> {
        let mut session = Self::new(stream);
        session.answer().await?.among("the connection", &[220])?;
        session.introduced(us).await
    }

    async fn introduced(mut self, us: &str) -> Result<Self, SmtpError> {
        let reply = self.ask("EHLO", &format!("EHLO {us}"), &[250]).await?;
        self.offers = reply
            .lines
            .iter()
            .skip(1)
            .map(|line| line.to_ascii_uppercase())
            .collect();
        Ok(self)
    }

    /// Asks for encryption. All that comes after the answer is TLS.
    async fn ready_for_tls(mut self) -> Result<S, SmtpError> {
        if !self.offers("STARTTLS") {
            return Err(SmtpError::NoStartTls);
        }
        self.ask("STARTTLS", "STARTTLS", &[220]).await?;
        if !self.stream.buffer().is_empty() {
            return Err(SmtpError::Injected);
        }
        Ok(self.stream.into_inner())
    }

    async fn finish(
        mut self,
        login: Option<&Login>,
        errand: Errand<'_>,
        until: Instant,
    ) -> Result<Vec<LeftOut>, SmtpError> {
        let left_out = match errand {
            Errand::Greeting => {
                let greeted = async {
                    self.log_in(login).await?;
                    self.ask("NOOP", "NOOP", &[250]).await
                };
                by(until, greeted).await.map(|_| Vec::new())?
            }
            Errand::Mail(envelope, mail) => {
                by(until, self.log_in(login)).await?;
                self.send(envelope, mail, until).await?
            }
        };
        // What was asked for is done, whatever becomes of the farewell, so that no answer to it is waited for.
        drop(timeout(FAREWELL, self.say(b"QUIT\r\n")).await);
        Ok(left_out)
    }

    async fn log_in(&mut self, login: Option<&Login>) -> Result<(), SmtpError> {
        let Some(Login { user, password }) = login else {
            return Ok(());
        };
        let password = password.expose_secret();
        if self.offers_among("AUTH", "PLAIN") {
            let shown = STANDARD.encode(format!("\0{user}\0{password}"));
            self.ask("AUTH PLAIN", &format!("AUTH PLAIN {shown}"), &[235]).await?;
        } else if self.offers_among("AUTH", "LOGIN") {
            self.ask("AUTH LOGIN", "AUTH LOGIN", &[334]).await?;
            self.ask("AUTH LOGIN", &STANDARD.encode(user), &[334]).await?;
            self.ask("AUTH LOGIN", &STANDARD.encode(password), &[235]).await?;
        } else {
            return Err(SmtpError::NoLogin);
        }
        Ok(())
    }

    async fn ask(&mut self, verb: &'static str, line: &str, good: &[u16]) -> Result<Reply, SmtpError> {
        self.say(format!("{line}\r\n").as_bytes()).await?;
        self.answer().await?.among(verb, good)
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), SmtpError> {
        self.stream.write_all(bytes).await.map_err(SmtpError::Broken)?;
        self.stream.flush().await.map_err(SmtpError::Broken)
    }

    async fn answer(&mut self) -> Result<Reply, SmtpError> {
        reply::read(&mut self.stream).await
    }

    fn offers(&self, extension: &str) -> bool {
        self.offers
            .iter()
            .any(|offer| offer.split(' ').next() == Some(extension))
    }

    /// Whether it offers an extension with that parameter. Some old ones write `AUTH=`.
    fn offers_among(&self, extension: &str, parameter: &str) -> bool {
        self.offers.iter().any(|offer| {
            let mut words = offer.split([' ', '=']);
            words.next() == Some(extension) && words.any(|word| word == parameter)
        })
    }

    fn must_offer(&self, extension: &'static str) -> Result<(), SmtpError> {
        if self.offers(extension) {
            Ok(())
        } else {
            Err(SmtpError::Lacks(extension))
        }
    }
}

#[cfg(test)]
mod tests;
