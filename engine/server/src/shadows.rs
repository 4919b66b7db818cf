//! `GET /api/v1/shadows`: what shadow policies would show, beside what is recorded.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use steadfast_core::decision::PolicyFailure;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::record::JobRecord;
use steadfast_core::shadow::{self, AspectCount, LastFailure, ShadowCounts, ShadowFilter, ShadowView};
use steadfast_core::shown::Aspect;
use utoipa::{IntoParams, ToSchema};

use crate::cursor;
use crate::explain::Compared;
use crate::problem::Problem;
use crate::query::{Cursor, Limit, Page, Parameters, comma_separated, truth};
use crate::state::Api;
use crate::view::Reason;
use crate::words::{Word, schema};

/// How shadow policies compare: all of them over all their jobs, and a page of their jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowPage {
    /// Every shadow policy, whatever was asked for.
    policies: Vec<ShadowPolicy>,
    items: Vec<Comparison>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
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
    /// How often it differed in state or attempt.
    differed: u64,
    /// How often it failed.
    failures: u64,
    /// In what it differs, the gravest first.
    aspects: Vec<ShadowAspect>,
}

/// One shadow policy over all its jobs, in one aspect.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowAspect {
    #[schema(value_type = schema::Aspect, example = "alerts")]
    aspect: &'static str,
    /// Jobs that differ in it now.
    jobs: u64,
    /// How often it differed in it.
    differed: u64,
}

/// One shadow policy beside the record of one job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    policy: String,
    #[schema(example = "local/default/orders")]
    job: String,
    /// Whether the two show another state or attempt.
    differs: bool,
    /// In what the two differ now, the gravest first.
    #[schema(value_type = Vec<schema::Aspect>)]
    aspects: Vec<&'static str>,
    /// What the record says.
    decided: Decided,
    /// What it would say if the shadow decided.
    shadow: ShadowState,
    /// Since when the two show another state or attempt, or the same.
    #[schema(format = DateTime)]
    since: String,
    /// How often they were compared.
    judged: u64,
    /// How often they differed in state or attempt.
    differed: u64,
    /// What else is compared.
    compared: Compared,
    /// The shadow's last failure.
    #[schema(required)]
    failure: Option<Failure>,
}

/// What the record says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    /// The policy that decides.
    policy: String,
    #[schema(value_type = schema::State, example = "RUNNING")]
    state: &'static str,
    attempt: u32,
    #[schema(value_type = schema::Confidence, example = "confirmed")]
    confidence: &'static str,
    reason: Reason,
}

/// What a shadow would say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowState {
    #[schema(value_type = schema::State, example = "RUNNING")]
    state: &'static str,
    attempt: u32,
    #[schema(value_type = schema::Confidence, example = "confirmed")]
    confidence: &'static str,
    reason: Reason,
    /// The rule of its last decision; null until it has decided.
    #[schema(required)]
    rule: Option<String>,
}

/// When and how a shadow last failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failure {
    #[schema(format = DateTime)]
    at: String,
    /// How it failed.
    #[schema(value_type = schema::PolicyFailure, example = "trap")]
    kind: &'static str,
    message: String,
}

/// Which comparisons are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShadowQuery {
    /// Only this shadow policy.
    #[param(value_type = Option<String>)]
    policy: Option<PolicyName>,
    /// true: only jobs of which it would show another state or attempt; false: only the others.
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>)]
    differs: Option<bool>,
    /// Only jobs of which it would show something else in one of these; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<schema::Aspect>>, example = json!(["alerts", "conditions"]))]
    aspect: BTreeSet<Word<Aspect>>,
    /// Items of a page: 1 to 5000, 500 if not given.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
    /// The `cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<(PolicyName, JobKey)>>,
}

/// What shadow policies would show.
#[utoipa::path(get, path = "/api/v1/shadows", operation_id = "listShadows", tag = "policies", params(ShadowQuery),
    responses(
        (status = 200, description = "All shadow policies, and a page of their jobs", body = ShadowPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(api): State<Api>,
    Parameters(query): Parameters<ShadowQuery>,
) -> Result<Json<ShadowPage>, Problem> {
    let filter = ShadowFilter {
        policy: query.policy,
        differs: query.differs,
        aspects: query.aspect.into_iter().map(|aspect| aspect.0).collect(),
        after: query.cursor.map(|cursor| cursor.0),
    };
    let found = api.shadows.page(&filter, query.limit.and_one());
    let page = Page::of(found, query.limit, |(policy, view)| {
        cursor::write(&(policy, &view.decided.key))
    });
    Ok(Json(ShadowPage {
        policies: api.shadows.counts().into_iter().map(ShadowPolicy::from).collect(),
        items: page.items.iter().map(Comparison::from).collect(),
        cursor: page.cursor,
    }))
}

impl From<(PolicyName, ShadowCounts)> for ShadowPolicy {
    fn from((policy, counts): (PolicyName, ShadowCounts)) -> Self {
        Self {
            policy: policy.to_string(),
            jobs: counts.jobs,
            differing: counts.differing,
            judged: counts.judged,
            differed: counts.differed,
            failures: counts.failures,
            aspects: counts.by_aspect().map(ShadowAspect::from).collect(),
        }
    }
}

impl From<(Aspect, AspectCount)> for ShadowAspect {
    fn from((aspect, AspectCount { jobs, differed }): (Aspect, AspectCount)) -> Self {
        Self {
            aspect: aspect.as_str(),
            jobs,
            differed,
        }
    }
}

impl From<&(PolicyName, ShadowView)> for Comparison {
    fn from((policy, view): &(PolicyName, ShadowView)) -> Self {
        Self {
            policy: policy.to_string(),
            job: view.decided.key.to_string(),
            differs: view.differs(),
            aspects: view.aspects.iter().map(Aspect::as_str).collect(),
            decided: Decided::from(&*view.decided),
            shadow: ShadowState::from(&view.shown),
            since: view.since.to_string(),
            judged: view.judged,
            differed: view.differed,
            compared: Compared::from(view),
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

impl From<&shadow::ShadowState> for ShadowState {
    fn from(shown: &shadow::ShadowState) -> Self {
        Self {
            state: shown.shows.state.as_str(),
            attempt: shown.shows.attempt,
            confidence: shown.shows.confidence.as_str(),
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
            message: message.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
