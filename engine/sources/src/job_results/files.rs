//! The seam through which files are read, wherever they are.

use async_trait::async_trait;
use bytes::Bytes;
use steadfast_core::evidence::{Fault, FaultKind};

use crate::transport::Limits;

/// The most files a listing may name.
pub(super) const MOST_FILES: usize = 100_000;

/// A folder of files. A path is the folders and the name that lead to a file; none of them can lead out of the folder.
#[async_trait]
pub trait Files: Send + Sync {
    /// A file's whole content. `None`: the folder itself is there, and lacks the file. A folder that is not there is a
    /// fault: it is a mistake, or a volume that is not mounted. So is a file of more than `limits.max_bytes`.
    async fn read(&self, path: &[&str], limits: Limits) -> Result<Option<Bytes>, Fault>;

    /// The paths, relative to it, of all files below a folder within this one; none if it is not there. Links to folders
    /// are not followed, and more than 100,000 files are a fault.
    async fn list(&self, path: &[&str], limits: Limits) -> Result<Vec<Vec<String>>, Fault>;

    /// A path as it is shown to people.
    fn shown(&self, path: &[&str]) -> String;
}

pub(super) fn too_many(shown: &str) -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        format!("{shown} holds more than {MOST_FILES} files"),
    )
}
