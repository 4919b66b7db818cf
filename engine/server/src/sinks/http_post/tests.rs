use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse as _;
use serde_json::Value;
use steadfast_core::secret_url::SecretUrl;

use super::*;
use crate::testing::AT;

const URL: &str = "https://user:pa55word@robots.example/robot/send?access_token=t0ken-of-the-robot";

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        AT
    }
}

fn message(body: &str) -> Message {
    Message {
        id: "store-7".to_owned(),
        title: "title".to_owned(),
        body: body.to_owned(),
        place: None,
        tells_of: Vec::new(),
    }
}

#[test]
fn only_a_2xx_is_taken_and_some_refusals_are_about_the_event() {
    let protocol = Protocol::Webhook(MediaType::CloudEvent);
    for (status, refusal) in [
        (200, None),
        (204, None),
        (302, Some(Refusal::ForNow)),
        (400, Some(Refusal::OfTheEvent)),
        (401, Some(Refusal::ForNow)),
        (404, Some(Refusal::ForNow)),
        (413, Some(Refusal::OfTheEvent)),
        (503, Some(Refusal::ForNow)),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let verdict = protocol.verdict(status, None, b"whatever it says");
        assert_eq!(
            verdict.clone().err().map(|refused| refused.refusal),
            refusal,
            "{status}"
        );
        if let Err(refused) = verdict {
            assert!(
                !refused.message.contains("whatever") && !refused.fix.is_empty(),
                "{refused:?}"
            );
        }
    }
}

#[test]
fn a_chats_code_says_more_than_the_status_beside_it() {
    let verdict = |chat, status, body: &str| {
        let retry_after = Some(Duration::from_secs(3));
        let verdict = Protocol::Chat(chat).verdict(StatusCode::from_u16(status).unwrap(), retry_after, body.as_bytes());
        verdict.unwrap_err()
    };
    let too_fast = verdict(Chat::Feishu, 400, r#"{"code":9499,"msg":"too many request","data":{}}"#);
    assert_eq!(too_fast.refusal, Refusal::ForNow, "{too_fast:?}");
    assert_eq!(too_fast.retry_after, Some(Duration::from_secs(3)));
    for part in ["400 Bad Request", "9499", "too many request"] {
        assert!(too_fast.message.contains(part), "{too_fast:?}");
    }
    assert!(too_fast.fix.contains("goes on by itself"), "{too_fast:?}");
    for (chat, status, body, refusal) in [
        (
            Chat::Feishu,
            400,
            r#"{"code":11232,"msg":"frequency limited"}"#,
            Refusal::ForNow,
        ),
        (
            Chat::Feishu,
            500,
            r#"{"code":19002,"msg":"params error"}"#,
            Refusal::OfTheEvent,
        ),
        (
            Chat::WeCom,
            400,
            r#"{"errcode":45009,"errmsg":"freq"}"#,
            Refusal::ForNow,
        ),
        (
            Chat::DingTalk,
            200,
            r#"{"errcode":130101,"errmsg":"too fast"}"#,
            Refusal::ForNow,
        ),
        // What says nothing that is known leaves it to the status.
        (Chat::Feishu, 400, r#"{"code":1}"#, Refusal::OfTheEvent),
        (Chat::Feishu, 400, r#"{"code":0}"#, Refusal::OfTheEvent),
        (Chat::Feishu, 400, "", Refusal::OfTheEvent),
        (Chat::Feishu, 502, "<html>", Refusal::ForNow),
        (Chat::Slack, 400, "invalid_payload", Refusal::OfTheEvent),
    ] {
        let refused = verdict(chat, status, body);
        assert_eq!(refused.refusal, refusal, "{chat:?} {status} {body}");
        assert_eq!(
            refused.retry_after,
            Some(Duration::from_secs(3)),
            "{chat:?} {status} {body}"
        );
    }
}

#[test]
fn a_webhook_is_signed_as_the_standard_has_it_and_only_with_a_secret() {
    let protocol = Protocol::Webhook(MediaType::CloudEvent);
    assert!(protocol.signature(&message("{}"), None, AT).is_empty());
    let signed = protocol.signature(&message("{}"), Some("secret"), AT);
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["webhook-id", "webhook-timestamp", "webhook-signature"]);
    let seconds = AT.as_millis() / 1000;
    assert_eq!(
        (signed[0].1.as_str(), signed[1].1.clone()),
        ("store-7", seconds.to_string())
    );
    assert_eq!(
        signed[2].1,
        signing::standard_webhooks("secret", "store-7", seconds, "{}")
    );
}

#[test]
fn each_kind_has_its_address() {
    let url = |text: &str| text.parse::<Url>().unwrap();
    let alertmanager = |text| Protocol::Alertmanager.url(&url(text), None, AT).to_string();
    assert_eq!(alertmanager("http://am:9093"), "http://am:9093/api/v2/alerts");
    assert_eq!(alertmanager("http://am/prefix/"), "http://am/prefix/api/v2/alerts");
    assert_eq!(alertmanager("http://am/api/v2/alerts"), "http://am/api/v2/alerts");
    let signed = Protocol::Chat(Chat::DingTalk).url(&url(URL), Some("secret"), AT);
    let sign = signing::dingtalk("secret", AT.as_millis());
    let pairs: Vec<_> = signed.query_pairs().into_owned().collect();
    assert_eq!(pairs[0].0, "access_token");
    assert_eq!((&pairs[1].1, &pairs[2].1), (&AT.as_millis().to_string(), &sign));
    let plain = Protocol::Chat(Chat::DingTalk).url(&url(URL), None, AT);
    assert_eq!(plain, url(URL));
}

type Seen = Arc<Mutex<Vec<(http::HeaderMap, String)>>>;

/// A receiver that answers 200 with that text, and what it was sent.
async fn receiver(answer: &'static str) -> (String, Seen) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let seen = Seen::default();
    let take = move |State(seen): State<Seen>, headers: http::HeaderMap, body: String| async move {
        seen.lock().unwrap().push((headers, body));
        answer.into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(take).with_state(seen.clone());
    tokio::spawn(axum::serve(listener, router).into_future());
    (format!("http://{address}"), seen)
}

#[tokio::test]
async fn token_and_headers_go_along_and_files_are_read_at_each_try() {
    let (origin, seen) = receiver("ok").await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "first\n").unwrap();
    let http = HttpReceiver {
        headers: vec![(HeaderName::from_static("x-team"), HeaderValue::from_static("data"))],
        token_file: Some(token.clone()),
        ..HttpReceiver::plain(SecretUrl::from(origin.as_str()))
    };
    let post = HttpPost::new(http, Protocol::Webhook(MediaType::Json), Arc::new(Fixed)).unwrap();
    post.deliver(&message("{}")).await.unwrap();
    std::fs::write(&token, "second\n").unwrap();
    post.deliver(&message("{}")).await.unwrap();
    std::fs::remove_file(&token).unwrap();
    let gone = post.deliver(&message("{}")).await.unwrap_err();
    assert!(
        gone.message.contains("sink.token_file") && gone.refusal == Refusal::ForNow,
        "{gone:?}"
    );
    let seen = seen.lock().unwrap();
    let tokens: Vec<_> = seen
        .iter()
        .map(|(headers, _)| headers["authorization"].to_str().unwrap())
        .collect();
    assert_eq!(tokens, ["Bearer first", "Bearer second"]);
    assert_eq!(
        (&seen[0].0["x-team"], &seen[0].0["content-type"]),
        (
            &"data".parse().unwrap(),
            &"application/json; charset=utf-8".parse().unwrap()
        )
    );
}

#[tokio::test]
async fn who_asks_is_said_once() {
    let (origin, seen) = receiver("ok").await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0ken").unwrap();
    let user = origin.replace("http://", "http://ann:pa55word@");
    let header = vec![(AUTHORIZATION, HeaderValue::from_static("Key k3y"))];
    for (headers, token_file, shown) in [
        (Vec::new(), None, "Basic YW5uOnBhNTV3b3Jk"),
        (header.clone(), None, "Key k3y"),
        (Vec::new(), Some(token.clone()), "Bearer t0ken"),
        (header, Some(token), "Bearer t0ken"),
    ] {
        let http = HttpReceiver {
            headers,
            token_file,
            ..HttpReceiver::plain(SecretUrl::from(user.as_str()))
        };
        let post = HttpPost::new(http, Protocol::Webhook(MediaType::Json), Arc::new(Fixed)).unwrap();
        post.deliver(&message("{}")).await.unwrap();
        let (headers, _) = seen.lock().unwrap().pop().unwrap();
        let all: Vec<&HeaderValue> = headers.get_all(AUTHORIZATION).iter().collect();
        assert_eq!(all, [shown]);
    }
}

#[tokio::test]
async fn a_receiver_that_names_a_time_is_left_alone_until_then() {
    for (asked, expected) in [
        ("7", Some(7)),
        ("Tue, 24 Nov 2026 10:00:20 GMT", Some(20)),
        ("Tue, 24 Nov 2026 09:00:00 GMT", None),
    ] {
        let answer = format!(
            "HTTP/1.1 503 -\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n"
        );
        let http = HttpReceiver::plain(SecretUrl::from(hangs_behind(answer.leak()).await));
        let post = HttpPost::new(http, Protocol::Alertmanager, Arc::new(Fixed)).unwrap();
        let refused = post.deliver(&message("[]")).await.unwrap_err();
        assert_eq!(refused.retry_after, expected.map(Duration::from_secs), "{asked}");
    }
}

#[tokio::test]
async fn a_url_from_a_file_counts_as_it_stands_there_now_and_is_quoted_by_nobody() {
    let (first, seen_first) = receiver(r#"{"code":0}"#).await;
    let (second, seen_second) = receiver(r#"{"code":19001,"msg":"no bot n3w-t0ken"}"#).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("robot.url");
    std::fs::write(&file, format!("{first}/hook/old-t0ken\n")).unwrap();
    let http = HttpReceiver {
        address: Address::File(file.clone()),
        ..HttpReceiver::plain(SecretUrl::from(URL))
    };
    let post = HttpPost::new(http, Protocol::Chat(Chat::Feishu), Arc::new(Fixed)).unwrap();
    let body = Chat::Feishu.body("x");
    post.deliver(&message(&body)).await.unwrap();
    assert_eq!(post.reach().await, Ok(StatusCode::OK));
    std::fs::write(&file, format!("{second}/hook/n3w-t0ken\n")).unwrap();
    let quoted = post.deliver(&message(&body)).await.unwrap_err();
    assert!(quoted.message.contains("code 19001"), "{quoted:?}");
    std::fs::write(&file, "n3w-t0ken without a scheme\n").unwrap();
    let unfit = post.deliver(&message(&body)).await.unwrap_err();
    assert!(
        unfit.message.contains("sink.url_file") && unfit.refusal == Refusal::ForNow,
        "{unfit:?}"
    );
    let unreached = post.reach().await.unwrap_err();
    assert!(unreached.contains("robot.url"), "{unreached}");
    let shown = format!("{quoted:?} {unfit:?} {unreached} {post:?}");
    assert!(!shown.contains("t0ken"), "{shown}");
    assert_eq!(
        (seen_first.lock().unwrap().len(), seen_second.lock().unwrap().len()),
        (2, 1)
    );
}

#[tokio::test]
async fn a_proxy_is_asked_where_the_file_names_one() {
    let (proxy, seen) = receiver("ok").await;
    let http = HttpReceiver {
        proxy: Some(SecretUrl::from(proxy.as_str())),
        ..HttpReceiver::plain(SecretUrl::from("http://nobody.invalid/hook"))
    };
    let post = HttpPost::new(http, Protocol::Webhook(MediaType::CloudEvent), Arc::new(Fixed)).unwrap();
    post.deliver(&message("{}")).await.unwrap();
    assert_eq!(seen.lock().unwrap()[0].0["host"], "nobody.invalid");
}

#[tokio::test]
async fn an_answer_that_quotes_the_address_or_the_secret_is_told_without_them() {
    let answer = r#"{"code":19021,"msg":"no bot t0ken-of-the-robot with s3cret-of-the-robot and pa55word"}"#;
    let (origin, _) = receiver(answer).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "s3cret-of-the-robot").unwrap();
    let url = origin.replace("http://", "http://user:pa55word@") + "/bot/v2/hook/t0ken-of-the-robot";
    let http = HttpReceiver {
        secret_file: Some(secret),
        ..HttpReceiver::plain(SecretUrl::from(url))
    };
    let post = HttpPost::new(http, Protocol::Chat(Chat::Feishu), Arc::new(Fixed)).unwrap();
    let body: Value = serde_json::from_str(&Chat::Feishu.body("x")).unwrap();
    let refused = post.deliver(&message(&body.to_string())).await.unwrap_err();
    assert!(
        refused.message.contains("code 19021") && refused.fix.contains("clock"),
        "{refused:?}"
    );
    let shown = format!("{refused:?}{post:?}");
    for secret in ["t0ken", "s3cret", "pa55word"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// A receiver that says this, and nothing more for as long as it is waited for.
async fn hangs_behind(said: &'static str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        drop(client.read(&mut [0; 4096]).await);
        client.write_all(said.as_bytes()).await.unwrap();
        drop(client.read_to_end(&mut Vec::new()).await);
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_body_that_does_not_end_does_not_undo_the_status() {
    let delivered = async |said, protocol| {
        let http = HttpReceiver::plain(SecretUrl::from(hangs_behind(said).await));
        let post = HttpPost::new(http, protocol, Arc::new(Fixed)).unwrap();
        let message = message("{}");
        tokio::time::timeout(DELIVERY_DEADLINE - MARGIN, post.deliver(&message))
            .await
            .expect("the status came at once")
    };
    let drips = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\no";
    for protocol in [Protocol::Webhook(MediaType::CloudEvent), Protocol::Alertmanager] {
        delivered(drips, protocol).await.unwrap();
    }
    // Of a chat the body says whether it took the message, and this one does not.
    let refused = delivered(drips, Protocol::Chat(Chat::Slack)).await.unwrap_err();
    assert!(refused.message.contains("without `ok`"), "{refused:?}");
    let drips = "HTTP/1.1 413 Too Large\r\nContent-Length: 100\r\n\r\nno";
    let refused = delivered(drips, Protocol::Alertmanager).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::OfTheEvent);
}

#[tokio::test]
async fn an_answer_that_quotes_what_it_was_shown_is_told_without_it() {
    use base64::Engine as _;
    drop(rustls::crypto::ring::default_provider().install_default());
    // Quotes the token without its scheme, the path with its query, and what a proxy was shown.
    let quote = |headers: http::HeaderMap, uri: http::Uri| async move {
        let shown = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let token = shown("authorization");
        let token = token.rsplit(' ').next().unwrap();
        let said = format!("who is {token} or {} at {uri}?", shown("proxy-authorization"));
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, said)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, Router::new().fallback(quote)).into_future());
    let authorization = HeaderValue::from_static("Token header-canary");
    let http = HttpReceiver {
        headers: vec![(AUTHORIZATION, authorization)],
        proxy: Some(SecretUrl::from(format!("http://user:proxy-canary@{address}"))),
        ..HttpReceiver::plain(SecretUrl::from(
            "http://nobody.invalid/path%2Fcanary?key=query%2Bcanary%2F",
        ))
    };
    let post = HttpPost::new(http, Protocol::Alertmanager, Arc::new(Fixed)).unwrap();
    let said = post.deliver(&message("[]")).await.unwrap_err().message;
    let encoded = base64::engine::general_purpose::STANDARD.encode("user:proxy-canary");
    for secret in ["canary", &encoded, &encoded[8..16]] {
        assert!(!said.contains(secret), "{said}");
    }
    assert!(
        said.contains("who is (not shown) or Basic (not shown) at http://nobody.invalid/(not shown)"),
        "{said}"
    );
}

#[test]
fn authorities_and_proxies_that_cannot_be_used_are_found_at_the_start() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let http = HttpReceiver {
        ca_file: Some(file),
        ..HttpReceiver::plain(SecretUrl::from(URL))
    };
    let made = HttpPost::new(http, Protocol::Alertmanager, Arc::new(Fixed));
    assert!(matches!(made, Err(NoWay::Authorities(_))), "{made:?}");
}
