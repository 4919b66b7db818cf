use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::link::Link;
use crate::reply::{Reply, json};

/// Answers everything at once.
#[derive(Default)]
struct Ready(Link);

impl Serve for Ready {
    fn link(&self) -> &Link {
        &self.0
    }

    fn handle(&self, _: http::Request<()>) -> BoxFuture<'static, Reply> {
        Box::pin(async { json(200, &serde_json::json!({ "is": "here" })) })
    }
}

async fn ask(stream: &mut TcpStream) -> io::Result<String> {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await?;
    let mut text = vec![0; 4096];
    let read = stream.read(&mut text).await?;
    Ok(String::from_utf8_lossy(&text[..read]).into_owned())
}

/// Long enough for an answer on loopback, short enough for a test of silence.
const SOON: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_dropped_connection_stays_dead_after_the_heal_and_a_new_one_lives() {
    let server = Arc::new(Ready::default());
    let port = Port::open(Arc::clone(&server) as Arc<dyn Serve>).unwrap();
    let mut caught = TcpStream::connect(port.address()).await.unwrap();
    assert!(ask(&mut caught).await.unwrap().contains("200 OK"));

    server.link().set(Mode::Drop);
    let mut during = TcpStream::connect(port.address()).await.unwrap();
    assert!(timeout(SOON, ask(&mut caught)).await.is_err());
    assert!(timeout(SOON, ask(&mut during)).await.is_err());

    server.link().set(Mode::Carry);
    assert!(timeout(SOON, ask(&mut caught)).await.is_err());
    assert!(timeout(SOON, ask(&mut during)).await.is_err());
    let mut fresh = TcpStream::connect(port.address()).await.unwrap();
    assert!(ask(&mut fresh).await.unwrap().contains("\"here\""));
    port.close().await;
}

#[tokio::test]
async fn a_port_that_refuses_resets_what_is_open_and_keeps_its_number() {
    let server = Arc::new(Ready::default());
    let port = Port::open(Arc::clone(&server) as Arc<dyn Serve>).unwrap();
    let mut open = TcpStream::connect(port.address()).await.unwrap();
    assert!(ask(&mut open).await.is_ok());

    server.link().set(Mode::Refuse);
    let mut rest = Vec::new();
    assert!(
        open.read_to_end(&mut rest).await.is_err(),
        "a reset is an error, not an end"
    );
    let refused = TcpStream::connect(port.address()).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert!(
        std::net::TcpListener::bind(port.address()).is_err(),
        "nobody else gets the number"
    );

    server.link().set(Mode::Carry);
    let back = async {
        loop {
            if let Ok(mut stream) = TcpStream::connect(port.address()).await
                && ask(&mut stream).await.is_ok_and(|text| text.contains("200 OK"))
            {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), back).await.unwrap();
}
