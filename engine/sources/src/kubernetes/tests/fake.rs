//! An API server in memory, behind the same client as a real one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt, unfold};
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

/// What becomes of all packets.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Network {
    Up,
    Drops,
    Refuses,
}

/// What a LIST is answered with.
#[derive(Clone, PartialEq)]
pub(super) enum Lists {
    Fine,
    Status(u16, Option<&'static str>),
    Body(&'static str),
}

/// What becomes of a WATCH.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Watches {
    Fine,
    Silent,
    CloseAtOnce,
    ExpiredStatus,
    ExpiredEvent,
    Forbidden,
    Break,
    EndlessLine,
}

/// What a GET by name is answered with.
#[derive(Clone, PartialEq)]
pub(super) enum Gets {
    Fine,
    Status(u16, &'static str),
}

type Key = (&'static str, String, String);

struct State {
    version: u64,
    objects: BTreeMap<Key, Value>,
    events: Vec<(u64, &'static str, &'static str, Value)>,
    network: Network,
    lists: Lists,
    watches: Watches,
    list_takes: Duration,
    gets: Gets,
    gets_take: Duration,
    /// What is there and carries no label that selects it.
    unselected: BTreeSet<Key>,
    /// What the operator's kinds are answered with, if not with their objects.
    operator: Option<u16>,
    expired_pages: u32,
    page_bytes: usize,
    asked: Vec<(Instant, String)>,
}

/// The server; clones are the same one.
#[derive(Clone)]
pub(super) struct Server {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
}

impl Server {
    pub(super) fn new() -> Self {
        let state = State {
            version: 100,
            objects: BTreeMap::new(),
            events: Vec::new(),
            network: Network::Up,
            lists: Lists::Fine,
            watches: Watches::Fine,
            list_takes: Duration::ZERO,
            gets: Gets::Fine,
            gets_take: Duration::ZERO,
            unselected: BTreeSet::new(),
            operator: None,
            expired_pages: 0,
            page_bytes: usize::MAX,
            asked: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            changed: watch::Sender::new(0),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let out = change(&mut self.state.lock().unwrap());
        self.changed.send_modify(|times| *times += 1);
        out
    }

    /// Puts an object there and sends ADDED.
    pub(super) fn put(&self, plural: &'static str, mut object: Value) {
        self.change(|state| {
            state.version += 1;
            object["metadata"]["resourceVersion"] = state.version.to_string().into();
            let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
            let key = (
                plural,
                text(&object["metadata"]["namespace"]),
                text(&object["metadata"]["name"]),
            );
            state.events.push((state.version, plural, "ADDED", object.clone()));
            state.unselected.remove(&key);
            state.objects.insert(key, object);
        });
    }

    /// Removes an object and sends DELETED.
    pub(super) fn delete(&self, plural: &'static str, name: &str) {
        self.change(|state| {
            state.version += 1;
            let mut object = state
                .objects
                .remove(&(plural, "default".to_owned(), name.to_owned()))
                .unwrap();
            object["metadata"]["resourceVersion"] = state.version.to_string().into();
            state.events.push((state.version, plural, "DELETED", object));
        });
    }

    /// An object leaves the selection of its list and watch: they say DELETED, and it is there all the time.
    pub(super) fn unselect(&self, plural: &'static str, name: &str) {
        self.change(|state| {
            state.version += 1;
            let key = (plural, "default".to_owned(), name.to_owned());
            let mut last = state.objects[&key].clone();
            last["metadata"]["resourceVersion"] = state.version.to_string().into();
            state.events.push((state.version, plural, "DELETED", last));
            state.unselected.insert(key);
        });
    }

    /// It is deleted while no list or watch selects it; another may take its name, which is not selected either.
    pub(super) fn replace_unselected(&self, plural: &'static str, name: &str, next: Option<Value>) {
        self.change(|state| {
            let key = (plural, "default".to_owned(), name.to_owned());
            state.objects.remove(&key);
            state.objects.extend(next.map(|next| (key, next)));
        });
    }

    /// What a GET by name is answered with.
    pub(super) fn gets(&self, gets: Gets) {
        self.change(|state| state.gets = gets);
    }

    /// How long a GET by name takes.
    pub(super) fn gets_take(&self, span: Duration) {
        self.change(|state| state.gets_take = span);
    }

    /// The times at which that object was asked for by name.
    pub(super) fn asked_for(&self, name: &str) -> Vec<Instant> {
        let end = format!("/{name}");
        let asked = self.asked();
        asked
            .into_iter()
            .filter(|(_, url)| url.ends_with(&end))
            .map(|(at, _)| at)
            .collect()
    }

    pub(super) fn network(&self, network: Network) {
        self.change(|state| state.network = network);
    }

    pub(super) fn lists(&self, lists: Lists) {
        self.change(|state| state.lists = lists);
    }

    pub(super) fn watches(&self, watches: Watches) {
        self.change(|state| state.watches = watches);
    }

    /// Answers requests for the operator's kinds with that status.
    pub(super) fn operator(&self, status: Option<u16>) {
        self.change(|state| state.operator = status);
    }

    /// How long a LIST takes between the moment it is about and its answer.
    pub(super) fn lists_take(&self, span: Duration) {
        self.change(|state| state.list_takes = span);
    }

    /// That many further pages are answered with 410.
    pub(super) fn expire_pages(&self, pages: u32) {
        self.change(|state| state.expired_pages = pages);
    }

    /// A page of more than so many objects is padded to 9 MiB.
    pub(super) fn pad_pages_of(&self, objects: usize) {
        self.change(|state| state.page_bytes = objects);
    }

    /// Every request so far, with its time.
    pub(super) fn asked(&self) -> Vec<(Instant, String)> {
        self.state.lock().unwrap().asked.clone()
    }

    /// How many requests have come since.
    pub(super) fn asked_since(&self, moment: Instant) -> usize {
        self.asked().iter().filter(|(at, _)| *at >= moment).count()
    }

    pub(super) fn client(&self) -> kube::Client {
        let server = self.clone();
        kube::Client::new(
            tower::service_fn(move |request: Request<kube::client::Body>| server.clone().answer(request)),
            "default",
        )
    }

    async fn answer(self, request: Request<kube::client::Body>) -> io::Result<Response<reqwest::Body>> {
        let url = request.uri().to_string();
        let network = self.change(|state| {
            state.asked.push((Instant::now(), url.clone()));
            state.network
        });
        match network {
            Network::Up => {}
            Network::Drops => std::future::pending().await,
            Network::Refuses => return Err(io::ErrorKind::ConnectionRefused.into()),
        }
        let plural = ["deployments", "flinkdeployments", "flinksessionjobs", "pods"]
            .into_iter()
            .find(|plural| url.contains(&format!("/{plural}?")) || url.contains(&format!("/{plural}/")))
            .unwrap();
        if let Some((_, name)) = url.split_once(&format!("/{plural}/")) {
            return Ok(self.get(plural, name).await);
        }
        if let (true, Some(status)) = (plural.starts_with("flink"), self.change(|state| state.operator)) {
            let body = "404 page not found\n";
            return Ok(Response::builder().status(status).body(body.into()).unwrap());
        }
        let query: BTreeMap<String, String> = form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes())
            .into_owned()
            .collect();
        if query.contains_key("watch") {
            return Ok(self.watch(plural, query["resourceVersion"].parse().unwrap()));
        }
        let (lists, answer, takes) = self.change(|state| {
            let answer = state.list(plural, &query);
            (state.lists.clone(), answer, state.list_takes)
        });
        tokio::time::sleep(takes).await;
        Ok(match lists {
            Lists::Fine => answer,
            Lists::Body(body) => Response::new(body.into()),
            Lists::Status(status, retry_after) => {
                let response = Response::builder().status(status);
                match retry_after {
                    Some(after) => response.header("Retry-After", after),
                    None => response,
                }
                .body(json!({"kind": "Status", "message": "no"}).to_string().into())
                .unwrap()
            }
        })
    }

    /// One object by its name.
    async fn get(self, plural: &'static str, name: &str) -> Response<reqwest::Body> {
        let (gets, found, takes) = self.change(|state| {
            let key = (plural, "default".to_owned(), name.to_owned());
            (state.gets.clone(), state.objects.get(&key).cloned(), state.gets_take)
        });
        tokio::time::sleep(takes).await;
        let (status, body) = match (gets, found) {
            (Gets::Status(status, body), _) => (status, body.to_owned()),
            (Gets::Fine, Some(mut object)) => {
                object["kind"] = if plural == "pods" { "Pod" } else { "Deployment" }.into();
                (200, object.to_string())
            }
            (Gets::Fine, None) => (404, not_found(plural, name)),
        };
        Response::builder().status(status).body(body.into()).unwrap()
    }

    fn watch(self, plural: &'static str, from: u64) -> Response<reqwest::Body> {
        let mode = self.state.lock().unwrap().watches;
        let line = |value: Value| Ok::<_, io::Error>(format!("{value}\n"));
        let expired = json!({"kind": "Status", "code": 410, "message": "too old resource version"});
        let lines: BoxStream<'static, io::Result<String>> = match mode {
            Watches::Forbidden => return Response::builder().status(403).body("{}".into()).unwrap(),
            Watches::ExpiredStatus => {
                return Response::builder()
                    .status(410)
                    .body(expired.to_string().into())
                    .unwrap();
            }
            Watches::ExpiredEvent => futures::stream::iter([line(json!({"type": "ERROR", "object": expired}))]).boxed(),
            Watches::Break => futures::stream::iter([Err(io::ErrorKind::ConnectionReset.into())]).boxed(),
            Watches::EndlessLine => futures::stream::repeat_with(|| Ok("x".repeat(1 << 20))).boxed(),
            Watches::Fine | Watches::Silent | Watches::CloseAtOnce => {
                unfold((self, from), move |(server, at)| server.next_event(plural, at)).boxed()
            }
        };
        Response::new(reqwest::Body::wrap_stream(lines))
    }

    async fn next_event(self, plural: &'static str, at: u64) -> Option<(io::Result<String>, (Self, u64))> {
        let mut changed = self.changed.subscribe();
        loop {
            let (heard, closes, next) = {
                let state = self.state.lock().unwrap();
                let next = state
                    .events
                    .iter()
                    .find(|(version, of, ..)| *version > at && *of == plural);
                (
                    state.network == Network::Up && state.watches != Watches::Silent,
                    state.watches == Watches::CloseAtOnce,
                    next.cloned(),
                )
            };
            match next {
                Some((version, _, kind, object)) if heard => {
                    let line = json!({"type": kind, "object": object});
                    return Some((Ok(format!("{line}\n")), (self, version)));
                }
                _ if closes => return None,
                _ => changed.changed().await.unwrap(),
            }
        }
    }
}

impl State {
    fn list(&mut self, plural: &'static str, query: &BTreeMap<String, String>) -> Response<reqwest::Body> {
        let start: usize = match query.get("continue") {
            Some(_) if self.expired_pages > 0 => {
                self.expired_pages -= 1;
                return Response::builder().status(410).body("{}".into()).unwrap();
            }
            Some(token) => token.parse().unwrap(),
            None => 0,
        };
        let limit: usize = query["limit"].parse().unwrap();
        let all: Vec<&Value> = self
            .objects
            .iter()
            .filter(|(key, _)| key.0 == plural && !self.unselected.contains(key))
            .map(|(_, object)| object)
            .collect();
        let kind = match plural {
            "pods" => "PodList",
            "flinkdeployments" => "FlinkDeploymentList",
            "flinksessionjobs" => "FlinkSessionJobList",
            _ => "DeploymentList",
        };
        let mut metadata = json!({"resourceVersion": self.version.to_string()});
        if start + limit < all.len() {
            metadata["continue"] = (start + limit).to_string().into();
        }
        let items: Vec<&&Value> = all.iter().skip(start).take(limit).collect();
        let mut body = json!({"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items});
        if items.len() > self.page_bytes {
            body["padding"] = " ".repeat(9 << 20).into();
        }
        Response::new(body.to_string().into())
    }
}

fn not_found(plural: &str, name: &str) -> String {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404,
        "message": format!("{plural} \"{name}\" not found"), "details": {"name": name, "kind": plural},
    })
    .to_string()
}

/// A Deployment as Flink's native integration makes it.
pub(super) fn deployment(name: &str, uid: &str) -> Value {
    json!({
        "metadata": {"namespace": "default", "name": name, "uid": uid, "labels": {"type": "flink-native-kubernetes"}},
        "spec": {"selector": {}, "template": {"spec": {"containers": [
            {"name": "flink-main-container", "args": ["kubernetes-jobmanager.sh kubernetes-application"]},
        ]}}},
        "status": {"readyReplicas": 1},
    })
}
