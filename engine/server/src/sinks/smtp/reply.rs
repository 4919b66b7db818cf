//! A server's answer to a command, read with an end.

use std::fmt;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use super::SmtpError;

/// How long an answer may be. RFC 5321 has lines of 512 bytes; a greeting that lists what a server offers has some twenty.
pub(super) const BYTES: u64 = 16 << 10;
pub(super) const LINES: usize = 64;

/// What a server says: a code, and a text in lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sinks) struct Reply {
    pub(in crate::sinks) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// The reply, if its code is one of those.
    pub(super) fn among(self, verb: &'static str, good: &[u16]) -> Result<Self, SmtpError> {
        if good.contains(&self.code) {
            Ok(self)
        } else {
            Err(SmtpError::Refused { verb, reply: self })
        }
    }

    /// Whether what was asked for may be done another time (RFC 5321, 4.2.1).
    pub(super) fn is_for_now(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Whether one more recipient is too many for this transaction (RFC 5321, 4.5.3.1.10; old servers say it with 552).
    pub(super) fn says_too_many(&self) -> bool {
        let is_said = |line: &String| {
            line.starts_with("4.5.3")
                || line.starts_with("5.5.3")
                || line.to_ascii_lowercase().contains("too many recipients")
        };
        matches!(self.code, 452 | 552) && self.lines.iter().any(is_said)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.lines
            .iter()
            .filter(|line| !line.is_empty())
            .try_for_each(|line| write!(f, " {line}"))
    }
}

/// Reads the next answer, and no more of it than an answer may have.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Reply, SmtpError> {
    let mut from = from.take(BYTES);
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let mut line = Vec::new();
        from.read_until(b'\n', &mut line).await.map_err(SmtpError::Broken)?;
        if !line.ends_with(b"\n") {
            return Err(if from.limit() == 0 {
                SmtpError::Endless
            } else {
                SmtpError::Closed
            });
        }
        let (code, is_last, text) = parse(&line).ok_or(SmtpError::Stranger)?;
        lines.push(text);
        if is_last {
            return Ok(Reply { code, lines });
        }
    }
    Err(SmtpError::Endless)
}

/// The code of a line, whether it is the answer's last, and its text.
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = line.trim_ascii_end();
    let (digits, rest) = line.split_at_checked(3)?;
    let is_code = digits.iter().all(u8::is_ascii_digit);
    let code: u16 = std::str::from_utf8(digits).ok().filter(|_| is_code)?.parse().ok()?;
    let (is_last, text) = match rest.split_first() {
        None => (true, rest),
        Some((b' ', text)) => (true, text),
        Some((b'-', text)) => (false, text),
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(text).trim().to_owned();
    (200..600).contains(&code).then_some((code, is_last, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(text: &str) -> Result<Reply, SmtpError> {
        read(&mut text.as_bytes()).await
    }

    #[tokio::test]
    async fn an_answer_has_a_code_and_lines() {
        let reply = of("250-mail.example\r\n250-AUTH PLAIN\n250 8BITMIME\r\nrest")
            .await
            .unwrap();
        assert_eq!(reply.code, 250);
        assert_eq!(reply.lines, ["mail.example", "AUTH PLAIN", "8BITMIME"]);
        assert_eq!(of("250\r\n").await.unwrap().to_string(), "250");
        assert_eq!(of("535 5.7.8 no\r\n").await.unwrap().to_string(), "535 5.7.8 no");
    }

    #[tokio::test]
    async fn what_is_none_or_has_no_end_is_an_error() {
        assert!(matches!(of("").await, Err(SmtpError::Closed)));
        assert!(matches!(of("220-a\r\n").await, Err(SmtpError::Closed)));
        for text in ["HTTP/1.1 400 Bad\r\n", "+20 a\r\n", "22\r\n", "220_a\r\n", "900 a\r\n"] {
            assert!(matches!(of(text).await, Err(SmtpError::Stranger)), "{text}");
        }
        assert!(matches!(of(&"220-a\r\n".repeat(65)).await, Err(SmtpError::Endless)));
        assert!(matches!(
            of(&format!("220 {}", "a".repeat(20_000))).await,
            Err(SmtpError::Endless)
        ));
        let long = format!("220-{}\r\n", "a".repeat(4_000)).repeat(5);
        assert!(matches!(of(&long).await, Err(SmtpError::Endless)));
    }
}
