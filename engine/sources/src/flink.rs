//! Flink's REST API: what its answers mean. Any answer that is not plainly what was asked for is a fault.

pub(crate) mod classify;
mod closeup;
mod identity;
mod look;
mod overview;
pub(crate) mod parse;
mod rows;

use steadfast_core::evidence::Fault;
use steadfast_core::facts::{Checkpoints, FlinkOverview, RootException};
use steadfast_core::id::FlinkJobId;

pub use closeup::{checkpoint_detail, closeup_limits, failures, job_detail};
pub use identity::{ClusterIdentity, Expected, Patience};
pub use look::{NoLook, Vouched, job, look};

use overview::Reading;

use crate::transport::{Limits, Transport};

/// `GET /jobs/overview`: the jobs that the cluster tells of; [`look`] says what that is worth. Fails with a fault for every
/// answer but a whole one. It is read as it arrives, and may be larger than `limits` has it for what is kept whole.
pub async fn overview(transport: &dyn Transport, base: &str, limits: Limits) -> Result<FlinkOverview, Fault> {
    let url = format!("{base}/jobs/overview");
    let mut reading = Reading::new(&url, overview::BOUNDS);
    let answer = transport.get_into(&url, limits, &mut reading).await?;
    classify::body(&url, answer)?;
    reading.finish()
}

/// `GET /jobs/<id>/exceptions`: why the job last failed; `None` if Flink knows of no failure. Any other answer is a
/// fault.
pub async fn exceptions(
    transport: &dyn Transport,
    base: &str,
    job: FlinkJobId,
    limits: Limits,
) -> Result<Option<RootException>, Fault> {
    let url = format!("{base}/jobs/{job}/exceptions");
    parse::exceptions(&url, &classify::body(&url, transport.get(&url, limits).await?)?)
}

/// `GET /jobs/<id>/checkpoints`: its counters. Any answer without them is a fault.
pub async fn checkpoints(
    transport: &dyn Transport,
    base: &str,
    job: FlinkJobId,
    limits: Limits,
) -> Result<Checkpoints, Fault> {
    let url = format!("{base}/jobs/{job}/checkpoints");
    parse::checkpoints(&url, &classify::body(&url, transport.get(&url, limits).await?)?)
}

#[cfg(test)]
mod tests;
