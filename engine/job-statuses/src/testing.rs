//! A cluster in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::Namespace;
use steadfast_sources::kubernetes::Refused;
use tokio::time::Instant;

use crate::cluster::{Cluster, Found, Listed, Place};
use crate::trouble::Verb;

/// A resource that is made of what is applied.
pub(crate) fn applied(head: &[u8], status: &[u8], generation: i64) -> Found {
    let head: Value = serde_json::from_slice(head).unwrap();
    let status: Value = serde_json::from_slice(status).unwrap_or_default();
    Found {
        place: Place {
            namespace: Namespace::new(head["metadata"]["namespace"].as_str().unwrap()),
            name: head["metadata"]["name"].as_str().unwrap().to_owned(),
        },
        labels: serde_json::from_value(head["metadata"]["labels"].clone()).unwrap(),
        generation,
        spec: serde_json::from_value(head["spec"].clone()).unwrap(),
        status: serde_json::from_value(status["status"].clone()).unwrap_or_default(),
    }
}

/// What an answer is instead of a success.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) about: &'static str,
    pub(crate) retry_after: Option<Duration>,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            about: "",
            retry_after: None,
        }
    }
}

type Rule = Box<dyn Fn(Verb, Option<&Place>) -> Option<Answer> + Send + Sync>;

/// The cluster.
#[derive(Default)]
pub(crate) struct Memory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    there: BTreeMap<Place, Found>,
    asked: Vec<(Instant, Verb)>,
    rule: Option<Rule>,
}

impl Memory {
    fn ask<T>(
        &self,
        verb: Verb,
        place: Option<&Place>,
        answer: impl FnOnce(&mut BTreeMap<Place, Found>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let mut state = self.state.lock().unwrap();
        state.asked.push((Instant::now(), verb));
        let refused = state.rule.as_ref().and_then(|rule| rule(verb, place));
        match refused {
            Some(answer) => Err(refusal(&answer)),
            None => answer(&mut state.there),
        }
    }

    /// From now on it answers so; `None`: as it should.
    pub(crate) fn answers(&self, rule: impl Fn(Verb, Option<&Place>) -> Option<Answer> + Send + Sync + 'static) {
        self.state.lock().unwrap().rule = Some(Box::new(rule));
    }

    /// The verbs it was asked since the last time this was asked.
    pub(crate) fn asked(&self) -> Vec<Verb> {
        let asked = std::mem::take(&mut self.state.lock().unwrap().asked);
        asked.into_iter().map(|(_, verb)| verb).collect()
    }

    /// When it was asked to write.
    pub(crate) fn writes(&self) -> Vec<Instant> {
        let state = self.state.lock().unwrap();
        let writes = state.asked.iter().filter(|(_, verb)| *verb != Verb::List);
        writes.map(|(at, _)| *at).collect()
    }

    /// Name and state of each.
    pub(crate) fn states(&self) -> BTreeMap<String, String> {
        let state = self.state.lock().unwrap();
        let all = state.there.values();
        all.map(|found| (found.place.name.clone(), found.status.state.clone()))
            .collect()
    }

    /// Somebody else does something.
    pub(crate) fn change(&self, change: impl FnOnce(&mut BTreeMap<Place, Found>)) {
        change(&mut self.state.lock().unwrap().there);
    }
}

fn refusal(answer: &Answer) -> Refused {
    Refused {
        status: answer.status,
        about: answer.about.to_owned(),
        reason: String::new(),
        fault: Fault {
            retry_after: answer.retry_after,
            ..Fault::new(FaultKind::Status, format!("HTTP {:?}", answer.status))
        },
    }
}

#[async_trait]
impl Cluster for Memory {
    async fn list(&self, namespace: Option<&Namespace>, label: &str) -> Result<Listed, Refused> {
        let (name, value) = label.split_once('=').unwrap();
        self.ask(Verb::List, None, |there| {
            let is_meant = |found: &&Found| {
                found.labels.get(name).is_some_and(|is| is == value)
                    && namespace.is_none_or(|namespace| *namespace == found.place.namespace)
            };
            Ok(there.values().filter(is_meant).cloned().collect())
        })
    }

    async fn apply(&self, place: &Place, object: Vec<u8>) -> Result<i64, Refused> {
        self.ask(Verb::Apply, Some(place), |there| {
            let mut now = applied(&object, b"null", 1);
            if let Some(before) = there.get(place) {
                now.status = before.status.clone();
                now.generation = before.generation + i64::from(before.spec != now.spec);
                for (name, value) in &before.labels {
                    now.labels.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
            let generation = now.generation;
            there.insert(place.clone(), now);
            Ok(generation)
        })
    }

    async fn apply_status(&self, place: &Place, object: Vec<u8>) -> Result<(), Refused> {
        self.ask(Verb::ApplyStatus, Some(place), |there| {
            let Some(found) = there.get_mut(place) else {
                return Err(refusal(&Answer::status(404)));
            };
            let object: Value = serde_json::from_slice(&object).unwrap();
            found.status = serde_json::from_value(object["status"].clone()).unwrap();
            Ok(())
        })
    }

    async fn delete(&self, place: &Place) -> Result<(), Refused> {
        self.ask(Verb::Delete, Some(place), |there| {
            there
                .remove(place)
                .map(drop)
                .ok_or_else(|| refusal(&Answer::status(404)))
        })
    }
}
