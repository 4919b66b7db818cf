//! The files of the world's archive and JobResultStore, read as the engine reads them, under virtual time.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_sources::job_results::Files;
use steadfast_sources::transport::Limits;
use steadfast_world::World;
use steadfast_world::story::FilesFault;

/// One of the folders of files that a Kubernetes cluster of the world has.
pub(super) struct WorldFiles {
    pub(super) world: Arc<World>,
    pub(super) cluster: String,
    pub(super) folder: &'static str,
}

impl WorldFiles {
    /// What is below a path of this folder, or why it cannot be read.
    async fn below(&self, path: &[&str], limits: Limits) -> Result<Vec<(Vec<String>, String)>, Fault> {
        let wrong = |kind, text: &str| Err(Fault::new(kind, format!("{}: {text}", self.shown(path))));
        let fault = self.world.model().files;
        match fault {
            FilesFault::Ok | FilesFault::Garbage => {}
            FilesFault::Drop => {
                tokio::time::sleep(limits.deadline).await;
                return wrong(FaultKind::Timeout, "no complete answer in time");
            }
            FilesFault::Forbidden => return wrong(FaultKind::Forbidden, "permission denied"),
            FilesFault::Missing => return wrong(FaultKind::NotFound, "no such directory"),
        }
        let folder: Vec<&str> = [self.cluster.as_str(), self.folder]
            .into_iter()
            .chain(path.iter().copied())
            .collect();
        let files = self.world.files().into_iter().filter_map(|(path, content)| {
            let below = path.get(folder.len()..)?;
            let text = content.to_string();
            let end = if fault == FilesFault::Garbage {
                text.len() / 2
            } else {
                text.len()
            };
            (path.iter().zip(&folder).all(|(one, other)| one == other))
                .then(|| (below.to_vec(), text.get(..end).unwrap_or_default().to_owned()))
        });
        Ok(files.collect())
    }
}

#[async_trait]
impl Files for WorldFiles {
    async fn read(&self, path: &[&str], limits: Limits) -> Result<Option<Bytes>, Fault> {
        let found = self.below(path, limits).await?;
        let mut whole = found.into_iter().filter(|(below, _)| below.is_empty());
        Ok(whole.next().map(|(_, content)| content.into()))
    }

    async fn list(&self, path: &[&str], limits: Limits) -> Result<Vec<Vec<String>>, Fault> {
        let found = self.below(path, limits).await?;
        Ok(found.into_iter().map(|(below, _)| below).collect())
    }

    fn shown(&self, path: &[&str]) -> String {
        format!("world:///{}/{}", self.folder, path.join("/"))
    }
}
