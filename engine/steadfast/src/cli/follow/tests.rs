use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::cli::client::ServerOptions;

/// What an engine answers to a request.
enum Answer {
    /// A stream that ends.
    Stream(String),
    /// This version does not know `job`.
    Earlier,
    /// It is about to end.
    Ending,
    /// It knows the caller no more.
    Unauthorized,
    /// What it says of its store.
    Store(Value),
    /// This version does not know that path.
    NoSuchPath,
}

impl Answer {
    fn text(&self) -> String {
        let refused = |status: &str, body: Value| {
            let body = body.to_string();
            format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        match self {
            Self::Stream(events) => {
                format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}")
            }
            Self::Earlier => refused(
                "400 Bad Request",
                json!({ "parameter": "job", "detail": "`job` is not a parameter here; there are after, store, at" }),
            ),
            Self::Ending => refused("503 Service Unavailable", json!({ "detail": "it ends" })),
            Self::Unauthorized => refused("401 Unauthorized", json!({})),
            Self::NoSuchPath => refused("404 Not Found", json!({ "detail": "nothing is served there" })),
            Self::Store(store) => refused("200 OK", store.clone()),
        }
    }
}

/// An engine that answers one request after the other. Returns the paths that were asked for.
async fn engine(listener: TcpListener, answers: Vec<Answer>) -> Vec<String> {
    let mut asked = Vec::new();
    for answer in answers {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        while !request.contains("\r\n\r\n") {
            let mut bytes = [0; 1024];
            let read = client.read(&mut bytes).await.unwrap();
            request.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        asked.push(request.split(' ').nth(1).unwrap().to_owned());
        client.write_all(answer.text().as_bytes()).await.unwrap();
    }
    asked
}

fn event(sequence: u64) -> (serde_json::Value, Answer) {
    let data = json!({ "job": "local/default/orders", "sequence": sequence, "at": "2026-11-23T01:13:29.838Z", "store": "a b" });
    let text = format!(": alive\n\nid: {sequence}\nevent: update\ndata: {data}\n\n");
    (data, Answer::Stream(text))
}

/// What is heard of an engine of an earlier version, which does not say where its journal ends.
async fn heard(mut answers: Vec<Answer>) -> (Vec<Heard>, Vec<String>) {
    answers.insert(0, Answer::NoSuchPath);
    let (heard, mut asked) = heard_of(answers).await;
    assert_eq!(asked.remove(0), "/api/v1/store");
    (heard, asked)
}

/// What is heard of an engine that gives these answers, and in the end does not know the caller any more.
async fn heard_of(mut answers: Vec<Answer>) -> (Vec<Heard>, Vec<String>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    answers.push(Answer::Unauthorized);
    let engine = tokio::spawn(engine(listener, answers));
    let client = Client::new(&ServerOptions::at(&format!("http://{address}"))).unwrap();
    let mut events = Events::open(&client).await.unwrap();
    events.absence = Absence::new(Duration::from_millis(1));
    let mut heard = Vec::new();
    loop {
        match events.next().await {
            Ok(one) => heard.push(one),
            Err(Failure::Refused(_)) => return (heard, engine.await.unwrap()),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_engine_that_comes_back_is_asked_for_what_followed_the_last_event() {
    let ((first, told), (second, told_later)) = (event(7), event(8));
    // However often it refuses meanwhile.
    let (heard, asked) = heard(vec![
        told,
        Answer::Ending,
        Answer::Ending,
        Answer::Ending,
        Answer::Ending,
        Answer::Ending,
        told_later,
    ])
    .await;
    let name = "update".to_owned();
    assert_eq!(
        heard,
        [first, second].map(|data| Heard::Event {
            name: name.clone(),
            data
        })
    );
    let again = "/api/v1/events?after=7&store=a+b&at=2026-11-23T01%3A13%3A29.838Z&job=true";
    assert_eq!(asked[0], "/api/v1/events?job=true");
    assert!(asked[1..7].iter().all(|path| path == again), "{asked:#?}");
}

#[tokio::test]
async fn another_history_is_a_gap_and_so_is_a_restart_before_the_first_event() {
    let (_, told) = event(7);
    let reset = Answer::Stream("event: reset\ndata: {\"store\":\"b\",\"newest\":9}\n\n".to_owned());
    let (heard_of_another, asked) = heard(vec![told, reset]).await;
    assert_eq!(heard_of_another.last(), Some(&Heard::Gap));
    assert_eq!(asked.last().unwrap(), "/api/v1/events?after=9&store=b&job=true");
    let empty = || Answer::Stream(String::new());
    let (heard_of_none, asked) = heard(vec![empty(), empty()]).await;
    assert_eq!(heard_of_none, [Heard::Gap]);
    assert_eq!(asked[..2], ["/api/v1/events?job=true", "/api/v1/events?job=true"]);
}

#[tokio::test]
async fn an_engine_of_an_earlier_version_is_asked_for_events_without_jobs() {
    let (_, told) = event(7);
    let (heard, asked) = heard(vec![Answer::Earlier, told]).await;
    assert_eq!(heard.len(), 1);
    assert_eq!(asked[..2], ["/api/v1/events?job=true", "/api/v1/events"]);
    assert!(
        asked[2].starts_with("/api/v1/events?after=7") && !asked[2].contains("job="),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_engine_that_ends_before_the_first_event_is_asked_for_what_came_behind_its_journals_end() {
    let store = Answer::Store(json!({ "store": "a b", "newest": 6, "droppedUntil": 0 }));
    let empty = Answer::Stream(String::new());
    let (data, told) = event(7);
    let (heard, asked) = heard_of(vec![store, empty, Answer::Ending, told]).await;
    let name = "update".to_owned();
    assert_eq!(heard, [Heard::Event { name, data }]);
    let behind = "/api/v1/events?after=6&store=a+b&job=true";
    assert_eq!(asked[..4], ["/api/v1/store", behind, behind, behind]);
}

#[tokio::test]
async fn one_that_does_not_read_moves_no_place_since_its_time_is_not_the_entrys() {
    let (_, told) = event(7);
    let data = json!({ "job": "a/b/c", "sequence": 8, "at": "2026-11-23T01:14:00Z", "store": "a b", "why": "damaged" });
    let unreadable = Answer::Stream(format!("id: 8\nevent: unreadable\ndata: {data}\n\n"));
    let (heard, asked) = heard(vec![told, unreadable]).await;
    assert_eq!(heard.len(), 2);
    assert!(asked.last().unwrap().contains("after=7&"), "{asked:?}");
}
