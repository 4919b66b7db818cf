//! Flink's archive: one file for each job, which holds what its REST API last said.

use std::borrow::Cow;
use steadfast_core::lookup::ResultQuery;

use serde::Deserialize;
use serde_json::value::RawValue;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::EndSource;
use steadfast_core::id::FlinkJobId;
use steadfast_core::state::JobState;

use super::{Files, ResultLookup, end_of};
use crate::flink::parse;
use crate::json;
use crate::transport::Limits;

/// `cluster.id` where nobody set one and there is no high availability (Flink 2.3).
const DEFAULT_CLUSTER: &str = "00000000000000000000000000000000";

/// Looks for the job's file: `<dir>/<job>`, and, as Flink 2.3 writes the jobs of an application (FLIP-549),
/// `<dir>/<cluster>/applications/<application>/jobs/<job>`.
pub(super) async fn find(files: &dyn Files, query: &ResultQuery, limits: Limits) -> ResultLookup {
    let job = query.job.to_string();
    if let Some(content) = files.read(&[&job], limits).await? {
        return read(&files.shown(&[&job]), &content, query);
    }
    for cluster in clusters(query) {
        let listed = files.list(&[&cluster, "applications"], limits).await?;
        let applications = listed.iter().filter_map(|path| match path.as_slice() {
            [application, jobs, name] if jobs == "jobs" && *name == job => Some(application),
            _ => None,
        });
        for application in applications {
            let path = [cluster.as_str(), "applications", application, "jobs", &job];
            if let Some(content) = files.read(&path, limits).await?
                && let Some(end) = read(&files.shown(&path), &content, query)?
            {
                return Ok(Some(end));
            }
        }
    }
    Ok(None)
}

/// What Flink 2.3 may take for `cluster.id`: what it makes of Kubernetes' cluster id, or its default. One that somebody
/// set by hand is also the id of a job that is highly available.
fn clusters(query: &ResultQuery) -> Vec<String> {
    let mut clusters = vec![
        id_of(&query.cluster_id),
        query.job.to_string(),
        DEFAULT_CLUSTER.to_owned(),
    ];
    clusters.dedup();
    clusters
}

/// The id that Flink makes of a name: Java's hash of the text, widened to 64 bits, and 64 zeros.
fn id_of(name: &str) -> String {
    let hash = name
        .encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    format!("{:016x}{:016x}", i64::from(hash), 0)
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    archive: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    /// A JSON text within a JSON string; only the few that are read are unpacked.
    #[serde(borrow)]
    json: &'a RawValue,
}

fn read(shown: &str, content: &[u8], query: &ResultQuery) -> ResultLookup {
    let malformed = |text: String| Fault::new(FaultKind::Malformed, format!("{shown}: {text}"));
    let body: Body<'_> =
        json::from_slice(content).map_err(|error| malformed(format!("not what Flink archives: {error}")))?;
    let entry = |path: &str| {
        let found = body.archive.iter().find(|entry| entry.path == path)?;
        Some(json::from_str::<Cow<'_, str>>(found.json.get()).map_err(|error| malformed(error.to_string())))
    };
    let path = format!("/jobs/{}", query.job);
    let detail = entry(&path).ok_or_else(|| malformed(format!("it lacks {path}, so it is about another job")))??;
    let detail = parse::detail(shown, detail.as_bytes())?;
    of_this_job(shown, detail.id, query)?;
    let mut cause = None;
    if detail.state == JobState::Failed
        && let Some(json) = entry(&format!("{path}/exceptions"))
    {
        // The file will not change: a cause that cannot be read must not hide the end.
        let exception = json.and_then(|json| parse::exceptions(shown, json.as_bytes()));
        cause = exception.ok().flatten().map(|exception| exception.headline);
    }
    Ok(end_of(query, detail.state, cause, detail.ended_at, EndSource::Archive))
}

/// Refuses what is about another job: it would be somebody else's end.
pub(super) fn of_this_job(shown: &str, id: FlinkJobId, query: &ResultQuery) -> Result<(), Fault> {
    if id == query.job {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Malformed,
        format!("{shown} is about job {id}, not about {}", query.job),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_names_as_flink_makes_them() {
        // Seen on the test cluster as the job ids of highly available applications of these names.
        assert_eq!(id_of("run-ha"), "ffffffffc92beb7b0000000000000000");
        assert_eq!(id_of("end-fail"), "000000006412c0d00000000000000000");
    }
}
