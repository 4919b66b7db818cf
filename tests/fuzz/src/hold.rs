//! Properties that hold of everything that was let in, whatever let it in.

use std::sync::Arc;

use steadfast_core::evidence::Fault;
use steadfast_core::facts::{Container, Deployment, FlinkResource, JobEnd, Pod, StateSnapshot};
use steadfast_core::foreign_text::{ForeignText, is_harmful};
use steadfast_core::kube_update::Object;
use steadfast_core::labels::Labels;
use steadfast_core::recording::Recorded;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;
use steadfast_core::testing;
use steadfast_core::time::Timestamp;

/// A secret that stands where secrets stand. Nothing that is told may hold it.
pub(crate) const CANARY: &str = "s3cret-canary";

/// The text is bounded, and a terminal is told nothing.
pub(crate) fn text(text: &ForeignText) {
    assert!(text.len() <= ForeignText::LIMIT, "{} bytes: {text}", text.len());
    harmless(text);
}

/// No character of the text does something else than to show itself.
pub(crate) fn harmless(text: &str) {
    assert!(!text.chars().any(is_harmful), "{text:?}");
}

/// Nothing of a secret is told.
pub(crate) fn secret(told: &str) {
    assert!(!told.contains(CANARY), "a secret is told: {told}");
}

/// A fault is short, harmless, and tells no secret.
pub(crate) fn fault(fault: &Fault) {
    text(&fault.message);
    secret(&fault.message);
    assert!(!fault.message.is_empty(), "a fault says what it is: {fault:?}");
}

/// An answer, which only a success can be.
pub(crate) fn told<T>(answer: Result<T, Fault>, status: u16) -> Option<T> {
    match answer {
        Ok(found) => {
            assert_eq!(status, 200, "an error tells nothing");
            Some(found)
        }
        Err(fault) => {
            self::fault(&fault);
            None
        }
    }
}

/// What is written as RFC 3339 reads back.
pub(crate) fn time(time: Timestamp) {
    let written = time.to_string();
    assert_eq!(Timestamp::parse(&written), Some(time), "{written}");
}

/// A name of Kubernetes': a segment of a path, of bounded length.
pub(crate) fn name(name: &str) {
    assert!((1..=253).contains(&name.len()), "{} bytes: {name}", name.len());
    assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
    assert!(
        !name.contains(['/', '%', '?', '#']) && name != "." && name != "..",
        "{name:?}"
    );
}

fn labels(labels: &Labels) {
    for (name, value) in labels.iter() {
        assert!(
            !name.is_empty() && name.len() <= 317 && value.len() <= 63,
            "{name:?} = {value:?}"
        );
        assert!(
            name.bytes().chain(value.bytes()).all(|byte| byte.is_ascii_graphic()),
            "{name:?} = {value:?}"
        );
    }
}

/// An end of a job is final, and its cause bounded.
pub(crate) fn end(end: &JobEnd) {
    assert!(
        matches!(end.state, JobState::Finished | JobState::Failed | JobState::Canceled),
        "{end:?}"
    );
    assert!(end.cause.is_none() || end.state == JobState::Failed, "{end:?}");
    end.cause.iter().for_each(text);
    end.ended_at.into_iter().for_each(time);
    kept(|snapshot| snapshot.last_words = testing::observed(present(end.clone()), testing::at(1)));
}

/// An object that was listed or watched.
pub(crate) fn object(object: &Object) {
    let (namespace, called) = object.namespaced_name();
    name(namespace.as_str());
    name(called);
    match object {
        Object::Deployment(it) => deployment(it),
        Object::Pod(it) => pod(it),
        Object::FlinkResource(it) => resource(it),
        Object::StateSnapshot(StateSnapshot { of: (_, job), .. }) => name(job),
        Object::Undecodable { error, .. } => text(error),
        Object::Unanswered { fault: it, .. } => fault(it),
    }
}

fn deployment(it: &Deployment) {
    labels(&it.labels);
    it.owner.iter().chain(&it.trouble).for_each(text);
    it.created_at.into_iter().chain(it.deleting_since).for_each(time);
    kept(|snapshot| snapshot.deployment = testing::observed(present(it.clone()), testing::at(1)));
}

/// A pod that was listed, watched or looked up.
pub(crate) fn pod(it: &Pod) {
    let Pod {
        phase,
        reason,
        unschedulable,
        container,
        ..
    } = it;
    std::iter::once(phase).chain(reason).chain(unschedulable).for_each(text);
    if let Some(Container {
        name,
        waiting,
        terminated,
        ..
    }) = container
    {
        text(name);
        if let Some(waiting) = waiting {
            text(&waiting.reason);
            text(&waiting.message);
        }
        if let Some(terminated) = terminated {
            text(&terminated.reason);
            terminated.at.into_iter().for_each(time);
        }
    }
    it.created_at.into_iter().chain(it.deleting_since).for_each(time);
    assert!(
        it.ip.as_ref().is_none_or(|ip| ip.parse::<std::net::IpAddr>().is_ok()),
        "{:?}",
        it.ip
    );
    kept(|snapshot| snapshot.pods = testing::observed(present(vec![it.clone()]), testing::at(1)));
}

fn resource(it: &FlinkResource) {
    name(&it.deployment);
    it.blue_green.iter().for_each(|called| name(called));
    it.lifecycle
        .iter()
        .chain(&it.job_manager_status)
        .chain(&it.error)
        .for_each(text);
    it.created_at.into_iter().chain(it.deleting_since).for_each(time);
    kept(|snapshot| snapshot.flink_resource = testing::observed(present(it.clone()), testing::at(1)));
}

/// What a policy is shown can be recorded, and reads back as it was.
pub(crate) fn kept(show: impl FnOnce(&mut Snapshot)) {
    let record = testing::record(testing::job_key("orders"), testing::at(0));
    let mut snapshot = testing::snapshot(record.clone(), testing::at(2));
    show(&mut snapshot);
    let recorded = Recorded {
        before: Arc::new(record),
        snapshot,
        rule: None,
        failure: None,
        transition: None,
        shown: None,
        decided_by: None,
    };
    let document = steadfast_store::testing::write_recorded(&recorded).expect("what is shown can be recorded");
    let read = steadfast_store::testing::read_recorded(document.as_bytes()).expect("what was recorded reads");
    assert_eq!(read, recorded);
}

pub(crate) fn present<T>(value: T) -> steadfast_core::evidence::Observed<T> {
    steadfast_core::evidence::Observed::Present(value)
}
