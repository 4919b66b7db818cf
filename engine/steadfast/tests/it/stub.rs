//! A server of a few fixed answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::Value;

/// Serves what `reply` says to the first line of each request, one connection each, until the test ends.
pub fn serve(reply: impl Fn(&str) -> (u16, Value) + Send + 'static) -> SocketAddr {
    serve_asked(move |first, _| reply(first))
}

/// The same for who looks at bodies as well, null where there is none.
pub fn serve_asked(reply: impl Fn(&str, &Value) -> (u16, Value) + Send + 'static) -> SocketAddr {
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

/// The same for answers that are no documents, such as streams: what `reply` says goes out as it is, and the connection ends.
pub fn serve_raw(reply: impl Fn(&str) -> String + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = request.next().unwrap().unwrap();
            // The rest of a request without a body.
            request
                .by_ref()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .for_each(drop);
            drop(stream.write_all(reply(&first).as_bytes()));
        }
    });
    address
}

/// A document, as [`serve_raw`] takes it.
pub fn document(status: u16, body: &Value) -> String {
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nconnection: close\r\n");
    format!("{head}content-length: {}\r\n\r\n{body}", body.len())
}

fn answer(mut stream: TcpStream, reply: &impl Fn(&str, &Value) -> (u16, Value)) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut header = String::new();
    let mut length = 0;
    while request.read_line(&mut header)? > 2 {
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        header.clear();
    }
    let mut asked = vec![0; length];
    request.read_exact(&mut asked)?;
    let (status, body) = reply(&first, &serde_json::from_slice(&asked).unwrap_or_default());
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nconnection: close\r\n");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())
}
