use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::cli::client::ServerOptions;

/// An engine that answers one request after the other with the next of these streams, and ends each. Returns the
/// paths that were asked for.
async fn engine(listener: TcpListener, streams: Vec<String>) -> Vec<String> {
    let mut asked = Vec::new();
    for stream in streams {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        while !request.contains("\r\n\r\n") {
            let mut bytes = [0; 1024];
            let read = client.read(&mut bytes).await.unwrap();
            request.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        asked.push(request.split(' ').nth(1).unwrap().to_owned());
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        client.write_all(format!("{head}{stream}").as_bytes()).await.unwrap();
    }
    asked
}

fn event(sequence: u64) -> (serde_json::Value, String) {
    let data = json!({ "job": "local/default/orders", "sequence": sequence, "at": "2026-11-23T01:13:29.838Z", "store": "a b" });
    let text = format!("id: {sequence}\nevent: update\ndata: {data}\n\n");
    (data, text)
}

/// What is heard of an engine that ends these streams, until it is gone.
async fn heard(streams: Vec<String>) -> (Vec<Heard>, Vec<String>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let engine = tokio::spawn(engine(listener, streams));
    let client = Client::new(&ServerOptions::at(&format!("http://{address}"))).unwrap();
    let mut events = Events::open(&client).await.unwrap();
    // An engine that is not gone has a queue for connections, so that it need not be quick.
    events.pauses = [Duration::from_millis(1); 4];
    let mut heard = Vec::new();
    loop {
        match events.next().await {
            Ok(one) => heard.push(one),
            Err(Failure::Unreachable(_)) => return (heard, engine.await.unwrap()),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_engine_that_comes_back_is_asked_for_what_followed_the_last_event() {
    let ((first, told), (second, told_later)) = (event(7), event(8));
    let (heard, asked) = heard(vec![format!(": alive\n\n{told}"), told_later]).await;
    let name = "update".to_owned();
    assert_eq!(
        heard,
        [first, second].map(|data| Heard::Event {
            name: name.clone(),
            data
        })
    );
    assert_eq!(
        asked,
        [
            "/api/v1/events",
            "/api/v1/events?after=7&store=a+b&at=2026-11-23T01%3A13%3A29.838Z"
        ]
    );
}

#[tokio::test]
async fn another_history_is_a_gap_and_so_is_a_restart_before_the_first_event() {
    let (_, told) = event(7);
    let reset = "event: reset\ndata: {\"store\":\"b\",\"newest\":9}\n\n".to_owned();
    let (heard_of_another, _) = heard(vec![told, reset]).await;
    assert_eq!(heard_of_another.last(), Some(&Heard::Gap));
    let (heard_of_none, asked) = heard(vec![String::new(), String::new()]).await;
    assert_eq!(heard_of_none, [Heard::Gap]);
    assert_eq!(asked, ["/api/v1/events", "/api/v1/events"]);
}
