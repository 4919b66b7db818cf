//! The files that Flink leaves when a job has ended.

use serde_json::{Value, json};
use steadfast_core::state::JobState;

use super::shapes::{Shapes, trace};
use crate::model::{Births, Target};
use crate::story::EndedJob;

/// What Flink writes into `jobmanager.archive.fs.dir`, one file for each job, named by its id.
pub fn archive_file(target: &Target, births: &mut Births, ended: &EndedJob) -> Value {
    let job = ended.as_job();
    let mut shapes = Shapes { target, births };
    let base = format!("/jobs/{}", target.flink_id(&job.id));
    let entries = [
        ("/jobs/overview".to_owned(), json!({ "jobs": [shapes.overview(&job)] })),
        (base.clone(), shapes.detail(&job)),
        (format!("{base}/exceptions"), shapes.exceptions(&job)),
        (format!("{base}/checkpoints"), shapes.checkpoints(&job)),
    ];
    let archive = entries.map(|(path, body)| json!({ "path": path, "json": body.to_string() }));
    json!({ "archive": archive })
}

/// What Flink writes into `job-result-store.storage-path`, one file for each job.
pub fn job_result_file(target: &Target, births: &mut Births, ended: &EndedJob) -> Value {
    let job = ended.as_job();
    let word = if job.state == JobState::Finished {
        "SUCCEEDED"
    } else {
        job.state.as_str()
    };
    let duration = Shapes { target, births }.overview(&job)["duration"].clone();
    let mut result = json!({
        "id": target.flink_id(&job.id), "application-status": word, "accumulator-results": {}, "net-runtime": duration,
    });
    if let Some(root) = &job.root_exception {
        result["failure-cause"] = json!({
            "class": root.split(':').next(), "stack-trace": trace(root), "serialized-throwable": "rO0ABQ==",
        });
    }
    json!({ "result": result, "version": 1 })
}
