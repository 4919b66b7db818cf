//! `/api/v1/policies` and `/api/v1/reload`: which policies run, and the way to run others.

use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use steadfast_core::call::Caller;

use crate::ports::{PolicyList, ReloadError, Reloaded};
use crate::problem::{Code, Problem};
use crate::state::Api;

impl From<ReloadError> for Problem {
    fn from(error: ReloadError) -> Self {
        let (status, code) = match &error {
            ReloadError::NoFile => (StatusCode::CONFLICT, Code::NoConfigurationFile),
            ReloadError::Refused(_) => (StatusCode::UNPROCESSABLE_ENTITY, Code::ReloadRefused),
            ReloadError::Unavailable(why) => {
                return Self::unavailable(format!("{why}; the policies are those of before, try again"));
            }
        };
        Self::new(status, error.to_string()).coded(code)
    }
}

/// The policies of the running engine.
#[utoipa::path(get, path = "/api/v1/policies", operation_id = "listPolicies", tag = "policies", responses(
    (status = 200, description = "The policies, and how the last reload went", body = PolicyList)))]
pub(crate) async fn list(State(api): State<Api>) -> Json<PolicyList> {
    Json(api.policies.running())
}

/// Reads the policies of the configuration anew, tries them on what is seen now, and lets them decide.
#[utoipa::path(post, path = "/api/v1/reload", operation_id = "reloadConfiguration", tag = "policies", responses(
    (status = 200, description = "They decide from now on", body = Reloaded),
    (status = 409, description = "The engine was not started from a file", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "They cannot be used; the policies are those of before", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn reload(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Reloaded>, Problem> {
    tracing::info!(
        target: "steadfast_audit",
        what = "reload", by = caller.by.as_deref(), through = caller.through.as_str(), from = caller.from.map(display),
        "a call to reload the configuration"
    );
    Ok(Json(api.policies.reload().await?))
}

#[cfg(test)]
mod tests;
