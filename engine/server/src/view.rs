//! The record as the API shows it: the public contract's field names, and no more of the inside than they say.

use std::collections::BTreeMap;

use serde::Serialize;
use steadfast_core::alert::AlertEvent;
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::journal::{self, Entry};
use steadfast_core::projection::JobView;
use steadfast_core::record;
use steadfast_core::silences::Silenced;
use steadfast_core::state::Attention;
use utoipa::ToSchema;

use crate::words::schema;

/// How many other jobs of an application are shown with its record.
const OTHER_JOBS: usize = 100;

fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A job as it was last committed, and how its watch stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "prod/default/orders", "cluster": "prod", "namespace": "default", "name": "orders", "mode": "application",
    "flinkJobId": "ffffffffa021a4190000000000000000", "attempt": 3, "state": "RUNNING", "confidence": "confirmed",
    "severity": "degraded", "reason": {"code": "FlinkSays", "message": "Flink lists the job as RUNNING"},
    "since": "2026-11-23T01:13:29.838Z", "firstSeen": "2026-11-23T01:13:33.120Z", "startedAt": "2026-11-23T01:13:29.838Z",
    "confirmedAt": "2026-11-28T03:31:07.120Z",
    "conditions": [{"type": "CheckpointsFailing", "since": "2026-11-28T03:20:00.000Z", "message": "10 checkpoints have failed since the last completed one"}],
    "alerts": [], "silences": [], "labels": {"app": "orders", "team": "payments"},
    "links": [{"name": "Grafana", "url": "https://grafana.example/d/flink?var-job=orders"}],
    "watch": {"attention": "active", "nextPollAt": "2026-11-28T03:31:12.120Z", "nextReviewAt": "2026-11-28T03:32:07.120Z", "failures": 0},
    "policy": "default", "revision": 42, "otherJobs": [], "intent": null
}))]
pub(crate) struct Job {
    /// `cluster/namespace/name`; behind it, for a session's job, the name of its FlinkSessionJob, or `/flinkJobId` where none asks
    /// for it.
    #[schema(example = "local/default/orders")]
    id: String,
    /// `-` for standalone jobs.
    cluster: String,
    /// `-` for standalone jobs.
    namespace: String,
    name: String,
    /// The FlinkSessionJob that the record goes by; absent for all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_job: Option<String>,
    /// How it is deployed.
    #[schema(value_type = schema::Mode, example = "application")]
    mode: &'static str,
    /// 32 hex digits; null while no job id is known.
    flink_job_id: Option<String>,
    /// 1 for the first one seen, 0 while nothing has been seen.
    attempt: u32,
    #[schema(value_type = schema::State, example = "RUNNING")]
    state: &'static str,
    /// How sure the state is.
    #[schema(value_type = schema::Confidence, example = "confirmed")]
    confidence: &'static str,
    /// How much the job needs somebody to look at it.
    #[schema(value_type = schema::Severity, example = "running")]
    severity: &'static str,
    reason: Reason,
    /// Since when the state stands: where Flink tells it, Flink's own start-time (CREATED, INITIALIZING, RUNNING) or
    /// end-time (FINISHED, FAILED, CANCELED), by the JobManager's clock; else `firstSeen`. A run that was seen to do
    /// something else meanwhile, e.g. to restart, is RUNNING since it was seen to run again.
    #[schema(format = DateTime)]
    since: String,
    /// When Steadfast first saw the state, by its own clock; never before `since`.
    #[schema(format = DateTime)]
    first_seen: String,
    /// Flink's start-time of the present run, by the JobManager's clock; null until Flink has listed it.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When the state was last confirmed.
    #[schema(format = DateTime)]
    confirmed_at: Option<String>,
    conditions: Vec<Condition>,
    /// Alerts that are firing.
    alerts: Vec<Alert>,
    /// The labels of its Deployment, as they were last seen.
    #[schema(inline)]
    labels: BTreeMap<String, String>,
    /// Of which alerts nobody is told.
    silences: Vec<Silence>,
    watch: Watch,
    /// The policy that decides.
    policy: String,
    /// Grows with each commit.
    revision: u64,
    /// Other jobs of the same application, at most 100 of them.
    other_jobs: Vec<OtherJob>,
    /// How many more there are; absent if these are all.
    #[serde(skip_serializing_if = "is_none")]
    other_jobs_omitted: usize,
    /// What somebody wants of the job, if it was said.
    intent: Option<Intent>,
    /// What else shows the job, as the configuration says.
    links: Vec<Link>,
}

/// A link to something that shows the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Link {
    #[schema(example = "Grafana")]
    pub(crate) name: String,
    #[schema(example = "https://grafana.example/d/flink?var-job=orders")]
    pub(crate) url: String,
}

/// Why the state is what it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Reason {
    /// A word in CamelCase, stable for machines.
    code: String,
    /// A sentence for people.
    message: String,
}

/// Something that stands beside the state.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    #[schema(value_type = schema::ConditionType, example = "FlinkUnreachable")]
    kind: &'static str,
    #[schema(format = DateTime)]
    since: String,
    message: String,
}

/// An alert that stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    #[schema(example = "JobFailed")]
    alert: String,
    /// What it is about.
    #[schema(value_type = schema::AlertScope, example = "job")]
    scope: &'static str,
    #[schema(format = DateTime)]
    since: String,
    message: String,
    /// Until when nobody is told of it: by a silence of this job, or of any that shares it where it is about a cluster or a policy; absent if
    /// there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    silenced_until: Option<String>,
    /// The job that this silence is noted at, and where it can be taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    silenced_job: Option<String>,
}

/// Until when nobody is told of an alert.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Silence {
    #[schema(example = "JobFailed")]
    alert: String,
    /// Since when nobody is told of it: since it was asked for, or since the alert began that nobody had been told of by then.
    #[schema(format = DateTime)]
    since: String,
    #[schema(format = DateTime)]
    until: String,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Why, as they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// How the watch stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Watch {
    /// Whether it polls.
    #[schema(value_type = schema::Attention, example = "active")]
    attention: &'static str,
    /// When Flink is asked next, or was last asked while its answer is awaited; null while the watch sleeps.
    #[schema(required, format = DateTime)]
    next_poll_at: Option<String>,
    /// When the job is judged again, whatever comes in; null only until it was judged first.
    #[schema(required, format = DateTime)]
    next_review_at: Option<String>,
    /// How many looks at Flink in a row gave no answer; 0 while the watch sleeps, since nobody is asked.
    failures: u32,
    /// Since when the store does not take what is decided of the job: what is shown was committed last, and is stale. Absent
    /// while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    unwritten_since: Option<String>,
}

/// Another job of the same application.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OtherJob {
    flink_job_id: String,
    #[schema(value_type = schema::State, example = "RUNNING")]
    state: &'static str,
}

/// What somebody wants of a job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Intent {
    /// What it is.
    #[schema(value_type = schema::IntentWord, example = "cancel")]
    intent: &'static str,
    #[schema(format = DateTime)]
    since: String,
    /// Who said it, as they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
}

/// A change of state or attempt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Transition {
    /// Its position in the journal.
    sequence: u64,
    /// When it was decided, by Steadfast's clock.
    #[schema(format = DateTime)]
    at: String,
    /// When the state after it began, by Flink's own word and the JobManager's clock; missing where Flink does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
    #[schema(value_type = schema::State, example = "RUNNING")]
    from: &'static str,
    #[schema(value_type = schema::State, example = "FAILED")]
    to: &'static str,
    #[schema(value_type = schema::Confidence, example = "confirmed")]
    confidence: &'static str,
    reason: Reason,
    /// The attempt after the change.
    attempt: u32,
    policy: String,
}

/// An alert that began or ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertChange {
    alert: String,
    /// The job it is about, or was first seen at.
    job: String,
    /// What it is about. One about a cluster or a policy is told once for all of its jobs.
    #[schema(value_type = schema::AlertScope, example = "job")]
    scope: &'static str,
    /// Whether it began or ended.
    #[schema(value_type = schema::AlertStatus, example = "firing")]
    status: &'static str,
    #[schema(format = DateTime)]
    since: String,
    message: String,
    /// true: nobody is told, as a silence stands, or the beginning was not told; absent otherwise.
    #[serde(skip_serializing_if = "is_false")]
    silenced: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(silenced: &bool) -> bool {
    !silenced
}

impl From<&record::Reason> for Reason {
    fn from(reason: &record::Reason) -> Self {
        Self {
            code: reason.code.clone(),
            message: reason.message.clone(),
        }
    }
}

impl From<&record::Condition> for Condition {
    fn from(condition: &record::Condition) -> Self {
        Self {
            kind: condition.kind.as_str(),
            since: condition.since.to_string(),
            message: condition.message.clone(),
        }
    }
}

impl From<&record::Silence> for Silence {
    fn from(silence: &record::Silence) -> Self {
        Self {
            alert: silence.alert.clone(),
            since: silence.since.to_string(),
            until: silence.until.to_string(),
            by: silence.by.as_deref().map(str::to_owned),
            comment: silence.comment.as_deref().map(str::to_owned),
        }
    }
}

impl From<&record::PostedIntent> for Intent {
    fn from(posted: &record::PostedIntent) -> Self {
        Self {
            intent: posted.intent.as_str(),
            since: posted.since.to_string(),
            // What an earlier build took in may hold anything.
            author: posted.author.as_deref().map(|author| ForeignText::new(author).into()),
        }
    }
}

impl From<&JobView> for Watch {
    fn from(view: &JobView) -> Self {
        let attention = view.record.attention;
        Self {
            attention: attention.as_str(),
            next_poll_at: view.watch.next_poll_at.map(|at| at.to_string()),
            next_review_at: view.watch.next_review_at.map(|at| at.to_string()),
            failures: match attention {
                Attention::Active => view.watch.failures,
                Attention::Sleeping => 0,
            },
            unwritten_since: view.watch.unwritten_since.map(|at| at.to_string()),
        }
    }
}

impl Job {
    /// As it is shown, with what else shows it.
    pub(crate) fn new(view: &JobView, silenced: &Silenced, links: Vec<Link>) -> Self {
        let record = &*view.record;
        let target = &record.key.target;
        let alerts = record.alerts.iter().map(|alert| {
            let by = silenced.by(&view.record, alert.scope, &alert.name);
            Alert {
                alert: alert.name.clone(),
                scope: alert.scope.as_str(),
                since: alert.since.to_string(),
                message: alert.message.clone(),
                silenced_until: by.and_then(|by| Some(by.silence(&alert.name)?.until.to_string())),
                silenced_job: by.map(|by| by.key.to_string()),
            }
        });
        let labels = record
            .labels
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        // One application of 40,000 jobs would make each page that it is on as large as all others together.
        let omitted = record.other_jobs.len().saturating_sub(OTHER_JOBS);
        let others = record.other_jobs.iter().take(OTHER_JOBS).map(|other| OtherJob {
            flink_job_id: other.flink_job_id.to_string(),
            state: other.state.as_str(),
        });
        Self {
            id: record.key.to_string(),
            cluster: target.cluster.to_string(),
            namespace: target.namespace.to_string(),
            name: target.name.to_string(),
            session_job: record.key.flink_session_job().map(str::to_owned),
            mode: record.mode.as_str(),
            flink_job_id: record.incarnation.flink_job_id.map(|id| id.to_string()),
            attempt: record.incarnation.attempt,
            state: record.state.as_str(),
            confidence: view.confidence().as_str(),
            severity: view.severity().as_str(),
            reason: Reason::from(&record.reason),
            since: record.began().to_string(),
            first_seen: record.since.to_string(),
            started_at: record.incarnation.started_at.map(|at| at.to_string()),
            confirmed_at: view.confirmed_at().map(|at| at.to_string()),
            conditions: record.conditions.iter().map(Condition::from).collect(),
            alerts: alerts.collect(),
            labels: labels.collect(),
            silences: record.silences.iter().map(Silence::from).collect(),
            watch: Watch::from(view),
            policy: record.policy.to_string(),
            revision: record.revision,
            other_jobs: others.collect(),
            other_jobs_omitted: omitted,
            intent: record.intent.as_ref().map(Intent::from),
            links,
        }
    }
}

impl Transition {
    pub(crate) fn new(entry: &Entry, transition: &journal::Transition) -> Self {
        Self {
            sequence: entry.sequence.0,
            at: entry.at.to_string(),
            since: transition.told_since.map(|at| at.to_string()),
            from: transition.from.as_str(),
            to: transition.to.as_str(),
            confidence: transition.confidence.as_str(),
            reason: Reason::from(&transition.reason),
            attempt: transition.attempt,
            policy: transition.policy.to_string(),
        }
    }
}

impl AlertChange {
    pub(crate) fn new(entry: &Entry, alert: &AlertEvent) -> Self {
        Self {
            alert: alert.alert.clone(),
            job: entry.key.to_string(),
            scope: alert.scope.as_str(),
            status: alert.status.as_str(),
            since: alert.since.to_string(),
            message: alert.message.clone(),
            silenced: alert.silenced,
        }
    }
}
