//! HTTP/1.1 on one connection: just enough for clients that ask with GET and read whole or chunked bodies.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::link::{Connection, Loss};
use crate::reply::{Reply, Serve};

/// The longest head and body of a request, in bytes.
const LONGEST: u64 = 64 << 10;

/// Why a connection is served no longer.
enum End {
    /// It is held open and carries nothing.
    Silent,
    /// It is closed.
    Closed,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve(stream: TcpStream, connection: Connection, server: Arc<dyn Serve>) {
    let mut stream = BufReader::new(stream);
    let end = tokio::select! {
        biased;
        loss = connection.lost() => match loss {
            Loss::Silent => End::Silent,
            Loss::Reset => End::Closed,
        },
        end = answer_all(&mut stream, server.as_ref()) => end,
    };
    match end {
        End::Closed => {
            // An abort, as a killed process leaves it. A socket that is gone already needs none.
            drop(stream.get_ref().set_zero_linger());
        }
        End::Silent => {
            // Read and forgotten, so that the client notices nothing.
            let mut sink = tokio::io::sink();
            drop(tokio::io::copy(&mut stream, &mut sink).await);
        }
    }
}

async fn answer_all(stream: &mut BufReader<TcpStream>, server: &dyn Serve) -> End {
    loop {
        if let Err(end) = answer_one(stream, server).await {
            return end;
        }
    }
}

async fn answer_one(stream: &mut BufReader<TcpStream>, server: &dyn Serve) -> Result<(), End> {
    let request = read(stream).await?;
    match server.handle(request).await {
        Reply::Full(response) => Ok(write(stream, response).await?),
        Reply::Silence => Err(End::Silent),
        Reply::Hangup => Err(End::Closed),
        Reply::Lines(mut lines) => {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            stream.flush().await?;
            loop {
                // The client's end of the stream is noticed too, or a watch to which nothing happens would stay.
                let line = tokio::select! {
                    biased;
                    line = lines.next() => line,
                    gone = stream.fill_buf() => {
                        if gone?.is_empty() {
                            return Err(End::Closed);
                        }
                        lines.next().await
                    }
                };
                match line {
                    Some(line) => {
                        stream.write_all(format!("{:x}\r\n", line.len()).as_bytes()).await?;
                        stream.write_all(&line).await?;
                        stream.write_all(b"\r\n").await?;
                        stream.flush().await?;
                    }
                    None => {
                        stream.write_all(b"0\r\n\r\n").await?;
                        stream.flush().await?;
                        return Ok(());
                    }
                }
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Request<()>> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let first = line(stream).await?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().ok_or_else(broken)?);
    let mut length = 0;
    loop {
        let header = line(stream).await?;
        if header.is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(|_| broken())?;
        }
    }
    if length > LONGEST {
        return Err(broken());
    }
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body).await?;
    Request::builder()
        .method(method)
        .uri(target)
        .body(())
        .map_err(|_| broken())
}

async fn line(stream: &mut (impl AsyncBufReadExt + AsyncRead + Unpin)) -> io::Result<String> {
    let mut line = String::new();
    if stream.take(LONGEST).read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

async fn write(stream: &mut BufReader<TcpStream>, response: Response<Bytes>) -> io::Result<()> {
    let (head, body) = response.into_parts();
    let mut text = format!("HTTP/1.1 {}\r\nContent-Length: {}\r\n", head.status, body.len());
    for (name, value) in &head.headers {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    text += "\r\n";
    stream.write_all(text.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.flush().await
}
