//! How a job ended, from the sources that outlive its cluster: Flink's archive, a HistoryServer, the JobResultStore.
//!
//! Each source answers for itself: it has the end, it was read and has none, or it could not be read. Together they make
//! an [`Observed`]: absent only if every one of them was read and has none.

mod archive;
mod bucket;
mod directory;
mod files;
mod history;
mod location;
mod result_store;

use std::sync::Arc;
use std::time::Duration;
use steadfast_core::lookup::ResultQuery;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use steadfast_core::evidence::{Fault, Observed};
use steadfast_core::facts::{EndSource, JobEnd};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::secret_url::SecretUrl;
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

/// Where the ends of one Kubernetes cluster's jobs are kept.
#[derive(Clone, Default)]
pub struct ResultSources {
    /// Directories of `jobmanager.archive.fs.dir`.
    pub archives: Vec<Arc<dyn Files>>,
    /// The base of a HistoryServer's URLs, without a slash at its end.
    pub history_server: Option<SecretUrl>,
    /// The directory of `job-result-store.storage-path`, or that above the clusters' own ones.
    pub result_store: Option<Arc<dyn Files>>,
}

impl ResultSources {
    /// Whether none is configured.
    pub fn is_empty(&self) -> bool {
        self.archives.is_empty() && self.history_server.is_none() && self.result_store.is_none()
    }
}

/// The files at that location. Nothing is asked yet, so that what is not there now may come later. Fails if no client
/// for a bucket can be set up.
pub fn open(location: &Location) -> Result<Arc<dyn Files>, BucketError> {
    Ok(match location {
        Location::Directory(path) => Arc::new(Directory::new(path.clone())),
        Location::Bucket { name, prefix } => Arc::new(Bucket::from_env(name, prefix)?),
    })
}

/// What one source says: the end, `None` if it was read and has none, or why it could not be read.
type ResultLookup = Result<Option<JobEnd>, Fault>;

impl ResultSources {
    /// Asks all sources at once. The first that has the end is believed, since a source that hangs must not keep the
    /// others from being heard; of those that answer at the same time the archive counts, then the HistoryServer.
    /// `timeout` is that of one answer over HTTP; a file, which may be large, gets ten times as long.
    pub async fn find(&self, http: &dyn Transport, query: &ResultQuery, timeout: Duration) -> Observed<JobEnd> {
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
            .map(|folder| archive::find(folder.as_ref(), query, files).boxed());
        let history = self
            .history_server
            .iter()
            .map(|base| history::find(http, base.expose(), query, rest).boxed());
        let results = self
            .result_store
            .iter()
            .map(|folder| result_store::find(folder.as_ref(), query, files).boxed());
        let mut lookups: FuturesUnordered<BoxFuture<'_, ResultLookup>> =
            archives.chain(history).chain(results).collect();
        let mut fault = None;
        while let Some(found) = lookups.next().await {
            match found {
                Ok(Some(end)) => return Observed::Present(end),
                Ok(None) => {}
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        fault.map_or(Observed::Absent, Observed::Unknown)
    }
}

/// What a source says of the run that is looked for: nothing, if the state does not end a job for good, or if it is the
/// run before that ended then.
fn end_of(
    query: &ResultQuery,
    state: JobState,
    cause: Option<ForeignText>,
    ended_at: Option<Timestamp>,
    told_by: EndSource,
) -> Option<JobEnd> {
    let is_final = matches!(state, JobState::Finished | JobState::Failed | JobState::Canceled);
    let is_earlier = matches!((ended_at, query.started_at), (Some(ended), Some(started)) if ended < started);
    (is_final && !is_earlier).then_some(JobEnd {
        job: query.job,
        state,
        cause,
        ended_at,
        told_by,
    })
}

#[cfg(test)]
mod tests;
