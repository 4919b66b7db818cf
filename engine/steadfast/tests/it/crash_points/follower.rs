//! One who follows the event stream, and comes again with the last id when it breaks off.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// An event of the stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    /// The id, which is the journal's sequence.
    pub id: i64,
    pub data: Value,
}

/// What was received, over all connections.
#[derive(Clone, Default)]
pub struct Follower(Arc<Mutex<Vec<Event>>>);

impl Follower {
    /// Goes on behind the last event, until the server is gone.
    pub fn follow(&self, server: &str) {
        let last = self.received().last().map_or(0, |event| event.id);
        let store = self
            .received()
            .last()
            .map(|event| event.data["store"].as_str().unwrap().to_owned());
        let store = store.map_or(String::new(), |store| format!("&store={store}"));
        let (address, events) = (server.trim_start_matches("http://").to_owned(), Arc::clone(&self.0));
        // It ends with the server.
        thread::spawn(move || drop(read(&address, &format!("/api/v1/events?after={last}{store}"), &events)));
    }

    pub fn received(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

/// In HTTP/1.0, whose bodies have no frames of their own.
fn read(address: &str, path: &str, events: &Mutex<Vec<Event>>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n")?;
    let (mut name, mut id) = (String::new(), None);
    for line in BufReader::new(stream).lines() {
        let line = line?;
        match line.split_once(": ") {
            Some(("event", text)) => text.clone_into(&mut name),
            Some(("id", text)) => id = text.parse().ok(),
            Some(("data", text)) => {
                let event = Event {
                    name: std::mem::take(&mut name),
                    id: id.take().unwrap(),
                    data: serde_json::from_str(text)?,
                };
                events.lock().unwrap().push(event);
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// The body of the answer; `None` if the server dies before it has given one.
pub fn ask(server: &str, method: &str, path: &str) -> Option<Value> {
    let address = server.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nhost: {address}\r\ncontent-length: 0\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}
