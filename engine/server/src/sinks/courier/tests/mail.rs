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

/// A server that takes mails for all but some, as it is told, and what it took: for whom, and under which id.
#[derive(Default)]
struct Office {
    refuses: Mutex<Option<(&'static str, &'static str)>>,
    got: Mutex<Vec<(String, String)>>,
}

impl Office {
    async fn open(self: Arc<Self>) -> Mailer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = MailReceiver {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
            security: MailSecurity::Plain,
            login: None,
            ca_file: None,
            from: "steadfast@example.com".parse().unwrap(),
            to: ["ann@example.com", "bob@example.com"]
                .map(|to| to.parse().unwrap())
                .into(),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let office = Arc::clone(&self);
                tokio::spawn(async move { office.serve(client).await });
            }
        });
        Mailer::new(receiver, "hook")
    }

    async fn serve(&self, client: TcpStream) -> std::io::Result<()> {
        let mut client = BufReader::new(client);
        client.write_all(b"220 hi\r\n").await?;
        let (mut line, mut to, mut id, mut is_mail) = (String::new(), Vec::new(), String::new(), false);
        while client.read_line(&mut line).await? > 0 {
            let said = line.trim_end();
            let refused = self.refuses.lock().unwrap().filter(|(whom, _)| said.contains(whom));
            let answer = match (said, refused) {
                (".", _) => {
                    is_mail = false;
                    let mut got = self.got.lock().unwrap();
                    got.extend(to.drain(..).map(|to| (to, id.clone())));
                    "250 taken"
                }
                (header, _) if is_mail => {
                    if let Some(said) = header.strip_prefix("Message-ID: ") {
                        id = said.to_owned();
                    }
                    ""
                }
                ("DATA", _) => {
                    is_mail = true;
                    "354 go on"
                }
                (_, Some((_, refusal))) => refusal,
                (said, None) => {
                    to.extend(said.strip_prefix("RCPT TO:").map(str::to_owned));
                    "250 ok"
                }
            };
            if !answer.is_empty() {
                client.write_all(format!("{answer}\r\n").as_bytes()).await?;
            }
            line.clear();
        }
        Ok(())
    }

    /// Which mails somebody got, in order.
    fn got(&self, who: &str) -> Vec<String> {
        let got = self.got.lock().unwrap();
        let got = got.iter().filter(|(to, _)| to.contains(who));
        got.map(|(_, id)| id.clone()).collect()
    }
}

async fn office(setup: &Setup) -> (Arc<Office>, JoinHandle<()>) {
    let office = Arc::<Office>::default();
    let mailer = Arc::clone(&office).open().await;
    let courier = setup.begin("hook", None, Arc::new(mailer)).await;
    let rng = StdRng::seed_from_u64(7);
    (
        office,
        tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), rng)),
    )
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_refused_for_now_gets_its_mails_later_and_the_others_theirs_once() {
    let setup = Setup::new();
    let (office, task) = office(&setup).await;
    *office.refuses.lock().unwrap() = Some(("bob", "450 4.2.0 greylisted"));
    for revision in 1..=3 {
        setup.transition(revision).await;
        sleep(Duration::from_secs(100)).await;
    }
    assert_eq!((office.got("ann").len(), office.got("bob").len()), (3, 0));
    let [sink] = &*setup.board.read() else {
        panic!("one sink")
    };
    assert!(sink.failing_since.is_some() && sink.waiting_since.is_some(), "{sink:?}");
    assert_eq!(setup.cursor().await, Some(Sequence(0)), "what waits would come again");
    *office.refuses.lock().unwrap() = None;
    sleep(Duration::from_secs(60)).await;
    setup.transition(4).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(office.got("ann").len(), 4);
    assert_eq!(office.got("bob"), office.got("ann"), "the same mails in the same order");
    let [sink] = &*setup.board.read() else {
        panic!("one sink")
    };
    assert_eq!(
        (&sink.waiting_since, &sink.failing_since, sink.dead_letters),
        (&None, &None, 0)
    );
    assert_eq!(setup.cursor().await, Some(Sequence(4)));
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_an_address_never_gets_is_given_up_by_its_name() {
    for refusal in ["452 4.2.2 mailbox full", "550 5.1.1 nobody"] {
        let setup = Setup {
            max_age: Duration::from_secs(600),
            ..Setup::new()
        };
        let (office, task) = office(&setup).await;
        *office.refuses.lock().unwrap() = Some(("bob", "451 4.3.0 later"));
        setup.transition(1).await;
        sleep(Duration::from_secs(30)).await;
        assert_eq!(office.got("ann").len(), 1);
        *office.refuses.lock().unwrap() = Some(("bob", refusal));
        sleep(Duration::from_secs(700)).await;
        let [sink] = &*setup.board.read() else {
            panic!("one sink")
        };
        let last = sink.last_dead_letter.clone().unwrap();
        assert_eq!((sink.dead_letters, last.sequence, &sink.waiting_since), (1, 1, &None));
        assert!(
            last.why.contains("bob@example.com") && last.why.contains(refusal),
            "{last:?}"
        );
        assert_eq!(setup.cursor().await, Some(Sequence(1)));
        assert_eq!(office.got("ann").len(), 1);
        setup.cancel.cancel();
        task.await.unwrap();
    }
}
