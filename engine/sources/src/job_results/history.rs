//! A HistoryServer: the REST API of jobs that have ended.

use serde::Deserialize;
use steadfast_core::evidence::FaultKind;
use steadfast_core::facts::EndSource;
use steadfast_core::lookup::ResultQuery;
use steadfast_core::state::JobState;

use super::archive::of_this_job;
use super::{ResultLookup, end_of};
use crate::flink::{self, classify, parse};
use crate::json;
use crate::transport::{Limits, Transport, shown};

/// `GET /jobs/<id>`, and for a failure its cause. A 404 in Flink's own words says that the server has no such job; any
/// other one may be a gateway's.
pub(super) async fn find(http: &dyn Transport, base: &str, query: &ResultQuery, limits: Limits) -> ResultLookup {
    let url = format!("{base}/jobs/{}", query.job);
    let answer = http.get(&url, limits).await?;
    if answer.status == 404 && says_flink(&answer.body) {
        return Ok(None);
    }
    let detail = parse::detail(&url, &classify::body(&url, answer)?)?;
    of_this_job(&shown(&url), detail.id, query)?;
    let cause = if detail.state == JobState::Failed {
        match flink::exceptions(http, base, query.job, limits).await {
            Ok(exception) => exception.map(|exception| exception.headline),
            // It will not read better next time, and the end is known without it. Other faults pass.
            Err(fault)
                if matches!(
                    fault.kind,
                    FaultKind::NotFound | FaultKind::Malformed | FaultKind::TooLarge
                ) =>
            {
                None
            }
            Err(fault) => return Err(fault),
        }
    } else {
        None
    };
    Ok(end_of(
        query,
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
    json::from_slice::<Body>(body).is_ok_and(|body| !body.errors.is_empty())
}
