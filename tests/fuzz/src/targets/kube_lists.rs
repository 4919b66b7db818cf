//! Lists of Kubernetes' and of the operator's kinds, in pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use steadfast_core::kube_update::{Completeness, KubeChange, Object, ObjectKind};

use crate::fakes::{Reply, api_server, choice, head, play, status};
use crate::watching::Watching;
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "kube_lists",
    words: WORDS,
    seeds,
    check,
};

pub(super) const WORDS: &[&str] = &[
    "kind",
    "DeploymentList",
    "PodList",
    "FlinkDeploymentList",
    "FlinkSessionJobList",
    "FlinkStateSnapshotList",
    "items",
    "metadata",
    "resourceVersion",
    "continue",
    "name",
    "namespace",
    "uid",
    "labels",
    "app",
    "component",
    "type",
    "flink-native-kubernetes",
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "observedGeneration",
    "ownerReferences",
    "controller",
    "spec",
    "status",
    "replicas",
    "readyReplicas",
    "updatedReplicas",
    "conditions",
    "containers",
    "ports",
    "containerPort",
    "args",
    "containerStatuses",
    "initContainerStatuses",
    "state",
    "lastState",
    "waiting",
    "terminated",
    "reason",
    "message",
    "exitCode",
    "restartCount",
    "podIP",
    "phase",
    "jobStatus",
    "jobId",
    "lifecycleState",
    "error",
    "jobManagerDeploymentStatus",
    "suspended",
    "running",
    "jobReference",
    "deploymentName",
    "throwableList",
    "PodScheduled",
    "Ready",
    "False",
    "True",
];

/// What is listed and watched, in the order of the digits that choose it.
pub(super) const KINDS: [ObjectKind; 5] = [
    ObjectKind::Deployment,
    ObjectKind::Pod,
    ObjectKind::FlinkDeployment,
    ObjectKind::FlinkSessionJob,
    ObjectKind::FlinkStateSnapshot,
];

/// What stands between two pages of an input.
const PAGE_END: u8 = 0x1e;

/// Behind what chooses kind and status: the pages.
fn seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let files = seeds::files("tests/fixtures", |path| {
        path.ends_with("/deployments.json") || path.ends_with("/pods.json") || path.contains("kubernetes/errors/")
    });
    for (path, body) in files {
        let head = match path.rsplit('/').next() {
            Some("deployments.json") => "00",
            Some("pods.json") => "10",
            _ => "03",
        };
        all.push(seeds::input(head, &body));
    }
    // The operator's recordings are lines of a watch: their objects make a list.
    for (kind, name) in [
        (2, "flinkdeployments"),
        (3, "flinksessionjobs"),
        (4, "flinkstatesnapshots"),
    ] {
        let list_kind = format!("{}List", KINDS[kind].as_str());
        let lines = seeds::file(&format!("tests/fixtures/operator-1.15.0/{name}.jsonl"));
        for object in objects(&lines).into_iter().take(12) {
            let page = serde_json::json!({"kind": list_kind, "metadata": {"resourceVersion": "7"}, "items": [object]});
            all.push(seeds::input(&format!("{kind}0"), page.to_string().as_bytes()));
        }
    }
    let pages = br#"00{"kind":"DeploymentList","metadata":{"resourceVersion":"1","continue":"a"},"items":[]}"#;
    let last = br#"{"kind":"DeploymentList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"a","uid":"u"}}]}"#;
    all.push([&pages[..], &[PAGE_END], &last[..]].concat());
    all
}

/// The objects of the lines of a watch.
pub(super) fn objects(lines: &[u8]) -> Vec<serde_json::Value> {
    let lines = lines.split(|byte| *byte == b'\n');
    let read = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).ok();
    lines
        .filter_map(read)
        .map(|mut line| line["object"].take())
        .filter(serde_json::Value::is_object)
        .collect()
}

fn check(input: &[u8]) {
    let ([kind, of_status], pages) = head(input);
    let (kind, status) = (KINDS[choice(kind, KINDS.len())], status(of_status));
    let pages: Arc<[Bytes]> = pages
        .split(|byte| *byte == PAGE_END)
        .map(Bytes::copy_from_slice)
        .collect();
    let (given, read) = (Arc::clone(&pages), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&read);
    let answer = move |path: &str| {
        if !lists(path, kind) {
            return Reply::Never;
        }
        let page = if path.contains("continue=") {
            count.load(Ordering::Relaxed)
        } else {
            0
        };
        count.store(page + 1, Ordering::Relaxed);
        match given.get(page) {
            Some(body) => Reply::Answer(status, body.clone()),
            None => Reply::Answer(410, Bytes::from_static(b"{}")),
        }
    };
    let change = play(async {
        let mut watching = Watching::start(api_server(answer), kind);
        let change = watching.next_change().await;
        watching.stop().await;
        change
    });
    match change {
        KubeChange::Relisted(objects, completeness) => {
            assert_eq!(status, 200, "an error lists nothing");
            let pages = &pages[..read.load(Ordering::Relaxed)];
            listed(&objects, completeness, kind, pages);
        }
        KubeChange::Failed(fault) => hold::fault(&fault),
        other
        @ (KubeChange::Applied(_) | KubeChange::Deleted(_) | KubeChange::NotFound(_) | KubeChange::PodsOf(..)) => {
            panic!("a list leads to a list or a fault, not to {other:?}")
        }
    }
}

/// Whether a path lists or watches the kind.
pub(super) fn is_of(path: &str, kind: ObjectKind) -> bool {
    let plural = format!("/{}", kind.plural().to_lowercase());
    path.split('?').next().is_some_and(|path| path.ends_with(&plural))
}

fn lists(path: &str, kind: ObjectKind) -> bool {
    is_of(path, kind) && !path.contains("watch=true")
}

#[derive(Deserialize)]
struct Page {
    kind: String,
    items: Option<Vec<IgnoredAny>>,
}

/// Every item of every page is told of, or the list does not count as complete.
fn listed(objects: &[Object], completeness: Completeness, kind: ObjectKind, pages: &[Bytes]) {
    let mut items = 0;
    for page in pages {
        let page: Page = serde_json::from_slice(page).expect("what is no list of the kind lists nothing");
        assert_eq!(page.kind, format!("{}List", kind.as_str()));
        items += page.items.map_or(0, |items| items.len());
    }
    match completeness {
        Completeness::Complete => assert_eq!(objects.len(), items, "an item went missing in silence"),
        Completeness::Incomplete => assert!(objects.len() < items),
    }
    objects.iter().for_each(hold::object);
}
