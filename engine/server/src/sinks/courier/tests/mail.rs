//! Mails, whose servers take their time.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::sinks::{MailReceiver, MailSecurity, Mailer};

/// A server that answers to the end of a mail that much later, and how many it has seen.
async fn slow_server(pause: Duration) -> (Mailer, Arc<AtomicU32>) {
    let dots = Arc::new(AtomicU32::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailer = Mailer::new(
        MailReceiver {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
            security: MailSecurity::Plain,
            login: None,
            ca_file: None,
            from: "steadfast@example.com".parse().unwrap(),
            to: vec!["ann@example.com".parse().unwrap()],
        },
        "hook",
    );
    let seen = dots.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, pause, seen.clone()));
        }
    });
    (mailer, dots)
}

async fn serve(client: TcpStream, pause: Duration, dots: Arc<AtomicU32>) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    client.write_all(b"220 hi\r\n").await?;
    let (mut line, mut is_mail) = (String::new(), false);
    while client.read_line(&mut line).await? > 0 {
        let answer = match line.trim_end() {
            "." => {
                is_mail = false;
                dots.fetch_add(1, Ordering::SeqCst);
                sleep(pause).await;
                "250 taken\r\n"
            }
            _ if is_mail => "",
            "DATA" => {
                is_mail = true;
                "354 go on\r\n"
            }
            _ => "250 ok\r\n",
        };
        client.write_all(answer.as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_server_that_thinks_a_mail_over_gets_it_once() {
    let setup = Setup::new();
    let (mailer, dots) = slow_server(Duration::from_secs(12)).await;
    let courier = setup.begin("hook", None, Arc::new(mailer)).await;
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), rng));
    setup.transition(1).await;
    sleep(Duration::from_secs(120)).await;
    assert_eq!(dots.load(Ordering::SeqCst), 1);
    assert_eq!(setup.cursor().await, Some(Sequence(1)));
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_server_that_thinks_a_mail_over() {
    let setup = Setup::new();
    let (mailer, dots) = slow_server(Duration::from_secs(3600)).await;
    let courier = setup.begin("hook", None, Arc::new(mailer)).await;
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), rng));
    setup.transition(1).await;
    while dots.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    let stopped = Instant::now();
    setup.cancel.cancel();
    task.await.unwrap();
    assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
    assert_eq!(setup.cursor().await, Some(Sequence(0)));
}
