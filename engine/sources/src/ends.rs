//! How a job ended, as places tell it that outlive its cluster: Flink's archive, a HistoryServer, the JobResultStore.
//!
//! Each place answers for itself: it tells the end, it was read and tells none, or it could not be read. What
//! together they say is [`Observed`]: absent only if every one of them was read and tells none.

mod archive;
mod bucket;
mod directory;
mod files;
mod history;
mod job_results;
mod location;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use steadfast_core::evidence::{Fault, Observed};
use steadfast_core::facts::{EndSource, JobEnd};
use steadfast_core::id::FlinkJobId;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

pub use bucket::{Bucket, BucketError};
pub use directory::Directory;
pub use files::Files;
pub use location::{Location, LocationError};

use crate::transport::{Limits, MAX_BODY, Transport};

/// The most a file may hold, in bytes. An archive holds the whole REST API of a job with all its subtasks.
pub const MAX_FILE: usize = 64 << 20;
/// How much longer than an overview an archive may take.
const FILE_PATIENCE: u32 = 10;

/// Whose end is looked for.
#[derive(Clone, Debug)]
pub struct Sought {
    /// Flink's `kubernetes.cluster-id`, which is the Deployment's name.
    pub cluster_id: String,
    /// The job.
    pub job: FlinkJobId,
    /// The `start-time` of the run, if it is known. With high availability the job of a cluster that is deployed again
    /// has the same id, and the archive still holds the end of the run before: one that lies before this moment.
    pub started_at: Option<Timestamp>,
}

/// The places of one Kubernetes cluster that tell of ended jobs.
#[derive(Clone, Default)]
pub struct EndPlaces {
    /// Directories of `jobmanager.archive.fs.dir`.
    pub archives: Vec<Arc<dyn Files>>,
    /// The base of a HistoryServer's URLs, without a slash at its end.
    pub history_server: Option<String>,
    /// The directory of `job-result-store.storage-path`, or that above the clusters' own ones.
    pub job_results: Option<Arc<dyn Files>>,
}

/// The files at that location. Nothing is asked yet, so that what is not there now may come later.
pub fn open(location: &Location) -> Result<Arc<dyn Files>, BucketError> {
    Ok(match location {
        Location::Directory(path) => Arc::new(Directory::new(path.clone())),
        Location::Bucket { name, prefix } => Arc::new(Bucket::from_env(name, prefix)?),
    })
}

/// What one place says: the end, `None` if it was read and tells none, or why it could not be read.
type Told = Result<Option<JobEnd>, Fault>;

impl EndPlaces {
    /// Asks all places at once. The first that tells the end is believed, since a place that hangs must not keep the
    /// others from being heard; of those that answer at the same time the archive counts, then the HistoryServer.
    pub async fn look(&self, http: &dyn Transport, sought: &Sought, timeout: Duration) -> Observed<JobEnd> {
        let rest = Limits {
            deadline: timeout,
            max_bytes: MAX_BODY,
        };
        let files = Limits {
            deadline: timeout.saturating_mul(FILE_PATIENCE),
            max_bytes: MAX_FILE,
        };
        let archives = self
            .archives
            .iter()
            .map(|folder| archive::look(folder.as_ref(), sought, files).boxed());
        let history = self
            .history_server
            .iter()
            .map(|base| history::look(http, base, sought, rest).boxed());
        let results = self
            .job_results
            .iter()
            .map(|folder| job_results::look(folder.as_ref(), sought, files).boxed());
        let mut places: FuturesUnordered<BoxFuture<'_, Told>> = archives.chain(history).chain(results).collect();
        let mut fault = None;
        while let Some(told) = places.next().await {
            match told {
                Ok(Some(end)) => return Observed::Present(end),
                Ok(None) => {}
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        fault.map_or(Observed::Absent, Observed::Unknown)
    }
}

/// What a place says of the run that is looked for: nothing, if the state is none that ends a job for good, or if the
/// run before ended then.
fn end_of(
    sought: &Sought,
    state: JobState,
    cause: Option<String>,
    ended_at: Option<Timestamp>,
    told_by: EndSource,
) -> Option<JobEnd> {
    let is_final = matches!(state, JobState::Finished | JobState::Failed | JobState::Canceled);
    let is_earlier = matches!((ended_at, sought.started_at), (Some(ended), Some(started)) if ended < started);
    (is_final && !is_earlier).then_some(JobEnd {
        job: sought.job,
        state,
        cause,
        ended_at,
        told_by,
    })
}

#[cfg(test)]
mod tests;
