//! What was recorded beside the operator (`tests/fixtures/operator-1.15.0`), read as the product reads it: the lines of the
//! watches by its reflector, over a client that has them; Flink's lists by its parser.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use serde_json::{Value, json};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::FlinkOverview;
use steadfast_core::id::ClusterName;
use steadfast_core::kube_update::{KubeChange, ObjectKind};
use steadfast_core::time::{Clock, Timestamp};
use steadfast_core::timing::Timing;
use steadfast_sources::flink;
use steadfast_sources::kubernetes::{KubeCluster, KubePorts, KubeSettings, OperatorResources, Selector, scopes};
use steadfast_sources::transport::{Answer, Limits, MAX_BODY, Transport};
use steadfast_tasks::Tasks;

/// What a Flink answers: its list, or nothing that could be used.
pub type FlinkAnswer = Result<FlinkOverview, Fault>;

/// One recorded line: what the API server sent of an object.
#[derive(Clone, Debug)]
pub struct Line {
    /// The file it is from.
    pub file: &'static str,
    /// When it was sent, as near as the recording tells.
    pub at: Timestamp,
    /// Whether it says that the object was deleted.
    pub is_deletion: bool,
    /// The object, as it was sent.
    pub object: Value,
    /// What the product makes of it; `None`: nothing, it does not read that kind.
    pub read: Option<KubeChange>,
}

impl Line {
    pub fn text(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn number(&self, pointer: &str) -> i64 {
        self.object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
    }

    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub fn is_of(&self, kind: ObjectKind, name: &str) -> bool {
        self.kind() == kind.as_str() && self.name() == name
    }

    pub fn lifecycle(&self) -> &str {
        self.text("/status/lifecycleState")
    }

    /// What the operator last saw of the job.
    pub fn job_state(&self) -> &str {
        self.text("/status/jobStatus/state")
    }

    /// Whether somebody asked for something that the operator has not taken up.
    pub fn is_asked_anew(&self) -> bool {
        self.number("/metadata/generation") > self.number("/status/observedGeneration")
    }

    pub fn is_going(&self) -> bool {
        !self.text("/metadata/deletionTimestamp").is_empty()
    }

    fn version(&self) -> i64 {
        self.text("/metadata/resourceVersion").parse().unwrap()
    }

    /// The newest moment that it names.
    fn names(&self) -> Option<Timestamp> {
        let written = [
            "/metadata/creationTimestamp",
            "/metadata/deletionTimestamp",
            "/lastTimestamp",
            "/status/triggerTimestamp",
            "/status/resultTimestamp",
            "/status/lastReconciledTimestamp",
        ];
        let counted = [
            "/status/reconciliationStatus/reconciliationTimestamp",
            "/status/jobStatus/updateTime",
        ];
        let written = written.iter().filter_map(|field| Timestamp::parse(self.text(field)));
        let counted = counted.iter().filter_map(|field| {
            let value = self.object.pointer(field)?;
            let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
            Some(Timestamp::from_millis(millis))
        });
        written.chain(counted).max()
    }
}

fn recorded(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/operator-1.15.0");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// The lines of all watches but that of the refused job, in the order in which the API server wrote them, which resource
/// versions tell: the runs were of one API server.
///
/// No line says when it was sent, so it is no sooner than what it and those before it name; the last line of an object names
/// nothing of its deletion, which may be as late as the next line of any kind.
pub fn lines() -> Vec<Line> {
    let files = [
        "flinkdeployments.jsonl",
        "flinksessionjobs.jsonl",
        "flinkbluegreendeployments.jsonl",
        "flinkstatesnapshots.jsonl",
        "events.jsonl",
    ];
    let mut lines: Vec<Line> = files.into_iter().flat_map(lines_of).collect();
    lines.sort_by_key(Line::version);
    let mut at = Timestamp::default();
    for place in 0..lines.len() {
        let line = &lines[place];
        let named = if line.is_deletion {
            let later = lines[place + 1..].iter().filter_map(Line::names);
            later.into_iter().find(|named| *named > at)
        } else {
            line.names()
        };
        at = at.max(named.unwrap_or(at));
        lines[place].at = at;
    }
    lines
}

/// The lines of one watch.
pub fn lines_of(file: &'static str) -> Vec<Line> {
    let text = recorded(file);
    let sent: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kind = kind_read(sent[0]["object"]["kind"].as_str().unwrap());
    let read: Vec<Option<KubeChange>> = match kind {
        Some(kind) => watched(kind, &text, sent.len()).into_iter().map(Some).collect(),
        None => vec![None; sent.len()],
    };
    let lines = sent.into_iter().zip(read).map(|(mut sent, read)| Line {
        file,
        at: Timestamp::default(),
        is_deletion: sent["type"] == "DELETED",
        object: sent["object"].take(),
        read,
    });
    lines.collect()
}

fn settings() -> KubeSettings {
    KubeSettings {
        name: ClusterName::new("local"),
        namespaces: Vec::new(),
        timing: Timing::default(),
        deployments: Selector::Flink,
    }
}

/// The kind as the product watches it; `None`: it does not.
pub fn kind_read(kind: &str) -> Option<ObjectKind> {
    let kinds = scopes(&settings(), OperatorResources::Watched)
        .into_iter()
        .map(|scope| scope.kind);
    kinds.into_iter().find(|read| read.as_str() == kind)
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(work)
}

/// What the product's reflector tells of so many lines of a watch.
fn watched(kind: ObjectKind, lines: &str, count: usize) -> Vec<KubeChange> {
    let lines = lines.to_owned();
    let server = tower::service_fn(move |request: Request<kube::client::Body>| {
        let url = request.uri().to_string();
        let plural = format!("/{}s?", kind.as_str().to_lowercase());
        let body = if !url.contains("watch=true") {
            let list =
                json!({"kind": format!("{}List", kind.as_str()), "metadata": {"resourceVersion": "1"}, "items": []});
            Some(list.to_string())
        } else if url.contains("resourceVersion=1") && url.contains(&plural) {
            Some(lines.clone())
        } else {
            None
        };
        async move {
            match body {
                Some(body) => Ok::<_, std::io::Error>(Response::new(kube::client::Body::from(body.into_bytes()))),
                None => std::future::pending().await,
            }
        }
    });
    in_runtime(async {
        let (updates, mut told) = tokio::sync::mpsc::channel(16);
        let tasks = Tasks::default();
        let ports = KubePorts {
            client: kube::Client::new(server, "default"),
            clock: Arc::new(Still),
            updates,
            tasks: tasks.clone(),
            known: Vec::new(),
            seed: 7,
        };
        let cluster = KubeCluster::start(settings(), OperatorResources::Watched, ports);
        let mut changes = Vec::new();
        while changes.len() < count {
            let update = tokio::time::timeout(Duration::from_secs(30), told.recv())
                .await
                .unwrap()
                .unwrap();
            if update.scope.kind != kind {
                continue;
            }
            match update.change {
                change @ (KubeChange::Applied(_) | KubeChange::Deleted(_)) => changes.push(change),
                KubeChange::Relisted(listed, _) => assert_eq!(listed, []),
                other @ (KubeChange::NotFound(_) | KubeChange::PodsOf(..) | KubeChange::Failed(_)) => {
                    panic!("line {}: {other:?}", changes.len())
                }
            }
        }
        assert_eq!(cluster.undecodable(), 0);
        tasks.token().cancel();
        changes
    })
}

/// One answer, whatever is asked.
struct Says(Value);

#[async_trait]
impl Transport for Says {
    async fn get(&self, _: &str, _: Limits) -> Result<Answer, Fault> {
        Ok(Answer {
            status: 200,
            retry_after: None,
            body: self.0.to_string().into(),
        })
    }
}

/// What Flink answered to the polls of the recording, with the moment of each.
pub fn flinks_answers(file: &str) -> Vec<(Timestamp, FlinkAnswer)> {
    let polls: Vec<Value> = serde_json::from_str(&recorded(file)).unwrap();
    let seconds = |poll: &Value| Duration::from_millis((poll["at_s"].as_f64().unwrap() * 1000.0) as u64);
    // A job that runs tells what time it was.
    let running = |poll: &Value| {
        let job = poll["body"]["jobs"].get(0)?;
        let now =
            (job["end-time"] == -1).then(|| job["start-time"].as_i64().unwrap() + job["duration"].as_i64().unwrap())?;
        Some(Timestamp::from_millis(now).before(seconds(poll)))
    };
    let began = polls.iter().find_map(running).unwrap();
    let limits = Limits {
        deadline: Duration::from_secs(3),
        max_bytes: MAX_BODY,
    };
    let answer = |poll: &Value| match poll["error"].as_str() {
        None => Ok(in_runtime(flink::overview(&Says(poll["body"].clone()), "http://flink", limits)).unwrap()),
        Some("timed out") => Err(Fault::new(FaultKind::Timeout, "timed out")),
        Some(error) => Err(Fault::new(FaultKind::Refused, error)),
    };
    polls
        .iter()
        .map(|poll| (began.after(seconds(poll)), answer(poll)))
        .collect()
}
