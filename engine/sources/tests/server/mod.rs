//! An HTTP/1.1 server on loopback that can misbehave.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// From the head of a request to a whole response.
type Respond = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

#[derive(Default)]
struct Conduct {
    silent: AtomicBool,
    closes: AtomicBool,
    requests: AtomicUsize,
    protocol: Mutex<Option<Vec<u8>>>,
}

/// The server; it ends with the test's runtime.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    conduct: Arc<Conduct>,
    accepting: JoinHandle<()>,
}

/// A whole response.
pub fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

impl Server {
    pub async fn start(respond: fn(&str) -> Vec<u8>) -> Self {
        Self::listen("http", of_path(respond), None).await
    }

    /// One whose answers depend on the request's headers.
    pub async fn start_with(respond: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::listen("http", Arc::new(respond), None).await
    }

    /// With a certificate of `tests/tls`, offering HTTP/2 as API servers do.
    pub async fn start_tls(respond: fn(&str) -> Vec<u8>) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
        let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
        let mut config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self::listen("https", of_path(respond), Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(scheme: &'static str, respond: Respond, tls: Option<TlsAcceptor>) -> Self {
        // As the binary does first of all; a second time it is there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let conduct = Arc::new(Conduct::default());
        let shared = Arc::clone(&conduct);
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (shared, tls, respond) = (Arc::clone(&shared), tls.clone(), Arc::clone(&respond));
                tokio::spawn(async move {
                    let Some(tls) = tls else {
                        return serve(stream, respond, &shared).await;
                    };
                    if let Ok(stream) = tls.accept(stream).await {
                        *shared.protocol.lock().unwrap() = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
                        serve(stream, respond, &shared).await;
                    }
                });
            }
        });
        Self {
            address,
            scheme,
            conduct,
            accepting,
        }
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// How many requests have come.
    pub fn requests(&self) -> usize {
        self.conduct.requests.load(Ordering::SeqCst)
    }

    /// What the last TLS handshake agreed on.
    pub fn protocol(&self) -> Option<Vec<u8>> {
        self.conduct.protocol.lock().unwrap().clone()
    }

    /// From now on requests are read and never answered; their connections stay open, for ever.
    pub fn fall_silent(&self) {
        self.conduct.silent.store(true, Ordering::SeqCst);
    }

    /// New requests are answered again, unless they come over a connection that fell silent.
    pub fn heal(&self) {
        self.conduct.silent.store(false, Ordering::SeqCst);
    }

    /// From now on each connection is closed behind its first response.
    pub fn close_after_each(&self) {
        self.conduct.closes.store(true, Ordering::SeqCst);
    }

    /// Stops listening.
    pub async fn stop(&self) {
        self.accepting.abort();
        while !self.accepting.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

fn of_path(respond: fn(&str) -> Vec<u8>) -> Respond {
    Arc::new(move |head| respond(head.split(' ').nth(1).unwrap()))
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, respond: Respond, conduct: &Conduct) {
    let mut read = Vec::new();
    loop {
        while !read.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => read.push(byte),
                Err(_) => return,
            }
        }
        conduct.requests.fetch_add(1, Ordering::SeqCst);
        if conduct.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let head = String::from_utf8(std::mem::take(&mut read)).unwrap();
        if stream.write_all(&respond(&head)).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        if conduct.closes.load(Ordering::SeqCst) {
            return;
        }
    }
}
