//! The lines of a watch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use steadfast_core::kube_update::{KubeChange, Object, ObjectKind};

use super::kube_lists::{KINDS, WORDS, is_of};
use crate::fakes::{Reply, api_server, choice, head, play};
use crate::watching::Watching;
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "kube_watch",
    words: WORDS,
    seeds,
    check,
};

/// Behind what chooses the kind: lines, few enough to be tried often.
fn seeds() -> Vec<Vec<u8>> {
    const LINES: usize = 4;
    let mut all = vec![
        br#"0{"type":"BOOKMARK","object":{"kind":"Deployment","metadata":{"resourceVersion":"9"}}}"#.to_vec(),
        br#"0{"type":"DELETED","object":{"metadata":{"name":"a","uid":"u","resourceVersion":"8"}}}"#.to_vec(),
    ];
    let of_names = [
        ("watch-too-old", 0),
        ("bookmark", 0),
        ("deployments.jsonl", 0),
        ("pods.jsonl", 1),
        ("flinkdeployments", 2),
        ("flinksessionjobs", 3),
        ("flinkstatesnapshots", 4),
    ];
    for (path, lines) in seeds::files("tests/fixtures", |path| path.ends_with(".jsonl")) {
        let Some((_, kind)) = of_names.iter().find(|(name, _)| path.contains(name)) else {
            continue;
        };
        let lines: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
        all.extend(
            lines
                .chunks(LINES)
                .map(|some| seeds::input(&kind.to_string(), &some.concat())),
        );
    }
    all
}

fn check(input: &[u8]) {
    let ([kind], lines) = head(input);
    let kind = KINDS[choice(kind, KINDS.len())];
    let (listed, watched) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let sent = Bytes::copy_from_slice(lines);
    let answer = move |path: &str| {
        let first = |done: &AtomicBool| !done.swap(true, Ordering::Relaxed);
        if !is_of(path, kind) {
            return not_found(path, kind);
        }
        if path.contains("watch=true") {
            return if first(&watched) {
                Reply::Answer(200, sent.clone())
            } else {
                Reply::Never
            };
        }
        let list_kind = format!("{}List", kind.as_str());
        let empty = json!({"kind": list_kind, "metadata": {"resourceVersion": "1"}, "items": []});
        if first(&listed) {
            Reply::Answer(200, empty.to_string().into())
        } else {
            Reply::Never
        }
    };
    let changes = play(async {
        let mut watching = Watching::start(api_server(answer), kind);
        let changes = watching.changes().await;
        watching.stop().await;
        changes
    });
    told(&changes, lines);
}

/// What is asked for by name is not there, in the API server's own words.
fn not_found(path: &str, kind: ObjectKind) -> Reply {
    let plural = kind.plural().to_lowercase();
    let Some((_, name)) = path.split_once(&format!("/{plural}/")) else {
        return Reply::Never;
    };
    let status = json!({"kind": "Status", "reason": "NotFound", "details": {"name": name, "kind": plural}});
    Reply::Answer(404, status.to_string().into())
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    change: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Namespace and name of an object. Of a member that is there twice the last one counts, as in Kubernetes' own types.
fn named(object: &str) -> serde_json::Result<Option<(String, String)>> {
    let object: Value = serde_json::from_str(object)?;
    let metadata = &object["metadata"];
    let namespace = metadata["namespace"].as_str().unwrap_or("default");
    Ok(metadata["name"]
        .as_str()
        .map(|name| (namespace.to_owned(), name.to_owned())))
}

/// Each change that is told stands in a line, as the change that the line says.
fn told(changes: &[KubeChange], lines: &[u8]) {
    let (mut changed, mut deleted) = (Vec::new(), BTreeSet::new());
    for line in lines.split(|byte| *byte == b'\n') {
        let Ok(Line { change, object }) = serde_json::from_slice(line) else {
            continue;
        };
        let name = match named(object.get()) {
            Ok(Some(name)) => name,
            Ok(None) => continue,
            // What is read here is stricter than what the engine reads, such as a number that no float has.
            Err(_) => return,
        };
        match change.as_str() {
            "ADDED" | "MODIFIED" => changed.push(name),
            "DELETED" => drop(deleted.insert(name)),
            _ => {}
        }
    }
    let name = |object: &Object| {
        let (namespace, name) = object.namespaced_name();
        (namespace.as_str().to_owned(), name.to_owned())
    };
    assert!(
        matches!(changes, [KubeChange::Relisted(listed, _), ..] if listed.is_empty()),
        "the list comes first"
    );
    let mut applied = changes.iter().filter_map(|change| match change {
        KubeChange::Applied(object) => Some(name(object)),
        KubeChange::Deleted(_)
        | KubeChange::Relisted(..)
        | KubeChange::PodsOf(..)
        | KubeChange::NotFound(_)
        | KubeChange::Failed(_) => None,
    });
    let mut rest = changed.iter();
    assert!(
        applied.all(|applied| rest.any(|line| *line == applied)),
        "told out of order, or of nothing"
    );
    for change in changes {
        match change {
            KubeChange::Applied(object) => hold::object(object),
            KubeChange::Deleted(object) => {
                hold::object(object);
                assert!(deleted.contains(&name(object)), "{object:?} was not deleted");
            }
            KubeChange::Failed(fault) => hold::fault(fault),
            KubeChange::NotFound(object) => assert!(deleted.iter().any(|(_, name)| *name == object.name), "{object:?}"),
            KubeChange::PodsOf(..) => panic!("a watch is asked for no pods of one Deployment"),
            KubeChange::Relisted(..) => {}
        }
    }
}
