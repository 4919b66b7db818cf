use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::sinks::message::Told;
use crate::sinks::testing::{entry, started};

fn receiver(port: u16) -> MailReceiver {
    MailReceiver {
        host: "127.0.0.1".to_owned(),
        port,
        security: MailSecurity::Plain,
        login: None,
        ca_file: None,
        from: "Steadfast <steadfast@example.com>".parse().unwrap(),
        to: vec!["ann@example.com".parse().unwrap(), "bob@example.com".parse().unwrap()],
    }
}

fn message(sequences: &[u64], body: &str) -> Message {
    let told = sequences
        .iter()
        .map(|sequence| Told::from(&entry(*sequence, "a/n/x", started())));
    Message {
        id: "store-7".to_owned(),
        title: "[FAILED] a/n/x\r\nBcc: eve@example.com".to_owned(),
        body: body.to_owned(),
        place: None,
        tells_of: told.collect(),
    }
}

fn written(mailer: &Mailer, message: &Message) -> String {
    String::from_utf8(mailer.mail(message).unwrap().formatted()).unwrap()
}

/// The text of a mail, as who reads it sees it.
fn read(mail: &str) -> String {
    use base64::Engine as _;
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let bytes = if head.contains("Content-Transfer-Encoding: base64") {
        let digits = body.replace("\r\n", "");
        base64::engine::general_purpose::STANDARD.decode(digits).unwrap()
    } else {
        assert!(head.contains("Content-Transfer-Encoding: quoted-printable"), "{head}");
        let body = body.replace("=\r\n", "");
        let mut parts = body.split('=');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        }
        bytes
    };
    String::from_utf8(bytes).unwrap().trim_end().to_owned()
}

#[test]
fn a_mail_says_what_it_is_and_reads_as_it_was_written() {
    let mailer = Mailer::new(receiver(25), "mail");
    for body in [
        "es schlägt fehl: größer als 3 = viel\r\nund noch eine Zeile",
        "作业失败：检查点超时\r\n请查看日志",
        &format!("{} größer", "a long line ".repeat(60)),
    ] {
        let mail = written(&mailer, &message(&[7], body));
        for line in [
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(mail.contains(&format!("{line}\r\n")), "{line}: {mail}");
        }
        assert!(mail.is_ascii(), "{mail}");
        assert_eq!(read(&mail), body);
    }
}

#[test]
fn a_mail_that_comes_again_has_the_id_it_had_and_no_other_mail_has_it() {
    let id_of = |sink: &str, sequences: &[u64]| {
        let mail = written(&Mailer::new(receiver(25), sink), &message(sequences, "x"));
        let ids = mail.lines().filter_map(|line| line.strip_prefix("Message-ID: "));
        ids.map(str::to_owned).next().unwrap()
    };
    let id = id_of("mail", &[7, 9]);
    assert!(id.starts_with("<store-7.") && id.ends_with("@steadfast>"), "{id}");
    assert_eq!(id, id_of("mail", &[7, 9]));
    for (sink, sequences) in [
        ("another", &[7, 9][..]),
        ("mail", &[7]),
        ("mail", &[7, 8]),
        ("mail", &[7, 9, 12]),
        ("mail", &[]),
    ] {
        assert_ne!(id, id_of(sink, sequences), "{sink} {sequences:?}");
    }
}

/// A server that answers by this script: line for line, and behind `354` to the dot.
async fn offered_to(script: &'static [&'static str]) -> Result<(), DeliveryError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailer = Mailer::new(receiver(listener.local_addr().unwrap().port()), "mail");
    tokio::spawn(async move {
        let mut client = BufReader::new(listener.accept().await.unwrap().0);
        for answer in script {
            client.write_all(answer.as_bytes()).await.unwrap();
            let mut line = String::new();
            while client.read_line(&mut line).await.unwrap() > 0 && answer.starts_with("354") && line != ".\r\n" {
                line.clear();
            }
        }
    });
    mailer.deliver(&message(&[7], "x")).await
}

#[tokio::test]
async fn only_what_is_said_of_the_mail_itself_is_of_the_event() {
    const HI: &str = "220 hi\r\n";
    const OK: &str = "250 ok\r\n";
    const GO_ON: &str = "354 go on\r\n";
    let of_the_event: [&[&str]; 5] = [
        &[HI, OK, OK, OK, OK, GO_ON, "550 5.7.1 spam\r\n"],
        &[HI, OK, OK, OK, OK, GO_ON, "552 5.3.4 too large\r\n"],
        &[HI, OK, OK, OK, OK, GO_ON, "554 5.6.0 no\r\n"],
        &[HI, OK, OK, OK, OK, GO_ON, "571 no\r\n"],
        &[HI, OK, "552 5.3.4 too large\r\n"],
    ];
    for script in of_the_event {
        let refused = offered_to(script).await.unwrap_err();
        assert_eq!(refused.refusal, Refusal::OfTheEvent, "{refused:?}");
        assert!(refused.fix.contains("such mails"), "{refused:?}");
    }
    let for_now: [&[&str]; 7] = [
        &["554 no service\r\n"],
        &[HI, "554 no\r\n"],
        &[HI, OK, "554 5.7.1 who are you\r\n"],
        &[HI, OK, OK, "554 5.7.1 relay denied\r\n", "554 5.7.1 relay denied\r\n"],
        &[HI, OK, OK, "552 5.2.2 mailbox full\r\n", "552 5.2.2 mailbox full\r\n"],
        &[HI, OK, OK, OK, OK, "554 no valid recipients\r\n"],
        &[HI, OK, OK, OK, OK, GO_ON, "451 4.3.0 later\r\n"],
    ];
    for script in for_now {
        let refused = offered_to(script).await.unwrap_err();
        assert_eq!(refused.refusal, Refusal::ForNow, "{refused:?}");
    }
    offered_to(&[HI, OK, OK, "550 5.1.1 nobody\r\n", OK, GO_ON, OK])
        .await
        .unwrap();
}

#[test]
fn a_title_begins_no_header() {
    let mail = written(&Mailer::new(receiver(25), "mail"), &message(&[7], "x"));
    assert!(mail.contains("To: ann@example.com, bob@example.com\r\n"), "{mail}");
    assert!(
        !mail.contains("\r\nBcc:"),
        "a line's end in a title begins no header: {mail}"
    );
}

#[tokio::test]
async fn a_server_that_quotes_what_it_was_shown_is_told_without_it() {
    use base64::Engine as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "mail-canary\n").unwrap();
    for offer in ["PLAIN", "LOGIN"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
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
        let login = Some(("ann".to_owned(), file.clone()));
        let mailer = Mailer::new(
            MailReceiver {
                login,
                ..receiver(port)
            },
            "mail",
        );
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
