use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use reqwest::StatusCode;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;
use crate::access::{Keys, NamedTokens, NewToken};
use crate::testing::TestServer;
use crate::{Access, Limits, ListenerMetrics, Scope, Scopes, Serving, serve};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate with its key, as PEM.
struct Pair {
    cert: String,
    key: String,
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn sign(&self, params: CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            cert: cert.pem(),
            key: key.serialize_pem(),
        }
    }

    fn server(&self) -> Pair {
        self.sign(CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap())
    }

    fn client(&self, name: &str) -> Pair {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        self.sign(params)
    }
}

struct Listening {
    folder: tempfile::TempDir,
    address: String,
    _cancel: DropGuard,
}

fn put(folder: &Path, pair: &Pair) {
    std::fs::write(folder.join("cert.pem"), &pair.cert).unwrap();
    std::fs::write(folder.join("key.pem"), &pair.key).unwrap();
}

fn files(folder: &Path, is_mutual: bool) -> TlsFiles {
    TlsFiles {
        cert_file: folder.join("cert.pem"),
        key_file: folder.join("key.pem"),
        client_ca_file: is_mutual.then(|| folder.join("ca.pem")),
    }
}

impl Listening {
    /// With that pair, and client certificates of that authority.
    async fn start(pair: &Pair, clients: Option<&Authority>, access: Access) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), pair);
        if let Some(authority) = clients {
            std::fs::write(folder.path().join("ca.pem"), &authority.pem).unwrap();
        }
        let tls = Tls::read(&files(folder.path(), clients.is_some())).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cancel = CancellationToken::new();
        let serving = Serving {
            limits: Limits::of(64),
            access: access.clone(),
            tls: Some(tls),
            metrics: ListenerMetrics::default(),
        };
        let router = TestServer::guarded(access).router;
        drop(tokio::spawn(serve(listener, router, serving, cancel.clone())));
        Self {
            folder,
            address,
            _cancel: cancel.drop_guard(),
        }
    }

    /// The status of an answer to a client who believes that authority, and shows that certificate and that token.
    async fn ask(
        &self,
        path: &str,
        authority: &Authority,
        client: Option<&Pair>,
        token: Option<&str>,
    ) -> reqwest::Result<StatusCode> {
        let trusted = reqwest::Certificate::from_pem(authority.pem.as_bytes()).unwrap();
        let mut http = steadfast_http::client().no_proxy().tls_certs_only([trusted]);
        if let Some(Pair { cert, key }) = client {
            http = http.identity(reqwest::Identity::from_pem(format!("{cert}{key}").as_bytes()).unwrap());
        }
        let mut request = http.build().unwrap().get(format!("https://{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        timeout(PATIENCE, request.send())
            .await
            .expect("it hangs")
            .map(|answer| answer.status())
    }

    /// Waits until an answer is there or not, as files are looked at once a second.
    async fn until(&self, authority: &Authority, is_answered: bool) {
        let began = Instant::now();
        while self.ask("/livez", authority, None, None).await.is_ok() != is_answered {
            assert!(began.elapsed() < PATIENCE, "the change is not seen");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn who_believes_the_authority_is_answered_and_a_new_certificate_is_taken_up() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let listening = Listening::start(&first.server(), None, Access::loopback()).await;
    assert_eq!(
        listening.ask("/api/v1/jobs", &first, None, None).await.unwrap(),
        StatusCode::OK
    );
    assert!(
        listening.ask("/livez", &second, None, None).await.is_err(),
        "a stranger to this client"
    );
    let renewed = second.server();
    // One file after the other, as people copy them: the pair of before goes on in between.
    std::fs::write(listening.folder.path().join("cert.pem"), &renewed.cert).unwrap();
    sleep(Duration::from_millis(1_200)).await;
    assert_eq!(
        listening.ask("/livez", &first, None, None).await.unwrap(),
        StatusCode::OK
    );
    put(listening.folder.path(), &renewed);
    listening.until(&second, true).await;
    assert!(
        listening.ask("/livez", &first, None, None).await.is_err(),
        "the old one is gone"
    );
}

#[tokio::test]
async fn a_client_certificate_is_somebody_with_the_scopes_of_certificates() {
    let authority = Authority::new("ours");
    let folder = tempfile::tempdir().unwrap();
    let bot = NewToken::make("bot", [Scope::Intent].into_iter().collect()).unwrap();
    let path = folder.path().join("tokens.toml");
    std::fs::write(&path, &bot.entry).unwrap();
    let read: Scopes = [Scope::Read].into_iter().collect();
    let access = Access::guarded(Keys {
        named: Some(NamedTokens::read(&path).unwrap()),
        certificates: Some(read),
        ..Keys::default()
    });
    let listening = Listening::start(&authority.server(), Some(&authority), access).await;
    let ann = authority.client("ann");
    let ask = async |path, client, token| listening.ask(path, &authority, client, token).await;
    assert_eq!(ask("/api/v1/jobs", Some(&ann), None).await.unwrap(), StatusCode::OK);
    assert_eq!(ask("/api/v1/jobs", None, None).await.unwrap(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        ask("/livez", None, None).await.unwrap(),
        StatusCode::OK,
        "probes have none"
    );
    let token = secrecy::ExposeSecret::expose_secret(&bot.token);
    let shown = ask("/api/v1/jobs", Some(&ann), Some(token)).await.unwrap();
    assert_eq!(shown, StatusCode::FORBIDDEN, "a token decides alone where one is shown");
    let stranger = Authority::new("theirs").client("ann");
    assert!(
        ask("/livez", Some(&stranger), None).await.is_err(),
        "another authority's counts for nothing"
    );
}

#[tokio::test]
async fn who_speaks_http_is_told_what_is_spoken_and_who_is_silent_is_cut_off() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listening = Listening::start(&Authority::new("ours").server(), None, Access::loopback()).await;
    let mut client = TcpStream::connect(&listening.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut said = String::new();
    drop(timeout(PATIENCE, client.read_to_string(&mut said)).await.unwrap());
    assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("https://"), "{said}");
    let mut silent = TcpStream::connect(&listening.address).await.unwrap();
    let mut rest = Vec::new();
    let closed = timeout(PATIENCE, silent.read_to_end(&mut rest)).await;
    assert!(closed.is_ok() && rest.is_empty(), "a handshake that never comes");
}

#[test]
fn what_cannot_be_used_is_told_by_its_file_and_not_by_what_it_holds() {
    let authority = Authority::new("ours");
    let (one, other) = (authority.server(), authority.server());
    let folder = tempfile::tempdir().unwrap();
    let refused = |cert: &str, key: &str, ca: Option<&str>| {
        std::fs::write(folder.path().join("cert.pem"), cert).unwrap();
        std::fs::write(folder.path().join("key.pem"), key).unwrap();
        if let Some(ca) = ca {
            std::fs::write(folder.path().join("ca.pem"), ca).unwrap();
        }
        Tls::read(&files(folder.path(), ca.is_some()))
            .err()
            .map(|error| error.to_string())
    };
    for (cert, key, ca, told) in [
        ("", one.key.as_str(), None, "cert.pem holds no certificate"),
        (
            one.key.as_str(),
            one.key.as_str(),
            None,
            "cert.pem holds no certificate",
        ),
        (one.cert.as_str(), "s3cret", None, "key.pem holds no private key"),
        (
            one.cert.as_str(),
            other.key.as_str(),
            None,
            "key.pem is not that of the certificate",
        ),
        (
            one.cert.as_str(),
            one.key.as_str(),
            Some("s3cret"),
            "ca.pem holds no certificate",
        ),
    ] {
        let error = refused(cert, key, ca).expect(told);
        assert!(error.contains(told) && !error.contains("s3cret"), "{error}");
    }
    assert_eq!(refused(&one.cert, &one.key, Some(&authority.pem)), None);
    let until = Tls::valid_until(&files(folder.path(), false)).unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(until > now, "{until}");
}

#[tokio::test]
async fn an_authority_that_is_taken_out_opens_nothing_over_connections_that_are_open() {
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let access = Access::guarded(Keys {
        certificates: Some(Scopes::ALL),
        ..Keys::default()
    });
    let listening = Listening::start(&authority.server(), Some(&authority), access).await;
    for only_http1 in [true, false] {
        std::fs::write(listening.folder.path().join("ca.pem"), &authority.pem).unwrap();
        let Pair { cert, key } = authority.client("ann");
        let trusted = reqwest::Certificate::from_pem(authority.pem.as_bytes()).unwrap();
        let mut http = steadfast_http::client()
            .no_proxy()
            .tls_certs_only([trusted])
            .identity(reqwest::Identity::from_pem(format!("{cert}{key}").as_bytes()).unwrap());
        if only_http1 {
            http = http.http1_only();
        }
        let http = http.build().unwrap();
        let ask = async || {
            let url = format!("https://{}/api/v1/jobs", listening.address);
            let mut answer = timeout(PATIENCE, http.get(url).send()).await.expect("it hangs")?;
            // What was not read whole keeps its connection from being used again.
            while answer.chunk().await?.is_some() {}
            Ok::<_, reqwest::Error>(answer.status())
        };
        let began = Instant::now();
        while ask().await.ok() != Some(StatusCode::OK) {
            assert!(began.elapsed() < PATIENCE, "the authority is not taken up");
            sleep(Duration::from_millis(50)).await;
        }
        std::fs::write(listening.folder.path().join("ca.pem"), &other.pem).unwrap();
        // The client keeps its connection as long as it is served: first it is told that it is nobody, ...
        let began = Instant::now();
        let refused = loop {
            let answer = ask().await;
            if !matches!(answer, Ok(StatusCode::OK)) {
                break answer;
            }
            assert!(began.elapsed() < PATIENCE, "it still opens");
            sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(refused.unwrap(), StatusCode::UNAUTHORIZED);
        // ... then it has to come again, and is refused at the door.
        let began = Instant::now();
        while ask().await.is_ok() {
            assert!(began.elapsed() < PATIENCE, "the connection stays");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[test]
fn a_certificate_whose_time_is_not_now_is_told_of_and_served() {
    let authority = Authority::new("ours");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let pem = authority.sign(params).cert;
    let own = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let (from, until) = certificate::validity(&own).unwrap();
    let at = |seconds| untimely("tls.crt", &own, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!((at(from), at(until)), (None, None));
    assert!(at(from - 1).unwrap().contains("tls.crt is not valid yet"));
    assert!(at(until + 1).unwrap().contains("tls.crt is not valid any more"));
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &authority.sign(params));
    let followed = Followed::<Material>::open(vec![folder.path().join("cert.pem"), folder.path().join("key.pem")]);
    assert!(followed.is_ok());
}

#[test]
fn a_certificate_names_its_subject_or_else_what_it_is_called_beside() {
    let authority = Authority::new("ours");
    let named = |params: CertificateParams| {
        let pem = authority.sign(params).cert;
        certificate::name(&CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
    };
    let common = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    assert_eq!(named(common("jörg")).as_deref(), Some("jörg"));
    for harmful in ["a\nb", "a\u{2028}b", "a\u{202e}b"] {
        assert_eq!(
            named(common(harmful)),
            None,
            "no line of the log is two, or reads otherwise than it is"
        );
    }
    assert_eq!(named(common(&"x".repeat(257))), None);
    let mut spiffe = CertificateParams::default();
    spiffe.distinguished_name = rcgen::DistinguishedName::new();
    assert_eq!(named(spiffe.clone()), None, "nobody");
    let uri = "spiffe://example/ns/flink/sa/bot";
    spiffe.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    assert_eq!(named(spiffe).as_deref(), Some(uri));
}
