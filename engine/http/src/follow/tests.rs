use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;

/// Path and `Authorization` of each request.
type Heard = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A server on loopback that answers each path with a status and perhaps a place to go to.
struct Server {
    url: Url,
    heard: Heard,
}

impl Server {
    async fn start(answer: impl Fn(&str) -> (u16, Option<String>) + Send + 'static) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let heard = Heard::default();
        let hears = Arc::clone(&heard);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let mut head = Vec::new();
                let mut line = String::new();
                while stream.read_line(&mut line).await.unwrap() > 2 {
                    head.push(std::mem::take(&mut line).trim().to_owned());
                }
                let path = head[0].split(' ').nth(1).unwrap().to_owned();
                let shown = head.iter().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
                });
                let (status, place) = answer(&path);
                hears.lock().unwrap().push((path, shown));
                let place = place.map_or_else(String::new, |place| format!("Location: {place}\r\n"));
                let answer = format!("HTTP/1.1 {status} X\r\n{place}Connection: close\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, heard }
    }

    fn heard(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

async fn ask(home: &Url, method: Method) -> Result<Answered, SendError> {
    let secret = HeaderValue::from_static("Basic secret");
    let client = crate::client().no_proxy().build().unwrap();
    let request = Request {
        method,
        url: home.join("a").unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        home,
        authorization: Some(&secret),
    };
    send(&client, request).await
}

#[tokio::test]
async fn credentials_go_to_their_origin_and_end_where_it_sends_us_away() {
    let there = Arc::new(Mutex::new(String::new()));
    let place = Arc::clone(&there);
    let home = Server::start(move |path| match path {
        "/a" => (307, Some("/b".to_owned())),
        "/b" => (302, Some(place.lock().unwrap().clone())),
        _ => (401, None),
    })
    .await;
    let back = home.url.join("c").unwrap();
    let away = Server::start(move |_| (308, Some(back.to_string()))).await;
    *there.lock().unwrap() = away.url.as_str().replace("http://", "http://ann:s3cret@");
    let answered = ask(&home.url, Method::GET).await.unwrap();
    assert!(answered.response.status() == 401 && !answered.is_home);
    let shown = Some("Basic secret".to_owned());
    assert_eq!(
        home.heard(),
        [
            ("/a".to_owned(), shown.clone()),
            ("/b".to_owned(), shown),
            ("/c".to_owned(), None)
        ],
        "whoever was elsewhere comes back as a stranger"
    );
    assert_eq!(away.heard(), [("/".to_owned(), None)]);
}

#[tokio::test]
async fn another_port_of_the_same_host_is_another_origin() {
    let away = Server::start(|_| (401, None)).await;
    let place = away.url.to_string();
    let home = Server::start(move |_| (307, Some(place.clone()))).await;
    assert!(!ask(&home.url, Method::GET).await.unwrap().is_home);
    assert_eq!(away.heard(), [("/".to_owned(), None)]);
}

#[tokio::test]
async fn circles_and_endless_ways_are_named() {
    let circle = Server::start(|path| (307, Some(if path == "/a" { "/b?key=s3cret" } else { "/a" }.to_owned()))).await;
    let error = ask(&circle.url, Method::GET).await.unwrap_err();
    assert!(matches!(error, SendError::Circle(_)), "{error}");
    let endless = Server::start(|path| (302, Some(format!("{path}a?key=s3cret")))).await;
    let error = ask(&endless.url, Method::GET).await.unwrap_err();
    assert!(
        matches!(error, SendError::TooMany(_)) && !error.to_string().contains("s3cret"),
        "{error}"
    );
    assert_eq!(endless.heard().len(), MOST_HOPS + 1);
}

#[tokio::test]
async fn what_would_be_another_request_or_leads_nowhere_is_not_followed() {
    let turning = Server::start(|_| (302, Some("/b".to_owned()))).await;
    let error = ask(&turning.url, Method::PUT).await.unwrap_err();
    assert!(matches!(error, SendError::Turned { .. }), "{error}");
    for place in [None, Some("file:///etc/passwd"), Some("http://")] {
        let nowhere = Server::start(move |_| (307, place.map(str::to_owned))).await;
        let error = ask(&nowhere.url, Method::GET).await.unwrap_err();
        assert!(matches!(error, SendError::Nowhere(_)), "{place:?}: {error}");
    }
}

#[test]
fn nothing_leads_from_tls_to_plain_text() {
    let place = Url::parse("https://registry.example/v2/").unwrap();
    let sent = |location: &'static str| {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(location))]);
        target(&Method::GET, &place, StatusCode::TEMPORARY_REDIRECT, &headers)
    };
    assert!(matches!(sent("http://registry.example/"), Err(SendError::Downgrade(_))));
    assert_eq!(
        sent("https://me:s3cret@other.example/x#y").unwrap().as_str(),
        "https://other.example/x"
    );
}
