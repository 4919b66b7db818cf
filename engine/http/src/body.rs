//! Bodies of answers, up to a limit.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// Why the body of an answer is not there.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It broke off.
    #[error("the answer broke off")]
    BrokenOff(#[source] reqwest::Error),
    /// It goes on and on.
    #[error("the answer holds more than {limit} bytes")]
    TooLarge {
        /// What it may hold, in bytes.
        limit: usize,
    },
}

/// The whole body of an answer that holds no more than `limit` bytes, decompressed. Of a longer one no more is read.
pub async fn whole(mut response: Response, limit: usize) -> Result<Bytes, BodyError> {
    let mut whole = BytesMut::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| BodyError::BrokenOff(error.without_url()))? else {
            return Ok(whole.freeze());
        };
        if whole.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge { limit });
        }
        whole.extend_from_slice(&chunk);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What comes of asking a server that sends this and then the same bytes for ever, if it is to.
    async fn asked(head: &'static str, forever: bool, limit: usize) -> Result<Bytes, BodyError> {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            drop(client.read(&mut [0; 1024]).await);
            drop(client.write_all(head.as_bytes()).await);
            while forever && client.write_all(&[b'a'; 4096]).await.is_ok() {}
        });
        let http = crate::client().no_proxy().build().unwrap();
        let response = http.get(format!("http://{address}/")).send().await.unwrap();
        let body = whole(response, limit).await;
        serving.abort();
        body
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_limit_and_no_further() {
        let short = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour";
        assert_eq!(asked(short, false, 4).await.unwrap(), "four");
        assert!(matches!(
            asked(short, false, 3).await,
            Err(BodyError::TooLarge { limit: 3 })
        ));
        let endless = "HTTP/1.1 200 OK\r\n\r\n";
        assert!(matches!(
            asked(endless, true, 1 << 20).await,
            Err(BodyError::TooLarge { .. })
        ));
        let broken = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour";
        assert!(matches!(asked(broken, false, 9).await, Err(BodyError::BrokenOff(_))));
    }
}
