//! What Flink says of one job, for a person who asks: more of it than evidence needs, and kept nowhere.
//!
//! It is read as leniently as versions 1.13 to 2.3 differ. What is no answer of Flink's is a fault here too.

mod parse;

use std::time::Duration;

use steadfast_core::closeup::{CheckpointDetail, Failures, JobDetail, MOST_FAILURES};
use steadfast_core::evidence::Fault;
use steadfast_core::id::FlinkJobId;

use super::{classify, parse::says_unknown_job};
use crate::transport::{Limits, Transport};

/// The most a body may hold that is asked for a person, in bytes. Such questions draw on the same budget as those of the loop, which
/// they must not use up.
const MOST_BYTES: usize = 3 << 20;

/// What one request for a person may cost.
pub fn closeup_limits(deadline: Duration) -> Limits {
    Limits {
        deadline,
        max_bytes: MOST_BYTES,
    }
}

/// `GET /jobs/<id>`, with its vertices. `None`: Flink itself says that it does not know the job. Fails for any other answer, and for
/// one about another job.
pub async fn job_detail(
    transport: &dyn Transport,
    base: &str,
    job: FlinkJobId,
    limits: Limits,
) -> Result<Option<JobDetail>, Fault> {
    let url = format!("{base}/jobs/{job}");
    let unknown = |body: &[u8]| says_unknown_job(body, job);
    ask(transport, &url, limits, unknown, |body| parse::job(&url, body, job)).await
}

/// `GET /jobs/<id>/checkpoints`. `None`: Flink itself says that it does not know the job, or that it takes no checkpoints.
pub async fn checkpoint_detail(
    transport: &dyn Transport,
    base: &str,
    job: FlinkJobId,
    limits: Limits,
) -> Result<Option<CheckpointDetail>, Fault> {
    let url = format!("{base}/jobs/{job}/checkpoints");
    let none = |body: &[u8]| says_unknown_job(body, job) || parse::says_no_checkpoints(body);
    ask(transport, &url, limits, none, |body| parse::checkpoints(&url, body)).await
}

/// `GET /jobs/<id>/exceptions`. `None`: Flink itself says that it does not know the job.
pub async fn failures(
    transport: &dyn Transport,
    base: &str,
    job: FlinkJobId,
    limits: Limits,
) -> Result<Option<Failures>, Fault> {
    let url = format!("{base}/jobs/{job}/exceptions?maxExceptions={MOST_FAILURES}");
    let unknown = |body: &[u8]| says_unknown_job(body, job);
    ask(transport, &url, limits, unknown, |body| parse::failures(&url, body)).await
}

/// One question. `says_none` knows the body of a 404 that is Flink's own word.
async fn ask<T>(
    transport: &dyn Transport,
    url: &str,
    limits: Limits,
    says_none: impl Fn(&[u8]) -> bool,
    read: impl FnOnce(&[u8]) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let answer = transport.get(url, limits).await?;
    if answer.status == 404 && says_none(&answer.body) {
        return Ok(None);
    }
    read(&classify::body(url, answer)?).map(Some)
}

#[cfg(test)]
mod tests;
