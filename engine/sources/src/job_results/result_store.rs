//! Flink's JobResultStore: one file for each job that has ended, kept until all traces of the job are cleaned up.

use serde::Deserialize;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::EndSource;
use steadfast_core::id::FlinkJobId;
use steadfast_core::lookup::ResultQuery;
use steadfast_core::state::JobState;

use super::archive::of_this_job;
use super::{Files, ResultLookup, end_of};
use crate::flink::parse;
use crate::json;
use crate::transport::Limits;

/// Looks for the job's file, in the cluster's own folder (as Flink lays it out below `high-availability.storageDir`) and
/// in the folder itself (as `job-result-store.storage-path` names it). A dirty entry, whose job is not yet cleaned up,
/// names an end all the same. Flink deletes clean ones unless it is told to keep them.
pub(super) async fn find(files: &dyn Files, query: &ResultQuery, limits: Limits) -> ResultLookup {
    let names = [format!("{}.json", query.job), format!("{}_DIRTY.json", query.job)];
    let [clean, dirty] = &names;
    let cluster = query.cluster_id.as_str();
    let paths: [&[&str]; 4] = [&[cluster, clean], &[cluster, dirty], &[clean], &[dirty]];
    for path in paths {
        if let Some(content) = files.read(path, limits).await?
            && let Some(end) = read(&files.shown(path), &content, query)?
        {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Body {
    result: ResultBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ResultBody {
    id: String,
    application_status: String,
    failure_cause: Option<CauseBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CauseBody {
    class: Option<String>,
    stack_trace: Option<String>,
}

fn read(shown: &str, content: &[u8], query: &ResultQuery) -> ResultLookup {
    let malformed = |text: String| Fault::new(FaultKind::Malformed, format!("{shown}: {text}"));
    let Body { result } = json::from_slice(content)
        .map_err(|error| malformed(format!("not what Flink's JobResultStore holds: {error}")))?;
    let id = FlinkJobId::parse(&result.id).ok_or_else(|| malformed(format!("`{}` is no job id", result.id)))?;
    of_this_job(shown, id, query)?;
    let state = match result.application_status.as_str() {
        "SUCCEEDED" => JobState::Finished,
        "FAILED" => JobState::Failed,
        "CANCELED" => JobState::Canceled,
        // Flink's word where the job did not end for good, or it does not know how.
        "UNKNOWN" => return Ok(None),
        other => return Err(malformed(format!("`{other}` is no application status"))),
    };
    let cause = result
        .failure_cause
        .and_then(|cause| cause.stack_trace.or(cause.class))
        .map(|trace| parse::headline(&trace).into());
    // The file does not say when.
    Ok(end_of(query, state, cause, None, EndSource::JobResultStore))
}
