//! A mail server as `sink test` and `doctor` see it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::command::run;

/// A mail server that takes mails for all but `gone@example.com`.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|client| drop(client.and_then(serve))));
    address
}

fn serve(mut client: TcpStream) -> std::io::Result<()> {
    write!(client, "220 hi\r\n")?;
    let mut is_mail = false;
    for line in BufReader::new(client.try_clone()?).lines() {
        let answer = match line?.as_str() {
            "." => {
                is_mail = false;
                "250 taken\r\n"
            }
            _ if is_mail => "",
            "DATA" => {
                is_mail = true;
                "354 go on\r\n"
            }
            "RCPT TO:<gone@example.com>" => "550 5.1.1 nobody of that name\r\n",
            _ => "250 ok\r\n",
        };
        client.write_all(answer.as_bytes())?;
    }
    Ok(())
}

#[test]
fn whom_the_server_takes_no_mail_for_is_named_and_the_others_get_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let address = server();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[sink]]\nkind = \"email\"\nname = \"mail\"\nurl = \"smtp://{address}\"\ninsecure = true\n\
         from = \"a@example.com\"\nto = [\"gone@example.com\", \"ann@example.com\"]\n"
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let tested = run(folder.path(), &["sink", "test", "mail"]);
    assert_eq!(tested.code, Some(0), "{}{}", tested.out, tested.err);
    assert_eq!(tested.out, format!("smtp://{address} took the test message\n"));
    assert!(
        tested.err.contains("gone@example.com: 550 5.1.1 nobody of that name") && !tested.err.contains("ann@"),
        "{}",
        tested.err
    );
    let examined = run(folder.path(), &["doctor"]);
    assert!(
        examined
            .out
            .contains("answers to NOOP; `steadfast sink test mail` shows whether it takes mails"),
        "{}",
        examined.out
    );
}
