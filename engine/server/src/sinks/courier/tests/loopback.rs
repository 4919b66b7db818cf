//! Over a real connection, as a receiver sees it.

use steadfast_core::secret_url::SecretUrl;

use super::*;
use crate::sinks::{HttpPost, HttpReceiver, MediaType, Protocol, cursor_name};

#[tokio::test]
async fn a_receiver_on_loopback_gets_posts() {
    use axum::Router;
    use axum::routing::post;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (sender, mut got) = tokio::sync::mpsc::channel::<(String, Value)>(16);
    let mut answers = 0;
    let answers = Arc::new(Mutex::new(move || {
        answers += 1;
        match answers {
            1 => http::StatusCode::INTERNAL_SERVER_ERROR,
            2 => http::StatusCode::FOUND,
            _ => http::StatusCode::ACCEPTED,
        }
    }));
    let receive = move |headers: http::HeaderMap, body: String| async move {
        let format = headers["content-type"].to_str().unwrap().to_owned();
        sender
            .send((format, serde_json::from_str(&body).unwrap()))
            .await
            .unwrap();
        let status = answers.lock().unwrap()();
        (status, [("location", "/elsewhere")])
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(receive))).into_future());
    let url = format!("http://{address}/hook?token=secret");
    let setup = Setup::new();
    let to = {
        let http = HttpReceiver::plain(SecretUrl::from(url.as_str()));
        let protocol = Protocol::Webhook(MediaType::CloudEvent);
        Arc::new(HttpPost::new(http, protocol, Arc::new(Ticking(Instant::now()))).unwrap())
    };
    let name = cursor_name(&SecretUrl::from(url.as_str()));
    let mut webhook = setup.begin(&name, None, to.clone()).await;
    webhook.sink.retry = Backoff {
        initial: Duration::from_millis(1),
        max: Duration::from_millis(1),
    };
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(webhook.run(setup.following(), setup.cancel.clone(), rng));
    setup.transition(1).await;
    for _ in 0..3 {
        let (format, event) = got.recv().await.unwrap();
        assert_eq!(format, "application/cloudevents+json; charset=utf-8");
        assert_eq!(event["id"], "store-1");
    }
    setup.cancel.cancel();
    task.await.unwrap();
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    let refused = to
        .deliver(&Message {
            id: String::new(),
            title: String::new(),
            body: "{}".to_owned(),
            place: None,
            tells_of: Vec::new(),
        })
        .await
        .unwrap_err();
    assert!(!refused.message.contains("secret"), "{}", refused.message);
    assert!(!name.contains("secret") && !format!("{to:?}").contains("secret"));
}
