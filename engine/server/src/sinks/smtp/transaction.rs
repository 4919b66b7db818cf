//! One mail, in as many transactions as the server needs for whom it goes to.

use lettre::address::Envelope;
use steadfast_core::error_chain::error_chain;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};

use super::{HANDING_OVER, MAIL_FROM, RCPT_TO, Reply, SPEAKING, Session, SmtpError, THE_MAIL, by};

/// Somebody who got no mail, though others got it.
#[derive(Debug)]
pub(in crate::sinks) struct LeftOut {
    pub(in crate::sinks) to: String,
    /// What the server says of it.
    pub(in crate::sinks) why: String,
    /// It may take the mail another time.
    pub(in crate::sinks) is_for_now: bool,
}

/// For whom a server takes no mail in one transaction, though it takes it for others.
#[derive(Debug, Default)]
struct Refused {
    left_out: Vec<LeftOut>,
    /// They were too many for it, and it may take the mail in another one.
    beyond: Vec<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Hands a mail over, and says who does not get it. In the first transaction the server is to be ready for it by then; there
    /// are others where it takes only so many recipients with one. What becomes of those says nothing of who was served before.
    ///
    /// Fails if nobody gets it.
    pub(super) async fn send(
        &mut self,
        envelope: &Envelope,
        mail: &[u8],
        until: Instant,
    ) -> Result<Vec<LeftOut>, SmtpError> {
        let from = envelope.from().map(ToString::to_string).unwrap_or_default();
        let to = envelope.to().iter().map(ToString::to_string).collect();
        let end = until + HANDING_OVER;
        let Refused {
            mut left_out,
            mut beyond,
        } = self.transaction(&from, to, mail, until).await?;
        while !beyond.is_empty() {
            let until = end.min(Instant::now() + SPEAKING);
            let next = timeout_at(end, self.transaction(&from, beyond.clone(), mail, until)).await;
            match next.unwrap_or(Err(SmtpError::Unanswered)) {
                Ok(refused) => {
                    left_out.extend(refused.left_out);
                    beyond = refused.beyond;
                }
                Err(error) => {
                    let why = error_chain(&error);
                    left_out.extend(beyond.drain(..).map(|to| LeftOut {
                        to,
                        why: why.clone(),
                        is_for_now: true,
                    }));
                }
            }
        }
        Ok(left_out)
    }

    /// Fails if nobody gets the mail; so each serves one recipient at least.
    async fn transaction(
        &mut self,
        from: &str,
        to: Vec<String>,
        mail: &[u8],
        until: Instant,
    ) -> Result<Refused, SmtpError> {
        let refused = by(until, self.announce(from, to, mail)).await?;
        let handed_over = timeout(HANDING_OVER, self.hand_over(mail)).await;
        handed_over.unwrap_or(Err(SmtpError::Unanswered))?;
        Ok(refused)
    }

    /// Says from whom a mail is and for whom, up to where the server waits for it. It goes to those whom the server takes it for:
    /// one address that is no longer there must not silence all.
    async fn announce(&mut self, from: &str, to: Vec<String>, mail: &[u8]) -> Result<Refused, SmtpError> {
        let mut parameters = String::new();
        if !from.is_ascii() || to.iter().any(|to| !to.is_ascii()) {
            self.must_offer("SMTPUTF8")?;
            parameters.push_str(" SMTPUTF8");
        }
        if !mail.is_ascii() {
            self.must_offer("8BITMIME")?;
            parameters.push_str(" BODY=8BITMIME");
        }
        // Only who is told the size can refuse it here.
        if self.offers("SIZE") {
            parameters.push_str(&format!(" SIZE={}", mail.len()));
        }
        self.ask(MAIL_FROM, &format!("MAIL FROM:<{from}>{parameters}"), &[250])
            .await?;
        let (mut is_taken, mut refused, mut first) = (false, Refused::default(), None);
        for to in to {
            match self.ask(RCPT_TO, &format!("RCPT TO:<{to}>"), &[250, 251]).await {
                Ok(_) => is_taken = true,
                // With 421 it takes its leave.
                Err(SmtpError::Refused { reply, .. }) if reply.code != 421 => {
                    refused.add(to, &reply);
                    first.get_or_insert(reply);
                }
                Err(error) => return Err(error),
            }
        }
        if !is_taken && let Some(reply) = first {
            return Err(SmtpError::Refused { verb: RCPT_TO, reply });
        }
        self.ask("DATA", "DATA", &[354]).await?;
        Ok(refused)
    }

    async fn hand_over(&mut self, mail: &[u8]) -> Result<(), SmtpError> {
        self.say(&dotted(mail)).await?;
        self.answer().await?.among(THE_MAIL, &[250]).map(drop)
    }
}

impl Refused {
    fn add(&mut self, to: String, reply: &Reply) {
        if reply.says_too_many() {
            self.beyond.push(to);
        } else {
            self.left_out.push(LeftOut {
                to,
                why: reply.to_string(),
                is_for_now: reply.is_for_now(),
            });
        }
    }
}

/// A mail as it goes over the line, to its end: every line ends with CR LF, and one that begins with a dot with two.
pub(super) fn dotted(mail: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(mail.len() + 64);
    let body = mail.strip_suffix(b"\n").unwrap_or(mail);
    for line in body.split(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            sent.push(b'.');
        }
        sent.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b".\r\n");
    sent
}
