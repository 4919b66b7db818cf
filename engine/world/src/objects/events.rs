//! Kubernetes' events about a target's objects, under both of their APIs.

use serde_json::json;

use super::{Builder, Kind, Meta};
use crate::identity::uid;

impl Builder<'_> {
    pub(super) fn events(&mut self) {
        for (index, event) in self.target.events.iter().enumerate() {
            let index = index.to_string();
            let stamp = self.born(format!("event {} {index} {}", self.uid, event.reason));
            let (kind, named) = match event.object.split_once('/') {
                Some(("Pod", short)) => ("Pod", Some(self.pod_called(short).unwrap_or_else(|| short.to_owned()))),
                Some((kind, name)) => (kind, Some(name.to_owned())),
                None => (event.object.as_str(), None),
            };
            let name = named.unwrap_or_else(|| match kind {
                "Pod" => self.first_pod().unwrap_or_else(|| format!("{}-jm", self.target.name)),
                "ReplicaSet" => self.replicaset.clone(),
                _ => self.target.name.clone(),
            });
            let about = json!({
                "kind": kind, "namespace": self.target.namespace, "name": name, "uid": uid(&[kind, &name]),
            });
            let meta = || Meta {
                uid: uid(&["event", &self.uid, &index]),
                ..Meta::default()
            };
            let (old, new) = (meta(), meta());
            let event_name = format!("{name}.{index}");
            let body = json!({
                "involvedObject": about, "reason": event.reason, "message": event.message, "type": "Warning",
                "firstTimestamp": stamp, "lastTimestamp": stamp, "count": 7,
            });
            self.add(Kind::Event, &event_name, old, body);
            let body = json!({
                "regarding": about, "reason": event.reason, "note": event.message, "type": "Warning",
                "deprecatedCount": 7, "deprecatedLastTimestamp": stamp,
            });
            self.add(Kind::NewEvent, &event_name, new, body);
        }
    }
}
