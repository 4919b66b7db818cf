use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, SanType};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::transaction::dotted;
use super::*;

/// Longer than any of these takes, and shorter than one that goes on.
const SOON: Duration = Duration::from_secs(20);

fn envelope() -> Envelope {
    let from = "steadfast@example.com".parse().unwrap();
    Envelope::new(
        Some(from),
        vec!["ann@example.com".parse().unwrap(), "bob@example.com".parse().unwrap()],
    )
    .unwrap()
}

fn login() -> Login {
    Login {
        user: "ann".to_owned(),
        password: "pa55word".to_owned().into(),
    }
}

fn plain(port: u16) -> Server<'static> {
    Server {
        host: "127.0.0.1",
        port,
        guard: Guard::Plain,
    }
}

/// A server that writes one thing for ever, and says how many bytes of it were taken.
async fn flood(begins: &'static str, goes_on: &'static [u8]) -> (u16, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let flooding = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut sent = client.write(begins.as_bytes()).await.unwrap_or(0);
        let much = goes_on.repeat(4096);
        while let Ok(more) = client.write(&much).await {
            sent += more;
        }
        sent
    });
    (port, flooding)
}

/// A server that answers by this script, line for line, and hands back what it was told. Behind `354` it reads to the dot.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(stream: S, script: &[&str]) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut told = Vec::new();
    for answer in script {
        if stream.write_all(answer.as_bytes()).await.is_err() {
            break;
        }
        stream.flush().await.unwrap();
        let is_data = answer.starts_with("354");
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return told;
            }
            let is_end = line == ".\r\n";
            told.push(line.trim_end().to_owned());
            if !is_data || is_end {
                break;
            }
        }
    }
    drop(stream.read_to_end(&mut Vec::new()).await);
    told
}

async fn scripted(script: &'static [&'static str]) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let talking = tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        talk(client, script).await
    });
    (port, talking)
}

/// On one thread, which is never given back to a loop that does not wait: a reply that keeps it would fail the deadline.
#[tokio::test]
async fn a_server_whose_answer_does_not_end_is_left_at_once() {
    for (begins, goes_on) in [
        ("", &b"220-a\r\n"[..]),
        ("220-", b"a"),
        ("220 hi\r\n", b"250-a\r\n"),
        ("220 hi\r\n250-", b"a"),
    ] {
        let (port, flooding) = flood(begins, goes_on).await;
        let left = timeout(SOON, run(plain(port), None, Errand::Greeting)).await.unwrap();
        assert!(matches!(left, Err(SmtpError::Endless)), "{left:?}");
        // What the system buffers, and no more.
        let sent = timeout(SOON, flooding).await.unwrap().unwrap();
        assert!(sent < 32 << 20, "{sent}");
    }
}

#[tokio::test]
async fn a_mail_is_handed_over_line_for_line() {
    let (port, talking) = scripted(&[
        "220 hi\r\n",
        "250-mail.example\r\n250 AUTH LOGIN PLAIN\r\n",
        "235 yes\r\n",
        "250 from\r\n",
        "250 to\r\n",
        "251 to\r\n",
        "354 go on\r\n",
        "250 taken\r\n",
    ])
    .await;
    let mail = b"Subject: x\r\n\r\n.dot\nline\r\n..\r\n";
    let left_out = run(plain(port), Some(&login()), Errand::Mail(&envelope(), mail)).await;
    assert!(left_out.unwrap().is_empty());
    let told = talking.await.unwrap();
    assert_eq!(
        told,
        [
            "EHLO [127.0.0.1]",
            "AUTH PLAIN AGFubgBwYTU1d29yZA==",
            "MAIL FROM:<steadfast@example.com>",
            "RCPT TO:<ann@example.com>",
            "RCPT TO:<bob@example.com>",
            "DATA",
            "Subject: x",
            "",
            "..dot",
            "line",
            "...",
            ".",
            "QUIT",
        ]
    );
}

#[tokio::test]
async fn one_recipient_that_is_refused_does_not_silence_the_others() {
    for (ann, bob, refused) in [
        ("550 5.1.1 nobody\r\n", "250 to\r\n", "ann@example.com"),
        ("251 to\r\n", "452 4.2.2 full\r\n", "bob@example.com"),
    ] {
        let script = [
            "220 hi\r\n",
            "250 x\r\n",
            "250 from\r\n",
            ann,
            bob,
            "354 go on\r\n",
            "250 taken\r\n",
        ];
        let (port, talking) = scripted(script.to_vec().leak()).await;
        let left_out = run(plain(port), None, Errand::Mail(&envelope(), b"x")).await.unwrap();
        let told: Vec<(&str, bool)> = left_out.iter().map(|one| (one.to.as_str(), one.is_for_now)).collect();
        assert_eq!(told, [(refused, refused.starts_with("bob"))]);
        assert_eq!(talking.await.unwrap()[4..], ["DATA", "x", ".", "QUIT"]);
    }
}

#[tokio::test]
async fn those_who_are_too_many_get_it_in_another_transaction_at_once() {
    const TOO_MANY: &str = "452 4.5.3 Error: too many recipients\r\n";
    let begins = [
        "220 hi\r\n",
        "250 x\r\n",
        "250 from\r\n",
        "250 to\r\n",
        TOO_MANY,
        "354 go on\r\n",
        "250 taken\r\n",
    ];
    let goes_on = [
        &begins[..],
        &["250 from\r\n", "250 to\r\n", "354 go on\r\n", "250 taken\r\n"],
    ]
    .concat();
    let (port, talking) = scripted(goes_on.leak()).await;
    let left_out = run(plain(port), None, Errand::Mail(&envelope(), b"x")).await.unwrap();
    assert!(left_out.is_empty(), "{left_out:?}");
    let told = talking.await.unwrap();
    assert_eq!(
        told[3..],
        [
            "RCPT TO:<bob@example.com>",
            "DATA",
            "x",
            ".",
            "MAIL FROM:<steadfast@example.com>",
            "RCPT TO:<bob@example.com>",
            "DATA",
            "x",
            ".",
            "QUIT"
        ]
    );
    // What becomes of the second is not the first one's fault: she has it.
    for fails in ["452 4.5.3 still too many\r\n", "421 4.3.2 bye\r\n", ""] {
        let script = [&begins[..], &["250 from\r\n", fails]].concat();
        let script: Vec<&str> = script.into_iter().filter(|answer| !answer.is_empty()).collect();
        let is_left = script.len() == begins.len() + 1;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: &'static [&'static str] = script.leak();
        tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            let mut client = BufReader::new(client);
            for answer in script {
                client.write_all(answer.as_bytes()).await.unwrap();
                let mut line = String::new();
                while client.read_line(&mut line).await.unwrap() > 0 && answer.starts_with("354") && line != ".\r\n" {
                    line.clear();
                }
            }
        });
        let left_out = run(plain(port), None, Errand::Mail(&envelope(), b"x")).await.unwrap();
        let told: Vec<(&str, bool)> = left_out.iter().map(|one| (one.to.as_str(), one.is_for_now)).collect();
        assert_eq!(told, [("bob@example.com", true)], "{fails:?}");
        assert_eq!(left_out[0].why.contains("closed"), is_left, "{left_out:?}");
    }
}

#[tokio::test]
async fn recipients_who_are_all_refused_and_a_login_that_is_refused_are_told_with_their_codes() {
    for last in ["550 5.1.1 nor him\r\n", "452 4.2.2 full\r\n"] {
        let script = ["220 hi\r\n", "250 x\r\n", "250 from\r\n", "550 5.1.1 nobody\r\n", last];
        let (port, talking) = scripted(script.to_vec().leak()).await;
        let refused = run(plain(port), None, Errand::Mail(&envelope(), b"x"))
            .await
            .unwrap_err();
        assert_eq!(refused.to_string(), "the server answered 550 5.1.1 nobody to RCPT TO");
        assert!(!talking.await.unwrap().contains(&"DATA".to_owned()));
    }
    let leaves = ["220 hi\r\n", "250 x\r\n", "250 from\r\n", "421 4.3.2 bye\r\n"];
    let (port, _talking) = scripted(leaves.to_vec().leak()).await;
    let left = run(plain(port), None, Errand::Mail(&envelope(), b"x")).await;
    assert_eq!(
        left.unwrap_err().to_string(),
        "the server answered 421 4.3.2 bye to RCPT TO"
    );
    let (port, talking) = scripted(&[
        "220 hi\r\n",
        "250-x\r\n250 AUTH LOGIN\r\n",
        "334 VXNlcm5hbWU6\r\n",
        "334 UGFzc3dvcmQ6\r\n",
        "535 no\r\n",
    ])
    .await;
    let refused = run(plain(port), Some(&login()), Errand::Greeting).await.unwrap_err();
    assert!(matches!(refused, SmtpError::Refused { reply, .. } if reply.code == 535));
    assert_eq!(talking.await.unwrap()[1..], ["AUTH LOGIN", "YW5u", "cGE1NXdvcmQ="]);
    let (port, talking) = scripted(&["220 hi\r\n", "250-x\r\n250 AUTH GSSAPI\r\n"]).await;
    let refused = run(plain(port), Some(&login()), Errand::Greeting).await.unwrap_err();
    assert!(matches!(refused, SmtpError::NoLogin));
    assert_eq!(
        talking.await.unwrap().len(),
        1,
        "nothing is shown to whom it is of no use"
    );
}

#[tokio::test]
async fn a_server_that_asks_for_the_size_is_told_it() {
    let (port, talking) = scripted(&["220 hi\r\n", "250-x\r\n250 SIZE 10\r\n", "552 5.3.4 too large\r\n"]).await;
    let refused = run(plain(port), None, Errand::Mail(&envelope(), b"Subject: x\r\n\r\n"))
        .await
        .unwrap_err();
    assert!(refused.is_of_the_mail(), "{refused}");
    assert_eq!(talking.await.unwrap()[1], "MAIL FROM:<steadfast@example.com> SIZE=14");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_has_its_time_and_no_more() {
    let (port, _talking) = scripted(&[]).await;
    let left = run(plain(port), None, Errand::Greeting).await;
    assert!(matches!(left, Err(SmtpError::Late(SPEAKING))), "{left:?}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let _talking = tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let script = [
            "220 hi\r\n",
            "250 x\r\n",
            "250 a\r\n",
            "250 b\r\n",
            "250 c\r\n",
            "354 go on\r\n",
        ];
        talk(client, &script).await
    });
    let began = Instant::now();
    let left = run(plain(port), None, Errand::Mail(&envelope(), b"x")).await;
    assert!(matches!(left, Err(SmtpError::Unanswered)), "{left:?}");
    assert!(
        began.elapsed() >= HANDING_OVER && began.elapsed() <= DEADLINE,
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn what_a_mail_needs_and_a_server_lacks_is_named() {
    let (port, _talking) = scripted(&["220 hi\r\n", "250 x\r\n"]).await;
    let lacks = run(plain(port), None, Errand::Mail(&envelope(), "größer".as_bytes())).await;
    assert!(matches!(lacks, Err(SmtpError::Lacks("8BITMIME"))), "{lacks:?}");
}

/// A certificate for 127.0.0.1, who trusts it, and who shows it.
fn certified() -> (Trust, tokio_rustls::TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let server = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    (Trust::of(roots).unwrap(), std::sync::Arc::new(server).into())
}

#[tokio::test]
async fn nothing_is_said_before_starttls_and_all_is_offered_anew_behind_it() {
    let (trust, acceptor) = certified();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let talking = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut told = String::new();
        for answer in ["220 hi\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n"] {
            client.write_all(answer.as_bytes()).await.unwrap();
            if !answer.starts_with("220 go") {
                BufReader::new(&mut client).read_line(&mut told).await.unwrap();
            }
        }
        let tls = acceptor.accept(client).await.unwrap();
        // Behind the handshake the client speaks first.
        (
            told,
            talk(
                tls,
                &["", "250-x\r\n250 AUTH PLAIN\r\n", "235 yes\r\n", "250 there\r\n"],
            )
            .await,
        )
    });
    let server = Server {
        guard: Guard::StartTls(trust),
        ..plain(port)
    };
    run(server, Some(&login()), Errand::Greeting).await.unwrap();
    let (before, behind) = talking.await.unwrap();
    assert_eq!(before, "EHLO [127.0.0.1]\r\nSTARTTLS\r\n");
    assert_eq!(
        behind,
        ["EHLO [127.0.0.1]", "AUTH PLAIN AGFubgBwYTU1d29yZA==", "NOOP", "QUIT"]
    );
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_or_goes_on_in_plain_text_is_told_nothing() {
    let (trust, _) = certified();
    for (script, is_injected) in [
        (&["220 hi\r\n", "250-x\r\n250 AUTH PLAIN\r\n"][..], false),
        (
            &[
                "220 hi\r\n",
                "250-x\r\n250 STARTTLS\r\n",
                "220 go\r\n250 AUTH PLAIN\r\n",
            ],
            true,
        ),
    ] {
        let (port, talking) = scripted(script).await;
        let server = Server {
            guard: Guard::StartTls(trust.clone()),
            ..plain(port)
        };
        let left = run(server, Some(&login()), Errand::Greeting).await;
        let is_as_told = match left {
            Err(SmtpError::Injected) => is_injected,
            Err(SmtpError::NoStartTls) => !is_injected,
            Ok(_) | Err(_) => false,
        };
        assert!(is_as_told, "{left:?}");
        assert!(!talking.await.unwrap().iter().any(|line| line.starts_with("AUTH")));
    }
}

#[test]
fn lines_end_as_they_must_and_no_dot_ends_a_mail() {
    assert_eq!(dotted(b"a\n.\r\n"), b"a\r\n..\r\n.\r\n");
    assert_eq!(dotted(b".a"), b"..a\r\n.\r\n");
    assert_eq!(dotted(b""), b"\r\n.\r\n");
}
