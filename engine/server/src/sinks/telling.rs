//! What a message says: what templates are given, and the texts that are sent where the file has no template.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Serialize;
use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Entry, Event, Sequence, Transition};
use steadfast_core::record::{AlertScope, Reason};
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::time::Timestamp;

use super::cause::{Cause, What};
use super::tame::tamed;
use super::template::{Template, TemplateError};

/// How many events a message lists.
const LISTED: usize = 20;

/// The text where the file has no template.
const USUAL: &str = "\
{{ title }}
{% for event in events %}
- {{ event.job }}{% if event.from %}: {{ event.from }} -> {{ event.to }}{% endif %}: {{ event.message }} (since {{ event.since or event.at }})
{% endfor %}
{% if omitted %}
and {{ omitted }} more
{% endif %}
";
static USUAL_TEMPLATE: LazyLock<Result<Template, TemplateError>> = LazyLock::new(|| Template::new(USUAL));

/// What a template is given.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Telling {
    /// One line that says it all.
    pub(super) title: String,
    /// alert or transition.
    kind: &'static str,
    /// Of alerts: firing or resolved.
    status: Option<&'static str>,
    /// The alert's name.
    alert: Option<String>,
    /// The state after the transition.
    state: Option<&'static str>,
    cluster: String,
    /// How many events there are.
    count: usize,
    /// The first of them.
    events: Vec<Happening>,
    /// How many more there are.
    omitted: usize,
}

/// One event. What it does not have is null.
#[derive(Clone, Debug, Serialize)]
struct Happening {
    id: String,
    sequence: u64,
    at: String,
    since: Option<String>,
    job: String,
    cluster: String,
    namespace: String,
    name: String,
    message: String,
    alert: Option<String>,
    status: Option<&'static str>,
    scope: Option<&'static str>,
    from: Option<&'static str>,
    to: Option<&'static str>,
    reason: Option<String>,
    confidence: Option<&'static str>,
    attempt: Option<u32>,
    policy: Option<String>,
}

impl Happening {
    fn new(store_id: &str, entry: &Entry) -> Self {
        let target = &entry.key.target;
        let bare = Self {
            id: super::message::id(store_id, entry.sequence),
            sequence: entry.sequence.0,
            at: entry.at.to_string(),
            since: None,
            job: entry.key.to_string(),
            cluster: target.cluster.to_string(),
            namespace: target.namespace.to_string(),
            name: target.name.to_string(),
            message: String::new(),
            alert: None,
            status: None,
            scope: None,
            from: None,
            to: None,
            reason: None,
            confidence: None,
            attempt: None,
            policy: None,
        };
        match &entry.event {
            Event::Alert(alert) => Self {
                since: Some(alert.since.to_string()),
                message: alert.message.clone(),
                alert: Some(alert.alert.clone()),
                status: Some(alert.status.as_str()),
                scope: Some(alert.scope.as_str()),
                ..bare
            },
            Event::Transition(transition) => Self {
                since: transition.told_since.map(|at| at.to_string()),
                message: transition.reason.message.clone(),
                from: Some(transition.from.as_str()),
                to: Some(transition.to.as_str()),
                reason: Some(transition.reason.code.clone()),
                confidence: Some(transition.confidence.as_str()),
                attempt: Some(transition.attempt),
                policy: Some(transition.policy.to_string()),
                ..bare
            },
            Event::Update(_) | Event::Called(_) | Event::Forgotten => bare,
        }
    }
}

impl Happening {
    fn tamed(self) -> Self {
        Self {
            job: tamed(&self.job),
            cluster: tamed(&self.cluster),
            namespace: tamed(&self.namespace),
            name: tamed(&self.name),
            message: tamed(&self.message),
            alert: self.alert.as_deref().map(tamed),
            reason: self.reason.as_deref().map(tamed),
            policy: self.policy.as_deref().map(tamed),
            ..self
        }
    }
}

impl Telling {
    /// What is told of entries of one cause.
    pub(super) fn new(store_id: &str, cause: &Cause, entries: &[&Entry]) -> Self {
        let events = entries.iter().take(LISTED).map(|entry| Happening::new(store_id, entry));
        let bare = Self {
            title: String::new(),
            kind: "",
            status: None,
            alert: None,
            state: None,
            cluster: cause.cluster.to_string(),
            count: entries.len(),
            events: events.collect(),
            omitted: entries.len().saturating_sub(LISTED),
        };
        let about = about_all(cause, entries);
        match &cause.what {
            What::Alert(name, turn) => {
                let status = match turn {
                    super::cause::Turn::Firing => AlertStatus::Firing,
                    super::cause::Turn::Resolved => AlertStatus::Resolved,
                }
                .as_str();
                Self {
                    title: format!("[{}] {name}: {about}", status.to_uppercase()),
                    kind: "alert",
                    status: Some(status),
                    alert: Some(name.clone()),
                    ..bare
                }
            }
            What::Transition(state, _) => Self {
                title: format!("[{}] {about}", state.as_str()),
                kind: "transition",
                state: Some(state.as_str()),
                ..bare
            },
        }
    }

    /// As it is told to a chat, which obeys some of what stands in a text.
    pub(super) fn tamed(mut self) -> Self {
        self.events = self.events.into_iter().map(Happening::tamed).collect();
        Self {
            title: tamed(&self.title),
            alert: self.alert.as_deref().map(tamed),
            cluster: tamed(&self.cluster),
            ..self
        }
    }

    /// As a template has it; where that cannot be rendered, as it usually is, so that nothing is lost by it.
    pub(super) fn text(&self, template: Option<&Template>) -> String {
        let own = template.map(|template| template.render(self));
        let rendered = match own {
            Some(Ok(text)) => Ok(text),
            Some(Err(error)) => {
                tracing::warn!(%error, "a sink's template cannot be rendered, and the usual text is sent");
                self.usual()
            }
            None => self.usual(),
        };
        rendered.map_or_else(|_| self.title.clone(), |text| text.trim().to_owned())
    }

    fn usual(&self) -> Result<String, TemplateError> {
        USUAL_TEMPLATE.as_ref().map_err(Clone::clone)?.render(self)
    }
}

/// What events of one cause are about: how many jobs, or the one with how often.
fn about_all(cause: &Cause, entries: &[&Entry]) -> String {
    let things: BTreeSet<String> = entries.iter().map(|entry| about(entry)).collect();
    let jobs: BTreeSet<&JobKey> = entries.iter().map(|entry| &entry.key).collect();
    match (things.first(), things.len(), entries.len()) {
        (Some(one), 1, 1) => one.clone(),
        (Some(one), 1, times) if jobs.len() == 1 => format!("{one}, {times} times"),
        (Some(one), 1, _) => one.clone(),
        (Some(_) | None, ..) => format!("{} jobs of {}", jobs.len(), cause.cluster),
    }
}

/// What one event is about.
fn about(entry: &Entry) -> String {
    match &entry.event {
        Event::Alert(alert) => match alert.scope {
            AlertScope::Job => entry.key.to_string(),
            AlertScope::Cluster => format!("cluster {}", entry.key.target.cluster),
            AlertScope::Policy => "a policy".to_owned(),
        },
        Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => entry.key.to_string(),
    }
}

/// Tries a template on one event of each kind, so that a name that nothing stands for is found before anything happens.
pub fn try_template(template: &Template) -> Result<(), TemplateError> {
    for entry in samples() {
        let entries = [&entry];
        for (cause, entries) in super::cause::by_cause(&entries) {
            template.render(&Telling::new("sample", &cause, &entries))?;
        }
    }
    Ok(())
}

fn samples() -> [Entry; 2] {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let key = JobKey::application(steadfast_core::id::TargetId::standalone("sample"));
    let reason = Reason::new("Sample", "a sample");
    let transition = Transition {
        from: JobState::Unknown,
        to: JobState::Running,
        confidence: Confidence::Confirmed,
        reason,
        attempt: 1,
        policy: steadfast_core::id::PolicyName::new("sample"),
        told_since: None,
    };
    let alert = AlertEvent {
        alert: "Sample".to_owned(),
        scope: AlertScope::Job,
        status: AlertStatus::Firing,
        since: at,
        message: "a sample".to_owned(),
        silenced: false,
    };
    [Event::Transition(transition), Event::Alert(alert)].map(|event| Entry {
        sequence: Sequence(1),
        at,
        key: key.clone(),
        event,
        revision: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::cause::by_cause;
    use crate::sinks::testing::{alert, entry};
    use crate::testing::moved;

    fn text_of(entries: &[Entry], template: Option<&str>) -> String {
        let template = template.map(|source| Template::new(source).unwrap());
        let entries: Vec<&Entry> = entries.iter().collect();
        let (cause, members) = by_cause(&entries).remove(0);
        Telling::new("store", &cause, &members).text(template.as_ref())
    }

    #[test]
    fn the_usual_text_says_what_befell_whom_and_since_when() {
        let moved = entry(1, "a/n/x", moved(JobState::Running, JobState::Failed));
        assert_eq!(
            text_of(&[moved], None),
            "[FAILED] a/n/x\n- a/n/x: RUNNING -> FAILED: Flink lists the job (since 2026-11-23T01:13:29.838Z)"
        );
    }

    #[test]
    fn many_jobs_are_counted_and_the_first_are_listed() {
        let fired = |number: u64| {
            let event = alert("JobLost", AlertScope::Job, AlertStatus::Firing);
            entry(number, &format!("a/n/job-{number}"), event)
        };
        let text = text_of(&(1..=25).map(fired).collect::<Vec<_>>(), None);
        assert!(
            text.starts_with("[FIRING] JobLost: 25 jobs of a\n- a/n/job-1: "),
            "{text}"
        );
        assert!(text.contains("a/n/job-20:") && !text.contains("a/n/job-21:"), "{text}");
        assert!(text.ends_with("\nand 5 more"), "{text}");
    }

    #[test]
    fn one_job_is_one_however_often_it_failed() {
        let failed = |number, job| entry(number, job, moved(JobState::Running, JobState::Failed));
        let text = text_of(&[failed(1, "a/n/x"), failed(2, "a/n/x"), failed(3, "a/n/x")], None);
        assert!(text.starts_with("[FAILED] a/n/x, 3 times\n"), "{text}");
        let text = text_of(&[failed(1, "a/n/x"), failed(2, "a/n/y"), failed(3, "a/n/x")], None);
        assert!(text.starts_with("[FAILED] 2 jobs of a\n"), "{text}");
        let silent = |number, job| {
            let event = alert("FlinkUnreachable", AlertScope::Cluster, AlertStatus::Firing);
            entry(number, job, event)
        };
        let text = text_of(&[silent(1, "a/n/x"), silent(2, "a/n/y")], None);
        assert!(text.starts_with("[FIRING] FlinkUnreachable: cluster a\n"), "{text}");
    }

    #[test]
    fn a_chat_obeys_nothing_of_what_somebody_else_wrote_and_all_that_the_file_says() {
        let mut event = alert("JobLost", AlertScope::Job, AlertStatus::Firing);
        if let Event::Alert(alert) = &mut event {
            alert.message = "<at user_id=\"all\">x</at> @channel [x](http://evil)".to_owned();
        }
        let fired = entry(1, "a/n/x", event);
        let entries = [&fired];
        let (cause, members) = by_cause(&entries).remove(0);
        let template = Template::new("<at user_id=\"all\"></at> {{ events[0].message }}").unwrap();
        let text = Telling::new("store", &cause, &members).tamed().text(Some(&template));
        let (own, foreign) = text.split_at(text.find("</at>").unwrap());
        assert_eq!(own, "<at user_id=\"all\">");
        for sign in ["<at", "@channel", "]("] {
            assert!(!foreign.contains(sign), "{text}");
        }
    }

    #[test]
    fn a_template_of_ones_own_has_its_say_and_one_that_fails_loses_nothing() {
        let fired = || entry(7, "a/n/x", alert("JobLost", AlertScope::Job, AlertStatus::Resolved));
        let own = "{{ status }} {{ alert }} {{ events[0].id }} {{ events[0].namespace }}";
        assert_eq!(text_of(&[fired()], Some(own)), "resolved JobLost store-7 n");
        assert!(text_of(&[fired()], Some("{{ nothing }}")).starts_with("[RESOLVED] JobLost: a/n/x"));
        assert!(try_template(&Template::new("{{ nothing }}").unwrap()).is_err());
        assert!(try_template(&Template::new("{{ events[0].to }}{{ state }}").unwrap()).is_ok());
    }

    #[test]
    fn what_begins_by_the_manuals_template_for_pagerduty_ends_by_it_too() {
        let manual = include_str!("../../../../docs/sinks.md");
        let (_, template) = manual.split_once("template = '''\n").unwrap();
        let (template, _) = template.split_once("'''").unwrap();
        let key = |job: &str, scope, status| {
            let text = text_of(&[entry(1, job, alert("Outage", scope, status))], Some(template));
            let body: serde_json::Value = serde_json::from_str(&text).unwrap();
            body["dedup_key"].clone()
        };
        let begins = |job: &str, scope| key(job, scope, AlertStatus::Firing);
        let ends = |job: &str, scope| key(job, scope, AlertStatus::Resolved);
        for scope in [AlertScope::Cluster, AlertScope::Policy] {
            assert_eq!(begins("a/n/x", scope), ends("a/n/y", scope), "{scope:?}");
        }
        assert_ne!(begins("a/n/x", AlertScope::Cluster), ends("b/n/x", AlertScope::Cluster));
        assert_ne!(begins("a/n/x", AlertScope::Job), ends("a/n/y", AlertScope::Job));
    }
}
