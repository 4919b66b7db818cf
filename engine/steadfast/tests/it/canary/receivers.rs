//! Receivers that quote what they were shown, and one whose answer does not end.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::{CANARY, PERCENT, World};

/// A receiver by HTTP, and a proxy, that answers with all that it was shown, in the words of a robot.
fn quotes_by_http() -> SocketAddr {
    answers(|mut client| {
        let mut shown = String::new();
        let mut request = BufReader::new(client.try_clone()?);
        while request.read_line(&mut shown)? > 2 {}
        // A connection that is closed on what was not read yet is broken off.
        let length = shown.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
        request.read_exact(&mut body)?;
        // The token without its scheme, too.
        let words: Vec<&str> = shown.split_whitespace().collect();
        let (status, said) = if shown.contains("/robot") {
            let line = shown.lines().next();
            (
                "200 OK",
                serde_json::json!({"errcode": 1, "code": 1, "errmsg": line, "msg": line}).to_string(),
            )
        } else {
            ("401 No", serde_json::json!({"error": words}).to_string())
        };
        let length = said.len();
        write!(
            client,
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{said}"
        )
    })
}

/// A mail server that offers this way to log in, and answers with what it was shown.
fn quotes_by_smtp(offer: &'static str) -> SocketAddr {
    answers(move |mut client| {
        write!(client, "220 hi\r\n")?;
        for line in BufReader::new(client.try_clone()?).lines() {
            match line? {
                ehlo if ehlo.starts_with("EHLO") => write!(client, "250-x\r\n250 AUTH {offer}\r\n")?,
                login if login == "AUTH LOGIN" || login == "YW5u" => write!(client, "334 go on\r\n")?,
                shown => write!(client, "535 wrong: {shown}\r\n")?,
            }
        }
        Ok(())
    })
}

fn answers(answer: impl Fn(TcpStream) -> std::io::Result<()> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Who goes away in the middle is none of its business.
    thread::spawn(move || listener.incoming().for_each(|client| drop(client.and_then(&answer))));
    address
}

#[test]
fn no_receiver_that_quotes_what_it_was_shown_makes_it_told() {
    let world = World::new();
    let http = quotes_by_http();
    let mut config = String::from("[server]\nlisten = \"127.0.0.1:0\"\n");
    let mut names = Vec::new();
    let mut sink = |name: &'static str, kind: &str, keys: &str| {
        write!(config, "[[sink]]\nkind = \"{kind}\"\nname = \"{name}\"\n{keys}\n").unwrap();
        names.push(name);
    };
    sink(
        "am",
        "alertmanager",
        &format!("url = \"http://{http}/x\"\nheaders = {{ \"Authorization\" = \"Token {CANARY}\" }}"),
    );
    sink(
        "am-token",
        "alertmanager",
        &format!("url = \"http://{http}/{PERCENT}?key={PERCENT}\"\ntoken_file = \"token\""),
    );
    sink(
        "am-user",
        "alertmanager",
        &format!("url = \"http://ann:{CANARY}@{http}\""),
    );
    sink(
        "am-proxy",
        "alertmanager",
        &format!("url = \"http://nobody.invalid/\"\nproxy = \"http://ann:{CANARY}@{http}\""),
    );
    // Slack says no by its status, the others in what they answer.
    for (kind, path) in [
        ("slack", "services"),
        ("dingtalk", "robot"),
        ("wecom", "robot"),
        ("feishu", "robot"),
    ] {
        sink(
            kind,
            kind,
            &format!("url = \"http://{http}/{path}/{PERCENT}?access_token={PERCENT}\""),
        );
    }
    for (name, offer) in [("mail-plain", "PLAIN"), ("mail-login", "LOGIN")] {
        let server = quotes_by_smtp(offer);
        sink(
            name,
            "email",
            &format!(
                "url = \"smtp://{server}\"\ninsecure = true\nusername = \"ann\"\npassword_file = \"password\"\n\
                 from = \"a@example.com\"\nto = \"b@example.com\""
            ),
        );
    }
    world.write("config.toml", &config);
    for name in names {
        let tested = world.run(&["sink", "test", name]);
        assert_eq!(tested.code, Some(1), "{name}: {}{}", tested.out, tested.err);
        assert!(tested.out.contains("(not shown)"), "{name}: {}", tested.out);
    }
}

#[test]
fn a_mail_server_whose_answer_does_not_end_is_left_by_test_and_doctor() {
    let world = World::new();
    let server = answers(|mut client| {
        loop {
            client.write_all(&b"220-a\r\n".repeat(1000))?;
        }
    });
    let sink = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[sink]]\nkind = \"email\"\nname = \"mail\"\nurl = \"smtp://{server}\"\ninsecure = true\n\
         from = \"a@example.com\"\nto = \"b@example.com\"\n"
    );
    world.write("config.toml", &sink);
    for arguments in [&["sink", "test", "mail"][..], &["doctor"]] {
        let ended = world.run(arguments);
        assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
        assert!(
            ended.out.contains("an answer of the server goes on beyond"),
            "{}",
            ended.out
        );
    }
}
