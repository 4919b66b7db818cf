//! A server of a few fixed answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::Value;

/// Serves what `reply` says to the first line of each request, one connection each, until the test ends.
pub fn serve(reply: impl Fn(&str) -> (u16, Value) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that goes away in the middle is none of its business.
            drop(answer(stream.unwrap(), &reply));
        }
    });
    address
}

fn answer(mut stream: TcpStream, reply: &impl Fn(&str) -> (u16, Value)) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut header = String::new();
    while request.read_line(&mut header)? > 2 {
        header.clear();
    }
    let (status, body) = reply(&first);
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nconnection: close\r\n");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())
}
