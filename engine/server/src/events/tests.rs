use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::journal::{Event, Journal as _, Keep, KeepEntries, Sequence};
use steadfast_core::record::{AlertScope, JobRecord};
use steadfast_core::state::JobState;
use tokio::time::timeout;

use super::shared_pages::{PAGE, SharedPages};
use super::*;

use crate::testing::{AT, TestServer, moved, record, request};

/// An open stream and what came of it.
struct Client {
    body: Body,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Heard {
    id: Option<u64>,
    name: String,
    data: Value,
}

impl Client {
    async fn open(server: &TestServer, path: &str, last: Option<&str>) -> Self {
        let mut asked = request(Method::GET, path);
        if let Some(last) = last {
            asked = asked.header("last-event-id", last);
        }
        let response = server.send(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next event; `None` if the stream ended.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::trim)
                        .map(str::to_owned)
                };
                let heard = field("data:").map(|data| Heard {
                    id: field("id:").map(|id| id.parse().unwrap()),
                    name: field("event:").unwrap(),
                    data: serde_json::from_str(&data).unwrap(),
                });
                self.text = rest.to_owned();
                if heard.is_some() {
                    return heard;
                }
                continue;
            }
            let frame = self.body.frame().await?.unwrap();
            self.text
                .push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let next = timeout(Duration::from_secs(600), self.next()).await;
            ids.push(next.expect("nothing more comes").unwrap().id.unwrap());
        }
        ids
    }

    async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_secs(10), self.next()).await.is_err()
    }
}

async fn busy(jobs: u64) -> TestServer {
    let server = TestServer::new();
    for n in 0..jobs {
        server.add(&format!("local/default/job-{n}"), JobState::Running).await;
    }
    server
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_is_reported_with_its_kind() {
    let server = busy(3).await;
    let mut client = Client::open(&server, "/api/v1/events", None).await;
    let alert = Event::Alert(AlertEvent {
        alert: "JobFailed".to_owned(),
        scope: AlertScope::Job,
        status: AlertStatus::Firing,
        since: AT,
        message: "it failed".to_owned(),
        silenced: false,
    });
    let failed = JobRecord {
        revision: 2,
        ..record("local/default/job-0", JobState::Failed)
    };
    let events = vec![
        moved(JobState::Running, JobState::Failed),
        alert,
        Event::Update(None),
        Event::Forgotten,
    ];
    server.commit(failed, events).await;
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(client.next().await.unwrap());
    }
    let kinds: Vec<_> = heard
        .iter()
        .map(|event| (event.id.unwrap(), event.name.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [(4, "transition"), (5, "alert"), (6, "update"), (7, "forgotten")]
    );
    let transition = &heard[0].data;
    assert_eq!(
        (&transition["job"], &transition["sequence"]),
        (&"local/default/job-0".into(), &4.into())
    );
    assert_eq!(
        (&transition["revision"], &transition["at"]),
        (&2.into(), &"2026-11-23T01:13:29.838Z".into())
    );
    assert_eq!(
        (&transition["body"]["from"], &transition["body"]["to"]),
        (&"RUNNING".into(), &"FAILED".into())
    );
    assert_eq!(heard[1].data["body"]["status"], "firing");
    assert_eq!(heard[2].data["body"], Value::Null);
    assert!(heard.iter().all(|event| event.data["store"] == "memory"));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_told_apart_and_each_event_has_the_kind_that_a_history_has() {
    let server = busy(1).await;
    let mut client = Client::open(&server, "/api/v1/events", None).await;
    let next = JobRecord {
        revision: 2,
        ..record("local/default/job-0", JobState::Running)
    };
    let caller = Caller {
        by: Some("ann".into()),
        through: Through::Token,
        from: None,
    };
    let call = caller.asking_to_unsilence("JobFailed");
    let events = vec![Event::Update(None), Event::Called(call), Event::Forgotten];
    server.commit(next, events).await;
    let (_, history) = server.get("/api/v1/history?order=oldest").await;
    let items = history["items"].as_array().unwrap();
    let mut heard = Vec::new();
    for _ in 0..3 {
        let event = client.next().await.unwrap();
        let item = items.iter().find(|item| item["sequence"] == event.data["sequence"]);
        let item = item.unwrap();
        assert_eq!(
            (&event.data["kind"], event.data.get("call")),
            (&item["kind"], item.get("call"))
        );
        heard.push(event);
    }
    assert_eq!(
        (heard[1].name.as_str(), &heard[1].data["kind"]),
        ("update", &"call".into())
    );
    let call = &heard[1].data["call"];
    assert_eq!(
        (&call["what"], &call["alert"], &call["by"]),
        (&"unsilence".into(), &"JobFailed".into(), &"ann".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_resumes_without_a_gap_over_many_pages_and_new_commits() {
    let count = u64::from(PAGE) * 2 + 10;
    let server = busy(count).await;
    for (path, last) in [
        ("/api/v1/events", Some("7")),
        ("/api/v1/events?after=7", None),
        ("/api/v1/events?after=99", Some("7")),
    ] {
        let mut client = Client::open(&server, path, last).await;
        let seen = client.ids(usize::try_from(count - 7).unwrap()).await;
        assert_eq!(seen, (8..=count).collect::<Vec<_>>());
    }
    let mut client = Client::open(&server, "/api/v1/events", Some("0")).await;
    let first = client.ids(5).await;
    server.add("local/default/late", JobState::Running).await;
    let rest = client.ids(usize::try_from(count + 1 - 5).unwrap()).await;
    assert_eq!([first, rest].concat(), (1..=count + 1).collect::<Vec<_>>());
    assert!(client.is_silent().await);
}

#[tokio::test(start_paused = true)]
async fn those_at_one_place_share_one_reading_and_each_hears_all_of_it() {
    let server = busy(3).await;
    let pages = SharedPages::default();
    let read = |behind, shown| pages.behind(&*server.store, Sequence(behind), Sequence(shown));
    let (first, second) = tokio::join!(read(0, 2), read(0, 2));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(Arc::ptr_eq(&first, &second), "it was read twice");
    assert_eq!(
        (first.rows.len(), first.until),
        (2, Sequence(2)),
        "what is not shown waits"
    );
    let later = read(0, 3).await.unwrap();
    assert!(Arc::ptr_eq(&first, &later), "what was read goes on from where it ends");
    let rest = read(later.until.0, 3).await.unwrap();
    assert_eq!((rest.rows.len(), rest.until), (1, Sequence(3)));

    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::open(&server, "/api/v1/events?after=0", None).await);
    }
    for n in 0..30 {
        server.add(&format!("local/default/late-{n}"), JobState::Running).await;
    }
    for client in &mut clients {
        assert_eq!(client.ids(33).await, (1..=33).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_reported_before_it_is_shown() {
    let server = busy(1).await;
    let mut client = Client::open(&server, "/api/v1/events?after=0", None).await;
    let late = record("local/default/late", JobState::Running);
    server
        .commit_unseen(late, vec![moved(JobState::Unknown, JobState::Running)])
        .await;
    assert_eq!(client.ids(1).await, [1]);
    assert!(client.is_silent().await);
    server.entries.send_replace(Sequence(2));
    assert_eq!(client.ids(1).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn a_position_of_another_journal_is_said_to_be_one() {
    let server = busy(2).await;
    let mut client = Client::open(&server, "/api/v1/events", Some("500")).await;
    let reset = client.next().await.unwrap();
    assert_eq!(
        (reset.id, reset.name.as_str(), &reset.data["newest"]),
        (Some(2), "reset", &2.into())
    );
    assert_eq!(reset.data["at"], AT.to_string());
    server.add("local/default/late", JobState::Running).await;
    assert_eq!(client.ids(1).await, [3]);
}

/// What each way to resume behind entry 2 begins with, in a store that has passed it.
async fn resumed(server: &TestServer, query: &str, last: Option<&str>) -> Heard {
    let mut client = Client::open(server, &format!("/api/v1/events?{query}"), last).await;
    let first = client.next().await.unwrap();
    if first.name == "reset" {
        assert!(client.is_silent().await, "after a reset it goes on from now");
    }
    first
}

#[tokio::test(start_paused = true)]
async fn entries_that_do_not_read_are_named_and_the_stream_goes_on() {
    let server = TestServer::damaged(&[2, 3, 5]);
    for n in 1..=5 {
        server.add(&format!("local/default/job-{n}"), JobState::Running).await;
    }
    let mut client = Client::open(&server, "/api/v1/events?after=0", None).await;
    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(client.next().await.unwrap());
    }
    let names: Vec<_> = heard.iter().map(|one| (one.id.unwrap(), one.name.as_str())).collect();
    let (told, not) = ("transition", "unreadable");
    assert_eq!(names, [(1, told), (2, not), (3, not), (4, told), (5, not)]);
    assert_eq!(
        heard[1].data,
        serde_json::json!({"job": "local/default/job-2", "sequence": 2, "why": "its event does not read", "store": "memory",
            "at": AT.to_string()})
    );
    server.add("local/default/late", JobState::Running).await;
    assert_eq!(client.ids(1).await, [6]);
    // Who comes back with all that such an event had goes on behind it: its time is of the sending.
    let mut resumed = Client::open(
        &server,
        &format!("/api/v1/events?after=3&store=memory&at={}", AT.after(HEARTBEAT)),
        None,
    )
    .await;
    assert_eq!(resumed.ids(3).await, [4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_missed_what_is_no_longer_kept_is_reset() {
    let server = busy(6).await;
    let behind = Client::open(&server, "/api/v1/events?after=1", None).await;
    let gone: Vec<Event> = vec![Event::Update(None); 4];
    let next = JobRecord {
        revision: 2,
        ..record("local/default/job-0", JobState::Running)
    };
    server.commit(next, gone).await; // entries 7 to 10
    let keep = Keep {
        snapshots_since: AT,
        snapshot_bytes: 0,
        entries: KeepEntries::Newest(2),
    };
    server.store.prune(&keep).await.unwrap(); // updates up to 8; each job's newest transition stays
    for (mut client, how) in [
        (behind, "one that was open"),
        (
            Client::open(&server, "/api/v1/events", Some("7")).await,
            "one that comes back",
        ),
    ] {
        let first = client.next().await.unwrap();
        assert_eq!((first.name.as_str(), first.id), ("reset", Some(10)), "{how}");
        assert!(client.is_silent().await);
    }
    let mut client = Client::open(&server, "/api/v1/events", Some("8")).await;
    assert_eq!(client.ids(2).await, [9, 10], "nothing of what it has not had is gone");
}

#[tokio::test(start_paused = true)]
async fn a_client_of_another_store_is_reset_even_if_this_one_has_passed_its_position() {
    let server = TestServer::on("new");
    for n in 0..3 {
        server.add(&format!("local/default/job-{n}"), JobState::Running).await;
    }
    for (query, last) in [
        ("after=2&store=old", None),
        ("store=old", Some("2")),
        ("store=old", None),
        ("after=0&store=old", None),
    ] {
        let first = resumed(&server, query, last).await;
        assert_eq!((first.name.as_str(), first.id), ("reset", Some(3)), "{query}");
        assert_eq!(
            first.data,
            serde_json::json!({ "store": "new", "newest": 3, "at": AT.to_string() }),
            "{query}"
        );
    }
    for (query, last) in [
        ("after=2&store=new", None),
        ("store=new&after=0", Some("2")),
        ("after=2&store=", None),
    ] {
        let first = resumed(&server, query, last).await;
        assert_eq!((first.name.as_str(), first.id), ("transition", Some(3)), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_of_a_store_from_before_it_was_restored_is_reset() {
    let server = busy(3).await;
    let (same, other) = (AT.to_string(), "2026-11-23T01:13:29.839Z");
    for query in [
        format!("after=2&store=memory&at={same}"),
        format!("after=2&at={}", same.replace('Z', "%2B00:00")),
    ] {
        assert_eq!(resumed(&server, &query, None).await.id, Some(3), "{query}");
    }
    let restored = resumed(&server, &format!("after=2&store=memory&at={other}"), None).await;
    assert_eq!(restored.name, "reset");
    // A browser's header is newer than the address it began with, and has no time.
    let query = format!("after=1&store=memory&at={other}");
    assert_eq!(resumed(&server, &query, Some("2")).await.id, Some(3));
}

#[tokio::test]
async fn the_answer_names_the_store() {
    let server = TestServer::on("this one");
    let asked = request(Method::GET, "/api/v1/events").body(Body::empty()).unwrap();
    assert_eq!(server.send(asked).await.headers()["steadfast-store"], "this one");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_says_that_it_lives() {
    let server = busy(1).await;
    let mut client = Client::open(&server, "/api/v1/events", None).await;
    let frame = timeout(HEARTBEAT * 2, client.body.frame())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(frame.data_ref().unwrap().starts_with(b":"));
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_engine() {
    let server = busy(1).await;
    let mut client = Client::open(&server, "/api/v1/events?after=0", None).await;
    drop(server.entries);
    assert_eq!(client.ids(1).await, [1]);
    assert_eq!(client.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn connections_are_counted_and_given_back() {
    let server = busy(1).await;
    let mut clients = Vec::new();
    for _ in 0..MAX_FOLLOWERS {
        clients.push(Client::open(&server, "/api/v1/events", None).await);
    }
    let (status, problem) = server.get("/api/v1/events").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    clients.pop();
    Client::open(&server, "/api/v1/events", None).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_has_followed_longest_makes_room_and_misses_nothing() {
    let server = busy(1).await;
    let mut clients = Vec::new();
    for _ in 0..MAX_FOLLOWERS {
        clients.push(Client::open(&server, "/api/v1/events?after=0", None).await);
    }
    tokio::time::advance(Duration::from_secs(61)).await;
    let mut new = Client::open(&server, "/api/v1/events?after=0", None).await;
    assert_eq!(new.ids(1).await, [1]);
    assert_eq!(clients[0].next().await, None, "the first is over");
    assert_eq!(clients[1].ids(1).await, [1], "the second goes on");
    Client::open(&server, "/api/v1/events", None).await;
    assert_eq!(clients[1].next().await, None, "its place is the next to go");
}

#[tokio::test]
async fn what_is_no_position_is_refused() {
    let server = busy(1).await;
    for path in [
        "/api/v1/events?after=x",
        "/api/v1/events?after=-1",
        "/api/v1/events?job=a",
        "/api/v1/events?after=1&at=yesterday",
    ] {
        assert_eq!(server.get(path).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
    let asked = request(Method::GET, "/api/v1/events").header("last-event-id", "abc");
    let response = server.send(asked.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_a_key_opened_ends_in_time_for_the_key_to_be_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "0123456789abcdef").unwrap();
    let access = crate::Access::guarded(crate::Keys {
        shared: Some(crate::Token::read(&path).unwrap()),
        ..crate::Keys::default()
    });
    let keyed = TestServer::guarded(access);
    let open = TestServer::new();
    for (server, ends) in [(&keyed, true), (&open, false)] {
        let asked = request(Method::GET, "/api/v1/events").header("authorization", "Bearer 0123456789abcdef");
        let mut body = server.send(asked.body(Body::empty()).unwrap()).await.into_body();
        let began = tokio::time::Instant::now();
        let to_its_end = async { while body.frame().await.is_some() {} };
        assert_eq!(timeout(KEY * 2, to_its_end).await.is_ok(), ends);
        assert!(began.elapsed() >= KEY);
    }
}

#[tokio::test]
async fn an_event_comes_with_its_job_where_that_is_asked_for() {
    let server = TestServer::new();
    let mut bare = Client::open(&server, "/api/v1/events", None).await;
    let mut whole = Client::open(&server, "/api/v1/events?job=true", None).await;
    server.add("local/default/orders", JobState::Running).await;
    assert_eq!(bare.next().await.unwrap().data.get("record"), None);
    let heard = whole.next().await.unwrap().data;
    let (_, job) = server.get("/api/v1/jobs/local/default/orders").await;
    assert_eq!((&heard["record"], &heard["body"]["to"]), (&job, &"RUNNING".into()));
    // Two events wait: the job comes as it is when each of them is sent.
    let mut failed = record("local/default/orders", JobState::Failed);
    failed.revision = 2;
    server
        .commit(
            failed,
            vec![Event::Update(None), moved(JobState::Running, JobState::Failed)],
        )
        .await;
    assert_eq!(whole.next().await.unwrap().data["record"]["state"], "FAILED");
    let mut gone = record("local/default/orders", JobState::Failed);
    gone.revision = 2;
    server.commit(gone.clone(), vec![Event::Forgotten]).await;
    server.jobs.remove(&gone.key);
    assert_eq!(
        whole.next().await.unwrap().data["record"],
        Value::Null,
        "it is gone by now"
    );
    let heard = whole.next().await.unwrap();
    assert_eq!(
        (heard.name.as_str(), heard.data.get("record")),
        ("forgotten", Some(&Value::Null))
    );
    let (status, problem) = server.get("/api/v1/events?job=yes").await;
    assert_eq!(
        (status, problem["parameter"].as_str()),
        (StatusCode::BAD_REQUEST, Some("job"))
    );
}
