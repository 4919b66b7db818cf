//! A HistoryServer: the REST API of jobs that have ended.

use serde::Deserialize;
use steadfast_core::facts::EndSource;
use steadfast_core::state::JobState;

use super::archive::of_this_job;
use super::{Sought, Told, end_of};
use crate::flink::{self, classify, parse};
use crate::transport::{Limits, Transport};

/// `GET /jobs/<id>`, and for a failure its cause. A 404 in Flink's own words says that the server has no such job; any
/// other one may be a gateway's.
pub(super) async fn look(http: &dyn Transport, base: &str, sought: &Sought, limits: Limits) -> Told {
    let url = format!("{base}/jobs/{}", sought.job);
    let answer = http.get(&url, limits).await?;
    if answer.status == 404 && says_flink(&answer.body) {
        return Ok(None);
    }
    let detail = parse::detail(&url, &classify::body(&url, answer)?)?;
    of_this_job(&url, detail.id, sought)?;
    let cause = if detail.state == JobState::Failed {
        flink::exceptions(http, base, sought.job, limits)
            .await?
            .map(|exception| exception.headline)
    } else {
        None
    };
    Ok(end_of(
        sought,
        detail.state,
        cause,
        detail.ended_at,
        EndSource::HistoryServer,
    ))
}

/// Whether an error's body is of Flink's own form.
fn says_flink(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        errors: Vec<String>,
    }
    serde_json::from_slice::<Body>(body).is_ok_and(|body| !body.errors.is_empty())
}
