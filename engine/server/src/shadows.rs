//! `GET /api/v1/shadows`: what shadow policies would show, beside what is recorded.

use axum::Json;
use axum::extract::{Query, State};
use serde::Serialize;
use steadfast_core::decision::PolicyFailure;
use steadfast_core::id::PolicyName;
use steadfast_core::record::JobRecord;
use steadfast_core::shadow::{LastFailure, ShadowView, Shown, Tally, Wanted};
use utoipa::ToSchema;

use crate::api::Api;
use crate::cursor;
use crate::jobs::{DEFAULT_LIMIT, limit, unknown};
use crate::problem::Problem;
use crate::view::Reason;

/// How shadow policies compare: all of them over all their jobs, and a page of their jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowPage {
    /// Every shadow policy, whatever was asked for.
    policies: Vec<ShadowPolicy>,
    items: Vec<Comparison>,
    /// Where the next page begins; null on the last one.
    cursor: Option<String>,
}

/// One shadow policy over all its jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowPolicy {
    policy: String,
    /// Jobs on record that it judges.
    jobs: u64,
    /// Those of which it would now show another state or attempt.
    differing: u64,
    /// How often it was compared since it became a shadow, or the engine started.
    judged: u64,
    /// How often it differed.
    differed: u64,
    /// How often it failed.
    failures: u64,
}

/// One shadow policy beside the record of one job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    policy: String,
    #[schema(example = "local/default/orders")]
    job: String,
    /// Whether the two show another state or attempt.
    differs: bool,
    /// What the record says.
    decided: Decided,
    /// What it would say if the shadow decided.
    shadow: ShadowState,
    /// Since when the two differ, or agree.
    #[schema(format = DateTime)]
    since: String,
    /// How often they were compared.
    judged: u64,
    /// How often they differed.
    differed: u64,
    /// The shadow's last failure.
    failure: Option<Failure>,
}

/// What the record says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    /// The policy that decides.
    policy: String,
    state: &'static str,
    attempt: u32,
    confidence: &'static str,
    reason: Reason,
}

/// What a shadow would say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowState {
    state: &'static str,
    attempt: u32,
    confidence: &'static str,
    reason: Reason,
    /// The rule of its last decision; null until it has decided.
    rule: Option<String>,
}

/// When and how a shadow last failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failure {
    #[schema(format = DateTime)]
    at: String,
    /// error, trap, deadline, memory or invalid.
    kind: &'static str,
    message: String,
}

/// What shadow policies would show.
#[utoipa::path(get, path = "/api/v1/shadows", tag = "policies", operation_id = "list_shadows", params(
    ("policy" = Option<String>, Query, description = "Only this shadow policy"),
    ("differs" = Option<bool>, Query, description = "true: only jobs of which it would show something else; false: only the others"),
    ("limit" = Option<u32>, Query, description = "Items of a page: 1 to 5000, 500 if not given"),
    ("cursor" = Option<String>, Query, description = "The `cursor` of the page before")),
    responses(
        (status = 200, description = "All shadow policies, and a page of their jobs", body = ShadowPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(api): State<Api>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<ShadowPage>, Problem> {
    let (wanted, most) = parse(&query)?;
    // One more than asked for tells whether there is another page.
    let mut found = api.shadows.page(&wanted, most.saturating_add(1));
    let more = found.len() > most;
    found.truncate(most);
    let cursor = found
        .last()
        .filter(|_| more)
        .and_then(|(policy, view)| cursor::write(&(policy, &view.decided.key)));
    Ok(Json(ShadowPage {
        policies: api.shadows.tallies().into_iter().map(ShadowPolicy::from).collect(),
        items: found.iter().map(Comparison::from).collect(),
        cursor,
    }))
}

fn parse(query: &[(String, String)]) -> Result<(Wanted, usize), Problem> {
    let (mut wanted, mut most) = (Wanted::default(), DEFAULT_LIMIT);
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "policy" => wanted.policy = Some(PolicyName::new(value)),
            "differs" => {
                let parsed = value.parse().map_err(|_| {
                    Problem::parameter(
                        "differs",
                        format!("differs=`{value}` is neither true nor false; write one of them"),
                    )
                })?;
                wanted.differs = Some(parsed);
            }
            "limit" => most = limit(value)?,
            "cursor" => wanted.after = Some(cursor::read(value)?),
            _ => return Err(unknown(name, "policy, differs, limit, cursor")),
        }
    }
    Ok((wanted, most))
}

impl From<(PolicyName, Tally)> for ShadowPolicy {
    fn from((policy, tally): (PolicyName, Tally)) -> Self {
        Self {
            policy: policy.to_string(),
            jobs: tally.jobs,
            differing: tally.differing,
            judged: tally.judged,
            differed: tally.differed,
            failures: tally.failures,
        }
    }
}

impl From<&(PolicyName, ShadowView)> for Comparison {
    fn from((policy, view): &(PolicyName, ShadowView)) -> Self {
        Self {
            policy: policy.to_string(),
            job: view.decided.key.to_string(),
            differs: view.differs(),
            decided: Decided::from(&*view.decided),
            shadow: ShadowState::from(&view.shown),
            since: view.since.to_string(),
            judged: view.judged,
            differed: view.differed,
            failure: view.failure.as_ref().map(Failure::from),
        }
    }
}

impl From<&JobRecord> for Decided {
    fn from(record: &JobRecord) -> Self {
        Self {
            policy: record.policy.to_string(),
            state: record.state.as_str(),
            attempt: record.incarnation.attempt,
            confidence: record.confidence.as_str(),
            reason: Reason::from(&record.reason),
        }
    }
}

impl From<&Shown> for ShadowState {
    fn from(shown: &Shown) -> Self {
        Self {
            state: shown.state.as_str(),
            attempt: shown.attempt,
            confidence: shown.confidence.as_str(),
            reason: Reason::from(&shown.reason),
            rule: shown.rule.clone(),
        }
    }
}

impl From<&LastFailure> for Failure {
    fn from(LastFailure { at, failure }: &LastFailure) -> Self {
        let PolicyFailure { kind, message } = failure;
        Self {
            at: at.to_string(),
            kind: kind.as_str(),
            message: message.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
